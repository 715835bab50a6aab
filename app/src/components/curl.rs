//! A call of the API as it is typed into a terminal.

use std::fmt::Write;

use leptos::prelude::*;
use types::request::{GenerationRequest, RawRequest};

use super::code::{counted_field, n_calls, with_marks_in_numbers};
use super::settings_list::copy_button;
use crate::islands::small_deeds::EXAMPLE_ORIGIN;

/// Code to be copied. Where it says this site's address, a script puts in the one that the visitor uses.
pub fn code_block(id: &'static str, name: &'static str, code: String) -> AnyView {
    view! {
        <div class="code">
            <pre tabindex="0" role="region" aria-label=name><code id=id data-own-address="">{code}</code></pre>
            {copy_button(id.to_owned(), name)}
        </div>
    }
    .into_any()
}

/// The calls that ask for the same pictures, and write each into a file.
///
/// A picture to start from is sent first: its name is of use to its owner alone, whose cookie a terminal lacks.
pub fn as_curl(request: &GenerationRequest) -> String {
    let raw = RawRequest::exact(request);
    let uploads = [("start", &raw.start), ("mask", &raw.mask)];
    let uploads: Vec<&str> =
        uploads.into_iter().filter(|(_, id)| id.is_some()).map(|(name, _)| name).collect();
    let mut commands = String::new();
    if !uploads.is_empty() {
        let files: Vec<String> = uploads.iter().map(|name| format!("{name}.png")).collect();
        let _ = writeln!(commands, "# with {} in this folder", files.join(" and "));
    }
    for name in &uploads {
        let _ = writeln!(
            commands,
            "{name}=$(curl -s -c jar -b jar {EXAMPLE_ORIGIN}/api/v1/uploads -F file=@{name}.png | \\\n  sed 's/.*\"id\":\"\\([^\"]*\\).*/\\1/')"
        );
    }
    let jar = if uploads.is_empty() { "" } else { " -b jar" };
    let call = |file: &str| {
        format!(
            "curl{jar} {EXAMPLE_ORIGIN}/generate-image \\\n  -H 'content-type: application/json' \\\n  -d '{}' \\\n  -o {file}",
            body(request, raw.clone())
        )
    };
    let n_calls = n_calls(request);
    if n_calls > 1 {
        let numbers: Vec<String> = (0..n_calls).map(|index| index.to_string()).collect();
        let _ = write!(commands, "for i in {}; do\n{}\ndone", numbers.join(" "), call("picture-$i.png"));
    } else {
        commands += &call("picture.png");
    }
    commands
}

/// The body of one call, as it stands between single quotes: what a shell is to put in ends them for a moment.
fn body(request: &GenerationRequest, raw: RawRequest) -> String {
    let named = RawRequest {
        start: raw.start.as_ref().map(|_| shell_variable("start")),
        mask: raw.mask.as_ref().map(|_| shell_variable("mask")),
        count: None,
        ..raw
    };
    let body = with_marks_in_numbers(&serde_json::to_string_pretty(&named).unwrap_or_default());
    // Within single quotes a shell takes everything literally but the quote itself.
    let mut body = body.replace('\'', r"'\''");
    for name in ["start", "mask"] {
        body = body.replace(&shell_variable(name), &format!("'\"${name}\"'"));
    }
    if n_calls(request) == 1 {
        return body;
    }
    // No text has a line break, so a line that begins so is the field.
    let field = counted_field(request);
    let first = request.variation.map_or(request.seed, |variation| variation.seed);
    let line = format!("\n  \"{field}\": ");
    body.replace(&format!("{line}{first}"), &format!("{line}'$(({first} + i))'"))
}

/// What stands for a variable's value until the rest is quoted. Its control character is in no prompt.
fn shell_variable(name: &str) -> String {
    format!("\u{7f}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_the_prompt_does_not_end_the_shells_argument() {
        let json = r#"{"prompt": "a sailor's boat", "negative_prompt": "", "model": "demo", "steps": 20,
            "guidance_scale": 4, "sampler": "euler", "schedule": "normal", "seed": 7, "width": 256, "height": 256,
            "count": 1, "clip_skip": 2}"#;
        let request: GenerationRequest = serde_json::from_str(json).unwrap();
        let curl = as_curl(&request);
        assert!(curl.contains(r#""prompt": "a sailor'\''s boat""#), "{curl}");
        assert!(curl.contains(r#""clip_skip": 2"#), "{curl}");
        assert!(!curl.contains("negative_prompt"));
    }

    #[test]
    fn start_and_mask_are_sent_first_and_named_in_the_call() {
        let json = r#"{"prompt": "a boat", "negative_prompt": "", "model": "demo", "steps": 20, "guidance_scale": 4,
            "sampler": "euler", "schedule": "normal", "seed": 7, "width": 256, "height": 256, "count": 1,
            "start": {"kind": "upload", "id": "0123456789abcdef0123456789abcdef", "strength": 0.5},
            "mask": {"kind": "upload", "id": "0123456789abcdef0123456789abcdef", "feather": 4}}"#;
        let request: GenerationRequest = serde_json::from_str(json).unwrap();
        let curl = as_curl(&request);
        let lines: Vec<&str> = curl.lines().collect();
        assert_eq!(lines[0], "# with start.png and mask.png in this folder");
        assert_eq!(
            lines[1..3],
            [
                r"start=$(curl -s -c jar -b jar http://127.0.0.1:3000/api/v1/uploads -F file=@start.png | \",
                r#"  sed 's/.*"id":"\([^"]*\).*/\1/')"#,
            ]
        );
        assert!(curl.contains(r#""start": "'"$start"'""#), "{curl}");
        assert!(curl.contains(r#""mask": "'"$mask"'""#), "{curl}");
        assert!(!curl.contains("0123456789abcdef"), "{curl}");
        assert!(curl.contains("\ncurl -b jar http://127.0.0.1:3000/generate-image"), "{curl}");
        assert!(curl.ends_with("-o picture.png"), "{curl}");
    }

    #[test]
    fn several_pictures_are_asked_for_one_by_one() {
        let json = r#"{"prompt": "a boat", "negative_prompt": "", "model": "demo", "steps": 20, "guidance_scale": 4,
            "sampler": "euler", "schedule": "normal", "seed": 7, "width": 256, "height": 256, "count": 3}"#;
        let curl = as_curl(&serde_json::from_str(json).unwrap());
        assert!(curl.starts_with("for i in 0 1 2; do\ncurl http"), "{curl}");
        assert!(curl.contains("\n  \"seed\": '$((7 + i))',\n"), "{curl}");
        assert!(curl.ends_with("-o picture-$i.png\ndone"), "{curl}");
        assert!(!curl.contains("count"), "{curl}");
    }
}
