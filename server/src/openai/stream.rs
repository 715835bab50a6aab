//! Pictures as they come: partial images, and each picture when it is done.

use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use backend::{Services, Visitor};
use futures::stream::unfold;
use futures::{Stream, StreamExt};
use serde::Serialize;
use time::OffsetDateTime;
use types::event::JobEvent;
use types::picture::PictureInfo;

use super::answer::{BACKGROUND, base64, size_of};
use super::asked::{AnswerOptions, Asked, Said};
use super::choices::{output_format_name, quality_name};
use super::error::{ErrorBody, OpenAiError, OpenAiResult};
use super::partials::Partials;
use super::usage::Usage;
use crate::base64_picture;
use crate::error::ApiError;
use crate::state::AppState;
use crate::waiting::{Watched, unless_it_failed, watched, without_picture};

/// What is done with a prompt, which the names of a stream's events begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A picture is made.
    Generation,
    /// A picture is changed.
    Edit,
}

impl Deed {
    fn name(self) -> &'static str {
        match self {
            Self::Generation => "image_generation",
            Self::Edit => "image_edit",
        }
    }
}

/// An event that tells of a picture.
#[derive(Serialize)]
struct ImageEvent {
    #[serde(rename = "type")]
    kind: String,
    b64_json: String,
    /// Seconds since 1970.
    created_at: i64,
    size: String,
    quality: &'static str,
    background: &'static str,
    output_format: &'static str,
    /// From 0 for each picture; of partial images alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_image_index: Option<u32>,
    /// Of finished pictures alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

/// An event that ends a stream too early.
#[derive(Serialize)]
struct ErrorEvent {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    body: ErrorBody,
}

/// Makes what was asked for and tells of it meanwhile. A caller who hangs up cancels the job.
///
/// # Errors
/// The request is refused. What goes wrong later is the stream's last event.
pub async fn open(
    state: AppState,
    visitor: Visitor,
    deed: Deed,
    asked: Asked,
    partial_images: u8,
) -> OpenAiResult<Sse<impl Stream<Item = Result<Event, axum::Error>>>> {
    let Asked { raw, answer: options, said, .. } = asked;
    let watched = watched(&state, &visitor, raw).await.map_err(|error| said.explain(error))?;
    let teller = Teller {
        services: state.services,
        visitor,
        watched,
        deed,
        options,
        said,
        partials: Partials::new(partial_images.into()),
        n_completed: 0,
        is_over: false,
    };
    let told = unfold(teller, |mut teller| async move { Some((teller.next().await?, teller)) });
    Ok(Sse::new(told.map(to_sse)).keep_alive(KeepAlive::default()))
}

fn to_sse(told: Result<ImageEvent, OpenAiError>) -> Result<Event, axum::Error> {
    match told {
        Ok(event) => Event::default().event(&event.kind).json_data(&event),
        Err(OpenAiError { error, .. }) => {
            Event::default().event("error").json_data(ErrorEvent { kind: "error", body: ErrorBody { error } })
        }
    }
}

/// Turns what happens to a job into what its caller is told. Its methods borrow it for themselves alone, since a stream
/// of events can be handed from thread to thread, but not be looked at by two.
struct Teller {
    services: Services,
    visitor: Visitor,
    watched: Watched,
    deed: Deed,
    options: AnswerOptions,
    said: Said,
    partials: Partials,
    n_completed: u32,
    is_over: bool,
}

impl Teller {
    /// The next event. An error is the last one.
    async fn next(&mut self) -> Option<Result<ImageEvent, OpenAiError>> {
        while !self.is_over {
            let Some(event) = self.watched.events.next().await else {
                self.is_over = true;
                return Some(Err(ApiError::shutting_down().into()));
            };
            let told = match event.event {
                JobEvent::Progress { progress, preview } => {
                    match self.partials.after_step(&progress, preview) {
                        Some((index, preview)) => self.partial(index, preview).await.map(Some),
                        None => Ok(None),
                    }
                }
                JobEvent::Picture { picture } => self.completed(&picture).await.map(Some),
                JobEvent::Done | JobEvent::Failed { .. } | JobEvent::Cancelled => {
                    self.is_over = true;
                    self.end().await.map(|()| None)
                }
                JobEvent::Queued { .. } | JobEvent::Loading { .. } | JobEvent::Note { .. } => Ok(None),
            };
            self.is_over |= told.is_err();
            if let Some(told) = told.transpose() {
                return Some(told);
            }
        }
        None
    }

    async fn partial(&mut self, index: u32, preview: String) -> OpenAiResult<ImageEvent> {
        let AnswerOptions { format, jpeg_quality, .. } = self.options;
        let (width, height) = self.watched.job.request.picture_size();
        let file = self.services.enlarge_preview(preview, (width, height), format, jpeg_quality).await?;
        let event = self.event("partial_image", base64_picture::encode(&file), format!("{width}x{height}"));
        Ok(ImageEvent { partial_image_index: Some(index), ..event })
    }

    async fn completed(&mut self, picture: &PictureInfo) -> OpenAiResult<ImageEvent> {
        let file = base64(&self.services, &self.visitor, picture, self.options).await?;
        self.n_completed += 1;
        let event = self.event("completed", file, size_of(picture));
        Ok(ImageEvent { usage: Some(Usage::of(&self.watched.job.request, 1)), ..event })
    }

    fn event(&self, what: &str, b64_json: String, size: String) -> ImageEvent {
        ImageEvent {
            kind: format!("{}.{what}", self.deed.name()),
            b64_json,
            created_at: OffsetDateTime::now_utc().unix_timestamp(),
            size,
            quality: quality_name(self.options.quality),
            background: BACKGROUND,
            output_format: output_format_name(self.options.format),
            partial_image_index: None,
            usage: None,
        }
    }

    /// The job came to its end: why, if that was no good one.
    async fn end(&mut self) -> OpenAiResult<()> {
        let job = self.services.job(&self.visitor, self.watched.job.id).await?;
        unless_it_failed(job).map_err(|error| self.said.explain(error))?;
        // A picture that was deleted at once is told of to nobody.
        if self.n_completed == 0 { Err(without_picture().into()) } else { Ok(()) }
    }
}
