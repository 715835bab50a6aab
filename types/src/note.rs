//! What is to be said of how a job's pictures were made.

use serde::{Deserialize, Serialize};

/// What whoever asked may want to know of how a picture was made. A stable name: programs may match on it.
///
/// A new one comes last, since the numbers of events follow their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// In f16 the VAE's decoder gave numbers that are none, so it was used once more in f32.
    DecodedInF32,
    /// The same of its encoder, where a run began with a picture.
    EncodedInF32,
    /// What came out was no picture or wholly black, so all of it was made once more in f32.
    MadeInF32,
    /// What came out is wholly black, in f32 too.
    AllBlack,
    /// The model that was asked for could not be used, so the one that the site has for that made the picture. Its file says
    /// which one, and with which settings.
    MadeByFallback,
    /// The safety checker would not show the picture, so it was blurred.
    Blurred,
    /// A picture is not there any more: its file was missing or damaged, and its row was removed.
    PictureLost,
}

impl Note {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::DecodedInF32,
        Self::EncodedInF32,
        Self::MadeInF32,
        Self::AllBlack,
        Self::MadeByFallback,
        Self::Blurred,
        Self::PictureLost,
    ];

    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DecodedInF32 => "decoded_in_f32",
            Self::EncodedInF32 => "encoded_in_f32",
            Self::PictureLost => "picture_lost",
            Self::MadeInF32 => "made_in_f32",
            Self::AllBlack => "all_black",
            Self::MadeByFallback => "made_by_fallback",
            Self::Blurred => "blurred",
        }
    }

    /// The same for people: a sentence, lower case and without a full stop.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::DecodedInF32 => "the VAE left the range of f16 and was used in f32",
            Self::EncodedInF32 => "the VAE left the range of f16 with the start picture and was used in f32",
            Self::PictureLost => "a picture of this job was lost, since its file was missing or damaged",
            Self::MadeInF32 => {
                "the model left the range of its numbers, so the picture was made once more in f32"
            }
            Self::AllBlack => "the picture came out wholly black; another seed or sampler may do better",
            Self::MadeByFallback => {
                "the model that was asked for could not be used, so this site's fallback model made the picture"
            }
            Self::Blurred => "this site's safety checker blurred the picture",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_has_one_name_everywhere() {
        for note in Note::ALL {
            assert_eq!(serde_json::to_value(note).unwrap(), note.as_str());
        }
    }
}
