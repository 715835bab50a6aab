//! Reading requests, with one clear sentence for whatever cannot be read.

use std::str::FromStr;

use axum::extract::rejection::{BytesRejection, FormRejection};
use axum::extract::{Form, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use types::error::{ErrorCode, PublicError};
use types::job::JobId;
use types::picture::PictureId;
use types::upload::UploadId;

use crate::error::ApiError;

/// Largest body of a request, in bytes. A prompt of the greatest length is a hundredth of it.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// Most commas and opening brackets of a JSON body. Each may begin a value, and a value takes much more memory than its text.
/// What clients send has some hundred of them.
const MAX_SEPARATORS: usize = 100_000;

/// A JSON body.
pub struct ApiJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        json_of(request, state, MAX_BODY_BYTES).await.map(Self)
    }
}

/// What is read from a request's body, whose route allows it so many bytes, and which has to be said to be JSON.
///
/// # Errors
/// It is not said to be JSON, is none, or holds something else than is asked for; it is too large, or would be once it was read.
pub async fn json_of<S: Send + Sync, T: DeserializeOwned>(
    request: Request,
    state: &S,
    most: usize,
) -> Result<T, ApiError> {
    if !says_json(request.headers()) {
        return Err(ApiError::unreadable(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the request has no header `content-type: application/json`; send JSON and say so",
        ));
    }
    let body = Bytes::from_request(request, state).await.map_err(|error| body_error(&error, most))?;
    check_separators(&body)?;
    read_json(&body).map_err(ApiError::from)
}

/// Refuses JSON that would become so many values that they fill the memory. To be asked before it is parsed.
///
/// Commas and brackets within texts count as well. No prompt may have as many characters, and pictures in base64 have neither. Colons
/// need not be counted: what stands before one began with a comma or a bracket.
///
/// # Errors
/// There are too many commas and opening brackets.
pub fn check_separators(body: &[u8]) -> Result<(), ApiError> {
    let n_separators = body.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
    if n_separators > MAX_SEPARATORS {
        let sentence = format!(
            "the body has {n_separators} commas and opening brackets; at most {MAX_SEPARATORS} are allowed"
        );
        return Err(ApiError::unreadable(StatusCode::PAYLOAD_TOO_LARGE, sentence));
    }
    Ok(())
}

/// A form's fields as they were sent.
pub type Fields = Vec<(String, String)>;

/// The body of a form.
pub struct ApiForm(pub Fields);

impl<S: Send + Sync> FromRequest<S> for ApiForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Form::<Fields>::from_request(request, state).await {
            Ok(Form(fields)) => Ok(Self(fields)),
            Err(FormRejection::BytesRejection(error)) => Err(body_error(&error, MAX_BODY_BYTES)),
            Err(error) => Err(ApiError::unreadable(
                error.status(),
                "the body is not a form; send its fields as `application/x-www-form-urlencoded`",
            )),
        }
    }
}

/// The part of an address after `?`.
pub struct ApiQuery<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Query::try_from_uri(&without_empty_values(&parts.uri)?).map(|Query(query)| Self(query)).map_err(
            |rejection| {
                // axum's sentence begins with its own words and goes on with the field's name.
                let text = rejection.body_text();
                let fault = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                let (field, fault) = fault.split_once(": ").unwrap_or(("", fault));
                wrong_value(field, "query", fault).into()
            },
        )
    }
}

/// The address without the values of its query that are empty: a form sends each of its fields, those too that
/// were left empty.
fn without_empty_values(uri: &Uri) -> Result<Uri, ApiError> {
    let query = uri.query().unwrap_or("");
    let values = form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::for_suffix("/?".to_owned(), 2).extend_pairs(values).finish();
    // Characters that were sent as they are take three times the room now.
    query.parse().map_err(|_| ApiError::unreadable(StatusCode::URI_TOO_LONG, "the query is too long"))
}

/// An id in an address. One that is none is answered like one that nobody has.
pub struct ApiId<T>(pub T);

/// What has an id.
pub trait Named: FromStr {
    /// The word for it in sentences.
    const KIND: &'static str;
}

impl Named for JobId {
    const KIND: &'static str = "job";
}

impl Named for PictureId {
    const KIND: &'static str = "picture";
}

impl Named for UploadId {
    const KIND: &'static str = "upload";
}

impl<S: Send + Sync, T: Named> FromRequestParts<S> for ApiId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| ApiError::unreadable(rejection.status(), "the address cannot be read"))?;
        read_id(&text).map(Self)
    }
}

/// An id from the text that stands for it in an address.
///
/// # Errors
/// The text is no id, so nothing has it.
pub fn read_id<T: Named>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| {
        PublicError::not_found(format!("there is no {} with the id {}", T::KIND, shorten(text))).into()
    })
}

/// As much of a text as belongs into a sentence.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    let start: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if text.chars().count() > LONGEST { format!("{start}…") } else { start }
}

fn says_json(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = said.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

fn body_error(rejection: &BytesRejection, most: usize) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::unreadable(
            rejection.status(),
            format!("the body is too large; at most {most} bytes are allowed"),
        )
    } else {
        ApiError::unreadable(rejection.status(), "the body broke off before its end")
    }
}

fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, PublicError> {
    let start = body.trim_ascii_start();
    if start.is_empty() {
        return Err(no_object("empty"));
    }
    // serde would take an array for the fields in their order.
    if !start.starts_with(b"{") {
        let value: Value = serde_json::from_slice(body).map_err(|error| json_error(".", &error))?;
        return Err(no_object(kind_of(&value)));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        json_error(&path, error.inner())
    })?;
    reader.end().map_err(|error| json_error(".", &error))?;
    Ok(value)
}

/// What is read from JSON that was parsed already.
///
/// # Errors
/// A value of the wrong kind, with its field; a field that is not known.
pub fn from_json<T: DeserializeOwned>(value: Value) -> Result<T, PublicError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        json_error(&path, error.inner())
    })
}

fn no_object(what: &str) -> PublicError {
    PublicError::new(
        ErrorCode::InvalidRequest,
        format!("the body is {what}; send a JSON object such as {{\"prompt\": \"a red boat\"}}"),
    )
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn json_error(path: &str, error: &serde_json::Error) -> PublicError {
    if !error.is_data() {
        return PublicError::new(ErrorCode::InvalidRequest, format!("the body is not JSON: {error}"));
    }
    let text = error.to_string();
    let fault = text.rsplit_once(" at line ").map_or(text.as_str(), |(fault, _)| fault);
    wrong_value(path.trim_matches('.'), "body", fault)
}

/// A field (or, without its name, the whole `place`) that holds something of the wrong kind.
fn wrong_value(field: &str, place: &str, fault: &str) -> PublicError {
    let fault = in_plain_words(fault);
    if field.is_empty() || fault.starts_with("there is no field") {
        return PublicError::new(ErrorCode::InvalidRequest, format!("the {place} cannot be used: {fault}"));
    }
    let message = format!("`{field}` cannot be used: {fault}");
    PublicError { field: Some(field.to_owned()), ..PublicError::new(ErrorCode::InvalidRequest, message) }
}

/// serde's sentences without Rust's words.
fn in_plain_words(fault: &str) -> String {
    if let Some(rest) = fault.strip_prefix("unknown field ") {
        let (name, known) = rest.split_once(", expected ").unwrap_or((rest, ""));
        let known = known.trim_start_matches("one of ");
        return format!("there is no field {name}; known are {known}");
    }
    let words = [
        ("expected i64", "expected a whole number"),
        ("expected u64", "expected a whole number from 0 on"),
        ("expected u32", "expected a whole number from 0 on"),
        ("expected f64", "expected a number"),
        ("expected a string", "expected text"),
        ("expected string or map", "expected text"),
        ("expected a boolean", "expected true or false"),
        ("invalid digit found in string", "expected a whole number from 0 on"),
        ("provided string was not `true` or `false`", "expected true or false"),
    ];
    words.iter().fold(fault.to_owned(), |text, (rust, plain)| text.replace(rust, plain))
}

#[cfg(test)]
mod tests {
    use types::request::RawRequest;

    use super::*;

    fn complaint(body: &str) -> (Option<String>, String) {
        let error = read_json::<RawRequest>(body.as_bytes()).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        (error.field, error.message)
    }

    #[test]
    fn a_body_that_is_not_json_is_called_so() {
        let (field, message) = complaint("prompt=boat");
        assert_eq!(field, None);
        assert_eq!(message, "the body is not JSON: expected value at line 1 column 1");
        assert!(complaint("{\"prompt\": \"bo").1.starts_with("the body is not JSON: EOF"));
        assert!(complaint("{} {}").1.starts_with("the body is not JSON: trailing characters"));
        assert!(complaint(" \n").1.starts_with("the body is empty; send a JSON object"));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_with_what_was_expected() {
        let (field, message) = complaint(r#"{"prompt": "boat", "steps": "many"}"#);
        assert_eq!(field.as_deref(), Some("steps"));
        assert_eq!(message, "`steps` cannot be used: invalid type: string \"many\", expected a whole number");
        let (field, message) = complaint(r#"{"prompt": 3}"#);
        assert_eq!(field.as_deref(), Some("prompt"));
        assert_eq!(message, "`prompt` cannot be used: invalid type: integer `3`, expected text");
    }

    #[test]
    fn an_unknown_field_is_named_with_the_known_ones() {
        let (_, message) = complaint(r#"{"prompt": "boat", "stepps": 3}"#);
        assert!(
            message
                .starts_with("the body cannot be used: there is no field `stepps`; known are `prompt`, `neg"),
            "{message}"
        );
    }

    #[test]
    fn json_that_is_no_object_is_refused() {
        for (body, what) in [
            (r#"["a red boat"]"#, "an array"),
            ("[1]", "an array"),
            ("\"boat\"", "a string"),
            ("7", "a number"),
            ("true", "true or false"),
            (" null", "null"),
        ] {
            let (field, message) = complaint(body);
            assert_eq!(field, None);
            assert_eq!(
                message,
                format!("the body is {what}; send a JSON object such as {{\"prompt\": \"a red boat\"}}")
            );
        }
    }

    #[test]
    fn commas_and_opening_brackets_are_counted_wherever_they_stand_and_a_prompt_or_a_picture_has_few() {
        let is_allowed = |body: &str| check_separators(body.as_bytes()).is_ok();
        assert!(is_allowed(&format!("{{\"prompt\": \"{}\"}}", ",".repeat(2000))));
        assert!(is_allowed(&format!(
            "{{\"images\": [\"data:image/png;base64,{}\"]}}",
            "a/+=".repeat(1 << 20)
        )));
        for separator in [",", "[", "{"] {
            assert!(is_allowed(&separator.repeat(MAX_SEPARATORS)), "{separator}");
            assert!(!is_allowed(&separator.repeat(MAX_SEPARATORS + 1)), "{separator}");
        }
        let error = check_separators(format!("[0{}]", ",0".repeat(MAX_SEPARATORS)).as_bytes()).unwrap_err();
        assert_eq!(error.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(
            error.public.message,
            "the body has 100001 commas and opening brackets; at most 100000 are allowed"
        );
    }

    #[test]
    fn a_value_of_a_query_that_is_empty_is_left_out_and_the_others_are_kept() {
        let without_empty_values =
            |uri: &'static str| without_empty_values(&Uri::from_static(uri)).unwrap().to_string();
        assert_eq!(without_empty_values("/history?search=&limit=&favourites"), "/?");
        assert_eq!(without_empty_values("/history?search=a+red%20boat&limit="), "/?search=a+red+boat");
        assert_eq!(without_empty_values("/history"), "/?");
    }

    #[test]
    fn a_text_that_is_no_id_names_nothing() {
        let error = read_id::<JobId>("12 or so").unwrap_err();
        assert_eq!(error.status, StatusCode::NOT_FOUND);
        assert_eq!(error.public.message, "there is no job with the id 12 or so");
        assert!(read_id::<PictureId>(&"x".repeat(9000)).err().unwrap().public.message.len() < 100);
    }
}
