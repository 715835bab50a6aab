//! Every kind of node, with what its inputs take.

use types::request::{CLIP_SKIP, COUNT, GUIDANCE_SCALE, LORA_WEIGHT, STEPS};

use super::nodes::{Flow, Input, Kind, NodeClass};

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
    NodeClass {
        name: "SaveImageWebsocket",
        title: "SaveImageWebsocket",
        category: "api/image",
        inputs: &[link("images", Flow::Image)],
        outputs: &[],
        is_output: true,
    },
];

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
