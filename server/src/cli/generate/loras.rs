//! LoRAs that are named, or given by their paths.

use std::path::{Path, PathBuf};

use types::request::RawLora;

use super::models::is_path;

/// What `--lora` asked for.
pub struct Loras {
    /// By name and weight; a file goes by its name without its ending.
    pub asked: Vec<RawLora>,
    /// Files that are not among the installed ones.
    pub files: Vec<PathBuf>,
}

/// Reads `NAME`, `FILE`, `NAME:WEIGHT` and `FILE:WEIGHT`. Whether they are there and of use is told with the rest of
/// the request.
pub fn read(flags: &[String]) -> Loras {
    let mut files = Vec::new();
    let read_one = |text: &String| {
        let mut lora = RawLora::parse(text);
        if is_path(&lora.name) {
            let path = PathBuf::from(&lora.name);
            lora.name = stem(&path);
            files.push(path);
        }
        lora
    };
    let asked = flags.iter().map(read_one).collect();
    Loras { asked, files }
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_offered_by_its_name_and_a_name_is_left_as_it_is() {
        let flags = ["ink:0.8", "./styles/oil.safetensors:-1", "wash.safetensors"].map(str::to_owned);
        let Loras { asked, files } = read(&flags);
        let names: Vec<_> = asked.iter().map(|lora| (lora.name.as_str(), lora.weight)).collect();
        assert_eq!(names, [("ink", Some(0.8)), ("oil", Some(-1.0)), ("wash", None)]);
        assert_eq!(files, ["./styles/oil.safetensors", "wash.safetensors"].map(PathBuf::from));
    }
}
