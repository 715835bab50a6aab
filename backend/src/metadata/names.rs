//! Models and LoRAs by the names that other programs have for their files.

/// Endings of files that hold weights.
const ENDINGS: [&str; 7] = [".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf"];

/// The one of `installed` that a name stands for: the same in letters, or in all but case, or in all but what file systems
/// and programs change in names.
pub(super) fn find<'a>(name: &str, installed: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let name = stem(name);
    if name.is_empty() {
        return None;
    }
    let same = |other: &&str| stem(other) == name;
    let nearly = |other: &&str| folded(stem(other)) == folded(name);
    installed.clone().find(same).or_else(|| {
        let mut installed = installed;
        installed.find(nearly)
    })
}

/// A file's name without its folder, its ending, and the hash that some programs put behind it.
pub(super) fn stem(name: &str) -> &str {
    let name = name.trim();
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    // `model.safetensors [6ce0161689]`
    let name = match name.split_once(" [") {
        Some((before, hash)) if hash.ends_with(']') => before,
        _ => name,
    };
    let ending = ENDINGS.iter().find(|ending| {
        let at = name.len().checked_sub(ending.len());
        at.and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    });
    ending.map_or(name, |ending| &name[..name.len() - ending.len()])
}

/// Letters and digits alone, in lower case.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_by_every_name_of_its_file() {
        let installed = ["demo", "Dream Shaper 8", "v1-5-pruned"];
        let find = |name: &str| find(name, installed.into_iter());
        assert_eq!(find("v1-5-pruned.safetensors"), Some("v1-5-pruned"));
        assert_eq!(find("SD15\\v1-5-pruned.ckpt"), Some("v1-5-pruned"));
        assert_eq!(find("models/v1-5-pruned.safetensors [6ce0161689]"), Some("v1-5-pruned"));
        assert_eq!(find("dream_shaper-8.SAFETENSORS"), Some("Dream Shaper 8"));
        assert_eq!(find("v1-5-pruned-emaonly"), None);
        assert_eq!(find(""), None);
        assert_eq!(find(".safetensors"), None);
    }

    #[test]
    fn the_very_name_goes_before_one_that_is_nearly_it() {
        assert_eq!(find("Ink", ["ink", "Ink"].into_iter()), Some("Ink"));
    }
}
