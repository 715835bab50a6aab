//! The settings inside pictures, whichever program wrote them.
//!
//! # Layout
//! * [`texts`]: what a file holds as text: [`png`] chunks, and the [`exif`] fields of JPEG and WebP
//! * [`darkroom`], [`a1111`], [`comfyui`], [`invokeai`], [`fooocus`], [`swarmui`]: what each program writes
//! * [`infotext`]: the form of settings that several of them share; [`compel`]: the weights of words of another
//! * [`pairs`], [`values`]: names with values, as forgiving as the programs are careless
//! * [`found`]: what was found, in the words of a request
//! * [`carry`]: what of it can be asked for here; [`names`]: models and LoRAs by other programs' names for them
//!
//! # Invariants
//! Whatever a file holds, reading it ends with settings or with one sentence: texts have a limit, packed ones as
//! well, JSON has one for its depth, and a graph is walked with one for its steps.

mod a1111;
mod carry;
mod comfyui;
mod compel;
mod darkroom;
mod exif;
mod fooocus;
mod found;
mod infotext;
mod invokeai;
mod names;
mod pairs;
mod png;
mod swarmui;
mod texts;
mod values;

use types::error::PublicError;
use types::metadata::Program;

use crate::pictures::DecodeError;

pub(crate) use carry::carry;
pub(crate) use found::Found;
use texts::Texts;

/// Why a file gives no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetadataError {
    /// It is no picture of a kind that is read.
    #[error("the file {0}")]
    Picture(#[from] DecodeError),
    /// Nobody wrote any into it, or they were taken out.
    #[error(
        "the picture carries no settings; those of Darkroom, AUTOMATIC1111, Forge, ComfyUI, InvokeAI, Fooocus and \
         SwarmUI are read, as long as nobody took them out"
    )]
    NoSettings,
    /// They are there and make no sense.
    #[error("the settings that {} wrote cannot be read: {why}", program.title())]
    Unreadable {
        /// Who wrote them.
        program: Program,
        /// What is wrong, lower case.
        why: String,
    },
}

impl MetadataError {
    fn unreadable(program: Program, why: impl Into<String>) -> Self {
        Self::Unreadable { program, why: why.into() }
    }

    /// What a visitor is told.
    pub(crate) fn public(&self) -> PublicError {
        PublicError::invalid_field("file", self.to_string())
    }
}

/// What a reader says of a file: nothing if another program wrote it.
type Read = Result<Option<Found>, MetadataError>;

/// Keyword and text of all that a picture's file says, bounded as [`read`] is; none of what is no picture.
pub(crate) fn texts(bytes: &[u8]) -> Vec<(String, String)> {
    Texts::read(bytes).unwrap_or_default().into_pairs()
}

/// The settings in a picture's file.
///
/// # Errors
/// The file is no picture, holds no settings, or only such as make no sense.
pub(crate) fn read(bytes: &[u8]) -> Result<Found, MetadataError> {
    let texts = Texts::read(bytes)?;
    // What is exact goes before what is not, and what only one program writes before what several write.
    let readers: [fn(&Texts) -> Read; 6] =
        [darkroom::read, invokeai::read, fooocus::read, swarmui::read, comfyui::read, a1111::read];
    let mut first_fault = None;
    for read in readers {
        match read(&texts) {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(fault) => {
                first_fault.get_or_insert(fault);
            }
        }
    }
    Err(first_fault.unwrap_or(MetadataError::NoSettings))
}

#[cfg(test)]
mod tests;
