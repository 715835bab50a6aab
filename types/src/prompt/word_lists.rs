//! The lists that every site has. Files with the same name go before them.

use crate::model::Vocabulary;

/// Name and entries of each list, by name.
pub(super) const WORD_LISTS: [(&str, &[&str]); 19] = [
    (
        "animal",
        &[
            "cat", "dog", "fox", "horse", "owl", "whale", "elephant", "rabbit", "deer", "bear", "heron",
            "turtle", "hedgehog", "otter",
        ],
    ),
    (
        "building",
        &[
            "cottage",
            "lighthouse",
            "windmill",
            "castle",
            "temple",
            "cathedral",
            "greenhouse",
            "observatory",
            "skyscraper",
            "farmhouse",
            "library",
            "railway station",
        ],
    ),
    ("color", COLOURS),
    ("colour", COLOURS),
    (
        "flower",
        &[
            "rose",
            "tulip",
            "sunflower",
            "lavender",
            "poppy",
            "lily",
            "daisy",
            "orchid",
            "iris",
            "peony",
            "lotus",
        ],
    ),
    (
        "food",
        &[
            "ripe peach",
            "loaf of bread",
            "bowl of ramen",
            "slice of cake",
            "wheel of cheese",
            "basket of berries",
        ],
    ),
    (
        "light",
        &[
            "soft window light",
            "golden hour light",
            "candlelight",
            "neon light",
            "moonlight",
            "backlight",
            "overcast light",
            "hard noon light",
            "studio light",
            "firelight",
        ],
    ),
    (
        "material",
        &[
            "wood",
            "marble",
            "glass",
            "brass",
            "porcelain",
            "paper",
            "copper",
            "wool",
            "clay",
            "ice",
            "velvet",
        ],
    ),
    (
        "medium",
        &[
            "oil painting",
            "watercolour",
            "pencil drawing",
            "ink drawing",
            "woodcut",
            "linocut",
            "photograph",
            "pastel drawing",
            "gouache painting",
            "charcoal drawing",
            "3D render",
            "mosaic",
        ],
    ),
    (
        "mood",
        &[
            "calm",
            "cheerful",
            "dreamy",
            "mysterious",
            "melancholic",
            "playful",
            "dramatic",
            "solemn",
            "cosy",
            "nostalgic",
        ],
    ),
    (
        "place",
        &[
            "sea",
            "mountains",
            "meadow",
            "desert",
            "forest",
            "city",
            "harbour",
            "village",
            "jungle",
            "canyon",
            "island",
            "river valley",
            "frozen lake",
            "market square",
        ],
    ),
    ("season", &["spring", "summer", "autumn", "winter"]),
    (
        "shot",
        &["close-up", "wide shot", "aerial view", "low angle", "side view", "macro shot", "view from behind"],
    ),
    (
        "style",
        &[
            "poster",
            "watercolour",
            "impressionism",
            "art nouveau",
            "art deco",
            "baroque",
            "minimalism",
            "surrealism",
            "pop art",
            "low poly",
            "pixel art",
            "ukiyo-e",
            "bauhaus",
            "film noir",
        ],
    ),
    (
        "subject",
        &[
            "sailing boat",
            "cottage",
            "lighthouse",
            "hot-air balloon",
            "car",
            "tree",
            "cat",
            "mushroom",
            "windmill",
            "tent",
            "rocket",
            "teapot",
            "bicycle",
            "steam train",
            "robot",
            "dragon",
            "violin",
            "clock tower",
        ],
    ),
    ("time", &["morning", "noon", "sunset", "night", "dawn", "dusk", "midnight", "late afternoon"]),
    ("tree", &["oak", "birch", "pine", "willow", "cherry tree", "maple", "palm", "cypress", "olive tree"]),
    (
        "vehicle",
        &[
            "bicycle",
            "car",
            "sailing boat",
            "steam train",
            "hot-air balloon",
            "rocket",
            "tram",
            "airship",
            "scooter",
        ],
    ),
    (
        "weather",
        &["clear sky", "rain", "snow", "fog", "storm", "drifting clouds", "light mist", "strong wind"],
    ),
];

const COLOURS: &[&str] = &[
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "white",
    "black",
    "grey",
    "brown",
    "turquoise",
    "crimson",
    "golden",
    "silver",
    "teal",
];

/// The words of a model that knows only some, by the name of the list that they stand in for.
pub(super) fn of_vocabulary<'a>(vocabulary: &'a Vocabulary, name: &str) -> Option<&'a [String]> {
    let words = match name {
        "subject" => &vocabulary.subjects,
        "colour" | "color" => &vocabulary.colours,
        "place" => &vocabulary.places,
        "time" => &vocabulary.times,
        "weather" => &vocabulary.weather,
        "style" => &vocabulary.styles,
        _ => return None,
    };
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_stand_by_name_and_have_no_entry_twice() {
        assert!(WORD_LISTS.is_sorted_by_key(|(name, _)| *name));
        for (name, entries) in WORD_LISTS {
            let mut sorted = entries.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), entries.len(), "{name}");
            assert!(entries.iter().all(|entry| entry.trim() == *entry && !entry.is_empty()), "{name}");
        }
    }

    #[test]
    fn every_kind_of_word_that_a_model_can_know_has_a_list() {
        let words = || vec!["a word".to_owned()];
        let vocabulary = Vocabulary {
            subjects: words(),
            colours: words(),
            places: words(),
            times: words(),
            weather: words(),
            styles: words(),
        };
        for name in ["subject", "colour", "color", "place", "time", "weather", "style"] {
            assert!(WORD_LISTS.iter().any(|(known, _)| *known == name), "{name}");
            assert_eq!(of_vocabulary(&vocabulary, name), Some(&words()[..]), "{name}");
            assert_eq!(of_vocabulary(&Vocabulary::default(), name), None, "none, so the site's list stands");
        }
        assert_eq!(of_vocabulary(&vocabulary, "season"), None);
    }
}
