//! What the pages' forms do without JavaScript: read the fields, call the services, send the browser on.

mod read_settings;

use std::str::FromStr;

use app::format::shortened;
use app::{FormState, TypedNumbers};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use backend::{Services, Visitor};
use futures::TryStreamExt;
use types::error::{ErrorCode, PublicError};
use types::job::JobId;
use types::model::{Quality, Shape};
use types::picture::PictureId;
use types::request::{RawGrid, RawLora, RawRequest, check_prompt, names_in_list};

use crate::error::{ApiError, ApiResult};
use crate::extract::{ApiForm, ApiId, Fields};
use crate::multipart::{FormWithFiles, SentFile, file_too_large};
use crate::pages;
use crate::state::AppState;
use crate::waiting::held;

pub use read_settings::read_settings;

/// `POST /`: makes a job and goes to its page, or shows the form again with what is wrong.
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    form: FormWithFiles,
) -> Response {
    let (fields, not_kept) = keep_files(&state.services, &visitor, form).await;
    let (raw, unreadable) = read_request(&fields);
    let created = match not_kept.or(unreadable.map(ApiError::from)) {
        Some(error) => Err(error),
        None => state.services.create_job(&visitor, raw).await.map_err(ApiError::from),
    };
    match created {
        Ok(job) => Redirect::to(&format!("/j/{}", job.id)).into_response(),
        Err(error) => refuse(state, visitor, &fields, error).await,
    }
}

/// `POST /write-prompt`: lets GPT-2 go on with the prompt that was typed, and shows the form with the result.
///
/// The form then also holds what GPT-2 was given (`beginning`) and what it made of it (`written`). A text that
/// nobody has changed since is written anew from that beginning, as GPT-2 has nothing to add to it.
pub async fn prompt(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    form: FormWithFiles,
) -> Response {
    let (mut fields, not_kept) = keep_files(&state.services, &visitor, form).await;
    let beginning = beginning(&fields).to_owned();
    let written = match not_kept {
        Some(error) => Err(error),
        None => write_prompt(&state, &visitor, &beginning).await,
    };
    match written {
        Ok(prompt) => {
            fields.retain(|(name, value)| !WRITER_FIELDS.contains(&name.as_str()) && !value.is_empty());
            fields.insert(0, ("prompt".to_owned(), prompt));
            fields.insert(1, ("beginning".to_owned(), beginning));
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            Redirect::to(&format!("/?{query}")).into_response()
        }
        Err(error) => refuse(state, visitor, &fields, error).await,
    }
}

/// The form's fields that the prompt's writer goes by.
const WRITER_FIELDS: [&str; 3] = ["prompt", "beginning", "written"];

/// What a prompt is to be written from.
fn beginning(fields: &Fields) -> &str {
    let text = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    };
    let in_box = text("prompt").unwrap_or("");
    match (text("beginning"), text("written")) {
        // A browser may break lines in the box otherwise than in a hidden field.
        (Some(beginning), Some(written)) if in_box.split_whitespace().eq(written.split_whitespace()) => {
            beginning
        }
        _ => in_box,
    }
}

/// The file fields of the form, each with the field that its upload's id stands in.
const FILE_FIELDS: [(&str, &str); 2] = [("start_file", "start"), ("mask_file", "mask")];

/// Keeps the files that came with a form as uploads, and puts their ids among its fields: whatever becomes of the
/// form, they need not be sent again. A file goes before an id that stood there.
async fn keep_files(
    services: &Services,
    visitor: &Visitor,
    FormWithFiles { mut fields, files }: FormWithFiles,
) -> (Fields, Option<ApiError>) {
    let mut first_error = None;
    for SentFile { field, bytes, .. } in files {
        let Some((_, id_field)) = FILE_FIELDS.into_iter().find(|(file_field, _)| *file_field == field) else {
            continue;
        };
        let kept = match bytes {
            Some(bytes) => services.store_upload(visitor, bytes).await.map_err(ApiError::from),
            None => Err(file_too_large()),
        };
        match kept {
            Ok(upload) => {
                fields.retain(|(name, _)| name != id_field);
                fields.push((id_field.to_owned(), upload.id.to_string()));
            }
            Err(mut error) => {
                error.public.field = error.public.field.map(|_| id_field.to_owned());
                first_error.get_or_insert(error);
            }
        }
    }
    (fields, first_error)
}

/// The form again, with what was typed and what is wrong with it.
async fn refuse(state: AppState, visitor: Visitor, fields: &Fields, error: ApiError) -> Response {
    let (raw, _) = read_request(fields);
    let typed = TypedNumbers::read(|name| value(fields, name).map(str::to_owned));
    let form = FormState::refused(raw, typed, error.public);
    pages::refused_form(state, visitor, Uri::from_static("/"), form, error.status).await
}

async fn write_prompt(state: &AppState, visitor: &Visitor, start: &str) -> ApiResult<String> {
    let start = check_prompt("prompt", start)?;
    let _held = held(state, visitor)?;
    let pieces: Vec<String> =
        state.services.write_prompt(visitor, start.clone(), None)?.try_collect().await?;
    // GPT-2 begins its words with a space.
    Ok((start + &pieces.concat()).trim_start().to_owned())
}

/// `POST /j/{id}/cancel`.
pub async fn cancel(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<JobId>,
) -> ApiResult<Redirect> {
    match services.cancel_job(&visitor, id).await.map_err(ApiError::from) {
        // It came to its end while the visitor reached for the button: its page says how.
        Err(error) if error.public.code == ErrorCode::Conflict => {}
        outcome => drop(outcome?),
    }
    Ok(Redirect::to(&format!("/j/{id}")))
}

/// `POST /j/{id}/share`, with `shared=true` or `shared=false`.
pub async fn share(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<JobId>,
    ApiForm(fields): ApiForm,
) -> ApiResult<Redirect> {
    let shared = value(&fields, "shared").is_none_or(|shared| shared != "false");
    services.share_job(&visitor, id, shared).await?;
    Ok(Redirect::to(&format!("/j/{id}#share")))
}

/// `POST /images/{id}/favourite`, with `on=true` or `on=false`.
pub async fn favourite(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<PictureId>,
    headers: HeaderMap,
    ApiForm(fields): ApiForm,
) -> ApiResult<Redirect> {
    let on = value(&fields, "on").is_none_or(|on| on != "false");
    services.set_favourite(&visitor, id, on).await?;
    Ok(back(&headers))
}

/// `POST /images/{id}/delete`.
pub async fn delete(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<PictureId>,
    headers: HeaderMap,
) -> ApiResult<Redirect> {
    services.delete_picture(&visitor, id).await?;
    Ok(back(&headers))
}

/// `GET` of an address that takes a form alone, as somebody asks for who presses Enter in the address bar after
/// a form was refused: leads to the page that the form is on.
pub async fn page_of(address: Uri) -> Redirect {
    let path = address.path();
    let job = path.strip_suffix("/cancel");
    Redirect::to(job.unwrap_or(if ["/write-prompt", "/read-settings"].contains(&path) {
        "/"
    } else {
        "/history"
    }))
}

/// To the page that the form was on.
pub fn back(headers: &HeaderMap) -> Redirect {
    Redirect::to(&page_before(headers))
}

/// The page that the form was on: its path alone, so that nobody is sent to another site.
pub fn page_before(headers: &HeaderMap) -> String {
    let referrer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let path = referrer.and_then(|address| address.parse::<Uri>().ok()).and_then(|address| {
        address
            .path_and_query()
            .map(ToString::to_string)
            .filter(|path| path.starts_with('/') && !path.starts_with("//"))
    });
    path.unwrap_or_else(|| "/history".to_owned())
}

fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// A request from a form's fields. An empty field counts as left out. What cannot be read is left out too,
/// and the first such field comes back as an error, so that the rest can be shown again.
fn read_request(fields: &Fields) -> (RawRequest, Option<PublicError>) {
    let mut first_error = None;
    let raw = RawRequest {
        prompt: value(fields, "prompt").unwrap_or("").to_owned(),
        negative_prompt: value(fields, "negative_prompt").map(str::to_owned),
        styles: read_styles(fields),
        extend: value(fields, "extend").is_some_and(|extend| extend != "false"),
        model: value(fields, "model").map(str::to_owned),
        quality: named(fields, "quality", Quality::ALL, Quality::as_str, &mut first_error),
        shape: named(fields, "shape", Shape::ALL, Shape::as_str, &mut first_error),
        aspect_ratio: value(fields, "aspect_ratio").map(str::to_owned),
        steps: number(fields, "steps", "a whole number", &mut first_error),
        guidance_scale: number(fields, "guidance_scale", "a number", &mut first_error),
        sampler: value(fields, "sampler").map(str::to_owned),
        schedule: value(fields, "schedule").map(str::to_owned),
        seed: number(fields, "seed", "a whole number", &mut first_error),
        width: number(fields, "width", "a whole number", &mut first_error),
        height: number(fields, "height", "a whole number", &mut first_error),
        count: number(fields, "count", "a whole number", &mut first_error),
        ..read_finer(fields, &mut first_error)
    };
    (raw, first_error)
}

/// What a form asks for beyond the settings that every picture has.
fn read_finer(fields: &Fields, first_error: &mut Option<PublicError>) -> RawRequest {
    let text = |name: &str| value(fields, name).map(str::to_owned);
    let mut whole = |name: &str| number(fields, name, "a whole number", first_error);
    let mask_feather = whole("mask_feather");
    let [outpaint_left, outpaint_top, outpaint_right, outpaint_bottom] =
        ["outpaint_left", "outpaint_top", "outpaint_right", "outpaint_bottom"].map(&mut whole);
    let [hires_steps, clip_skip, variation_seed] = ["hires_steps", "clip_skip", "variation_seed"].map(whole);
    let mut fraction = |name: &str| number(fields, name, "a number", first_error);
    let [strength, hires_scale, hires_strength, variation_strength] =
        ["strength", "hires_scale", "hires_strength", "variation_strength"].map(&mut fraction);
    let [guidance_rescale, picture_guidance_scale] =
        ["guidance_rescale", "picture_guidance_scale"].map(fraction);
    RawRequest {
        start: text("start"),
        strength,
        mask: text("mask"),
        mask_feather,
        mask_fill: text("mask_fill"),
        outpaint_left,
        outpaint_top,
        outpaint_right,
        outpaint_bottom,
        hires_scale,
        hires_steps,
        hires_strength,
        loras: read_loras(fields),
        clip_skip,
        noise: text("noise"),
        weighting: text("weighting"),
        variation_seed,
        variation_strength,
        guidance_rescale,
        picture_guidance_scale,
        grid: RawGrid::from_fields(text),
        ..RawRequest::default()
    }
}

/// Styles stand in one field with commas in between, or in a field each.
fn read_styles(fields: &Fields) -> Vec<String> {
    let fields = fields.iter().filter(|(name, _)| name == "styles");
    fields.flat_map(|(_, value)| names_in_list(value)).collect()
}

/// LoRAs stand in one field with commas in between, or in a field each.
fn read_loras(fields: &Fields) -> Vec<RawLora> {
    let fields = fields.iter().filter(|(name, _)| name == "loras");
    fields.flat_map(|(_, value)| RawLora::parse_list(value)).collect()
}

/// As much of a wrong value as belongs into a sentence, in characters.
const LONGEST_SAID: usize = 40;

fn number<T: FromStr>(
    fields: &Fields,
    name: &str,
    kind: &str,
    first_error: &mut Option<PublicError>,
) -> Option<T> {
    let text = value(fields, name)?.trim();
    // White space alone counts as empty, as nobody sees it.
    if text.is_empty() {
        return None;
    }
    let number = text.parse().ok();
    if number.is_none() && first_error.is_none() {
        let (said, text) = (name.replace('_', " "), shortened(text, LONGEST_SAID));
        *first_error = Some(PublicError::invalid_field(name, format!("{said} `{text}` is not {kind}")));
    }
    number
}

fn named<T: Copy, const N: usize>(
    fields: &Fields,
    name: &str,
    all: [T; N],
    name_of: impl Fn(T) -> &'static str,
    first_error: &mut Option<PublicError>,
) -> Option<T> {
    let text = value(fields, name)?;
    let found = all.into_iter().find(|item| name_of(*item) == text);
    if found.is_none() && first_error.is_none() {
        let known = all.map(name_of).join(", ");
        *first_error =
            Some(PublicError::invalid_field(name, format!("{name} `{text}` is unknown; known are {known}")));
    }
    found
}

/// Middleware that makes pages of errors, which are for people here.
pub async fn errors_as_pages(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let visitor = request.extensions().get::<Visitor>().cloned();
    let answer = next.run(request).await;
    let (Some(visitor), Some(error)) = (visitor, answer.extensions().get::<PublicError>().cloned()) else {
        return answer;
    };
    if error.code == ErrorCode::NotFound {
        return pages::not_found(state, visitor).await;
    }
    // Whoever asks too often is not to be given a page that takes the server longest.
    if error.code == ErrorCode::LimitReached {
        return pages::wait(&state, &error);
    }
    let form = FormState { error: Some(error), ..FormState::default() };
    pages::refused_form(state, visitor, Uri::from_static("/"), form, answer.status()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> (RawRequest, Option<PublicError>) {
        read_request(&fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn empty_fields_count_as_left_out() {
        let (raw, error) = read(&[("prompt", "boat"), ("steps", ""), ("seed", ""), ("model", "")]);
        assert_eq!(error, None);
        assert_eq!(raw, RawRequest { prompt: "boat".into(), ..RawRequest::default() });
    }

    #[test]
    fn every_field_is_read() {
        let (raw, error) = read(&[
            ("prompt", "boat"),
            ("quality", "premium"),
            ("shape", "portrait"),
            ("steps", " 12 "),
            ("guidance_scale", "3.5"),
            ("seed", "-1"),
        ]);
        assert_eq!(error, None);
        assert_eq!(raw.quality, Some(Quality::Premium));
        assert_eq!(raw.shape, Some(Shape::Portrait));
        assert_eq!((raw.steps, raw.guidance_scale, raw.seed), (Some(12), Some(3.5), Some(-1)));
    }

    #[test]
    fn what_is_no_number_is_refused_and_the_rest_is_kept() {
        let (raw, error) = read(&[("prompt", "boat"), ("steps", "many"), ("seed", "7")]);
        let error = error.unwrap();
        assert_eq!(error.field.as_deref(), Some("steps"));
        assert_eq!(error.message, "steps `many` is not a whole number");
        assert_eq!((raw.prompt.as_str(), raw.steps, raw.seed), ("boat", None, Some(7)));
        assert_eq!(
            read(&[("quality", "best")]).1.unwrap().message,
            "quality `best` is unknown; known are preview, standard, premium"
        );
    }

    #[test]
    fn a_prompt_that_nobody_changed_is_written_anew_from_its_beginning() {
        let from = |prompt: &str| {
            let fields = [("prompt", prompt), ("beginning", "a cat"), ("written", "a cat in the snow")];
            beginning(&fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()).to_owned()
        };
        assert_eq!(from("a cat in\r\nthe snow"), "a cat");
        assert_eq!(from("a cat in the city"), "a cat in the city");
        assert_eq!(beginning(&vec![("prompt".to_owned(), "a dog".to_owned())]), "a dog");
    }

    #[test]
    fn a_deed_leads_back_to_its_page_and_never_to_another_site() {
        let to = |referrer: &'static str| {
            let headers = HeaderMap::from_iter([(header::REFERER, referrer.parse().unwrap())]);
            let answer = back(&headers).into_response();
            answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
        };
        assert_eq!(to("http://localhost:3000/history?search=boat"), "/history?search=boat");
        assert_eq!(to("http://evil.example//elsewhere"), "/history");
        assert_eq!(to("nonsense"), "/history");
    }
}
