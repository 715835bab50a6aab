//! Settings of what may be shown, of what pictures are signed with, and of what stands in for a model that fails.

use std::path::PathBuf;

use backend::{SafetyMode, SigningFiles};
use clap::Args;
use serde::Deserialize;

use super::named;

/// Flags. clap fills in environment variables where a flag is missing.
#[derive(Args, Default)]
pub struct SafetyFlags {
    /// What becomes of pictures that the safety checker of the models folder would not show: off (nobody looks), blur or
    /// refuse [default: off]
    #[arg(long, global = true, env = "DARKROOM_SAFETY_MODE", value_name = "MODE", value_parser = parse_mode)]
    safety_mode: Option<SafetyMode>,
    /// Model that makes the picture where the one that was asked for cannot be loaded, or has not enough memory [default:
    /// none, and the job fails]
    #[arg(long, global = true, env = "DARKROOM_FALLBACK_MODEL", value_name = "NAME")]
    fallback_model: Option<String>,
}

/// The table `[safety]` of the settings file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SafetyTable {
    mode: Option<String>,
    fallback_model: Option<String>,
    c2pa_certificate: Option<PathBuf>,
    c2pa_key: Option<PathBuf>,
}

impl SafetyTable {
    /// The paths in it.
    pub fn paths_mut(&mut self) -> [&mut Option<PathBuf>; 2] {
        [&mut self.c2pa_certificate, &mut self.c2pa_key]
    }
}

/// The settings that hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Safety {
    /// What becomes of pictures that are not to be shown.
    pub mode: SafetyMode,
    /// The model that stands in for one that fails.
    pub fallback_model: Option<String>,
    /// What pictures are signed with.
    pub signing: Option<SigningFiles>,
}

impl Safety {
    /// Puts flags and file together.
    ///
    /// # Errors
    /// The setting of the file that is not understood, and what is allowed.
    pub fn read(flags: SafetyFlags, file: SafetyTable) -> Result<Self, (&'static str, String)> {
        let mode = file.mode.as_deref().map(parse_mode).transpose();
        let mode = mode.map_err(|sentence| ("safety.mode", sentence))?;
        let fallback_model = flags.fallback_model.or(file.fallback_model);
        let signing = match (file.c2pa_certificate, file.c2pa_key) {
            (Some(certificate), Some(key)) => Some(SigningFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => {
                return Err(("safety.c2pa_certificate", "it needs `c2pa_key`, its private key".to_owned()));
            }
            (None, Some(_)) => {
                return Err(("safety.c2pa_key", "it needs `c2pa_certificate`, whose key it is".to_owned()));
            }
        };
        Ok(Self {
            signing,
            mode: flags.safety_mode.or(mode).unwrap_or_default(),
            fallback_model: fallback_model.filter(|name| !name.is_empty()),
        })
    }
}

fn parse_mode(name: &str) -> Result<SafetyMode, String> {
    named(name, SafetyMode::ALL, SafetyMode::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: SafetyFlags, file: &str) -> Result<Safety, (&'static str, String)> {
        Safety::read(flags, toml::from_str(file).unwrap())
    }

    #[test]
    fn nothing_is_looked_at_and_no_model_stands_in_unless_that_is_said() {
        assert_eq!(read(SafetyFlags::default(), "").unwrap(), Safety::default());
        assert_eq!(Safety::default().mode, SafetyMode::Off);
    }

    #[test]
    fn a_flag_goes_before_the_file() {
        let file = "mode = \"refuse\"\nfallback_model = \"demo\"";
        let of_file = read(SafetyFlags::default(), file).unwrap();
        assert_eq!(
            of_file,
            Safety { mode: SafetyMode::Refuse, fallback_model: Some("demo".into()), signing: None }
        );
        let flags = SafetyFlags { safety_mode: Some(SafetyMode::Blur), fallback_model: Some("small".into()) };
        let of_flags = read(flags, file).unwrap();
        assert_eq!(
            of_flags,
            Safety { mode: SafetyMode::Blur, fallback_model: Some("small".into()), signing: None }
        );
    }

    #[test]
    fn an_unknown_mode_is_refused_with_the_known_ones() {
        let refused = read(SafetyFlags::default(), "mode = \"hide\"").unwrap_err();
        assert_eq!(refused, ("safety.mode", "known are off, blur, refuse".to_owned()));
        assert!(toml::from_str::<SafetyTable>("modus = \"off\"").is_err());
    }

    #[test]
    fn a_certificate_and_its_key_go_together() {
        let both = "c2pa_certificate = \"chain.pem\"\nc2pa_key = \"key.pem\"";
        let signing = read(SafetyFlags::default(), both).unwrap().signing.unwrap();
        assert_eq!(signing, SigningFiles { certificate: "chain.pem".into(), key: "key.pem".into() });
        let refused = |file: &str| read(SafetyFlags::default(), file).unwrap_err();
        assert_eq!(
            refused("c2pa_certificate = \"chain.pem\""),
            ("safety.c2pa_certificate", "it needs `c2pa_key`, its private key".to_owned())
        );
        assert_eq!(
            refused("c2pa_key = \"key.pem\""),
            ("safety.c2pa_key", "it needs `c2pa_certificate`, whose key it is".to_owned())
        );
    }
}
