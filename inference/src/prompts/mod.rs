//! From a prompt as people write it to what the U-Net listens to.
//!
//! [`PromptEncoder`] is all that a pipeline needs. Within it, `types::prompt` reads the syntax, [`chunks`] cuts the
//! tokens into pieces that the text encoder takes, [`embeddings`] brings textual inversions in, and
//! [`weighting`] applies the weights to what the text encoder says.

pub mod chunks;
pub mod embeddings;
mod encoder;
pub mod weighting;

pub use self::embeddings::Embeddings;
pub use self::encoder::{Conditioning, EncodedPrompts, PromptEncoder, PromptOptions, TextPart};
