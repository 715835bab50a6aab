//! `/api`: how to call Darkroom over HTTP.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::curl::code_block;
use crate::islands::small_deeds::SmallDeeds;

const ONE_CALL: &str = r#"curl http://127.0.0.1:3000/generate-image \
  -H 'content-type: application/json' \
  -d '{"prompt": "a red sailing boat on a calm sea at sunset", "seed": 7}' \
  -o boat.png"#;

const CREATE_JOB: &str = r#"curl http://127.0.0.1:3000/api/v1/jobs \
  -c visitor.cookies -b visitor.cookies \
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
  "code": "invalid_field",
  "field": "steps",
  "message": "steps 500 is out of range; allowed are 1 to 150"
}"#;

/// Fields of a request: name, what is allowed, what it does.
const FIELDS: [(&str, &str, &str); 32] = [
    ("prompt", "1 to 2,000 characters", "What the picture shows. The only field that has to be there."),
    ("negative_prompt", "up to 2,000 characters", "What to keep out of it."),
    ("model", "a name from /api/v1/models", "What paints. Left out: the first."),
    ("shape", "square, landscape, portrait", "Size by name."),
    ("quality", "preview, standard, premium", "Steps by name."),
    ("steps", "1 to 150", "Sampling steps; overrides quality."),
    ("guidance_scale", "0 to 30", "Classifier-free guidance (CFG)."),
    (
        "picture_guidance_scale",
        "1 to 10",
        "Guidance to the start picture, of models that change it by an instruction; they use no strength. Left out: 1.5.",
    ),
    (
        "sampler",
        "dpmpp_2m, euler, ddim and others; the names of A1111, ComfyUI and diffusers",
        "How noise is removed, step by step.",
    ),
    (
        "schedule",
        "karras, normal, exponential, sgm_uniform, simple, beta, align_your_steps",
        "How the noise levels are spaced.",
    ),
    ("seed", "0 to 9007199254740991", "The same seed gives the same picture. Left out or -1: a new one."),
    ("width", "a multiple of 8, as the model allows", "Pixels; overrides shape."),
    ("height", "a multiple of 8, as the model allows", "Pixels; overrides shape."),
    ("count", "1 to 8", "Pictures; picture i has seed + i."),
    ("start", "id of an upload, or of a picture of yours", "The picture to start from; it gives the size."),
    ("strength", "0 to 1", "How far to go from it: the share of the steps that is walked. Left out: 0.75."),
    ("mask", "id of an upload of the same size", "White is made anew, black stays."),
    ("mask_feather", "0 to 64", "Pixels over which its edge is softened. Left out: 4."),
    ("outpaint_left", "0 to 1024, a multiple of 8", "Pixels to paint on to the left of the start picture."),
    ("outpaint_top", "0 to 1024, a multiple of 8", "Above it."),
    ("outpaint_right", "0 to 1024, a multiple of 8", "To its right."),
    ("outpaint_bottom", "0 to 1024, a multiple of 8", "Below it."),
    (
        "loras",
        "a list of {\"name\", \"weight\"}; names from /api/v1/loras, weights from -4 to 4",
        "Additions to the model. <lora:name:0.8> in the prompt does the same.",
    ),
    ("hires_scale", "above 1, up to 4", "Enlarges the picture and walks it a second time; not with a start."),
    ("hires_steps", "0 to 150", "Steps of the second pass. 0 or left out: as many as the first."),
    ("hires_strength", "0 to 1", "The share of them that is walked. Left out: 0.7."),
    (
        "variation_strength",
        "0 to 1",
        "How much of a second noise is mixed in, for pictures close to each other.",
    ),
    ("variation_seed", "0 to 9007199254740991", "Names the second noise; picture i has this + i."),
    ("guidance_rescale", "0 to 1", "Takes back the glare of a high guidance scale."),
    (
        "clip_skip",
        "1 to 12, as the model has layers",
        "Layer of the text encoder to stop at, counted from the last, which is 1.",
    ),
    ("weighting", "a1111, compel", "How the weight in (word:1.2) is applied."),
    ("noise", "cpu, cuda", "Whose random numbers a seed stands for: torch's on a CPU or on an NVIDIA card."),
];

/// What happens to a job: name of the event, what it tells, when it comes.
const EVENTS: [(&str, &str, &str); 8] = [
    ("queued", "n_ahead", "The job waits; again whenever it moves forward."),
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
         used in f32.",
    ),
    ("picture", "picture", "A picture is finished: its id, seed and size."),
    ("done", "", "All pictures are there."),
    ("failed", "message", "It ended with a fault: one sentence."),
    ("cancelled", "", "Its owner stopped it."),
];

/// Every address: method, path, what it answers.
const ADDRESSES: [(&str, &str, &str); 16] = [
    ("POST", "/generate-image", "PNG bytes, once the picture is done"),
    ("POST", "/api/v1/jobs", "202 and the job; Location is its page"),
    ("POST", "/api/v1/uploads", "201 and the id and size of a picture to start from, or of a mask"),
    ("GET", "/api/v1/uploads/{id}", "the picture again, for whoever sent it"),
    ("GET", "/api/v1/jobs/{id}", "the job: status, how far it is (loading, progress), notes, pictures"),
    ("POST", "/api/v1/jobs/{id}/cancel", "the job; stops it within a step"),
    ("GET", "/api/v1/jobs/{id}/events", "server-sent events, to the end of the job"),
    ("GET", "/images/{id}.png", "the picture; .jpg and .webp as well; ?download saves it"),
    ("GET", "/images/{id}/thumbnail", "at most 256 pixels a side"),
    ("POST", "/api/v1/images/{id}/favourite", "the picture; body {\"favourite\": true}"),
    ("DELETE", "/api/v1/images/{id}", "204"),
    ("GET", "/api/v1/history", "your pictures; ?search=, favourites=true, cursor=, limit="),
    ("GET", "/api/v1/models", "the installed picture models"),
    ("GET", "/api/v1/loras", "the installed LoRA files"),
    ("GET", "/api/v1/prompts/stream", "server-sent events: a prompt as GPT-2 writes it; ?start=, seed="),
    ("GET", "/api/v1/health", "whether the program is up and has a model that paints"),
];

/// The page.
#[component]
pub fn ApiPage() -> impl IntoView {
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
                <code>"Location"</code> " is its page. Keep the cookie: it makes the job yours, so that you can cancel it and find it in the history."
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

            <h2 id="fields">"Fields of a request"</h2>
            <p>"The same for jobs and for the one call, where "
                <code>"count"</code> " must be 1. Unknown fields are refused, so that a misspelt one does not pass unnoticed."</p>
            {table("Fields of a request", ["Field", "Allowed", "What it does"], &FIELDS, [true, false, false])}

            <h2 id="errors">"Errors"</h2>
            <p>
                "A request that is refused gets a status of 400 to 499 and one sentence; a fault of the server gets 500 or more. " <code>"code"</code>
                " is stable, for programs; " <code>"field"</code> " is there if one field is at fault."
            </p>
            {code_block("code-error", "An error", ERROR.to_owned())}

            <h2 id="addresses">"All addresses"</h2>
            {table("All addresses", ["Method", "Address", "Answer"], &ADDRESSES, [true, true, false])}
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
    use types::request::{RawLora, RawRequest};

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

    #[test]
    fn every_field_of_a_request_is_in_the_table_and_no_other() {
        let (text, whole, number) = (Some(String::new()), Some(0), Some(0.0));
        let all = RawRequest {
            prompt: String::new(),
            negative_prompt: text.clone(),
            model: text.clone(),
            quality: Some(types::model::Quality::Standard),
            shape: Some(types::model::Shape::Square),
            steps: whole,
            guidance_scale: number,
            guidance_rescale: number,
            picture_guidance_scale: number,
            sampler: text.clone(),
            schedule: text.clone(),
            seed: whole,
            noise: text.clone(),
            variation_seed: whole,
            variation_strength: number,
            width: whole,
            height: whole,
            count: whole,
            start: text.clone(),
            strength: number,
            mask: text.clone(),
            mask_feather: whole,
            outpaint_left: whole,
            outpaint_top: whole,
            outpaint_right: whole,
            outpaint_bottom: whole,
            hires_scale: number,
            hires_steps: whole,
            hires_strength: number,
            loras: vec![RawLora::default()],
            clip_skip: whole,
            weighting: text,
        };
        let json = serde_json::to_value(all).unwrap();
        let mut fields: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut told: Vec<&str> = FIELDS.iter().map(|(field, ..)| *field).collect();
        fields.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, fields);
    }
}
