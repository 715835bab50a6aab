//! What becomes of pictures that the safety checker would not show.

use std::fmt;

use types::error::PublicError;

/// What becomes of pictures that Stable Diffusion's safety checker would not show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SafetyMode {
    /// Nothing: no picture is looked at.
    #[default]
    Off,
    /// It is stored so blurred that nothing in it can be made out, and its job says so.
    Blur,
    /// It is stored nowhere, and its job fails.
    Refuse,
}

impl SafetyMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Blur, Self::Refuse];

    /// The name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Blur => "blur",
            Self::Refuse => "refuse",
        }
    }

    /// Whether pictures are looked at.
    pub fn is_on(self) -> bool {
        self != Self::Off
    }
}

impl fmt::Display for SafetyMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What the owner of a job is told whose picture `index` is not shown.
pub(crate) fn refused(index: u32, n_pictures: u32) -> PublicError {
    let which = if n_pictures == 1 {
        "the picture".to_owned()
    } else {
        format!("picture {} of {n_pictures}", index + 1)
    };
    let sentence = format!(
        "{which} was held back by this site's safety checker; change the prompt, or try another seed"
    );
    PublicError::invalid_field("prompt", sentence)
}
