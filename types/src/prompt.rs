//! Prompts as people write them: brackets that stress, breaks, tags that ask for a LoRA, and words that stand for
//! others.
//!
//! The syntax is the AUTOMATIC1111 web UI's, and that of its extension Dynamic Prompts. Nothing is ever wrong in
//! brackets and tags: a bracket that has no partner, a weight that is no number and a tag that is cut off are text like
//! any other. A wildcard has to be there.
//!
//! # Layout
//! * `attention`, `weighting`, `lora`: brackets and tags, which are read when a picture is painted
//! * `styles`, `wildcards` (with `choice`, `word_lists`, `random`): what is written out before, once for each job

mod attention;
mod choice;
mod lora;
mod random;
mod styles;
mod weighting;
mod wildcards;
mod word_lists;

pub use self::attention::{Part, parse};
pub use self::lora::{LoraTag, can_stand_in_tag, lora_tags};
pub use self::styles::{STYLE_PLACE, Style, merge_style};
pub use self::weighting::Weighting;
pub use self::wildcards::{
    Expander, MAX_WILDCARD_DEPTH, MAX_WILDCARDS, Wildcard, WildcardError, WildcardInfo, WildcardStream,
    WordLists, is_wildcard_name,
};
