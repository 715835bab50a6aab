//! How weights act on what the text encoder says.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the weights of `(word:1.2)` are applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

impl fmt::Display for Weighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that stands for no weighting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("weighting `{0}` is unknown; known are a1111, compel")]
pub struct UnknownWeighting(String);

impl FromStr for Weighting {
    type Err = UnknownWeighting;

    fn from_str(name: &str) -> Result<Self, UnknownWeighting> {
        Self::ALL
            .into_iter()
            .find(|weighting| name.eq_ignore_ascii_case(weighting.as_str()))
            .ok_or_else(|| UnknownWeighting(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weighting_parses_from_its_name_and_is_written_as_it() {
        for weighting in Weighting::ALL {
            assert_eq!(weighting.as_str().parse(), Ok(weighting));
            assert_eq!(serde_json::to_string(&weighting).unwrap(), format!("\"{weighting}\""));
        }
        assert_eq!(
            "clip".parse::<Weighting>().unwrap_err().to_string(),
            "weighting `clip` is unknown; known are a1111, compel"
        );
    }
}
