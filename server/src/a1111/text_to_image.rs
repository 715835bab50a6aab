//! Pictures from a prompt.

use axum::extract::State;
use axum::{Extension, Json};
use backend::{Services, Visitor};
use types::model::Shape;
use types::request::{RawRequest, SIZE_MULTIPLE};

use super::answer::{Answer, Way};
use super::asked;
use super::fields::Fields;
use super::options::Options;
use super::refusal::Refusal;
use crate::state::AppState;

/// Factor of a second pass that is asked for without one.
const USUAL_HIRES_SCALE: f64 = 2.0;

/// `POST /sdapi/v1/txt2img`: waits for the pictures. A caller who hangs up cancels the job.
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    Extension(options): Extension<Options>,
    mut fields: Fields,
) -> Result<Json<Answer>, Refusal> {
    fields.keep_only(&Way::TextToImage.parameters());
    let settings = asked::settings(&fields, &options, &visitor)?;
    let overrides = asked::overrides_to_keep(&fields, &options, &visitor)?;
    let raw = asked::read(&state.services, &fields, &settings)?;
    let raw = with_second_pass(&state.services, &fields, raw)?;
    let answer = Answer::to(&state, &visitor, &fields, raw, Way::TextToImage).await?;
    asked::keep(overrides.as_ref(), &options, &visitor);
    Ok(Json(answer))
}

fn with_second_pass(services: &Services, fields: &Fields, raw: RawRequest) -> Result<RawRequest, Refusal> {
    if !fields.is_set("enable_hr")? {
        return Ok(raw);
    }
    let [across, down] = [fields.whole("hr_resize_x")?, fields.whole("hr_resize_y")?];
    let [across, down] = [across, down].map(|pixels| pixels.filter(|pixels| *pixels != 0));
    let hires_scale = if across.is_none() && down.is_none() {
        fields.number("hr_scale")?.unwrap_or(USUAL_HIRES_SCALE)
    } else {
        scale_to((across, down), first_size(services, &raw), fields)?
    };
    Ok(RawRequest {
        hires_scale: Some(hires_scale),
        hires_steps: fields.whole("hr_second_pass_steps")?,
        hires_strength: fields.number("denoising_strength")?,
        ..raw
    })
}

/// Pixels of the first pass.
fn first_size(services: &Services, raw: &RawRequest) -> (i64, i64) {
    let models = services.models();
    let model = models.iter().find(|model| Some(&model.name) == raw.model.as_ref()).or(models.first());
    let (width, height) = model.map_or((1, 1), |model| model.size_of(Shape::default()));
    (raw.width.unwrap_or(width.into()), raw.height.unwrap_or(height.into()))
}

/// The factor that makes a picture as large as is asked for, by one side or by both.
fn scale_to(
    (across, down): (Option<i64>, Option<i64>),
    (width, height): (i64, i64),
    fields: &Fields,
) -> Result<f64, Refusal> {
    let factor = |to: i64, from: i64| to as f64 / from.max(1) as f64;
    let (Some(across), Some(down)) = (across, down) else {
        return Ok(across
            .map(|to| factor(to, width))
            .or(down.map(|to| factor(to, height)))
            .unwrap_or_default());
    };
    let scale = factor(across, width);
    // Sides that were rounded to what a model can make are of the same shape.
    if (height as f64 * scale - down as f64).abs() > f64::from(SIZE_MULTIPLE) {
        let sentence = format!(
            "hr_resize_x {across} and hr_resize_y {down} have another shape than {width}x{height}; set one of them to 0, \
             or use hr_scale"
        );
        return Err(fields.refusal("hr_resize_y", sentence));
    }
    Ok(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(across: Option<i64>, down: Option<i64>) -> Result<f64, String> {
        scale_to((across, down), (256, 192), &Fields::default())
            .map_err(|refusal| refusal.message().to_owned())
    }

    #[test]
    fn one_side_or_both_of_a_second_pass_say_its_factor() {
        assert_eq!(scale(Some(512), None), Ok(2.0));
        assert_eq!(scale(None, Some(288)), Ok(1.5));
        assert_eq!(scale(Some(384), Some(288)), Ok(1.5));
        assert_eq!(scale(Some(360), Some(272)), Ok(1.40625), "rounded to eights");
        assert_eq!(
            scale(Some(512), Some(512)),
            Err("hr_resize_x 512 and hr_resize_y 512 have another shape than 256x192; set one of them to 0, or use \
                 hr_scale"
                .to_owned())
        );
    }
}
