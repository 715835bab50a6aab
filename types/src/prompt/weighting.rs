//! How weights act on what the text encoder says.

use serde::{Deserialize, Serialize};

/// How the weights of `(word:1.2)` are applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Weighting {
    /// As the AUTOMATIC1111 web UI does: each token is multiplied, then all are scaled back to their former mean.
    #[default]
    A1111,
    /// As compel and ComfyUI do: each token moves away from, or towards, what an empty prompt has in its place.
    Compel,
}

impl Weighting {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::A1111, Self::Compel];

    /// The name in requests and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A1111 => "a1111",
            Self::Compel => "compel",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weighting_is_written_as_its_name() {
        for weighting in Weighting::ALL {
            assert_eq!(serde_json::to_string(&weighting).unwrap(), format!("\"{}\"", weighting.as_str()));
        }
    }
}
