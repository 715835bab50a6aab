//! What several pages show, and the parts of large ones.

pub mod choices;
pub mod create_form;
pub mod curl;
pub mod failure;
pub mod header;
pub mod icons;
pub mod job_tile;
pub mod model_numbers;
pub mod more_settings;
pub mod picture_tile;
pub mod settings_list;
