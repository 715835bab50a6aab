//! The text encoders: CLIP keeps transformers' names, OpenCLIP has its own and one matrix for three projections.
//!
//! # Source
//! OpenCLIP's `TextTransformer` beside transformers' `CLIPTextModel`; checked against diffusers' conversion scripts and
//! its `convert_open_clip_checkpoint`.

use serde_json::{Value, json};

use super::names::{Part, View, any, count};
use crate::weights::Header;

/// Where a text encoder lies, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextForm {
    /// OpenAI's CLIP under transformers' names.
    Clip,
    /// OpenCLIP's, read without its last layer where it has 24: Stable Diffusion 2.x.
    OpenClip,
    /// OpenCLIP's with the projection of the pooled text: Stable Diffusion XL.
    OpenClipProjected,
}

/// A text encoder in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextPlace {
    /// Folder in diffusers' layout.
    pub(crate) folder: &'static str,
    /// How its original names begin.
    pub(crate) prefix: &'static str,
    pub(crate) form: TextForm,
}

pub(crate) const SD1: TextPlace =
    TextPlace { folder: "text_encoder", prefix: "cond_stage_model.transformer.", form: TextForm::Clip };
pub(crate) const SD2: TextPlace =
    TextPlace { folder: "text_encoder", prefix: "cond_stage_model.model.", form: TextForm::OpenClip };
pub(crate) const SDXL_FIRST: TextPlace = TextPlace {
    folder: "text_encoder",
    prefix: "conditioner.embedders.0.transformer.",
    form: TextForm::Clip,
};
pub(crate) const SDXL_SECOND: TextPlace = TextPlace {
    folder: "text_encoder_2",
    prefix: "conditioner.embedders.1.model.",
    form: TextForm::OpenClipProjected,
};
pub(crate) const REFINER: TextPlace = TextPlace {
    folder: "text_encoder_2",
    prefix: "conditioner.embedders.0.model.",
    form: TextForm::OpenClipProjected,
};

/// diffusers never reads the 24th layer of OpenCLIP ViT-H: Stable Diffusion 2.x was trained on the one before.
const LAYERS_OF_SD2: usize = 23;

impl TextPlace {
    pub(crate) fn is_in(&self, header: &Header) -> bool {
        any(header, self.prefix)
    }

    /// The tensors under transformers' names with `text_model.`.
    pub(crate) fn part(&self, header: &Header) -> Part {
        match self.form {
            TextForm::Clip => self.clip(header),
            TextForm::OpenClip | TextForm::OpenClipProjected => self.open_clip(header),
        }
    }

    /// Older files leave `text_model.` out.
    fn inside_clip(&self, header: &Header) -> String {
        let usual = format!("{}text_model.", self.prefix);
        if any(header, &usual) { usual } else { self.prefix.to_owned() }
    }

    fn clip(&self, header: &Header) -> Part {
        let inside = self.inside_clip(header);
        let mut part = Part::default();
        let mut take = |name: &str| {
            part.take(header, &format!("{inside}{name}"), format!("text_model.{name}"), true);
        };
        take("embeddings.token_embedding.weight");
        take("embeddings.position_embedding.weight");
        for i in 0..count(header, &format!("{inside}encoder.layers.")) {
            for layer in [
                "layer_norm1",
                "layer_norm2",
                "mlp.fc1",
                "mlp.fc2",
                "self_attn.q_proj",
                "self_attn.k_proj",
                "self_attn.v_proj",
                "self_attn.out_proj",
            ] {
                take(&format!("encoder.layers.{i}.{layer}.weight"));
                take(&format!("encoder.layers.{i}.{layer}.bias"));
            }
        }
        take("final_layer_norm.weight");
        take("final_layer_norm.bias");
        part
    }

    fn n_open_clip_layers(&self, header: &Header) -> usize {
        let n = count(header, &format!("{}transformer.resblocks.", self.prefix));
        if self.form == TextForm::OpenClip { n.min(LAYERS_OF_SD2) } else { n }
    }

    fn open_clip(&self, header: &Header) -> Part {
        let prefix = self.prefix;
        let mut part = Part::default();
        for (from, to) in [
            ("token_embedding.weight", "embeddings.token_embedding.weight"),
            ("positional_embedding", "embeddings.position_embedding.weight"),
            ("ln_final.weight", "final_layer_norm.weight"),
            ("ln_final.bias", "final_layer_norm.bias"),
        ] {
            part.take(header, &format!("{prefix}{from}"), format!("text_model.{to}"), true);
        }
        for i in 0..self.n_open_clip_layers(header) {
            let (original, diffusers) =
                (format!("{prefix}transformer.resblocks.{i}"), format!("text_model.encoder.layers.{i}"));
            for (from, to) in [
                ("ln_1", "layer_norm1"),
                ("ln_2", "layer_norm2"),
                ("mlp.c_fc", "mlp.fc1"),
                ("mlp.c_proj", "mlp.fc2"),
                ("attn.out_proj", "self_attn.out_proj"),
            ] {
                for tensor in ["weight", "bias"] {
                    let original = format!("{original}.{from}.{tensor}");
                    part.take(header, &original, format!("{diffusers}.{to}.{tensor}"), true);
                }
            }
            for tensor in ["weight", "bias"] {
                let fused = format!("{original}.attn.in_proj_{tensor}");
                let mut is_missing = false;
                for (row, name) in ["q_proj", "k_proj", "v_proj"].into_iter().enumerate() {
                    match header.tensors.get(&fused).and_then(|stored| View::rows(stored, row, 3)) {
                        Some(view) => {
                            part.views.insert(format!("{diffusers}.self_attn.{name}.{tensor}"), view);
                        }
                        None => is_missing = true,
                    }
                }
                if is_missing {
                    part.missing.push(fused);
                }
            }
        }
        if self.form == TextForm::OpenClipProjected {
            let name = format!("{prefix}text_projection");
            match header.tensors.get(&name) {
                Some(stored) => {
                    part.views.insert("text_projection.weight".to_owned(), View::transposed(stored));
                }
                None => {
                    part.take(header, &format!("{name}.weight"), "text_projection.weight".to_owned(), true);
                }
            }
        }
        part
    }

    /// The part's `config.json` as transformers would have written it.
    pub(crate) fn config(&self, part: &Part) -> Value {
        let size = |name: &str, axis: usize| {
            let view = part.views.get(&format!("text_model.{name}"));
            view.and_then(|view| view.stored.shape.get(axis).copied()).unwrap_or(0)
        };
        let layers = part.views.keys().filter(|name| name.ends_with(".layer_norm1.weight")).count();
        let width = size("embeddings.token_embedding.weight", 1);
        let projected = part.views.get("text_projection.weight").and_then(|view| view.stored.shape.first());
        let is_projected = self.form == TextForm::OpenClipProjected;
        json!({
            "architectures": [if is_projected { "CLIPTextModelWithProjection" } else { "CLIPTextModel" }],
            "bos_token_id": 0,
            // transformers takes this 2, which is no token's number, to mean: the largest id is the end.
            "eos_token_id": 2,
            "hidden_act": if self.form == TextForm::Clip { "quick_gelu" } else { "gelu" },
            "hidden_size": width,
            "intermediate_size": size("encoder.layers.0.mlp.fc1.weight", 0),
            "layer_norm_eps": 1e-5,
            "max_position_embeddings": size("embeddings.position_embedding.weight", 0),
            "model_type": "clip_text_model",
            // Heads have 64 channels in every text encoder of the family.
            "num_attention_heads": (width / 64).max(1),
            "num_hidden_layers": layers,
            "pad_token_id": 1,
            "projection_dim": projected.copied().unwrap_or(width),
            "vocab_size": size("embeddings.token_embedding.weight", 0),
        })
    }
}

/// Length of the pooled text of SDXL's second text encoder; 0 if there is none.
pub(crate) fn pooled_width(header: &Header) -> usize {
    let width = |place: &TextPlace| {
        let stored = header.tensors.get(&format!("{}text_projection", place.prefix));
        stored.and_then(|stored| stored.shape.get(1).copied()).or_else(|| {
            let stored = header.tensors.get(&format!("{}text_projection.weight", place.prefix));
            stored.and_then(|stored| stored.shape.first().copied())
        })
    };
    width(&SDXL_SECOND).or_else(|| width(&REFINER)).unwrap_or(0)
}
