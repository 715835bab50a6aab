//! The form, filled in as a picture was made.

use app::FormState;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use backend::{Services, Visitor};
use types::error::PublicError;
use types::metadata::ReadSettings;

use super::{keep_files, refuse};
use crate::error::{ApiError, ApiResult};
use crate::multipart::{FormWithFiles, SentFile, file_too_large};
use crate::pages;
use crate::state::AppState;

/// The field that the picture stands in.
const FIELD: &str = "settings_file";

/// `POST /read-settings`: shows the form filled in with the settings inside the picture that was sent, or as it was typed
/// with what is wrong with that picture.
pub async fn read_settings(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    mut form: FormWithFiles,
) -> Response {
    let file = form.files.iter().position(|file| file.field == FIELD).map(|at| form.files.remove(at));
    match read(&state.services, &visitor, file).await {
        Ok(settings) => pages::filled_form(state, visitor, FormState::filled(settings)).await,
        Err(mut error) => {
            error.public.field = Some(FIELD.to_owned());
            let (fields, _) = keep_files(&state.services, &visitor, form).await;
            refuse(state, visitor, &fields, error).await
        }
    }
}

async fn read(services: &Services, visitor: &Visitor, file: Option<SentFile>) -> ApiResult<ReadSettings> {
    let file = file.ok_or_else(|| {
        ApiError::from(PublicError::invalid_field(
            FIELD,
            "no picture was chosen; choose a PNG, JPEG or WebP file",
        ))
    })?;
    Ok(services.read_settings(visitor, file.bytes.ok_or_else(file_too_large)?).await?)
}
