//! Prompts as people write them: brackets that stress, breaks, tags that ask for a LoRA.
//!
//! The syntax is the AUTOMATIC1111 web UI's. Nothing is ever wrong in it: a bracket that has no partner, a
//! weight that is no number and a tag that is cut off are text like any other.

mod attention;
mod lora;
mod weighting;

pub use self::attention::{Part, parse};
pub use self::lora::{LoraTag, can_stand_in_tag, lora_tags};
pub use self::weighting::Weighting;
