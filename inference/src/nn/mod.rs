//! Parts that several models use alike.
//!
//! Feature maps are channel-last, `(batch, height, width, channels)`, and sequences are
//! `(batch, tokens, channels)`: one is the other with its middle sizes multiplied, so nothing is transposed
//! between a convolution and an attention. On the CPU in f32 the layers compute with the crate's own
//! [`kernels`]; elsewhere with candle's operations, against which the kernels are tested.

pub mod activation;
pub mod attention;
pub mod conv;
pub mod embedding;
pub mod feed_forward;
pub mod kernels;
pub mod linear;
pub mod norm;
pub mod resnet;
pub mod transformer;
