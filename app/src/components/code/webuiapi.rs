//! Python with webuiapi, a client of the AUTOMATIC1111 web UI's API.

use std::fmt::Write;

use serde_json::{Map, Value};
use types::prompt::{Weighting, can_stand_in_tag};
use types::request::{GenerationRequest, MaskFill, NoiseSource};

use super::quoting::{literal, object};
use super::{files_note, n_calls};
use crate::islands::small_deeds::EXAMPLE_ORIGIN;

/// The call that asks for the same pictures, and what that API has no word for.
pub fn code(request: &GenerationRequest) -> String {
    let is_from_picture = request.start.is_some();
    let mut code = String::from("# pip install webuiapi\n");
    code += &files_note(request, "#");
    for missing in missing(request) {
        let _ = writeln!(code, "# {missing} cannot be asked for in this API");
    }
    if is_from_picture {
        code += "from PIL import Image\n";
    }
    let _ = write!(
        code,
        "import webuiapi\n\napi = webuiapi.WebUIApi(baseurl=\"{EXAMPLE_ORIGIN}/sdapi/v1\")\n\nresult = api.{}(\n",
        if is_from_picture { "img2img" } else { "txt2img" }
    );
    for (name, value) in parameters(request) {
        let _ = writeln!(code, "    {name}={value},");
    }
    code += ")\n";
    code += if n_calls(request) > 1 {
        "for index, picture in enumerate(result.images):\n    picture.save(f\"picture-{index}.png\")"
    } else {
        "result.image.save(\"picture.png\")"
    };
    code
}

/// The call's parameters, each as Python writes it.
fn parameters(request: &GenerationRequest) -> Vec<(&'static str, String)> {
    let mut parameters = Vec::new();
    if request.start.is_some() {
        parameters.push(("images", "[Image.open(\"start.png\")]".to_owned()));
    }
    if let Some(strength) = request.strength() {
        parameters.push(("denoising_strength", strength.to_string()));
    }
    if let Some(scale) = request.picture_guidance_scale {
        parameters.push(("image_cfg_scale", scale.to_string()));
    }
    if let Some(mask) = &request.mask {
        parameters.push(("mask_image", "Image.open(\"mask.png\")".to_owned()));
        parameters.push(("mask_blur", mask.feather.to_string()));
        let fill = match request.mask_fill {
            MaskFill::Fill => 0,
            MaskFill::Original => 1,
            MaskFill::Noise => 2,
            MaskFill::Nothing => 3,
        };
        parameters.push(("inpainting_fill", fill.to_string()));
        parameters.push(("inpaint_full_res", "False".to_owned()));
    }
    parameters.extend([
        ("prompt", literal(&prompt(request))),
        ("negative_prompt", literal(&request.negative_prompt)),
        ("seed", request.seed.to_string()),
        ("steps", request.steps.to_string()),
        ("cfg_scale", request.guidance_scale.to_string()),
        ("sampler_name", literal(request.sampler.label())),
        ("scheduler", literal(request.schedule.label())),
        ("width", request.width.to_string()),
        ("height", request.height.to_string()),
    ]);
    if n_calls(request) > 1 {
        parameters.push(("n_iter", request.count.to_string()));
    }
    if let Some(variation) = request.variation {
        parameters.push(("subseed", variation.seed.to_string()));
        parameters.push(("subseed_strength", variation.strength.to_string()));
    }
    if let Some(hires) = request.hires {
        parameters.extend([
            ("enable_hr", "True".to_owned()),
            ("hr_scale", hires.scale.to_string()),
            ("hr_second_pass_steps", hires.steps.to_string()),
            ("denoising_strength", hires.strength.to_string()),
        ]);
    }
    parameters.push(("override_settings", object(&settings(request), 4)));
    parameters
}

/// What is a setting of the whole program there.
fn settings(request: &GenerationRequest) -> Map<String, Value> {
    let noise = match request.noise {
        NoiseSource::Cpu => "CPU",
        NoiseSource::Cuda => "NV",
    };
    let mut settings = Map::from_iter([
        ("sd_model_checkpoint".to_owned(), Value::from(request.model.clone())),
        ("randn_source".to_owned(), Value::from(noise)),
    ]);
    if request.clip_skip > 1 {
        settings.insert("CLIP_stop_at_last_layers".to_owned(), Value::from(request.clip_skip));
    }
    settings
}

/// LoRAs stand in the prompt there.
fn prompt(request: &GenerationRequest) -> String {
    let mut prompt = request.prompt.clone();
    for lora in request.loras.iter().filter(|lora| can_stand_in_tag(&lora.name)) {
        let _ = write!(prompt, " <lora:{lora}>");
    }
    prompt
}

fn missing(request: &GenerationRequest) -> Vec<String> {
    let mut missing = Vec::new();
    if request.grid.is_some() {
        missing.push("a grid".to_owned());
    }
    if request.guidance_rescale > 0.0 {
        missing.push(format!("guidance_rescale {}", request.guidance_rescale));
    }
    if request.weighting != Weighting::default() {
        missing.push(format!("weighting {}", request.weighting.as_str()));
    }
    if let Some(margins) = request.outpaint {
        let sides = [margins.left, margins.top, margins.right, margins.bottom].map(|side| side.to_string());
        missing.push(format!("outpainting by {}", sides.join(", ")));
    }
    let untold = request.loras.iter().filter(|lora| !can_stand_in_tag(&lora.name));
    // A name goes into a comment, which ends with its line.
    missing.extend(untold.map(|lora| format!("LoRA {}", literal(&lora.to_string()))));
    missing
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EVERYTHING, request};
    use super::*;

    #[test]
    fn a_call_has_that_apis_names() {
        assert_eq!(
            code(&request("")),
            r#"# pip install webuiapi
import webuiapi

api = webuiapi.WebUIApi(baseurl="http://127.0.0.1:3000/sdapi/v1")

result = api.txt2img(
    prompt="a \"sailor's\" $boat `at` \\sea, 夕",
    negative_prompt="fog",
    seed=7,
    steps=20,
    cfg_scale=4.5,
    sampler_name="DPM++ 2M",
    scheduler="Karras",
    width=256,
    height=192,
    override_settings={
        "randn_source": "CPU",
        "sd_model_checkpoint": "demo"
    },
)
result.image.save("picture.png")"#
        );
    }

    #[test]
    fn what_it_has_no_word_for_is_said() {
        let code = code(&request(EVERYTHING));
        assert!(code.contains("# guidance_rescale 0.7 cannot be asked for in this API\n"), "{code}");
        assert!(code.contains("# weighting compel cannot be asked for in this API\n"), "{code}");
        assert!(code.contains("<lora:ink, old:0.5>"), "{code}");
        assert!(code.contains("\"CLIP_stop_at_last_layers\": 2"), "{code}");
        assert!(code.contains("    hr_second_pass_steps=9,\n    denoising_strength=0.6,\n"), "{code}");
    }
}
