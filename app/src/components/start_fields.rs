//! What the fold of the start picture is filled in with.

use backend::{Services, Visitor};
use types::request::RawRequest;

use crate::format::sentence;
use crate::material::Material;
use crate::state::FormState;

/// What the fold is filled in with.
#[derive(Debug, Clone, Default)]
pub struct StartFields {
    /// The picture to start from, if there is one already.
    pub start: Option<Material>,
    /// The mask over it.
    pub mask: Option<Material>,
    /// As it was typed.
    pub strength: String,
    /// As it was typed.
    pub mask_feather: String,
    /// As they were typed: left, top, right, bottom.
    pub outpaint: [String; 4],
    /// What is wrong, by the name of the field.
    pub errors: Vec<(String, String)>,
}

impl StartFields {
    /// What is wrong with a field.
    pub fn error(&self, name: &str) -> Option<String> {
        self.errors.iter().find(|(field, _)| field == name).map(|(_, error)| error.clone())
    }

    /// Whether something is wrong with a field whose name begins like this.
    pub fn has_error(&self, prefix: &str) -> bool {
        self.errors.iter().any(|(field, _)| field.starts_with(prefix))
    }

    /// Whether anything in it is filled in or wrong.
    pub fn says_something(&self) -> bool {
        let mut texts = [&self.strength, &self.mask_feather].into_iter().chain(&self.outpaint);
        self.start.is_some() || !self.errors.is_empty() || texts.any(|text| !text.is_empty())
    }

    /// Whether the fold of the margins stands open.
    pub fn extends(&self) -> bool {
        self.has_error("outpaint") || self.outpaint.iter().any(|text| !matches!(text.trim(), "" | "0"))
    }
}

/// The fields of the fold whose errors it shows.
pub const START_FIELDS: [&str; 8] = [
    "start",
    "strength",
    "mask",
    "mask_feather",
    "outpaint_left",
    "outpaint_top",
    "outpaint_right",
    "outpaint_bottom",
];

/// The pictures that a form names, as far as the visitor may use them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Materials {
    /// The picture to start from.
    pub start: Option<Material>,
    /// The mask over it.
    pub mask: Option<Material>,
}

/// Looks for the pictures that a request names.
pub async fn find_materials(services: &Services, visitor: &Visitor, raw: &RawRequest) -> Materials {
    // A form that cannot say which pictures it named still takes new ones.
    let start = services.known_start(visitor, raw.start.as_deref()).await.unwrap_or_default();
    let mask = services.known_mask(visitor, raw.mask.as_deref()).await.unwrap_or_default();
    Materials {
        start: start.as_ref().and_then(Material::known),
        mask: mask.as_ref().and_then(Material::known),
    }
}

/// The fold as the form was filled in.
pub fn start_fields(form: &FormState, materials: &Materials) -> StartFields {
    let raw = &form.raw;
    let typed = |name: &str, number: Option<String>| {
        form.typed.get(name).map(str::to_owned).or(number).unwrap_or_default()
    };
    let whole = |name: &str, number: Option<i64>| typed(name, number.map(|number| number.to_string()));
    let errors = form.error.iter().filter_map(|error| {
        let field = error.field.clone().filter(|field| START_FIELDS.contains(&field.as_str()))?;
        Some((field, sentence(&error.message)))
    });
    StartFields {
        start: materials.start.clone(),
        mask: materials.mask.clone().filter(|_| materials.start.is_some()),
        strength: typed("strength", raw.strength.map(|strength| strength.to_string())),
        mask_feather: whole("mask_feather", raw.mask_feather),
        outpaint: [
            whole("outpaint_left", raw.outpaint_left),
            whole("outpaint_top", raw.outpaint_top),
            whole("outpaint_right", raw.outpaint_right),
            whole("outpaint_bottom", raw.outpaint_bottom),
        ],
        errors: errors.collect(),
    }
}

#[cfg(test)]
mod tests {
    use types::error::PublicError;

    use super::*;

    #[test]
    fn an_error_of_the_fold_is_shown_in_it_and_others_are_not() {
        let raw = RawRequest { strength: Some(2.0), ..RawRequest::default() };
        let refused = |field: &str| FormState {
            raw: raw.clone(),
            error: Some(PublicError::invalid_field(field, "strength 2 is out of range")),
            ..FormState::default()
        };
        let fields = start_fields(&refused("strength"), &Materials::default());
        assert_eq!(fields.error("strength").as_deref(), Some("Strength 2 is out of range."));
        assert_eq!(fields.strength, "2");
        assert!(fields.says_something());
        assert_eq!(start_fields(&refused("steps"), &Materials::default()).errors, []);
    }

    #[test]
    fn a_mask_without_its_picture_is_left_out() {
        let mask = Some(Material::upload("m".into(), 8, 8));
        let materials = Materials { start: None, mask };
        assert_eq!(start_fields(&FormState::default(), &materials).mask, None);
    }
}
