//! Workflows in the form of ComfyUI.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| server::hostile::workflow(bytes));
