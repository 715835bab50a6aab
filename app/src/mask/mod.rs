//! A mask as it is painted on a picture, apart from the canvas that shows it.
//!
//! * [`stroke`]: what a brush leaves behind
//! * [`edits`]: everything that was done to the mask, with the way back
//! * [`view`]: between the picture's pixels and the screen's
//! * [`brush`]: sizes of the brush, and how the keyboard moves it
//! * [`picture`]: a mask as a picture
//! * [`margins`]: the frame round a picture that is extended
//!
//! Places and sizes are in pixels of the picture, so that a mask is the same on every screen.

pub mod brush;
pub mod edits;
pub mod margins;
pub mod picture;
pub mod stroke;
pub mod view;
