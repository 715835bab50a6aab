//! What several pages show.

pub mod header;
