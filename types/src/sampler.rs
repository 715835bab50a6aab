//! The names of samplers and noise schedules, as people write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the noise levels are walked down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Sampler {
    /// Denoising diffusion implicit models, deterministic (eta 0).
    Ddim,
    /// Euler's method over the probability-flow equation.
    Euler,
    /// Euler's method with fresh noise after every step.
    EulerAncestral,
    /// DPM-Solver++ (2M): second order, one model call a step.
    DpmPlusPlus2M,
}

/// How the noise levels are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Schedule {
    /// Evenly spaced training timesteps, as the model's own scheduler spaces them.
    Normal,
    /// Karras et al. 2022: more steps where there is little noise.
    Karras,
}

/// A name that stands for no sampler or no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{name}` is unknown; known are {known}")]
pub struct UnknownName {
    kind: &'static str,
    name: String,
    known: String,
}

impl Sampler {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 4] = [Self::DpmPlusPlus2M, Self::Euler, Self::EulerAncestral, Self::Ddim];

    /// The name in requests and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ddim => "ddim",
            Self::Euler => "euler",
            Self::EulerAncestral => "euler_ancestral",
            Self::DpmPlusPlus2M => "dpmpp_2m",
        }
    }

    /// The name that the AUTOMATIC1111 web UI shows, which people know it by.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ddim => "DDIM",
            Self::Euler => "Euler",
            Self::EulerAncestral => "Euler a",
            Self::DpmPlusPlus2M => "DPM++ 2M",
        }
    }

    /// One sentence on what it is good for.
    pub fn describe(self) -> &'static str {
        match self {
            Self::DpmPlusPlus2M => "Sharp pictures in few steps. A good default.",
            Self::Euler => "Simple and predictable; close to DPM++ 2M with more steps.",
            Self::EulerAncestral => "Adds a little fresh noise at every step: livelier, never settles.",
            Self::Ddim => "The classic. Same answer every time, likes 30 steps and more.",
        }
    }
}

impl Schedule {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::Karras, Self::Normal];

    /// The name in requests and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Karras => "karras",
        }
    }

    /// The name that people know it by.
    pub fn label(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Karras => "Karras",
        }
    }
}

/// Letters and digits alone, in lower case, with `+` spelt out: so that `DPM++ 2M`, `dpmpp_2m` and
/// `DPM++2m` are one name.
fn fold(name: &str) -> String {
    name.replace("++", "pp").chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl FromStr for Sampler {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Ok(match fold(name).as_str() {
            "ddim" => Self::Ddim,
            "euler" => Self::Euler,
            "eulera" | "eulerancestral" => Self::EulerAncestral,
            "dpmpp2m" => Self::DpmPlusPlus2M,
            _ => {
                return Err(UnknownName {
                    kind: "sampler",
                    name: name.to_owned(),
                    known: Self::ALL.map(Self::as_str).join(", "),
                });
            }
        })
    }
}

impl FromStr for Schedule {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Ok(match fold(name).as_str() {
            "normal" => Self::Normal,
            "karras" => Self::Karras,
            _ => {
                return Err(UnknownName {
                    kind: "schedule",
                    name: name.to_owned(),
                    known: Self::ALL.map(Self::as_str).join(", "),
                });
            }
        })
    }
}

impl TryFrom<String> for Sampler {
    type Error = UnknownName;
    fn try_from(name: String) -> Result<Self, UnknownName> {
        name.parse()
    }
}

impl TryFrom<String> for Schedule {
    type Error = UnknownName;
    fn try_from(name: String) -> Result<Self, UnknownName> {
        name.parse()
    }
}

impl From<Sampler> for String {
    fn from(sampler: Sampler) -> Self {
        sampler.as_str().to_owned()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.as_str().to_owned()
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sampler_parses_from_its_name_and_from_its_label() {
        for sampler in Sampler::ALL {
            assert_eq!(sampler.as_str().parse(), Ok(sampler));
            assert_eq!(sampler.label().parse(), Ok(sampler));
        }
        for schedule in Schedule::ALL {
            assert_eq!(schedule.as_str().parse(), Ok(schedule));
            assert_eq!(schedule.label().parse(), Ok(schedule));
        }
    }

    #[test]
    fn an_unknown_sampler_is_refused_with_the_known_ones() {
        assert_eq!(
            "plms".parse::<Sampler>().unwrap_err().to_string(),
            "sampler `plms` is unknown; known are dpmpp_2m, euler, euler_ancestral, ddim"
        );
    }
}
