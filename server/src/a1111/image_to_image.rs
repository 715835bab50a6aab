//! Pictures from a picture and a prompt.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use backend::pictures::Fit;
use backend::{Frame, Services, Visitor};
use types::error::PublicError;
use types::request::{MaskFill, RawRequest};
use types::upload::{UploadId, UploadInfo};

use super::answer::{Answer, Way};
use super::asked;
use super::fields::{Fields, WithPictures};
use super::options::Options;
use super::refusal::Refusal;
use crate::base64_picture;
use crate::error::ApiError;
use crate::state::AppState;

/// `POST /sdapi/v1/img2img`: waits for the pictures. A caller who hangs up cancels the job.
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    Extension(options): Extension<Options>,
    WithPictures(mut fields): WithPictures,
) -> Result<Json<Answer>, Refusal> {
    fields.keep_only(&Way::ImageToImage.parameters());
    let settings = asked::settings(&fields, &options, &visitor)?;
    let overrides = asked::overrides_to_keep(&fields, &options, &visitor)?;
    let raw = with_strength(&fields, asked::read(&state.services, &fields, &settings)?)?;
    let mut uploads = Vec::new();
    let answer = answer(&state, &visitor, fields, raw, &mut uploads).await;
    if answer.is_err() {
        state.services.discard_uploads(&visitor, &uploads).await;
    }
    let answer = answer?;
    asked::keep(overrides.as_ref(), &options, &visitor);
    Ok(Json(answer))
}

/// What is given back. The pictures that stand in the body become `uploads`, also of a call that is refused.
async fn answer(
    state: &AppState,
    visitor: &Visitor,
    mut fields: Fields,
    raw: RawRequest,
    uploads: &mut Vec<UploadId>,
) -> Result<Answer, Refusal> {
    let raw = with_pictures(&state.services, visitor, &fields, raw, uploads).await?;
    if !fields.is_set("include_init_images")? {
        // They are kept as files by now.
        fields.forget("init_images");
        fields.forget("mask");
    }
    Answer::to(state, visitor, &fields, raw, Way::ImageToImage).await
}

/// How far to go from the picture, and what its masked part begins with.
fn with_strength(fields: &Fields, raw: RawRequest) -> Result<RawRequest, Refusal> {
    Ok(RawRequest {
        strength: fields.number("denoising_strength")?,
        picture_guidance_scale: fields.number("image_cfg_scale")?,
        mask_feather: feather(fields)?,
        mask_fill: Some(mask_fill(fields)?.to_string()),
        ..raw
    })
}

/// The pictures that stand in the body become uploads.
async fn with_pictures(
    services: &Services,
    visitor: &Visitor,
    fields: &Fields,
    raw: RawRequest,
    uploads: &mut Vec<UploadId>,
) -> Result<RawRequest, Refusal> {
    let frame = frame(fields, &raw)?;
    let is_inverted = fields.is_set("inpainting_mask_invert")?;
    let file = base64_picture::decode("init_images", init_image(fields)?);
    let file = file.map_err(|error| Refusal::of_init_image(0, error.message))?;
    let start = services.store_start(visitor, file, frame).await;
    let start = start.map_err(|error| of_picture(error, |message| Refusal::of_init_image(0, message)))?;
    uploads.push(start.id);
    let mask = match fields.word("mask")? {
        Some(text) => {
            let file = base64_picture::decode("mask", text)?;
            let UploadInfo { width, height, .. } = start;
            let mask = services.store_mask(visitor, file, is_inverted, (width, height), frame).await;
            let mask =
                mask.map_err(|error| of_picture(error, |message| Refusal::of_field(&["mask"], message)))?;
            uploads.push(mask.id);
            Some(mask)
        }
        None => None,
    };
    Ok(RawRequest { start: Some(start.id.to_string()), mask: mask.map(|mask| mask.id.to_string()), ..raw })
}

/// A file that is no picture is said of the field that it stands in.
fn of_picture(error: backend::Error, of_field: impl FnOnce(String) -> Refusal) -> Refusal {
    match ApiError::from(error) {
        ApiError { public: PublicError { field: Some(field), message, .. }, .. } if field == "file" => {
            of_field(message)
        }
        other => other.into(),
    }
}

fn init_image(fields: &Fields) -> Result<&str, Refusal> {
    match fields.texts("init_images")?[..] {
        [picture] if picture.starts_with("http://") || picture.starts_with("https://") => {
            let sentence = "an address is not fetched; send the picture itself in base64";
            Err(Refusal::of_init_image(0, sentence))
        }
        [picture] => Ok(picture),
        [] => {
            let sentence = "init_images has no picture; send one in base64";
            Err(Refusal::new(StatusCode::NOT_FOUND, sentence))
        }
        ref several => {
            let sentence = format!("init_images has {} pictures; allowed is 1 in one call", several.len());
            Err(fields.refusal("init_images", sentence))
        }
    }
}

/// The size that the picture is brought to, unless it is just stretched or keeps its own.
fn frame(fields: &Fields, raw: &RawRequest) -> Result<Option<Frame>, Refusal> {
    let fit = match fields.whole("resize_mode")?.unwrap_or(0) {
        0 | 3 => Fit::Stretch,
        1 => Fit::Crop,
        2 => Fit::Extend,
        other => {
            let sentence = format!("resize_mode {other} is unknown; known are 0, 1, 2 and 3");
            return Err(fields.refusal("resize_mode", sentence));
        }
    };
    let side = |pixels: Option<i64>| pixels.and_then(|pixels| u32::try_from(pixels).ok());
    let (Some(width), Some(height)) = (side(raw.width), side(raw.height)) else { return Ok(None) };
    Ok((fit != Fit::Stretch).then_some(Frame { width, height, fit }))
}

/// There are two sides to a mask's edge there, and one here: the softer counts.
fn feather(fields: &Fields) -> Result<Option<i64>, Refusal> {
    let both = fields.whole("mask_blur")?;
    let sides = [fields.whole("mask_blur_x")?, fields.whole("mask_blur_y")?];
    Ok(both.or(sides.into_iter().flatten().max()))
}

fn mask_fill(fields: &Fields) -> Result<MaskFill, Refusal> {
    match fields.whole("inpainting_fill")?.unwrap_or(0) {
        0 => Ok(MaskFill::Fill),
        1 => Ok(MaskFill::Original),
        2 => Ok(MaskFill::Noise),
        3 => Ok(MaskFill::Nothing),
        other => {
            let sentence = format!(
                "inpainting_fill {other} is unknown; known are 0 (fill), 1 (original), 2 (latent noise) and 3 (latent \
                 nothing)"
            );
            Err(fields.refusal("inpainting_fill", sentence))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fields(values: Value) -> Fields {
        match values {
            Value::Object(values) => Fields::new(values),
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn a_mask_is_as_soft_as_its_softer_side() {
        let blur = |values| feather(&fields(values)).unwrap();
        assert_eq!(blur(json!({})), None);
        assert_eq!(blur(json!({ "mask_blur": 0 })), Some(0));
        assert_eq!(blur(json!({ "mask_blur_x": 3, "mask_blur_y": 9 })), Some(9));
        assert_eq!(blur(json!({ "mask_blur": null, "mask_blur_y": 2 })), Some(2));
    }

    #[test]
    fn what_is_under_a_mask_is_a_number_there() {
        let fill = |values| mask_fill(&fields(values)).map_err(|refusal| refusal.message().to_owned());
        assert_eq!(fill(json!({})), Ok(MaskFill::Fill), "the usual one there");
        let all = [MaskFill::Fill, MaskFill::Original, MaskFill::Noise, MaskFill::Nothing];
        for (number, expected) in all.into_iter().enumerate() {
            assert_eq!(fill(json!({ "inpainting_fill": number })), Ok(expected));
        }
        assert_eq!(
            fill(json!({ "inpainting_fill": 4 })).unwrap_err(),
            "inpainting_fill 4 is unknown; known are 0 (fill), 1 (original), 2 (latent noise) and 3 (latent nothing)"
        );
    }

    #[test]
    fn a_picture_is_cut_or_extended_only_to_a_size_that_is_named() {
        let sized = RawRequest { width: Some(64), height: Some(32), ..RawRequest::default() };
        let found = |mode: i64, raw: &RawRequest| {
            frame(&fields(json!({ "resize_mode": mode })), raw)
                .map_err(|refusal| refusal.message().to_owned())
        };
        for mode in [0, 3] {
            assert_eq!(found(mode, &sized), Ok(None));
        }
        assert_eq!(found(1, &sized), Ok(Some(Frame { width: 64, height: 32, fit: Fit::Crop })));
        assert_eq!(found(2, &sized), Ok(Some(Frame { width: 64, height: 32, fit: Fit::Extend })));
        assert_eq!(found(1, &RawRequest::default()), Ok(None), "it keeps its own size");
        assert_eq!(found(7, &sized).unwrap_err(), "resize_mode 7 is unknown; known are 0, 1, 2 and 3");
    }
}
