//! The many names under which files store one layer's change.
//!
//! # Source
//! kohya's `sd-scripts` (`lora_unet_…`), `LyCORIS` (`hada_…`, `lora_mid`), PEFT (`….lora_A.weight`) and diffusers, old
//! (`….processor.to_q_lora.down.weight`) and new (`….lora.down.weight`).

/// A layer of a part, in the file's spelling with every dot as an underscore.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// Folder of the part in diffusers' layout.
    pub(crate) part: &'static str,
    pub(crate) layer: String,
}

/// What a tensor is in the change of its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Down,
    Up,
    /// Between the two: the core of a Tucker decomposition of a convolution.
    Mid,
    /// The rank that the scale is counted for.
    Alpha,
    /// `LoHa`: two products of two matrices each, multiplied number by number.
    Hada1A,
    Hada1B,
    Hada2A,
    Hada2B,
    /// Their cores.
    Hada1T,
    Hada2T,
}

/// What a tensor's name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Of {
        place: Place,
        role: Role,
    },
    /// A change of another kind, by its name.
    Unsupported(&'static str),
    Unknown,
}

/// Endings, longest first where one ends another.
const ROLES: [(&str, Role); 24] = [
    (".lora_linear_layer.down.weight", Role::Down),
    (".lora_linear_layer.up.weight", Role::Up),
    (".lora_down.default.weight", Role::Down),
    (".lora_up.default.weight", Role::Up),
    (".lora_A.default.weight", Role::Down),
    (".lora_B.default.weight", Role::Up),
    (".lora_down.weight", Role::Down),
    (".lora_up.weight", Role::Up),
    (".lora_mid.weight", Role::Mid),
    (".lora_A.weight", Role::Down),
    (".lora_B.weight", Role::Up),
    (".lora.down.weight", Role::Down),
    (".lora.up.weight", Role::Up),
    ("_lora.down.weight", Role::Down),
    ("_lora.up.weight", Role::Up),
    (".lora_A", Role::Down),
    (".lora_B", Role::Up),
    (".alpha", Role::Alpha),
    (".hada_w1_a", Role::Hada1A),
    (".hada_w1_b", Role::Hada1B),
    (".hada_w2_a", Role::Hada2A),
    (".hada_w2_b", Role::Hada2B),
    (".hada_t1", Role::Hada1T),
    (".hada_t2", Role::Hada2T),
];

/// Endings of the kinds that are not supported.
const UNSUPPORTED: [(&str, &str); 8] = [
    (".dora_scale", "DoRA"),
    (".lora_magnitude_vector", "DoRA"),
    (".lora_magnitude_vector.weight", "DoRA"),
    (".lora_magnitude_vector.default.weight", "DoRA"),
    (".lokr_w1", "LoKr"),
    (".lokr_w1_a", "LoKr"),
    (".oft_blocks", "OFT"),
    (".oft_diag", "OFT"),
];

/// Beginnings, longest first where one begins another.
const PARTS: [(&str, &str); 13] = [
    ("lora_unet_", "unet"),
    ("lora_te1_", "text_encoder"),
    ("lora_te2_", "text_encoder_2"),
    ("lora_te_", "text_encoder"),
    ("unet.base_model.model.", "unet"),
    ("unet.", "unet"),
    ("text_encoder_2.base_model.model.", "text_encoder_2"),
    ("text_encoder_2.", "text_encoder_2"),
    ("text_encoder.base_model.model.", "text_encoder"),
    ("text_encoder.", "text_encoder"),
    ("diffusion_model.", "unet"),
    ("base_model.model.text_model.", "text_encoder"),
    ("base_model.model.", "unet"),
];

impl Key {
    pub(crate) fn parse(name: &str) -> Self {
        if let Some((_, kind)) = UNSUPPORTED.iter().find(|(ending, _)| name.ends_with(ending)) {
            return Self::Unsupported(kind);
        }
        let Some((stem, role)) =
            ROLES.iter().find_map(|&(ending, role)| Some((name.strip_suffix(ending)?, role)))
        else {
            return Self::Unknown;
        };
        let Some((layer, part)) =
            PARTS.iter().find_map(|&(start, part)| Some((stem.strip_prefix(start)?, part)))
        else {
            return Self::Unknown;
        };
        Self::Of { place: Place { part, layer: flat(layer) }, role }
    }
}

/// One spelling for all: no dots, and today's names in the place of old ones.
fn flat(layer: &str) -> String {
    let mut flat = layer.replace('.', "_").replace("_processor_", "_");
    // Old diffusers named the projections of text encoders as those of U-Nets, and each one's last without number.
    if flat.contains("self_attn_to_") {
        for (old, new) in
            [("_to_q", "_q_proj"), ("_to_k", "_k_proj"), ("_to_v", "_v_proj"), ("_to_out", "_out_proj")]
        {
            flat = flat.replace(old, new);
        }
    } else if flat.ends_with("_to_out") {
        flat.push_str("_0");
    }
    flat.strip_prefix("text_model_").map_or(flat.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_layer_means_the_same_place() {
        let layer = "down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_out_0";
        let dotted = "down_blocks.0.attentions.1.transformer_blocks.0.attn1";
        for name in [
            format!("lora_unet_{layer}.lora_down.weight"),
            format!("unet.{dotted}.to_out.0.lora_A.weight"),
            format!("unet.{dotted}.to_out.0.lora.down.weight"),
            format!("unet.{dotted}.processor.to_out_lora.down.weight"),
            format!("base_model.model.{dotted}.to_out.0.lora_A.weight"),
        ] {
            let place = Place { part: "unet", layer: layer.to_owned() };
            assert_eq!(Key::parse(&name), Key::Of { place, role: Role::Down }, "{name}");
        }
        for name in [
            "lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_up.weight",
            "lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_up.weight",
            "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_B.weight",
            "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.up.weight",
            "text_encoder.text_model.encoder.layers.0.self_attn.to_q_lora.up.weight",
        ] {
            let layer = "encoder_layers_0_self_attn_q_proj".to_owned();
            let place = Place { part: "text_encoder", layer };
            assert_eq!(Key::parse(name), Key::Of { place, role: Role::Up }, "{name}");
        }
    }

    #[test]
    fn other_kinds_of_changes_are_told_apart_from_other_tensors() {
        assert_eq!(Key::parse("lora_unet_conv_in.dora_scale"), Key::Unsupported("DoRA"));
        assert_eq!(Key::parse("lora_unet_conv_in.lokr_w1"), Key::Unsupported("LoKr"));
        assert_eq!(Key::parse("emb_params"), Key::Unknown);
        assert_eq!(Key::parse("model.diffusion_model.out.0.weight"), Key::Unknown);
    }
}
