//! `/api`: how to call Darkroom over HTTP.

use leptos::prelude::*;
use leptos_meta::Title;
use serde_json::Value;
use types::error::ErrorCode;

use super::api_reference as reference;
use crate::components::curl::code_block;
use crate::islands::small_deeds::SmallDeeds;
use crate::state::ApiDocument;

const ONE_CALL: &str = r#"curl http://127.0.0.1:3000/generate-image \
  -H 'content-type: application/json' \
  -d '{"prompt": "a red sailing boat on a calm sea at sunset", "seed": 7}' \
  -o boat.png"#;

const CREATE_JOB: &str = r#"curl http://127.0.0.1:3000/api/v1/jobs \
  -H 'content-type: application/json' \
  -d '{"prompt": "a white lighthouse by the sea at night", "shape": "portrait"}'"#;

const FOLLOW_JOB: &str = r#"curl -N http://127.0.0.1:3000/api/v1/jobs/JOB/events

id: 1000203
event: progress
data: {"type":"progress","picture":1,"n_pictures":1,"step":3,"n_steps":20,"remaining_ms":1700}"#;

const GET_PICTURE: &str = r"curl http://127.0.0.1:3000/images/PICTURE.png -o picture.png
curl http://127.0.0.1:3000/images/PICTURE.jpg -o picture.jpg
curl http://127.0.0.1:3000/images/PICTURE.webp -o picture.webp";

const WRITE_PROMPT: &str = r#"curl -N 'http://127.0.0.1:3000/api/v1/prompts/stream?start=a%20red'

event: text
data: {"text":" sailing"}"#;

const ERROR: &str = r#"{
  "type": "/api#invalid_field",
  "title": "A field holds a value that is not allowed",
  "status": 422,
  "detail": "steps 500 is out of range; allowed are 1 to 150",
  "code": "invalid_field",
  "field": "steps"
}"#;

/// What happens to a job: name of the event, what it tells, when it comes.
const EVENTS: [(&str, &str, &str); 8] = [
    ("queued", "n_ahead, wait_ms", "The job waits; again whenever its place changes."),
    (
        "loading",
        "model, fraction",
        "Its model is read into memory: how much of it, 0 to 1. Not if the model is there already.",
    ),
    (
        "progress",
        "picture, n_together, n_pictures, step, n_steps, remaining_ms, preview",
        "A step was done. Once steps were timed, it tells the milliseconds left; now and then it has a small JPEG \
         as a data: URL. Where several pictures are made together, n_together says how many, from picture on.",
    ),
    (
        "note",
        "note",
        "Something is to be said of how the pictures are made, each once. decoded_in_f32: the VAE left the range of \
         f16 and was used in f32. encoded_in_f32: the VAE left the range of f16 with the start picture and was \
         used in f32. made_in_f32: the model left the range of its numbers, so the picture was made once more in f32. \
         all_black: the picture came out wholly black; another seed or sampler may do better. made_by_fallback: the \
         model that was asked for could not be used, so this site's fallback model made the picture. blurred: this \
         site's safety checker blurred the picture. picture_lost: a picture of this job was lost, since its file was missing or \
         damaged.",
    ),
    ("picture", "picture", "A picture is finished: its id, seed and size."),
    ("done", "", "All pictures are there."),
    ("failed", "message", "It ended with a fault: one sentence."),
    ("cancelled", "", "Its owner stopped it."),
];

/// The APIs of other programs that are spoken here: whose, the address that a client takes, what of it.
const PROGRAMS: [(&str, &str, &str); 3] = [
    (
        "OpenAI",
        "http://127.0.0.1:3000/v1",
        "Images: generations, edits, variations, with streamed previews; models.",
    ),
    (
        "AUTOMATIC1111 web UI",
        "http://127.0.0.1:3000",
        "/sdapi/v1: txt2img, img2img, progress, interrupt, options and the lists; /promptgen.",
    ),
    (
        "ComfyUI",
        "http://127.0.0.1:3000",
        "/prompt with a graph of the core nodes, /ws, /history, /view, /upload/image.",
    ),
];

/// The page.
#[component]
pub fn ApiPage() -> impl IntoView {
    let document = use_context::<ApiDocument>().map_or(&Value::Null, |ApiDocument(document)| document);
    view! {
        <Title text="API" />
        <div class="api-page">
            <h1>"API"</h1>
            <p class="lead">
                "Everything these pages do can be done over HTTP. Requests and answers are JSON; progress comes as server-sent events; pictures come as files."
            </p>

            <h2 id="one-call">"A picture in one call"</h2>
            <p>"The answer is the PNG itself, with its settings written inside. It comes when the picture is done."</p>
            {code_block("code-one-call", "Make a picture in one call", ONE_CALL.to_owned())}

            <h2 id="jobs">"Jobs"</h2>
            <p>
                "A job is asked for, waits for its turn, is worked on, and keeps its pictures. The answer is the job at once; "
                <code>"Location"</code> " is its address. With " <code>"Prefer: wait=60"</code> " it waits for the pictures. The job belongs to the key that you call with ("
                <code>"Authorization: Bearer dk_…"</code> "), or else to the address that you call from: whoever calls likewise can cancel it and find it again."
            </p>
            {code_block("code-create", "Create a job", CREATE_JOB.to_owned())}
            <p>
                "Its events begin with where it stands and end with " <code>"done"</code> ", " <code>"failed"</code> " or "
                <code>"cancelled"</code> ". They are numbered: after a broken connection, send the last number as "
                <code>"Last-Event-ID"</code> " or " <code>"?after="</code> " and nothing is missed."
            </p>
            {code_block("code-follow", "Follow a job", FOLLOW_JOB.to_owned())}
            {table("Events of a job", ["Event", "Data", "When"], &EVENTS, [true, true, false])}
            <p>"A finished picture is served in three formats, each with its settings inside: PNG, which is what is stored, as text; JPEG and WebP in the EXIF field "
                <code>"UserComment"</code> "."</p>
            {code_block("code-picture", "Fetch a picture", GET_PICTURE.to_owned())}

            <h2 id="prompts">"Prompts"</h2>
            <p>"GPT-2 goes on with " <code>"start"</code> ", piece by piece. Closing the connection stops it."</p>
            {code_block("code-prompt", "Write a prompt", WRITE_PROMPT.to_owned())}

            <h2 id="programs">"Clients of other programs"</h2>
            <p>"They work as they are. Only the address has to be set, and a key where the site asks for one."</p>
            {table("Clients of other programs", ["API", "Address", "What is spoken"], &PROGRAMS, [false, true, false])}

            <h2 id="errors">"Errors"</h2>
            <p>
                "A request that is refused gets a status of 400 to 499, a fault of the server 500 or more, and each a problem document (RFC 9457). "
                <code>"code"</code> " is stable, for programs; " <code>"field"</code> " is there if one field is at fault. Unknown fields are refused, so that a misspelt one does not pass unnoticed."
            </p>
            {code_block("code-error", "An error", ERROR.to_owned())}
            <dl class="codes">
                {ErrorCode::ALL
                    .map(|code| view! { <dt id=code.as_str()><code>{code.as_str()}</code></dt><dd>{code.title()}</dd> })
                    .into_iter()
                    .collect_view()}
            </dl>

            <h2 id="reference">"Reference"</h2>
            <p>
                "Drawn from the " <a href="/api/v1/openapi.json" rel="external">"OpenAPI document"</a> ", which other programs read."
            </p>
            {reference::view(document)}
        </div>
        <SmallDeeds />
    }
}

fn table(
    name: &'static str,
    head: [&'static str; 3],
    rows: &'static [(&'static str, &'static str, &'static str)],
    is_code: [bool; 3],
) -> AnyView {
    let cell = move |at: usize, text: &'static str| {
        if is_code[at] && !text.is_empty() {
            view! { <code>{text}</code> }.into_any()
        } else {
            text.into_any()
        }
    };
    let rows = rows.iter().map(|(first, second, third)| {
        view! {
            <tr>
                <th scope="row">{cell(0, first)}</th>
                <td>{cell(1, second)}</td>
                <td>{cell(2, third)}</td>
            </tr>
        }
    });
    view! {
        <div class="table" tabindex="0" role="region" aria-label=name>
            <table>
                <thead>
                    <tr>{head.map(|title| view! { <th scope="col">{title}</th> }).into_iter().collect_view()}</tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_that_a_page_listens_to_is_in_the_table() {
        assert_eq!(EVENTS.map(|(name, ..)| name), crate::seen::Happened::NAMES);
    }

    #[test]
    fn every_note_is_explained_with_its_sentence() {
        let told = EVENTS.into_iter().find(|(name, ..)| *name == "note").unwrap().2;
        for note in types::note::Note::ALL {
            assert!(told.contains(&format!("{}: {}", note.as_str(), note.sentence())), "{told}");
        }
    }
}
