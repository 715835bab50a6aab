//! The names that pictures have in ComfyUI's answers.
//!
//! A name is the prefix of the node that saves the picture, with the picture's id behind it: so it can be asked for
//! without a list of names.

use serde_json::{Value, json};
use types::picture::{PictureFormat, PictureId, PictureInfo};

use super::workflow::{Fate, Saved};

/// Longest prefix, in characters.
const MAX_PREFIX: usize = 80;

/// Digits of an id.
const ID_DIGITS: usize = 32;

/// A picture as ComfyUI tells it: its name, and where that lies. Programs save under what they are told, so no folder is one
/// that leads upwards.
pub fn image(saved: &Saved, picture: &PictureInfo) -> Value {
    let (subfolder, name) = saved.prefix.rsplit_once('/').unwrap_or(("", &saved.prefix));
    let plain = |text: &str, keeps: &str| {
        let is_plain = |c: char| c.is_alphanumeric() || " -_.()".contains(c) || keeps.contains(c);
        text.chars().take(MAX_PREFIX).map(|c| if is_plain(c) { c } else { '_' }).collect::<String>()
    };
    let is_folder = |part: &&str| !part.chars().all(|c| c == '.');
    let subfolder = subfolder.split('/').filter(is_folder).collect::<Vec<_>>().join("/");
    let separator = if name.is_empty() { "" } else { "_" };
    json!({
        "filename": format!("{}{separator}{}.{}", plain(name, ""), picture.id, PictureFormat::Png.extension()),
        "subfolder": plain(&subfolder, "/"),
        "type": if saved.fate == Fate::Previewed { "temp" } else { "output" },
    })
}

/// The picture that has such a name.
pub fn picture(file_name: &str) -> Option<PictureId> {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let start = stem.len().checked_sub(ID_DIGITS)?;
    stem.get(start..)?.parse().ok()
}

/// A name without the mark of the folder that it lies in, as in `boat.png [output]`.
pub fn without_folder_mark(name: &str) -> &str {
    ["[input]", "[output]", "[temp]"]
        .iter()
        .find_map(|mark| name.trim_end().strip_suffix(mark))
        .map_or(name, str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn saved(prefix: &str) -> Value {
        let picture = PictureInfo {
            id: ID.parse().unwrap(),
            job_id: ID.parse().unwrap(),
            index: 0,
            prompt: "a boat".into(),
            seed: 7,
            width: 64,
            height: 64,
            favourite: false,
            created_at: time::OffsetDateTime::UNIX_EPOCH,
        };
        image(&Saved { node: "9".into(), prefix: prefix.into(), fate: Fate::Saved }, &picture)
    }

    #[test]
    fn a_picture_is_found_by_its_name_whatever_its_prefix() {
        for (prefix, folder, name) in [
            ("ComfyUI", "", "ComfyUI_"),
            ("boats/red/Sail 1", "boats/red", "Sail 1_"),
            ("a\"b\r\n", "", "a_b___"),
            ("../../etc/./.../x", "etc", "x_"),
            ("/etc/..", "etc", ".._"),
            ("", "", ""),
        ] {
            let image = saved(prefix);
            assert_eq!(image["subfolder"], folder, "{prefix}");
            let file_name = image["filename"].as_str().unwrap();
            assert_eq!(file_name, format!("{name}{ID}.png"), "{prefix}");
            assert_eq!(picture(file_name).unwrap().to_string(), ID);
        }
    }

    #[test]
    fn what_is_no_such_name_names_no_picture() {
        for name in ["", "boat.png", "ComfyUI_00001_.png", "ü0123456789abcdef0123456789abcde.png"] {
            assert_eq!(picture(name), None, "{name}");
        }
    }

    #[test]
    fn the_mark_of_a_folder_is_no_part_of_a_name() {
        assert_eq!(without_folder_mark("boat.png [output]"), "boat.png");
        assert_eq!(without_folder_mark("a [b].png"), "a [b].png");
    }
}
