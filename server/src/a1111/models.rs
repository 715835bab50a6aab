//! Models as that web UI names them.

use types::model::ModelInfo;

/// The installed model that a name there stands for: ours, or the one for people; with a hash or an ending of a file behind
/// it, and in any case.
pub fn find<'a>(models: &'a [ModelInfo], name: &str) -> Option<&'a ModelInfo> {
    let plain = plain(name);
    let is_it = |known: &str| known == name || known.eq_ignore_ascii_case(plain);
    models
        .iter()
        .find(|model| model.name == name)
        .or_else(|| models.iter().find(|model| is_it(&model.name) || is_it(&model.title)))
}

/// What to ask for as the model. A name that stands for none stays as it is, to be refused as such.
pub fn name_of(models: &[ModelInfo], name: &str) -> String {
    find(models, name).map_or_else(|| name.to_owned(), |model| model.name.clone())
}

/// Without the hash in `name.safetensors [0123456789]`, and without the ending.
fn plain(name: &str) -> &str {
    let name = name.trim();
    let name = match name.strip_suffix(']').and_then(|name| name.rsplit_once(" [")) {
        Some((name, hash)) if hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => name,
        _ => name,
    };
    [".safetensors", ".ckpt"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use backend::engine::fake::fake_model;

    use super::*;

    #[test]
    fn a_model_is_found_by_every_name_that_clients_make_of_it() {
        let other = ModelInfo { name: "Dream Shaper".into(), title: "Dreams".into(), ..fake_model() };
        let models = [fake_model(), other];
        for (name, expected) in [
            ("demo", "demo"),
            ("Demo", "demo"),
            ("Gradients", "demo"),
            ("demo.safetensors [6ce0161689]", "demo"),
            ("dream shaper.safetensors", "Dream Shaper"),
            (" dreams ", "Dream Shaper"),
        ] {
            assert_eq!(name_of(&models, name), expected, "{name}");
        }
        for unknown in ["", "sdxl", "demo [not a hash]"] {
            assert_eq!(name_of(&models, unknown), unknown);
        }
    }
}
