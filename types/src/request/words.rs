//! The words that are painted: what was typed, with wildcards written out and styles around it.

use super::text::check_prompt;
use super::{GenerationRequest, MAX_PROMPT_CHARS, RawRequest, RequestContext};
use crate::error::PublicError;
use crate::model::ModelInfo;
use crate::prompt::{
    Expander, MAX_WILDCARD_DEPTH, MAX_WILDCARDS, Style, WildcardError, WildcardStream, WordLists, merge_style,
};

/// Most names in a sentence that lists the known ones.
const MOST_NAMED: usize = 40;

/// Both prompts, written out.
pub(super) struct Words {
    /// What is painted; not empty.
    pub(super) prompt: String,
    /// What is kept away from.
    pub(super) negative_prompt: String,
    /// What was typed, where that is something else.
    pub(super) asked_prompt: Option<String>,
    /// The same of the negative prompt.
    pub(super) asked_negative_prompt: Option<String>,
}

/// What was typed into both fields, as far as it can be a prompt.
pub(super) struct Typed {
    /// Not empty.
    pub(super) prompt: String,
    /// May be empty.
    pub(super) negative_prompt: String,
}

/// Checks what was typed, before anything is made of it.
pub(super) fn typed(raw: &RawRequest) -> Result<Typed, PublicError> {
    let prompt = check_prompt("prompt", &raw.prompt)?;
    if prompt.is_empty() {
        return Err(PublicError::invalid_field(
            "prompt",
            format!("the prompt is empty; write 1 to {MAX_PROMPT_CHARS} characters"),
        ));
    }
    let negative_prompt = check_prompt("negative_prompt", raw.negative_prompt.as_deref().unwrap_or(""))?;
    Ok(Typed { prompt, negative_prompt })
}

impl RawRequest {
    /// The prompt of a request whose [`RawRequest::extend`] is set, as a model that writes prompts is to go on with it:
    /// its wildcards are written out, and no styles are around it yet. `checked` is the same request, checked with an
    /// empty continuation; its seed is the one to go on with.
    ///
    /// # Errors
    /// As those of [`RawRequest::check`], which found none.
    pub fn to_extend(
        &self,
        context: &RequestContext<'_>,
        checked: &GenerationRequest,
    ) -> Result<String, PublicError> {
        let model = context.models.iter().find(|model| model.name == checked.model);
        let lists = WordLists {
            files: context.wildcards,
            vocabulary: model.and_then(|model| model.vocabulary.as_ref()),
        };
        let written = expand("prompt", &typed(self)?.prompt, lists, checked.seed, WildcardStream::Prompt)?;
        Ok(written.trim().to_owned())
    }
}

/// Writes wildcards and choices out with the words that the seed names, goes on with what a model wrote, and puts the
/// styles' words around all of it.
pub(super) fn write_out(
    raw: &RawRequest,
    typed: Typed,
    context: &RequestContext<'_>,
    model: &ModelInfo,
    seed: u64,
) -> Result<Words, PublicError> {
    let lists = WordLists { files: context.wildcards, vocabulary: model.vocabulary.as_ref() };
    let mut prompt = expand("prompt", &typed.prompt, lists, seed, WildcardStream::Prompt)?;
    let mut negative =
        expand("negative_prompt", &typed.negative_prompt, lists, seed, WildcardStream::NegativePrompt)?;
    if raw.extend {
        let Some(continuation) = context.continuation else {
            let sentence = "there is nobody here who goes on with a prompt; leave `extend` out";
            return Err(PublicError::invalid_field("extend", sentence));
        };
        prompt = extended(&prompt, continuation);
    }
    let mut of_styles = Expander::new(lists, seed, WildcardStream::Styles);
    for style in chosen(&raw.styles, context.styles)? {
        let style = style.for_model(model);
        let mut merge = |words: &str, text: &str| {
            let words = of_styles
                .expand(words)
                .map_err(|error| unwritten("styles", &format!("style `{}`", style.name), &error, lists))?;
            Ok(merge_style(&words, text))
        };
        prompt = merge(&style.prompt, &prompt)?;
        negative = merge(&style.negative_prompt, &negative)?;
    }
    let (prompt, asked_prompt) = finished("prompt", typed.prompt, &prompt)?;
    if prompt.is_empty() {
        let sentence = "the prompt is empty once its choices are written out; give each of them words";
        return Err(PublicError::invalid_field("prompt", sentence));
    }
    let (negative_prompt, asked_negative_prompt) =
        finished("negative_prompt", typed.negative_prompt, &negative)?;
    Ok(Words { prompt, negative_prompt, asked_prompt, asked_negative_prompt })
}

fn expand(
    field: &'static str,
    text: &str,
    lists: WordLists<'_>,
    seed: u64,
    stream: WildcardStream,
) -> Result<String, PublicError> {
    let said = format!("the {}", field.replace('_', " "));
    Expander::new(lists, seed, stream).expand(text).map_err(|error| unwritten(field, &said, &error, lists))
}

/// The prompt with as many whole words of its continuation as a prompt has room for.
fn extended(prompt: &str, continuation: &str) -> String {
    let prompt = prompt.trim();
    let room = MAX_PROMPT_CHARS.saturating_sub(prompt.chars().count());
    let continuation = continuation.replace(char::is_control, " ");
    let mut fitting: &str = continuation.trim_end();
    if let Some((end, _)) = fitting.char_indices().nth(room) {
        // Where the cut goes through a word, the word is left out.
        let is_whole = fitting[end..].starts_with(' ');
        fitting = &fitting[..end];
        if !is_whole {
            fitting = &fitting[..fitting.rfind(' ').unwrap_or(0)];
        }
    }
    format!("{prompt}{}", fitting.trim_end())
}

/// What is painted, and what was typed if that is something else.
fn finished(
    field: &'static str,
    typed: String,
    written: &str,
) -> Result<(String, Option<String>), PublicError> {
    if written == typed {
        return Ok((typed, None));
    }
    if written.trim().chars().count() > MAX_PROMPT_CHARS {
        return Err(too_long(field, &format!("the {}", field.replace('_', " "))));
    }
    // What a file brought in is held to what may be typed.
    let written = check_prompt(field, written)?;
    let asked = (written != typed).then_some(typed);
    Ok((written, asked))
}

/// The styles of these names, in their order. One that is named twice counts once.
fn chosen(asked: &[String], of_site: &[Style]) -> Result<Vec<Style>, PublicError> {
    let asked: Vec<&str> = asked.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let known = Style::all(of_site);
    let mut chosen: Vec<Style> = Vec::new();
    for name in asked {
        // Two of the site's own may differ in case alone.
        let exact = known.iter().find(|style| style.name == name);
        let Some(style) = exact.or_else(|| known.iter().find(|style| style.is_called(name))) else {
            let names = list(known.iter().map(|style| style.name.as_str()));
            return Err(PublicError::invalid_field(
                "styles",
                format!("style `{name}` is unknown; known are {names}"),
            ));
        };
        if !chosen.contains(style) {
            chosen.push(style.clone());
        }
    }
    Ok(chosen)
}

/// Why a text could not be written out, in one sentence.
fn unwritten(field: &'static str, said: &str, error: &WildcardError, lists: WordLists<'_>) -> PublicError {
    let sentence = match error {
        WildcardError::Unknown(name) => {
            let names = list(lists.names().into_iter());
            format!("{said} names the wildcard `__{name}__`, which is unknown; known are {names}")
        }
        WildcardError::TooDeep => format!(
            "{said} holds wildcards or choices that lie more than {MAX_WILDCARD_DEPTH} deep in each other, as \
             one does that leads back to itself; at most {MAX_WILDCARD_DEPTH} are allowed"
        ),
        WildcardError::TooMany => format!(
            "{said} holds more than {MAX_WILDCARDS} wildcards and choices, those in the words that they stand for \
             included; at most {MAX_WILDCARDS} are allowed"
        ),
        WildcardError::TooLong => return too_long(field, said),
    };
    PublicError::invalid_field(field, sentence)
}

fn too_long(field: &'static str, said: &str) -> PublicError {
    PublicError::invalid_field(
        field,
        format!(
            "{said} has more than {MAX_PROMPT_CHARS} characters once wildcards and styles are written out; at \
             most {MAX_PROMPT_CHARS} are allowed"
        ),
    )
}

/// Names with commas between, as many as a sentence bears.
fn list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let n_more = names.len().saturating_sub(MOST_NAMED);
    let said = names.take(MOST_NAMED).collect::<Vec<_>>().join(", ");
    if n_more > 0 { format!("{said} and {n_more} more") } else { said }
}
