//! Named additions to prompts.

use backend::Services;

/// A prompt and its negative prompt with the styles of these names. Names that stand for none are passed over, as there.
///
/// No style can be installed yet, so every name is such a one.
pub fn applied(_: &Services, _names: &[&str], prompt: &str, negative_prompt: &str) -> (String, String) {
    (prompt.to_owned(), negative_prompt.to_owned())
}
