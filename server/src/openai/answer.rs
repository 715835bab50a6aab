//! The answer: the pictures of a job that is done.

use axum::Json;
use axum::response::{IntoResponse, Response};
use backend::{Services, Visitor};
use serde::Serialize;
use time::OffsetDateTime;
use types::job::JobInfo;
use types::picture::PictureInfo;

use super::asked::{AnswerOptions, Asked, Said};
use super::choices::{ResponseFormat, output_format_name, quality_name};
use super::error::OpenAiResult;
use super::origin::Origin;
use super::stream::{self, Deed};
use super::usage::Usage;
use crate::base64_picture;
use crate::callers::give_back_room;
use crate::state::AppState;
use crate::waiting::{to_its_end, unless_it_failed, without_picture};

/// What an answer says of the background: no picture here is transparent.
pub const BACKGROUND: &str = "opaque";

/// OpenAI's answer with pictures.
#[derive(Serialize)]
struct Images {
    /// Seconds since 1970.
    created: i64,
    background: &'static str,
    data: Vec<Image>,
    output_format: &'static str,
    quality: &'static str,
    size: String,
    usage: Usage,
}

/// One of its pictures.
#[derive(Serialize)]
struct Image {
    #[serde(skip_serializing_if = "Option::is_none")]
    b64_json: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revised_prompt: Option<String>,
}

/// Makes what was asked for, and answers with the pictures, or with a stream of them if that is wanted. A caller who
/// hangs up cancels the job.
///
/// # Errors
/// The request is refused; the job made no picture.
pub async fn answer(
    state: AppState,
    visitor: Visitor,
    origin: Origin,
    deed: Deed,
    asked: Asked,
) -> OpenAiResult<Response> {
    if let Some(partial_images) = asked.stream {
        return Ok(stream::open(state, visitor, deed, asked, partial_images).await?.into_response());
    }
    let Asked { raw, answer, said, .. } = asked;
    give_back_room();
    let job = to_its_end(&state, &visitor, raw).await.and_then(unless_it_failed);
    let job = job.map_err(|error| said.explain(error))?;
    Ok(Json(images(&state.services, &visitor, job, answer, &said, &origin).await?).into_response())
}

async fn images(
    services: &Services,
    visitor: &Visitor,
    job: JobInfo,
    options: AnswerOptions,
    said: &Said,
    origin: &Origin,
) -> OpenAiResult<Images> {
    let first = job.pictures.first().ok_or_else(without_picture)?;
    let mut images = Images {
        created: job.finished_at.unwrap_or_else(OffsetDateTime::now_utc).unix_timestamp(),
        background: BACKGROUND,
        data: Vec::with_capacity(job.pictures.len()),
        output_format: output_format_name(options.format),
        quality: quality_name(options.quality),
        size: size_of(first),
        usage: Usage::of(&job.request, job.pictures.len()),
    };
    for picture in &job.pictures {
        let (b64_json, url) = match options.response {
            ResponseFormat::Url => {
                let path = picture.path(options.format);
                // Whoever is handed the address shows nothing else.
                let signed = format!("{path}?pass={}", services.picture_pass(picture.id));
                (None, Some(origin.address(&signed)))
            }
            ResponseFormat::Base64 => (Some(base64(services, visitor, picture, options).await?), None),
        };
        images.data.push(Image { b64_json, url, revised_prompt: said.revised(&picture.prompt) });
    }
    Ok(images)
}

/// A finished picture as base64.
///
/// # Errors
/// It was deleted meanwhile.
pub async fn base64(
    services: &Services,
    visitor: &Visitor,
    picture: &PictureInfo,
    options: AnswerOptions,
) -> OpenAiResult<String> {
    let file = services.picture_file_at(visitor, picture.id, options.format, options.jpeg_quality).await?;
    Ok(base64_picture::encode(&file.bytes))
}

/// A picture's size, as OpenAI writes it.
pub fn size_of(picture: &PictureInfo) -> String {
    format!("{}x{}", picture.width, picture.height)
}
