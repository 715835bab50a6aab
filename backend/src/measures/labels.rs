//! What the numbers are told apart by.

use std::fmt::{self, Write};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use types::request::GenerationRequest;

use super::JobEnd;

/// Which model paints, and about how large.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct PictureKind {
    model: String,
    size: SizeClass,
}

impl PictureKind {
    /// A model by its name, and a size in pixels.
    pub(crate) fn new(model: &str, size: (u32, u32)) -> Self {
        Self { model: model.to_owned(), size: SizeClass::of(size) }
    }

    /// What a request asks for. Its model is an installed one: it was checked.
    pub(crate) fn of(request: &GenerationRequest) -> Self {
        Self::new(&request.model, request.picture_size())
    }
}

/// Which model it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfModel {
    model: String,
}

impl OfModel {
    pub(super) fn new(model: &str) -> Self {
        Self { model: model.to_owned() }
    }
}

/// How a job came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfEnd {
    outcome: &'static str,
    /// What kind of mistake it was; empty if it was none.
    code: &'static str,
}

impl From<JobEnd> for OfEnd {
    fn from(end: JobEnd) -> Self {
        let (outcome, code) = match end {
            JobEnd::Done => ("done", ""),
            JobEnd::Cached => ("cached", ""),
            JobEnd::Failed(code) => ("failed", code.as_str()),
            JobEnd::Cancelled => ("cancelled", ""),
        };
        Self { outcome, code }
    }
}

/// About how large a picture is: no more pixels than the square that the class is named after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct SizeClass(Option<u32>);

impl SizeClass {
    /// Sides of the squares, in pixels.
    const SIDES: [u32; 6] = [256, 512, 768, 1024, 1536, 2048];

    fn of((width, height): (u32, u32)) -> Self {
        let n_pixels = u64::from(width) * u64::from(height);
        Self(Self::SIDES.into_iter().find(|side| n_pixels <= u64::from(*side).pow(2)))
    }
}

impl EncodeLabelValue for SizeClass {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self.0 {
            Some(side) => write!(encoder, "{side}x{side}"),
            None => encoder.write_str("larger"),
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::registry::Registry;

    use super::*;

    /// The labels as they are told.
    fn told(kind: &PictureKind) -> String {
        let (mut registry, family) = (Registry::default(), Family::<PictureKind, Counter>::default());
        registry.register("n", "n", family.clone());
        family.get_or_create(kind).inc();
        let text = super::super::rendered(&registry);
        text.lines().last().unwrap_or_default().to_owned()
    }

    #[test]
    fn any_size_belongs_to_one_of_seven_classes() {
        let class = |size| told(&PictureKind::new("m", size));
        assert_eq!(class((1, 1)), "n_total{model=\"m\",size=\"256x256\"} 1");
        assert_eq!(class((512, 512)), "n_total{model=\"m\",size=\"512x512\"} 1");
        assert_eq!(class((512, 520)), "n_total{model=\"m\",size=\"768x768\"} 1");
        assert_eq!(class((640, 384)), "n_total{model=\"m\",size=\"512x512\"} 1");
        assert_eq!(class((4096, 4096)), "n_total{model=\"m\",size=\"larger\"} 1");
    }

    /// A file's name may hold any character.
    #[test]
    fn a_name_cannot_end_its_label() {
        let odd = told(&PictureKind::new("a\"b\\c\nd", (64, 64)));
        assert_eq!(odd, "n_total{model=\"a\\\"b\\\\c\\nd\",size=\"256x256\"} 1");
    }
}
