//! `darkroom generate`.

mod bar;
mod flags;
mod grid;
mod loras;
mod models;
mod pictures;

use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use anyhow::Context;
use backend::engine::Made;
use backend::engine::candle::CandleEngine;
use backend::prompt_helpers::PromptHelpers;
use backend::{Engine, Materials, Signer, choose_seed};
use clap::Args;
use types::note::Note;
use types::request::{GenerationRequest, RawRequest, RequestContext};

use self::bar::Bar;
use self::flags::{FinerFlags, HiresFlags, ModelFlags, PictureFlags, StartFlags};
use self::grid::{Sheets, check_axes, grid_of, n_together};
use self::models::{is_path, picture_model};
use self::pictures::{Pictures, name_of};
use super::output::{Output, write_whole};
use super::settings::Settings;
use crate::bundled;

/// Paint a picture into a file, without a server.
///
/// The same prompt, settings and seed give the same file, byte for byte, on the same kind of processor, unless it is
/// signed. The settings are inside the file, in the form that the AUTOMATIC1111 web UI reads.
#[derive(Args)]
#[command(allow_negative_numbers = true, after_help = EXAMPLES)]
pub struct Generate {
    /// What to paint, 1 to 2000 characters
    prompt: String,
    /// File to write; its ending says the format (png, jpg or webp), and with --count it is numbered
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    picture: PictureFlags,
    #[command(flatten)]
    start: StartFlags,
    #[command(flatten)]
    hires: HiresFlags,
    #[command(flatten)]
    model: ModelFlags,
    #[command(flatten)]
    finer: FinerFlags,
}

const EXAMPLES: &str = "\
Examples:
  darkroom generate \"a red sailing boat at sunset\" -o boat.png --seed 7
  darkroom generate \"a blue boat\" --init boat.png --strength 0.6 -o blue.png
  darkroom generate \"a lighthouse\" --init boat.png --mask sky.png -o lighthouse.png
  darkroom generate \"a wide calm sea\" --init boat.png --outpaint 128,0,128,0 -o wide.png
  darkroom generate \"a __colour__ {boat|car}\" --style watercolour --aspect-ratio 16:9 -o wide.png
  darkroom generate \"a boat\" --grid sampler=euler,ddim --grid steps=5,10,20 -o boats.png
  darkroom generate \"a boat\" --model ./model.safetensors --lora ink:0.8 --hires 1.5 -o large.png";

impl Generate {
    /// Paints and writes.
    pub fn run(mut self, settings: Settings) -> anyhow::Result<()> {
        let output = Output::check(std::mem::take(&mut self.output))?;
        check_axes(&self.picture.grid)?;
        let mut config = settings.into_config();
        if let Some(path) = self.model.model.as_deref().filter(|model| is_path(model)) {
            // What is bundled comes first, so it keeps its name. LoRAs are still found by theirs.
            let files = picture_model(path)?;
            self.model.model = Some(backend::models::name_of(&files));
            let [_, writer] = bundled::models();
            config.bundled = vec![files, writer];
            config.default_model = None;
        }
        let loras = loras::read(&self.model.lora);
        config.lora_files = loras.files;
        let pictures = Pictures::read(self.start.init.as_deref(), self.start.mask.as_deref())?;
        let signer = Signer::open(config.signing.as_ref())?;
        let engine = CandleEngine::open(&config)?;
        let helpers = PromptHelpers::in_folder(&config.data_dir);
        let mut context = RequestContext {
            models: &engine.picture_models(),
            loras: &engine.loras(),
            start: pictures.start,
            mask: pictures.mask,
            styles: &helpers.styles(),
            wildcards: &helpers.wildcards(),
            presets: config.presets,
            continuation: None,
        };
        let raw = RawRequest { loras: loras.asked, ..self.into_raw() };
        let (raw, continuation) = extend(raw, &engine, &context)?;
        context.continuation = continuation.as_deref();
        let request = raw.check(&context, choose_seed)?;

        let bar = Bar::new();
        let mut told = Vec::new();
        let mut next = 0;
        let mut sheet = Sheets::new(&request)?;
        while next < request.count {
            let n_together = n_together(&engine, &request).clamp(1, request.count - next);
            let indices = next..next + n_together;
            next = indices.end;
            let made = match sheet.finished(&request, indices.start) {
                Some(sheet) => vec![sheet],
                None => paint(&engine, &request, indices.clone(), &pictures.materials, &bar)?,
            };
            for (index, made) in indices.zip(made) {
                sheet.place(&request, index, &made);
                let Made { image, notes } = made;
                let path = output.name(index, request.count);
                let bytes = signer.encode(&image, &request, index, output.format)?;
                write_whole(&path, &bytes).with_context(|| format!("cannot write `{}`", path.display()))?;
                bar.drawn.suspend(|| {
                    writeln!(std::io::stdout(), "{} seed {}", path.display(), request.seed_of(index))?;
                    tell(notes, &mut told, &mut std::io::stderr())
                })?;
            }
        }
        bar.drawn.finish_and_clear();
        Ok(())
    }

    fn into_raw(self) -> RawRequest {
        let Self { prompt, output: _, picture, start, hires, model, finer } = self;
        let margins = start.outpaint.map(|margins| {
            [margins.left, margins.top, margins.right, margins.bottom].map(|pixels| Some(i64::from(pixels)))
        });
        let [outpaint_left, outpaint_top, outpaint_right, outpaint_bottom] = margins.unwrap_or_default();
        RawRequest {
            prompt,
            negative_prompt: picture.negative,
            styles: picture.style,
            extend: picture.extend,
            model: model.model,
            quality: picture.quality,
            shape: None,
            aspect_ratio: picture.aspect_ratio,
            steps: picture.steps,
            guidance_scale: picture.guidance,
            guidance_rescale: finer.guidance_rescale,
            picture_guidance_scale: start.picture_guidance,
            sampler: picture.sampler,
            schedule: picture.schedule,
            seed: picture.seed,
            noise: finer.noise,
            variation_seed: finer.variation_seed,
            variation_strength: finer.variation_strength,
            width: picture.width,
            height: picture.height,
            count: picture.count,
            start: start.init.as_deref().map(name_of),
            strength: start.strength,
            mask: start.mask.as_deref().map(name_of),
            mask_feather: start.mask_feather,
            mask_fill: start.mask_fill,
            outpaint_left,
            outpaint_top,
            outpaint_right,
            outpaint_bottom,
            hires_scale: hires.hires,
            hires_steps: hires.hires_steps,
            hires_strength: hires.hires_strength,
            loras: Vec::new(),
            cache: None,
            clip_skip: model.clip_skip,
            grid: grid_of(picture.grid),
            weighting: model.weighting,
        }
    }
}

/// What GPT-2 writes to go on with the prompt, if that was asked for, and the request with the seed that both are made
/// from.
fn extend(
    raw: RawRequest,
    engine: &dyn Engine,
    context: &RequestContext<'_>,
) -> anyhow::Result<(RawRequest, Option<String>)> {
    if !raw.extend {
        return Ok((raw, None));
    }
    let trial = RequestContext { continuation: Some(""), ..context.clone() };
    let checked = raw.clone().check(&trial, choose_seed)?;
    let mut continuation = String::new();
    engine.write_prompt(&raw.to_extend(context, &checked)?, checked.seed, &mut |text| {
        continuation.push_str(text);
        ControlFlow::Continue(())
    })?;
    // No seed is above 2⁵³.
    Ok((RawRequest { seed: i64::try_from(checked.seed).ok(), ..raw }, Some(continuation)))
}

/// Says of a picture what was not said of one before it.
fn tell(notes: Vec<Note>, told: &mut Vec<Note>, out: &mut impl Write) -> std::io::Result<()> {
    for note in notes {
        if !told.contains(&note) {
            writeln!(out, "note: {}", note.sentence())?;
            told.push(note);
        }
    }
    Ok(())
}

fn paint(
    engine: &dyn Engine,
    request: &GenerationRequest,
    indices: Range<u32>,
    materials: &Materials,
    bar: &Bar,
) -> anyhow::Result<Vec<Made>> {
    // A cell of a grid is the first picture of a request of its own.
    let cell = request.cell(indices.start);
    let (asked, places) = cell.as_ref().map_or((request, indices.clone()), |cell| (cell, 0..1));
    let made = engine.generate(asked, places, materials, &mut |report| {
        bar.show(request, &indices, &report);
        ControlFlow::Continue(())
    })?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_said_once_however_many_pictures_it_is_true_of() {
        let (mut told, mut out) = (Vec::new(), Vec::new());
        for notes in [vec![], vec![Note::DecodedInF32], vec![Note::DecodedInF32]] {
            tell(notes, &mut told, &mut out).unwrap();
        }
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "note: the VAE left the range of f16 and was used in f32\n"
        );
    }
}
