//! Pictures that visitors send.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| server::hostile::picture(bytes));
