//! What may stand in a prompt.

use super::MAX_PROMPT_CHARS;
use crate::error::PublicError;

/// Line breaks and tabs become spaces, as nobody means anything by them; every other control character is
/// refused, since it has no place in a file name, a log or a picture's settings.
///
/// The line break of a form is two characters (`\r\n`) and becomes one space, as it does everywhere else.
///
/// # Errors
/// A text over [`MAX_PROMPT_CHARS`], or with a control character.
pub fn check_prompt(field: &'static str, text: &str) -> Result<String, PublicError> {
    let said = field.replace('_', " ");
    let text = text.trim().replace("\r\n", "\n").replace(['\n', '\r', '\t'], " ");
    let n_chars = text.chars().count();
    if n_chars > MAX_PROMPT_CHARS {
        return Err(PublicError::invalid_field(
            field,
            format!("the {said} has {n_chars} characters; at most {MAX_PROMPT_CHARS} are allowed"),
        ));
    }
    if let Some((at, control)) = text.chars().enumerate().find(|(_, c)| c.is_control()) {
        return Err(PublicError::invalid_field(
            field,
            format!(
                "the {said} has the control character U+{:04X} at position {}; only text is allowed",
                u32::from(control),
                at + 1
            ),
        ));
    }
    Ok(text)
}
