//! Settings inside pictures of any program.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| server::hostile::metadata(bytes));
