//! Numbers as they were typed into a form, which need not be numbers.

/// The texts of the form's number fields. What is no number is refused, and shown again as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypedNumbers(Vec<(&'static str, String)>);

impl TypedNumbers {
    /// The fields that hold numbers.
    const FIELDS: [&'static str; 20] = [
        "steps",
        "guidance_scale",
        "seed",
        "count",
        "width",
        "height",
        "strength",
        "mask_feather",
        "outpaint_left",
        "outpaint_top",
        "outpaint_right",
        "outpaint_bottom",
        "clip_skip",
        "guidance_rescale",
        "picture_guidance_scale",
        "hires_scale",
        "hires_steps",
        "hires_strength",
        "variation_seed",
        "variation_strength",
    ];

    /// Reads them; `value` gives a field's text, if it was sent.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Self {
        let typed = Self::FIELDS.into_iter().filter_map(|field| Some((field, value(field)?)));
        Self(typed.filter(|(_, text)| !text.trim().is_empty()).collect())
    }

    /// What was typed into a field; nothing if it was left empty.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, text)| text.as_str())
    }

    /// Whether something was typed into any of these fields.
    pub fn has_any(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.get(field).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_kept_as_it_was_typed() {
        let typed = TypedNumbers::read(|field| match field {
            "steps" => Some("1o".to_owned()),
            "seed" => Some(" ".to_owned()),
            _ => None,
        });
        assert_eq!((typed.get("steps"), typed.get("seed"), typed.get("width")), (Some("1o"), None, None));
        assert!(typed.has_any(&["seed", "steps"]));
        assert!(!typed.has_any(&["seed", "width"]));
    }
}
