//! Where a picture's pixels came from, in IPTC's words.
//!
//! # Source
//! `DigitalSourceType` of the IPTC Photo Metadata Standard, with the codes of <https://cv.iptc.org/newscodes/digitalsourcetype>.

use types::request::GenerationRequest;

/// Where the pixels came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigitalSource {
    /// A trained model made all of them.
    TrainedAlgorithmicMedia,
    /// Some are those of the picture that it began with.
    CompositeWithTrainedAlgorithmicMedia,
}

impl DigitalSource {
    /// Of a request's pictures.
    pub(crate) fn of(request: &GenerationRequest) -> Self {
        if request.mask.is_some() || request.outpaint.is_some() {
            Self::CompositeWithTrainedAlgorithmicMedia
        } else {
            Self::TrainedAlgorithmicMedia
        }
    }

    /// IPTC's code.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::TrainedAlgorithmicMedia => "trainedAlgorithmicMedia",
            Self::CompositeWithTrainedAlgorithmicMedia => "compositeWithTrainedAlgorithmicMedia",
        }
    }
}
