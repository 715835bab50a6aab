//! What several pages show, and the parts of large ones.

pub mod choices;
pub mod code;
pub mod create_form;
pub mod curl;
pub mod failure;
pub mod field;
pub mod fields;
pub mod finer_settings;
pub mod grid_fields;
pub mod header;
pub mod icons;
pub mod job_tile;
pub mod lora_picker;
pub mod mask_tools;
pub mod model_numbers;
pub mod more_settings;
pub mod outpaint;
pub mod picture_tile;
pub mod settings_from_picture;
pub mod settings_list;
pub mod start_fields;
pub mod start_picture;
pub mod style_picker;
