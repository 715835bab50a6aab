//! Styles: words that are put around a prompt, by name.
//!
//! A style is what the AUTOMATIC1111 web UI means by one: a prompt in which `{prompt}` stands for what was typed, or
//! which stands behind it, and the same for the negative prompt.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::model::ModelInfo;

/// What stands for the typed prompt in a style.
pub const STYLE_PLACE: &str = "{prompt}";

/// Words that are put around a prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Style {
    /// Its name in requests, and for people.
    pub name: String,
    /// What it makes of the prompt; empty leaves it as it is.
    pub prompt: String,
    /// What it makes of the negative prompt; empty leaves it as it is.
    pub negative_prompt: String,
    /// Comes with the program, rather than from the site's file.
    #[serde(default)]
    pub built_in: bool,
}

impl Style {
    /// Those that come with the program, in the order they are offered.
    pub fn built_in() -> impl Iterator<Item = Self> {
        BUILT_IN.into_iter().map(|(name, prompt, negative_prompt)| Self {
            name: name.to_owned(),
            prompt: prompt.to_owned(),
            negative_prompt: negative_prompt.to_owned(),
            built_in: true,
        })
    }

    /// The site's own and those that come with the program, but for the ones whose names the site's have.
    pub fn all(of_site: &[Self]) -> Vec<Self> {
        let is_taken = |style: &Self| of_site.iter().any(|own| own.is_called(&style.name));
        of_site.iter().cloned().chain(Self::built_in().filter(|style| !is_taken(style))).collect()
    }

    /// Whether this is its name, in any case.
    pub fn is_called(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.trim().to_lowercase()
    }

    /// The style as it is applied with this model. A model that knows only some words gets those of a style that
    /// comes with the program, since others would only confuse it; one that the site wrote itself is left as it is.
    #[must_use]
    pub fn for_model(self, model: &ModelInfo) -> Self {
        match known_words(model).filter(|_| self.built_in) {
            Some(known) => Self {
                prompt: with_known_words(&self.prompt, &known),
                negative_prompt: with_known_words(&self.negative_prompt, &known),
                ..self
            },
            None => self,
        }
    }
}

/// A prompt in a style's words: in the place of `{prompt}`, or before them with a comma between.
///
/// # Source
/// `merge_prompts` in `modules/styles.py` of AUTOMATIC1111/stable-diffusion-webui 1.10.
pub fn merge_style(style: &str, prompt: &str) -> String {
    if style.contains(STYLE_PLACE) {
        return style.replace(STYLE_PLACE, prompt);
    }
    let parts = [prompt.trim(), style.trim()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The words that a model knows, if it knows only some.
fn known_words(model: &ModelInfo) -> Option<HashSet<String>> {
    let vocabulary = model.vocabulary.as_ref()?;
    let lists = [
        &vocabulary.subjects,
        &vocabulary.colours,
        &vocabulary.places,
        &vocabulary.times,
        &vocabulary.weather,
        &vocabulary.styles,
        &model.examples,
    ];
    Some(lists.into_iter().flatten().flat_map(|text| words(text)).collect())
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let is_inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '\'');
    text.split(move |c: char| !is_inner(c)).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The phrases of a style that have no word beyond the known ones. Around `{prompt}` nothing is left if one is not known.
fn with_known_words(style: &str, known: &HashSet<String>) -> String {
    let is_known = |phrase: &str| words(&phrase.replace(STYLE_PLACE, "")).all(|word| known.contains(&word));
    let phrases = style.split(',').map(str::trim).filter_map(|phrase| {
        if is_known(phrase) { Some(phrase) } else { phrase.contains(STYLE_PLACE).then_some(STYLE_PLACE) }
    });
    let left = phrases.collect::<Vec<_>>().join(", ");
    if left == STYLE_PLACE { String::new() } else { left }
}

/// Name, prompt and negative prompt of each.
const BUILT_IN: [(&str, &str, &str); 11] = [
    (
        "Product photograph",
        "product photograph of {prompt}, studio lighting, plain background, soft shadows, sharp focus",
        "cluttered background, harsh shadows",
    ),
    (
        "Concept art",
        "{prompt}, concept art, digital painting, dramatic lighting, intricate detail",
        "photograph, blurry",
    ),
    (
        "Portrait",
        "portrait of {prompt}, head and shoulders, soft window light, shallow depth of field, detailed face",
        "full body, cropped head, disfigured",
    ),
    (
        "Landscape",
        "{prompt}, wide landscape, vast sky, golden hour, deep perspective",
        "close-up, frame, border",
    ),
    ("Travel poster", "a travel poster of {prompt}, bold shapes, limited palette", ""),
    ("Watercolour", "{prompt}, watercolour, loose brushwork, paper texture", ""),
    ("Without flaws", "", "blurry, low quality, jpeg artifacts, noise, distorted, deformed"),
    ("Without text", "", "text, watermark, signature, logo, caption"),
    ("Without people", "", "people, person, crowd, face, hands"),
    (
        "Without bad anatomy",
        "",
        "bad anatomy, extra limbs, missing limbs, extra fingers, fused fingers, malformed hands",
    ),
    ("Without bad weather", "", "rain, snow, fog, storm clouds"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Vocabulary;
    use crate::request::check_prompt;

    #[test]
    fn a_prompt_goes_into_its_place_or_before_the_styles_words() {
        assert_eq!(merge_style("a poster of {prompt}, flat", "a boat"), "a poster of a boat, flat");
        assert_eq!(merge_style("{prompt} and {prompt}", "a boat"), "a boat and a boat");
        assert_eq!(merge_style(" watercolour ", " a boat "), "a boat, watercolour");
        assert_eq!(merge_style("rain", ""), "rain");
        assert_eq!(merge_style("", "a boat"), "a boat");
    }

    #[test]
    fn what_comes_with_the_program_is_of_use_and_has_names_of_its_own() {
        let styles: Vec<Style> = Style::built_in().collect();
        for (place, style) in styles.iter().enumerate() {
            for text in [&style.prompt, &style.negative_prompt] {
                assert_eq!(check_prompt("prompt", text).as_ref(), Ok(text), "{}", style.name);
            }
            assert!(!style.prompt.is_empty() || !style.negative_prompt.is_empty(), "{}", style.name);
            assert!(!styles[..place].iter().any(|before| before.is_called(&style.name)), "{}", style.name);
        }
    }

    #[test]
    fn a_style_of_the_site_goes_before_one_of_the_same_name() {
        let own = Style { name: "concept ART".into(), prompt: "{prompt}, sketch".into(), ..Style::default() };
        let all = Style::all(std::slice::from_ref(&own));
        assert_eq!(all[0], own);
        assert_eq!(all.len(), BUILT_IN.len());
        assert!(all.iter().all(|style| style.name != "Concept art"));
    }

    #[test]
    fn a_model_that_knows_only_some_words_gets_no_others_from_a_style_of_the_program() {
        let model = ModelInfo {
            vocabulary: Some(Vocabulary {
                styles: vec!["watercolour".into()],
                weather: vec!["rain".into(), "snow".into()],
                ..Vocabulary::default()
            }),
            examples: vec!["a travel poster of a white lighthouse".into()],
            ..crate::request::demo_model()
        };
        let texts = |name: &str| {
            let style = Style::built_in().find(|style| style.name == name).unwrap().for_model(&model);
            (style.prompt, style.negative_prompt)
        };
        let pair = |prompt: &str, negative: &str| (prompt.to_owned(), negative.to_owned());
        assert_eq!(texts("Watercolour"), pair("{prompt}, watercolour", ""));
        assert_eq!(texts("Travel poster"), pair("a travel poster of {prompt}", ""));
        assert_eq!(texts("Product photograph"), pair("", ""));
        assert_eq!(texts("Without bad weather"), pair("", "rain, snow"));
        let own = Style { prompt: "{prompt}, bokeh".into(), ..Style::default() };
        assert_eq!(own.clone().for_model(&model), own, "whoever writes a style knows the model");
        let any = ModelInfo { vocabulary: None, ..model };
        let style = Style::built_in().next().unwrap();
        assert_eq!(style.clone().for_model(&any), style);
    }
}
