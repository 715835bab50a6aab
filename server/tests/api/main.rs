//! The program as its callers see it: over HTTP with an engine that paints gradients, and as a process.

mod grid;
mod helpers;
mod sse;

mod a1111;
mod a1111_control;
mod a1111_refusals;
mod assets;
mod bad_input;
mod comfyui;
mod comfyui_history;
mod comfyui_pictures;
mod comfyui_socket;
mod events;
mod forms;
mod generate_image;
mod history;
mod image_to_image;
mod jobs;
mod metadata;
mod openai;
mod own_api;
mod pages;
mod pictures;
mod presets;
mod prompt_helpers;
mod prompts;
mod security;
mod selection;
mod shutdown;
mod uploads;
mod visitors;

mod command_line;
mod command_line_grids;
mod command_line_prompts;
mod figures;
mod generate_from_pictures;
mod log;
mod models_command;
mod process;
mod restart;
mod safety;
