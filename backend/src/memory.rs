//! How much memory a picture takes, before anything is loaded.

use inference::precision::Precision;
use types::error::PublicError;
use types::model::ModelInfo;
use types::request::GenerationRequest;

/// The VAE decoder's widest layers hold some 500 numbers for each pixel.
const DECODER_BYTES_PER_PIXEL: u64 = 2_048;
/// Larger pictures go through the decoder in tiles.
const MOST_DECODED_PIXELS: u64 = 1536 * 1536;
/// A guided step of the U-Net holds some twenty maps of 320 channels at an eighth of each side, for two pictures.
const UNET_BYTES_PER_PIXEL: u64 = 800;
/// Between what a machine has and what a program may take of it: the system and everything else want some, too.
const SHARE_FOR_PICTURES: f64 = 0.9;

/// Bytes of a model's weights as it computes with them.
pub(crate) fn of_weights(model: &ModelInfo, precision: Precision) -> u64 {
    model.n_parameters.saturating_mul(precision.n_bytes())
}

/// Bytes that the making of one picture takes besides the weights: the U-Net's or the decoder's, whichever is more,
/// since one comes after the other.
pub(crate) fn of_picture((width, height): (u32, u32)) -> u64 {
    let pixels = u64::from(width) * u64::from(height);
    (pixels.min(MOST_DECODED_PIXELS) * DECODER_BYTES_PER_PIXEL).max(pixels * UNET_BYTES_PER_PIXEL)
}

/// Bytes of memory in this machine; `None` where it cannot be told.
#[cfg(target_os = "linux")]
pub(crate) fn of_machine() -> Option<u64> {
    let told = rustix::system::sysinfo();
    (told.totalram as u64).checked_mul(u64::from(told.mem_unit)).filter(|&bytes| bytes > 0)
}

/// Bytes of memory in this machine; `None` where it cannot be told.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of_machine() -> Option<u64> {
    None
}

/// Refuses a picture that cannot fit into the machine, and names the nearest size that can.
///
/// # Errors
/// Said of the field `width`, or `hires_scale` if it makes the size; or of `model` if its weights alone are too large.
pub(crate) fn check(
    model: &ModelInfo,
    precision: Precision,
    request: &GenerationRequest,
    machine: u64,
) -> Result<(), PublicError> {
    let size = request.picture_size();
    let budget = (machine as f64 * SHARE_FOR_PICTURES) as u64;
    let weights = of_weights(model, precision);
    let needed = weights.saturating_add(of_picture(size));
    if needed <= budget {
        return Ok(());
    }
    let (width, height) = size;
    let has = format!("this machine has {}", gigabytes(machine));
    let fits = budget.checked_sub(weights).and_then(|left| nearest(model, size, left));
    Err(match fits {
        Some((less_width, less_height)) => PublicError::invalid_field(
            if request.hires.is_some() { "hires_scale" } else { "width" },
            format!(
                "a picture of {width}x{height} needs about {} of memory with model `{}`, and {has}; \
                 {less_width}x{less_height} fits",
                gigabytes(needed),
                model.name
            ),
        ),
        None => PublicError::invalid_field(
            "model",
            format!("model `{}` needs about {} of memory, and {has}", model.name, gigabytes(needed)),
        ),
    })
}

/// The largest size of the same shape, as nearly as the model's steps allow, that takes no more than `bytes`.
fn nearest(model: &ModelInfo, (width, height): (u32, u32), bytes: u64) -> Option<(u32, u32)> {
    let multiple = model.limits.multiple.max(1);
    let longer = width.max(height);
    (1..longer / multiple).rev().find_map(|n| {
        let scale = f64::from(n * multiple) / f64::from(longer);
        let scaled = |side: u32| {
            let steps = (f64::from(side) * scale / f64::from(multiple)).round() as u32;
            steps.max(1) * multiple
        };
        let size = (scaled(width), scaled(height));
        let is_allowed = model.limits.allows_side(size.0) && model.limits.allows_side(size.1);
        (is_allowed && of_picture(size) <= bytes).then_some(size)
    })
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One billion weights, any multiple of 64 up to 4096.
    fn model() -> ModelInfo {
        let mut model = crate::engine::fake::fake_model();
        model.name = "large".to_owned();
        model.n_parameters = 1_000_000_000;
        (model.limits.multiple, model.limits.min_side, model.limits.max_side) = (64, 64, 4096);
        model
    }

    fn request((width, height): (u32, u32)) -> GenerationRequest {
        let json = format!(
            r#"{{"prompt": "a boat", "negative_prompt": "", "model": "large", "steps": 4, "guidance_scale": 4,
            "sampler": "euler", "schedule": "normal", "seed": 7, "width": {width}, "height": {height}, "count": 1}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn what_fits_is_let_through() {
        assert_eq!(check(&model(), Precision::F32, &request((1024, 1024)), 8_000_000_000), Ok(()));
        assert_eq!(check(&model(), Precision::F16, &request((1024, 1024)), 5_000_000_000), Ok(()));
    }

    #[test]
    fn a_picture_that_is_too_large_is_refused_with_the_nearest_size_that_fits() {
        let error = check(&model(), Precision::F32, &request((1024, 512)), 5_000_000_000).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("width"));
        assert_eq!(
            error.message,
            "a picture of 1024x512 needs about 5.1 GB of memory with model `large`, and this machine has 5.0 GB; \
             640x320 fits"
        );
        assert_eq!(check(&model(), Precision::F32, &request((640, 320)), 5_000_000_000), Ok(()));
    }

    #[test]
    fn weights_that_are_too_large_alone_are_refused_as_the_model() {
        let error = check(&model(), Precision::F32, &request((512, 512)), 3_000_000_000).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("model"));
        assert_eq!(error.message, "model `large` needs about 4.5 GB of memory, and this machine has 3.0 GB");
    }

    #[test]
    fn beyond_some_size_tiles_keep_the_decoder_from_growing() {
        assert_eq!(of_picture((1536, 1536)), 1536 * 1536 * DECODER_BYTES_PER_PIXEL);
        assert_eq!(of_picture((2048, 1536)), of_picture((1536, 1536)));
        assert!(of_picture((4096, 4096)) > of_picture((1536, 1536)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_some_memory() {
        assert!(of_machine().is_some_and(|bytes| bytes > 100_000_000));
    }
}
