//! The parts that come alive in the browser.
