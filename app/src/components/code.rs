//! A job's request as code to be copied, for the clients that people have.
//!
//! # Layout
//! * `quoting`: texts as each language writes them; [`super::curl`]: as a command for curl
//! * `openai`, `webuiapi`: Python; `javascript`: for Node.js; `command_line`: for `darkroom generate`
//!
//! Whatever it is copied as, it asks for the same pictures: `end2end/tests/copy-as-code.spec.ts` runs it.

mod command_line;
mod javascript;
mod openai;
mod quoting;
mod webuiapi;

pub(super) use quoting::with_marks_in_numbers;

use leptos::prelude::*;
use types::request::GenerationRequest;

use super::curl::{as_curl, code_block};

/// A request in one language.
struct Snippet {
    id: &'static str,
    /// What it is called on the page.
    title: &'static str,
    /// What it is called by the button that copies it.
    name: &'static str,
    code: String,
}

fn snippets(request: &GenerationRequest) -> [Snippet; 5] {
    let snippet = |id, title, name, code| Snippet { id, title, name, code };
    [
        snippet("as-curl", "curl", "curl command", as_curl(request)),
        snippet("as-openai", "Python with openai", "Python code for openai", openai::code(request)),
        snippet("as-webuiapi", "Python with webuiapi", "Python code for webuiapi", webuiapi::code(request)),
        snippet("as-javascript", "JavaScript", "JavaScript code", javascript::code(request)),
        snippet("as-darkroom", "darkroom generate", "darkroom command", command_line::code(request)),
    ]
}

/// The fold with all of them, of which one at a time is open.
pub fn copy_as_code(request: &GenerationRequest) -> AnyView {
    let blocks = snippets(request).into_iter().enumerate().map(|(at, Snippet { id, title, name, code })| {
        view! {
            <details class="snippet" name="copy-as-code" open=at == 0>
                <summary>{title}</summary>
                {code_block(id, name, code)}
            </details>
        }
    });
    view! {
        <details class="fold">
            <summary>
                <h2>"Copy as code"</h2>
            </summary>
            <div class="snippets">{blocks.collect_view()}</div>
        </details>
    }
    .into_any()
}

/// Files that the code reads, said in a comment behind `mark`; nothing if it reads none.
fn files_note(request: &GenerationRequest, mark: &str) -> String {
    let files = [("start.png", request.start.is_some()), ("mask.png", request.mask.is_some())];
    let files: Vec<&str> =
        files.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect();
    if files.is_empty() {
        String::new()
    } else {
        format!("{mark} with {} in this folder\n", files.join(" and "))
    }
}

/// How many calls ask for a job's pictures one by one; those of a grid come from one call.
pub(super) fn n_calls(request: &GenerationRequest) -> u32 {
    if request.grid.is_some() { 1 } else { request.count }
}

/// The number that differs from picture to picture of a job, by its field.
pub(super) fn counted_field(request: &GenerationRequest) -> &'static str {
    if request.variation.is_some() { "variation_seed" } else { "seed" }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request with everything in it that a language might trip over.
    pub(super) fn request(more: &str) -> GenerationRequest {
        let json = format!(
            r#"{{"prompt": "a \"sailor's\" $boat `at` \\sea, 夕", "negative_prompt": "fog", "model": "demo", "steps": 20,
                "guidance_scale": 4.5, "sampler": "dpmpp_2m", "schedule": "karras", "seed": 7, "width": 256,
                "height": 192, "count": 1{more}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    /// What a request may say besides, all of it.
    pub(super) const EVERYTHING: &str = r#", "guidance_rescale": 0.7, "noise": "cuda",
        "variation": {"seed": 100, "strength": 0.2}, "hires": {"scale": 1.5, "width": 384, "height": 288, "steps": 9,
        "strength": 0.6}, "loras": [{"name": "ink, old", "weight": 0.5}], "clip_skip": 2, "weighting": "compel""#;

    #[test]
    fn every_setting_is_in_every_language_or_said_to_be_missing() {
        let request = request(EVERYTHING);
        for Snippet { id, code, .. } in snippets(&request) {
            for said in [
                "fog", "demo", "20", "4.5", "256", "192", "0.7", "100", "0.2", "1.5", "9", "0.6", "0.5",
                "compel",
            ] {
                assert!(code.contains(said), "{said} in {id}:\n{code}");
            }
            let (noise, skip) = if id == "as-webuiapi" { ("NV", "CLIP_stop") } else { ("cuda", "skip") };
            assert!(code.contains(noise) && code.contains(skip), "{id}:\n{code}");
        }
    }

    /// Two samplers by two parts of the prompt, with their sheet.
    const GRID: &str = r#", "grid": {"columns": {"field": "sampler", "values": ["euler", "ddim"]},
        "rows": {"field": "prompt_part", "values": ["boat", "car, \"old\""]}}"#;

    #[test]
    fn a_grid_is_one_call_in_every_language_that_has_a_word_for_it() {
        let request = GenerationRequest { count: 5, ..request(GRID) };
        for Snippet { id, code, .. } in snippets(&request) {
            if id == "as-webuiapi" {
                assert!(code.contains("# a grid cannot be asked for in this API\n"), "{code}");
                assert!(!code.contains("n_iter"), "{code}");
                continue;
            }
            for said in ["grid", "euler", "ddim", "prompt_part", "car, "] {
                assert!(code.contains(said), "{said} in {id}:\n{code}");
            }
            for several in ["for i in", "for (let", "n=5", "--count"] {
                assert!(!code.contains(several), "{several} in {id}:\n{code}");
            }
        }
        let command = command_line::code(&request);
        assert!(command.contains("--grid 'sampler=euler, ddim'"), "{command}");
    }

    #[test]
    fn files_are_named_where_there_are_any() {
        let id = "0123456789abcdef0123456789abcdef";
        let request = request(&format!(
            r#", "start": {{"kind": "upload", "id": "{id}", "strength": 0.5}}, "mask": {{"kind": "upload", "id": "{id}",
                "feather": 8}}, "mask_fill": "noise", "outpaint": {{"left": 64, "top": 0, "right": 0, "bottom": 0}}"#
        ));
        for Snippet { id: snippet, code, .. } in snippets(&request) {
            assert!(code.contains("start.png") && code.contains("mask.png"), "{snippet}:\n{code}");
            assert!(!code.contains(id), "{snippet}:\n{code}");
            assert!(code.contains("64"), "{snippet}:\n{code}");
            let fill = if snippet == "as-webuiapi" { "inpainting_fill=2" } else { "noise" };
            assert!(code.contains(fill), "{snippet}:\n{code}");
        }
    }
}
