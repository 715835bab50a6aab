//! What both ways to pictures read alike.

use backend::{Services, Visitor};
use serde_json::{Map, Value};
use types::request::RawRequest;

use super::fields::Fields;
use super::options::Options;
use super::refusal::Refusal;
use super::{models, samplers, styles};

/// The settings of a call: what the visitor set before, and over it what the call sets for itself.
///
/// # Errors
/// `override_settings` is no object.
pub fn settings(fields: &Fields, options: &Options, visitor: &Visitor) -> Result<Fields, Refusal> {
    Ok(overrides(fields)?.over(&options.of(visitor)))
}

/// What a call set for itself and asked to be kept as options. They are kept by [`keep`], once it has turned out that the
/// call is allowed; whether they can be is looked at here, before anything is painted.
///
/// # Errors
/// It is not said clearly whether to keep them; the options would become too long.
pub fn overrides_to_keep(
    fields: &Fields,
    options: &Options,
    visitor: &Visitor,
) -> Result<Option<Map<String, Value>>, Refusal> {
    if fields.is_set_or("override_settings_restore_afterwards", true)? {
        return Ok(None);
    }
    let overrides = overrides(fields)?;
    options.check(visitor, overrides.values())?;
    Ok(Some(overrides.values().clone()))
}

/// Keeps these as options.
pub fn keep(overrides: Option<&Map<String, Value>>, options: &Options, visitor: &Visitor) {
    if let Some(overrides) = overrides
        && options.set(visitor, overrides).is_err()
    {
        // Others were set while the pictures were painted. These are no reason to withhold the pictures.
        tracing::debug!("the settings of a call could not be kept as options");
    }
}

fn overrides(fields: &Fields) -> Result<Fields, Refusal> {
    fields.within("override_settings", &["override_settings"])
}

/// What a call asks for, but for what it begins with and for a second pass. Whether it is allowed is not looked at here.
///
/// # Errors
/// The first field that cannot be read.
pub fn read(services: &Services, fields: &Fields, settings: &Fields) -> Result<RawRequest, Refusal> {
    if let Some(script) = fields.word("script_name")? {
        return Err(Refusal::of_field(&["script_name"], format!("there is no script `{script}` here")));
    }
    let sampler = match fields.word("sampler_name")? {
        Some(name) => Some(name),
        None => fields.word("sampler_index")?,
    };
    let checkpoint = settings.word("sd_model_checkpoint")?;
    Ok(RawRequest {
        prompt: fields.text("prompt")?.unwrap_or("").to_owned(),
        negative_prompt: fields.text("negative_prompt")?.map(str::to_owned),
        styles: styles::known(services, &fields.texts("styles")?),
        model: checkpoint.map(|name| models::name_of(&services.models(), name)),
        steps: fields.whole("steps")?,
        guidance_scale: fields.number("cfg_scale")?,
        sampler: sampler.map(str::to_owned),
        schedule: samplers::schedule(sampler, fields.word("scheduler")?),
        seed: fields.whole("seed")?,
        noise: noise(settings)?,
        variation_seed: fields.whole("subseed")?,
        variation_strength: fields.number("subseed_strength")?,
        width: fields.whole("width")?,
        height: fields.whole("height")?,
        count: count(fields)?,
        clip_skip: settings.whole("CLIP_stop_at_last_layers")?,
        ..RawRequest::default()
    })
}

/// Batches times pictures of each.
fn count(fields: &Fields) -> Result<Option<i64>, Refusal> {
    let (batch_size, n_batches) = (fields.whole("batch_size")?, fields.whole("n_iter")?);
    if batch_size.is_none() && n_batches.is_none() {
        return Ok(None);
    }
    // Two negative numbers are no way to a positive one.
    let (batch_size, n_batches) = (batch_size.unwrap_or(1), n_batches.unwrap_or(1));
    Ok(Some(if batch_size < 1 { batch_size } else { batch_size.saturating_mul(n_batches) }))
}

/// Whose random numbers the noise is.
pub fn noise(settings: &Fields) -> Result<Option<String>, Refusal> {
    let Some(source) = settings.word("randn_source")? else { return Ok(None) };
    let noise = match source.to_ascii_uppercase().as_str() {
        "CPU" => "cpu",
        // `NV` are the numbers of an NVIDIA card without one, which is how they are drawn here.
        "GPU" | "NV" => "cuda",
        _ => {
            let sentence = format!("randn_source `{source}` is unknown; known are CPU, GPU, NV");
            return Err(settings.refusal("randn_source", sentence));
        }
    };
    Ok(Some(noise.to_owned()))
}
