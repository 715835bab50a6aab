//! The settings that a picture's file holds, whichever program wrote it.

use serde::{Deserialize, Serialize};

use crate::request::RawRequest;

/// What was read out of a picture's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadSettings {
    /// The program that wrote the settings.
    pub program: Program,
    /// As much of the settings as can be asked for here. Every value in it is allowed, but for a prompt that is too
    /// long or empty.
    pub request: RawRequest,
    /// What has no counterpart here, in the order in which it was found.
    pub not_carried: Vec<NotCarried>,
}

/// A program that writes its settings into pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// This one.
    Darkroom,
    /// The web UI of AUTOMATIC1111, and whoever writes as it does.
    Automatic1111,
    /// The fork of that web UI by lllyasviel, and its own forks.
    Forge,
    /// `ComfyUI`.
    #[serde(rename = "comfyui")]
    ComfyUi,
    /// `InvokeAI`.
    #[serde(rename = "invokeai")]
    InvokeAi,
    /// Fooocus.
    Fooocus,
    /// `SwarmUI`.
    #[serde(rename = "swarmui")]
    SwarmUi,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Darkroom,
        Self::Automatic1111,
        Self::Forge,
        Self::ComfyUi,
        Self::InvokeAi,
        Self::Fooocus,
        Self::SwarmUi,
    ];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Darkroom => "darkroom",
            Self::Automatic1111 => "automatic1111",
            Self::Forge => "forge",
            Self::ComfyUi => "comfyui",
            Self::InvokeAi => "invokeai",
            Self::Fooocus => "fooocus",
            Self::SwarmUi => "swarmui",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Darkroom => "Darkroom",
            Self::Automatic1111 => "AUTOMATIC1111",
            Self::Forge => "Forge",
            Self::ComfyUi => "ComfyUI",
            Self::InvokeAi => "InvokeAI",
            Self::Fooocus => "Fooocus",
            Self::SwarmUi => "SwarmUI",
        }
    }
}

/// A setting that could not be carried over, or only in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotCarried {
    /// The setting's name, as the program that wrote it calls it.
    pub name: String,
    /// Its value; shortened if it is long.
    pub value: String,
    /// Why, in one sentence.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_one_name_in_json() {
        for program in Program::ALL {
            assert_eq!(serde_json::to_value(program).unwrap(), program.as_str());
        }
    }
}
