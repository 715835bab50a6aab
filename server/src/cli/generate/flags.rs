//! The flags of `darkroom generate`, by what they are about.

use std::path::PathBuf;

use clap::Args;
use types::model::Quality;
use types::request::{Margins, RawGridAxis};
use types::sampler::{Sampler, Schedule};

/// The picture itself.
#[derive(Args)]
#[command(next_help_heading = "Picture")]
pub struct PictureFlags {
    /// What to keep away from [default: nothing]
    #[arg(long, value_name = "TEXT")]
    pub negative: Option<String>,
    /// A style, whose words are put around both prompts; give it again for another one [default: none]
    #[arg(long, value_name = "NAME")]
    pub style: Vec<String>,
    /// Let GPT-2 go on with the prompt before it is painted
    #[arg(long)]
    pub extend: bool,
    /// Sampling steps, 1 to 150 [default: the model's own, 20 for demo]
    #[arg(long, value_name = "N")]
    pub steps: Option<i64>,
    /// Guidance scale (CFG), 0 to 30 [default: the model's own, 4 for demo]
    #[arg(long, value_name = "SCALE")]
    pub guidance: Option<f64>,
    #[arg(long, value_name = "NAME", help = sampler_help())]
    pub sampler: Option<String>,
    #[arg(long, value_name = "NAME", help = schedule_help())]
    pub schedule: Option<String>,
    /// Seed of the first picture; the next one has the next seed [default: a random one]
    #[arg(long, value_name = "N")]
    pub seed: Option<i64>,
    /// Width in pixels [default: the start picture's, or the model's own, 256 for demo]
    #[arg(long, value_name = "PIXELS")]
    pub width: Option<i64>,
    /// Height in pixels [default: the start picture's, or the model's own, 256 for demo]
    #[arg(long, value_name = "PIXELS")]
    pub height: Option<i64>,
    /// Ratio of width to height, which the model's best size is chosen by: 1:1, 5:4, 4:3, 3:2, 16:9, 21:9, or upright
    /// 4:5 and so on [default: none]
    #[arg(long, value_name = "W:H")]
    pub aspect_ratio: Option<String>,
    /// What the site means by preview, standard or premium [default: standard]
    #[arg(long, value_name = "NAME", value_parser = parse_quality)]
    pub quality: Option<Quality>,
    /// How many pictures, 1 to 8 [default: 1]
    #[arg(long, value_name = "N")]
    pub count: Option<i64>,
    #[arg(long, help = GRID_HELP, value_name = "SETTING=VALUES", value_parser = super::grid::parse_axis)]
    pub grid: Vec<RawGridAxis>,
}

/// Attributes rather than comments hold names with underscores as they are typed.
const GRID_HELP: &str = "One picture for each value of a setting, and a sheet of them all as the last; give it again for \
    rows, and once more for blocks of rows. Settings: sampler, schedule, steps, guidance_scale, seed, strength, \
    clip_skip, prompt_part [default: none]";

/// What paints.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub struct ModelFlags {
    /// An installed model's name, the path of a folder in diffusers' layout, or of a `.safetensors` checkpoint
    /// [default: demo]
    #[arg(long, value_name = "NAME|FOLDER|FILE")]
    pub model: Option<String>,
    /// A LoRA by its name, or the path of its file, with its weight from -4 to 4; give it again for another one
    /// [default: none, and weight 1]
    #[arg(long, value_name = "NAME|FILE[:WEIGHT]")]
    pub lora: Vec<String>,
    /// Layer of the text encoder to stop at, counted from the last, 1 to 12 [default: 1]
    #[arg(long, value_name = "N")]
    pub clip_skip: Option<i64>,
    /// How the weights in `(word:1.2)` are applied: a1111 or compel [default: a1111]
    #[arg(long, value_name = "NAME")]
    pub weighting: Option<String>,
}

/// A picture to start from.
#[derive(Args)]
#[command(next_help_heading = "Start from a picture")]
pub struct StartFlags {
    /// PNG, JPEG or WebP file of the picture to start from [default: none, noise alone]
    #[arg(long, value_name = "FILE")]
    pub init: Option<PathBuf>,
    /// How far to go from it: the share of the steps that is walked, 0 to 1 [default: 0.75]
    #[arg(long, value_name = "SHARE")]
    pub strength: Option<f64>,
    /// Guidance to it, 1 to 10, of models that change a picture by an instruction; they use no strength [default: 1.5]
    #[arg(long, value_name = "SCALE")]
    pub picture_guidance: Option<f64>,
    /// File of a picture of the same size; what is white in it is painted anew, what is black stays [default: none,
    /// all is painted]
    #[arg(long, value_name = "FILE")]
    pub mask: Option<PathBuf>,
    /// Pixels over which the mask's edge is softened, 0 to 64 [default: 4]
    #[arg(long, value_name = "PIXELS")]
    pub mask_feather: Option<i64>,
    /// What the part under the mask begins with: original, fill (the colours around it), noise or nothing
    /// [default: original]
    #[arg(long, value_name = "NAME")]
    pub mask_fill: Option<String>,
    /// Pixels to paint on to the left, above, to the right and below, multiples of 8 up to 1024; or one number for
    /// all sides [default: 0]
    #[arg(long, value_name = "LEFT,TOP,RIGHT,BOTTOM", value_parser = parse_margins)]
    pub outpaint: Option<Margins>,
}

/// A second pass.
#[derive(Args)]
#[command(next_help_heading = "Second pass (hires fix)")]
pub struct HiresFlags {
    /// Factor by which the picture is enlarged and worked over, above 1 and up to 4 [default: none, one pass]
    #[arg(long, value_name = "SCALE")]
    pub hires: Option<f64>,
    /// Steps of the second pass, 1 to 150 [default: as many as --steps]
    #[arg(long, value_name = "N")]
    pub hires_steps: Option<i64>,
    /// Share of its steps that is walked, 0 to 1 [default: 0.7]
    #[arg(long, value_name = "SHARE")]
    pub hires_strength: Option<f64>,
}

/// Noise and guidance, for the curious.
#[derive(Args)]
#[command(next_help_heading = "Finer settings")]
pub struct FinerFlags {
    /// Whose random numbers: cpu, as diffusers and ComfyUI draw them, or cuda, as the AUTOMATIC1111 web UI does
    /// [default: cpu]
    #[arg(long, value_name = "NAME")]
    pub noise: Option<String>,
    /// Seed of a second noise to mix in [default: a random one]
    #[arg(long, value_name = "N")]
    pub variation_seed: Option<i64>,
    /// How much of it, 0 to 1 [default: 0, none]
    #[arg(long, value_name = "SHARE")]
    pub variation_strength: Option<f64>,
    /// How far guidance is kept from raising the contrast, 0 to 1 [default: 0]
    #[arg(long, value_name = "SHARE")]
    pub guidance_rescale: Option<f64>,
}

fn sampler_help() -> String {
    let names = Sampler::ALL.map(Sampler::as_str).join(", ");
    format!(
        "Sampler, by any name that people know it by: {names} [default: the model's own, dpmpp_2m for demo]"
    )
}

fn schedule_help() -> String {
    let names = Schedule::ALL.map(Schedule::as_str).join(", ");
    format!("Noise schedule: {names} [default: the model's own, karras for demo]")
}

fn parse_quality(name: &str) -> Result<Quality, String> {
    let found = Quality::ALL.into_iter().find(|quality| quality.as_str() == name);
    found.ok_or_else(|| format!("known are {}", Quality::ALL.map(Quality::as_str).join(", ")))
}

/// Four numbers, or one for all sides. Whether they are allowed is checked with the rest of the request.
fn parse_margins(text: &str) -> Result<Margins, String> {
    let wrong = || "give one number, or four with commas in between, of whole pixels from 0 on".to_owned();
    let numbers: Result<Vec<u32>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    match numbers.map_err(|_| wrong())?[..] {
        [all] => Ok(Margins { left: all, top: all, right: all, bottom: all }),
        [left, top, right, bottom] => Ok(Margins { left, top, right, bottom }),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_four_numbers_or_one() {
        let all = Margins { left: 64, top: 64, right: 64, bottom: 64 };
        assert_eq!(parse_margins("64"), Ok(all));
        assert_eq!(parse_margins("8, 16,24,0"), Ok(Margins { left: 8, top: 16, right: 24, bottom: 0 }));
        for text in ["", "1,2", "1,2,3,4,5", "-8", "8,x,8,8"] {
            assert!(parse_margins(text).is_err(), "{text}");
        }
    }
}
