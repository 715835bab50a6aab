//! The nodes that a workflow may have: ComfyUI's own, as far as Darkroom has what they do.

use types::request::{CLIP_SKIP, COUNT, GUIDANCE_SCALE, LORA_WEIGHT, STEPS};

/// What flows along a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// A U-Net.
    Model,
    /// Text encoders.
    Clip,
    /// A VAE.
    Vae,
    /// An encoded prompt.
    Conditioning,
    /// A latent picture.
    Latent,
    /// A picture.
    Image,
    /// A mask.
    Mask,
}

impl Flow {
    /// ComfyUI's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "MODEL",
            Self::Clip => "CLIP",
            Self::Vae => "VAE",
            Self::Conditioning => "CONDITIONING",
            Self::Latent => "LATENT",
            Self::Image => "IMAGE",
            Self::Mask => "MASK",
        }
    }
}

/// What an input takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// What flows along a link.
    Link(Flow),
    /// A whole number in a range.
    Integer {
        /// Where a node begins.
        default: i128,
        /// Least.
        min: i128,
        /// Most.
        max: i128,
        /// Distance between two.
        step: u32,
    },
    /// A number in a range.
    Number {
        /// Where a node begins.
        default: f64,
        /// Least.
        min: f64,
        /// Most.
        max: f64,
    },
    /// Text of several lines, or of one.
    Text {
        /// Where a node begins.
        default: &'static str,
        /// Whether it may have several lines.
        multiline: bool,
    },
    /// One of these names.
    Choice(&'static [&'static str]),
    /// An installed model.
    Checkpoint,
    /// An installed LoRA.
    Lora,
    /// A sampler.
    Sampler,
    /// A noise schedule.
    Schedule,
    /// A picture that was sent, or made before.
    Picture,
}

/// An input of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
}

/// A kind of node.
#[derive(Debug, PartialEq)]
pub struct NodeClass {
    /// Its name in workflows.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Where ComfyUI's menu has it.
    pub category: &'static str,
    /// Its inputs, in order; all are required.
    pub inputs: &'static [Input],
    /// Its outputs by slot.
    pub outputs: &'static [Flow],
    /// Whether a workflow is worked off for its sake.
    pub is_output: bool,
}

impl NodeClass {
    /// The class of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.name == name)
    }
}

const fn input(name: &'static str, kind: Kind) -> Input {
    Input { name, kind }
}

const fn link(name: &'static str, flow: Flow) -> Input {
    input(name, Kind::Link(flow))
}

const fn integer(name: &'static str, default: i128, min: i128, max: i128) -> Input {
    input(name, Kind::Integer { default, min, max, step: 1 })
}

const fn side(name: &'static str, min: i128) -> Input {
    input(name, Kind::Integer { default: 512, min, max: MAX_RESOLUTION, step: 8 })
}

const fn number(name: &'static str, default: f64, min: f64, max: f64) -> Input {
    input(name, Kind::Number { default, min, max })
}

const fn lora_weight(name: &'static str) -> Input {
    number(name, 1.0, *LORA_WEIGHT.start(), *LORA_WEIGHT.end())
}

/// Largest side that a node may name, in pixels; a model's own limit is lower.
const MAX_RESOLUTION: i128 = 16_384;

/// Largest seed of ComfyUI.
const MAX_SEED: i128 = u64::MAX as i128;

const UPSCALE_METHODS: Kind = Kind::Choice(&["nearest-exact", "bilinear", "area", "bicubic", "bislerp"]);

/// The inputs that both samplers share, but for the seed's name.
const STEPS_INPUT: Input = integer("steps", 20, *STEPS.start() as i128, *STEPS.end() as i128);
const CFG: Input = number("cfg", 8.0, *GUIDANCE_SCALE.start(), *GUIDANCE_SCALE.end());

/// Every kind of node.
pub const CLASSES: &[NodeClass] = &[
    NodeClass {
        name: "CheckpointLoaderSimple",
        title: "Load Checkpoint",
        category: "loaders",
        inputs: &[input("ckpt_name", Kind::Checkpoint)],
        outputs: &[Flow::Model, Flow::Clip, Flow::Vae],
        is_output: false,
    },
    NodeClass {
        name: "LoraLoader",
        title: "Load LoRA",
        category: "loaders",
        inputs: &[
            link("model", Flow::Model),
            link("clip", Flow::Clip),
            input("lora_name", Kind::Lora),
            lora_weight("strength_model"),
            lora_weight("strength_clip"),
        ],
        outputs: &[Flow::Model, Flow::Clip],
        is_output: false,
    },
    NodeClass {
        name: "LoraLoaderModelOnly",
        title: "LoraLoaderModelOnly",
        category: "loaders",
        inputs: &[link("model", Flow::Model), input("lora_name", Kind::Lora), lora_weight("strength_model")],
        outputs: &[Flow::Model],
        is_output: false,
    },
    NodeClass {
        name: "CLIPSetLastLayer",
        title: "CLIP Set Last Layer",
        category: "conditioning",
        inputs: &[
            link("clip", Flow::Clip),
            integer("stop_at_clip_layer", -1, -(*CLIP_SKIP.end() as i128), -(*CLIP_SKIP.start() as i128)),
        ],
        outputs: &[Flow::Clip],
        is_output: false,
    },
    NodeClass {
        name: "CLIPTextEncode",
        title: "CLIP Text Encode (Prompt)",
        category: "conditioning",
        inputs: &[input("text", Kind::Text { default: "", multiline: true }), link("clip", Flow::Clip)],
        outputs: &[Flow::Conditioning],
        is_output: false,
    },
    NodeClass {
        name: "EmptyLatentImage",
        title: "Empty Latent Image",
        category: "latent",
        inputs: &[
            side("width", 16),
            side("height", 16),
            integer("batch_size", 1, *COUNT.start() as i128, *COUNT.end() as i128),
        ],
        outputs: &[Flow::Latent],
        is_output: false,
    },
    NodeClass {
        name: "LoadImage",
        title: "Load Image",
        category: "image",
        inputs: &[input("image", Kind::Picture)],
        outputs: &[Flow::Image, Flow::Mask],
        is_output: false,
    },
    NodeClass {
        name: "LoadImageMask",
        title: "Load Image (as Mask)",
        category: "mask",
        inputs: &[
            input("image", Kind::Picture),
            input("channel", Kind::Choice(&["alpha", "red", "green", "blue"])),
        ],
        outputs: &[Flow::Mask],
        is_output: false,
    },
    NodeClass {
        name: "VAEEncode",
        title: "VAE Encode",
        category: "latent",
        inputs: &[link("pixels", Flow::Image), link("vae", Flow::Vae)],
        outputs: &[Flow::Latent],
        is_output: false,
    },
    NodeClass {
        name: "VAEEncodeForInpaint",
        title: "VAE Encode (for Inpainting)",
        category: "latent/inpaint",
        inputs: &[
            link("pixels", Flow::Image),
            link("vae", Flow::Vae),
            link("mask", Flow::Mask),
            integer("grow_mask_by", 6, 0, 64),
        ],
        outputs: &[Flow::Latent],
        is_output: false,
    },
    NodeClass {
        name: "SetLatentNoiseMask",
        title: "Set Latent Noise Mask",
        category: "latent/inpaint",
        inputs: &[link("samples", Flow::Latent), link("mask", Flow::Mask)],
        outputs: &[Flow::Latent],
        is_output: false,
    },
    NodeClass {
        name: "LatentUpscale",
        title: "Upscale Latent",
        category: "latent",
        inputs: &[
            link("samples", Flow::Latent),
            input("upscale_method", UPSCALE_METHODS),
            side("width", 0),
            side("height", 0),
            input("crop", Kind::Choice(&["disabled", "center"])),
        ],
        outputs: &[Flow::Latent],
        is_output: false,
    },
    NodeClass {
        name: "LatentUpscaleBy",
        title: "Upscale Latent By",
        category: "latent",
        inputs: &[
            link("samples", Flow::Latent),
            input("upscale_method", UPSCALE_METHODS),
            number("scale_by", 1.5, 0.01, 8.0),
        ],
        outputs: &[Flow::Latent],
        is_output: false,
    },
    NodeClass {
        name: "KSampler",
        title: "KSampler",
        category: "sampling",
        inputs: &[
            link("model", Flow::Model),
            integer("seed", 0, 0, MAX_SEED),
            STEPS_INPUT,
            CFG,
            input("sampler_name", Kind::Sampler),
            input("scheduler", Kind::Schedule),
            link("positive", Flow::Conditioning),
            link("negative", Flow::Conditioning),
            link("latent_image", Flow::Latent),
            number("denoise", 1.0, 0.0, 1.0),
        ],
        outputs: &[Flow::Latent],
        is_output: false,
    },
    NodeClass {
        name: "KSamplerAdvanced",
        title: "KSampler (Advanced)",
        category: "sampling",
        inputs: &[
            link("model", Flow::Model),
            input("add_noise", Kind::Choice(&["enable", "disable"])),
            integer("noise_seed", 0, 0, MAX_SEED),
            STEPS_INPUT,
            CFG,
            input("sampler_name", Kind::Sampler),
            input("scheduler", Kind::Schedule),
            link("positive", Flow::Conditioning),
            link("negative", Flow::Conditioning),
            link("latent_image", Flow::Latent),
            integer("start_at_step", 0, 0, 10_000),
            integer("end_at_step", 10_000, 0, 10_000),
            input("return_with_leftover_noise", Kind::Choice(&["disable", "enable"])),
        ],
        outputs: &[Flow::Latent],
        is_output: false,
    },
    NodeClass {
        name: "VAEDecode",
        title: "VAE Decode",
        category: "latent",
        inputs: &[link("samples", Flow::Latent), link("vae", Flow::Vae)],
        outputs: &[Flow::Image],
        is_output: false,
    },
    NodeClass {
        name: "SaveImage",
        title: "Save Image",
        category: "image",
        inputs: &[
            link("images", Flow::Image),
            input("filename_prefix", Kind::Text { default: "ComfyUI", multiline: false }),
        ],
        outputs: &[],
        is_output: true,
    },
    NodeClass {
        name: "PreviewImage",
        title: "Preview Image",
        category: "image",
        inputs: &[link("images", Flow::Image)],
        outputs: &[],
        is_output: true,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_class_is_found_by_its_name_and_has_each_input_once() {
        for class in CLASSES {
            assert_eq!(NodeClass::find(class.name), Some(class));
            let names: HashSet<_> = class.inputs.iter().map(|input| input.name).collect();
            assert_eq!(names.len(), class.inputs.len(), "{}", class.name);
            assert_eq!(class.is_output, class.outputs.is_empty(), "{}", class.name);
        }
        assert_eq!(NodeClass::find("ControlNetLoader"), None);
    }

    #[test]
    fn every_default_is_allowed() {
        for input in CLASSES.iter().flat_map(|class| class.inputs) {
            match input.kind {
                Kind::Integer { default, min, max, .. } => {
                    assert!((min..=max).contains(&default), "{input:?}");
                }
                Kind::Number { default, min, max } => assert!((min..=max).contains(&default), "{input:?}"),
                Kind::Choice(names) => assert!(!names.is_empty()),
                _ => {}
            }
        }
    }
}
