"""Makes `checkpoints/*.jsonl.gz`: every tensor of each family under its two names, and the configs of a folder.

The original names come from diffusers' own conversion scripts, which are not committed: they lie in the folder
`scripts` of its repository (`convert_diffusers_to_original_stable_diffusion.py`, `convert_diffusers_to_original_sdxl.py`).
No weights are written: a test fills tiny models with numbers of its own, and needs only the names of full ones.

    python make_checkpoints.py PATH_OF_DIFFUSERS_SCRIPTS
"""

import gzip
import importlib.util
import json
import pathlib
import sys

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

HERE = pathlib.Path(__file__).parent / "checkpoints"
CROSS_DOWN, DOWN, CROSS_UP, UP = "CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"

SD1_UNET = {
    "attention_head_dim": 8,
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 768,
    "down_block_types": (CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, DOWN),
    "sample_size": 64,
    "up_block_types": (UP, CROSS_UP, CROSS_UP, CROSS_UP),
}
SD2_UNET = {
    **SD1_UNET,
    "attention_head_dim": (5, 10, 20, 20),
    "cross_attention_dim": 1024,
    "sample_size": 96,
    "use_linear_projection": True,
}
SDXL_UNET = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "attention_head_dim": (5, 10, 20),
    "block_out_channels": (320, 640, 1280),
    "cross_attention_dim": 2048,
    "down_block_types": (DOWN, CROSS_DOWN, CROSS_DOWN),
    "projection_class_embeddings_input_dim": 2816,
    "sample_size": 128,
    "transformer_layers_per_block": (1, 2, 10),
    "up_block_types": (CROSS_UP, CROSS_UP, UP),
    "use_linear_projection": True,
}
REFINER_UNET = {
    **SDXL_UNET,
    "attention_head_dim": (6, 12, 24, 24),
    "block_out_channels": (384, 768, 1536, 1536),
    "cross_attention_dim": 1280,
    "down_block_types": (DOWN, CROSS_DOWN, CROSS_DOWN, DOWN),
    "projection_class_embeddings_input_dim": 2560,
    "transformer_layers_per_block": 4,
    "up_block_types": (UP, CROSS_UP, CROSS_UP, UP),
}
VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "layers_per_block": 2,
    "sample_size": 512,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
}
XL_VAE = {**VAE, "sample_size": 1024, "scaling_factor": 0.13025, "force_upcast": True}
CLIP_L = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12, "projection_dim": 768}
CLIP_H = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23, "num_attention_heads": 16, "hidden_act": "gelu"}
CLIP_G = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "hidden_act": "gelu",
    "projection_dim": 1280,
}

TINY_VAE = {**VAE, "block_out_channels": (32, 32, 32, 64), "layers_per_block": 2}
TINY_TEXT = {"intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 1, "hidden_size": 64, "projection_dim": 64}
TINY_TEXT_2 = {**TINY_TEXT, "hidden_size": 128, "num_attention_heads": 2, "hidden_act": "gelu", "projection_dim": 128}

# family, script, U-Net, VAE, text encoders by folder, words
FAMILIES = {
    "sd1": ("sd", SD1_UNET, VAE, {"text_encoder": CLIP_L}, 49408),
    "sd2": ("sd", SD2_UNET, {**VAE, "sample_size": 768}, {"text_encoder": CLIP_H}, 49408),
    "sdxl": ("sdxl", SDXL_UNET, XL_VAE, {"text_encoder": CLIP_L, "text_encoder_2": CLIP_G}, 49408),
    "sdxl_refiner": ("refiner", REFINER_UNET, XL_VAE, {"text_encoder_2": CLIP_G}, 49408),
    "tiny-sd1": (
        "sd",
        {**SD1_UNET, "block_out_channels": (32, 32, 64, 64), "cross_attention_dim": 64},
        TINY_VAE,
        {"text_encoder": TINY_TEXT},
        0,
    ),
    "tiny-sd2": (
        "sd",
        {
            **SD2_UNET,
            "attention_head_dim": (1, 1, 1, 2),
            "block_out_channels": (64, 64, 64, 128),
            "cross_attention_dim": 128,
        },
        {**TINY_VAE, "sample_size": 768},
        {"text_encoder": TINY_TEXT_2},
        0,
    ),
    "tiny-sdxl": (
        "sdxl",
        {
            **SDXL_UNET,
            "addition_time_embed_dim": 32,
            "attention_head_dim": (1, 1, 2),
            "block_out_channels": (64, 64, 128),
            "cross_attention_dim": 192,
            "projection_class_embeddings_input_dim": 320,
            "transformer_layers_per_block": (1, 1, 2),
        },
        {**XL_VAE, "block_out_channels": (32, 32, 32, 64)},
        {"text_encoder": TINY_TEXT, "text_encoder_2": TINY_TEXT_2},
        0,
    ),
    "tiny-sdxl_refiner": (
        "refiner",
        {
            **REFINER_UNET,
            "addition_time_embed_dim": 32,
            "attention_head_dim": (1, 1, 2, 2),
            "block_out_channels": (64, 64, 128, 128),
            "cross_attention_dim": 128,
            "projection_class_embeddings_input_dim": 288,
            "transformer_layers_per_block": (1, 1, 2, 2),
        },
        {**XL_VAE, "block_out_channels": (32, 32, 32, 64)},
        {"text_encoder_2": TINY_TEXT_2},
        0,
    ),
}


def script(folder: pathlib.Path, name: str):
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numbered(model, first: int) -> dict:
    """The model's tensors, each filled with a number of its own. Expanded, so that a full model takes no memory."""
    return {
        name: torch.tensor(first + i, dtype=torch.int16).expand(tensor.shape)
        for i, (name, tensor) in enumerate(model.state_dict().items())
    }


def refiner_map(layers: list) -> list:
    """The SDXL script knows three levels and the refiner has four, of which the middle two attend."""
    layers = []
    for i in range(4):
        for j in range(2):
            layers.append((f"input_blocks.{3 * i + j + 1}.0.", f"down_blocks.{i}.resnets.{j}."))
            if i in (1, 2):
                layers.append((f"input_blocks.{3 * i + j + 1}.1.", f"down_blocks.{i}.attentions.{j}."))
        for j in range(3):
            layers.append((f"output_blocks.{3 * i + j}.0.", f"up_blocks.{i}.resnets.{j}."))
            if i in (1, 2):
                layers.append((f"output_blocks.{3 * i + j}.1.", f"up_blocks.{i}.attentions.{j}."))
        if i < 3:
            layers.append((f"input_blocks.{3 * (i + 1)}.0.op.", f"down_blocks.{i}.downsamplers.0.conv."))
            layers.append((f"output_blocks.{3 * i + 2}.{1 if i == 0 else 2}.", f"up_blocks.{i}.upsamplers.0."))
    layers.append(("middle_block.1.", "mid_block.attentions.0."))
    layers += [(f"middle_block.{2 * j}.", f"mid_block.resnets.{j}.") for j in range(2)]
    return layers


def with_text_model(state: dict) -> dict:
    """transformers 5 leaves the first step of the names out, and the scripts want it."""
    plain = ("text_model.", "text_projection.")
    return {name if name.startswith(plain) else f"text_model.{name}": tensor for name, tensor in state.items()}


def originals(kind: str, scripts: dict, unet: dict, vae: dict, texts: dict, is_open_clip: bool) -> dict:
    sd, sdxl = scripts["sd"], scripts["sdxl"]
    module = sd if kind == "sd" else sdxl
    usual = module.unet_conversion_map_layer
    if kind == "refiner":
        module.unet_conversion_map_layer = refiner_map(usual)
    state = {f"model.diffusion_model.{name}": t for name, t in module.convert_unet_state_dict(unet).items()}
    module.unet_conversion_map_layer = usual
    state |= {f"first_stage_model.{name}": t for name, t in module.convert_vae_state_dict(vae).items()}
    for folder, text in texts.items():
        if folder == "text_encoder_2":
            prefix = "conditioner.embedders.0.model." if kind == "refiner" else "conditioner.embedders.1.model."
            text = {prefix + name: t for name, t in sdxl.convert_openclip_text_enc_state_dict(text).items()}
            text[f"{prefix}text_projection"] = text.pop(f"{prefix}text_projection.weight").T.contiguous()
        elif kind == "sdxl":
            text = {f"conditioner.embedders.0.transformer.{name}": t for name, t in text.items()}
        elif is_open_clip:
            text = sd.convert_text_enc_state_dict_v20({f"transformer.{name}": t for name, t in text.items()})
            text = {f"cond_stage_model.model.{name}": t for name, t in text.items()}
        else:
            text = {f"cond_stage_model.transformer.{name}": t for name, t in text.items()}
        state |= text
    return state


def make(name: str, scripts: dict) -> None:
    kind, unet_config, vae_config, text_configs, n_words = FAMILIES[name]
    with torch.device("meta"):
        unet, vae = UNet2DConditionModel(**unet_config), AutoencoderKL(**vae_config)
        texts = {}
        for folder, config in text_configs.items():
            whole = CLIPTextModelWithProjection if folder == "text_encoder_2" else CLIPTextModel
            texts[folder] = whole(CLIPTextConfig(vocab_size=n_words or 600, bos_token_id=0, eos_token_id=2, pad_token_id=1, **config))
    parts = {"unet": numbered(unet, 1)}
    parts["vae"] = numbered(vae, 1 + len(parts["unet"]))
    for folder, text in texts.items():
        parts[folder] = with_text_model(numbered(text, 1 + sum(map(len, parts.values()))))
    is_open_clip = text_configs.get("text_encoder", {}).get("hidden_act") == "gelu"
    encoders = {folder: parts[folder] for folder in texts}
    state = originals(kind, scripts, parts["unet"], parts["vae"], encoders, is_open_clip)
    check(state, parts, unet.config)

    source = {}
    for original, tensor in state.items():
        n = 3 if "in_proj" in original else 1
        for row, run in enumerate(tensor.chunk(n)):
            number = run.flatten()[0].item()
            source[number] = (original, row if n > 1 else None, list(tensor.shape))
    configs = {"unet": settings(unet), "vae": settings(vae)}
    configs |= {f: t.config.to_dict() | {"architectures": [type(t).__name__]} for f, t in texts.items()}
    lines = [{"configs": configs}]
    for part, tensors in parts.items():
        for diffusers, tensor in tensors.items():
            original, row, shape = source[tensor.flatten()[0].item()]
            line = {"part": part, "diffusers": diffusers, "shape": list(tensor.shape), "original": original}
            if shape != line["shape"]:
                line["original_shape"] = shape
            if row is not None:
                line["row"] = row
            if original.endswith("text_projection"):
                line["is_transposed"] = True
            lines.append(line)
    text = "\n".join(json.dumps(line, default=list, separators=(",", ":")) for line in lines) + "\n"
    HERE.mkdir(exist_ok=True)
    # Without a time of writing, so that the same names give the same file.
    (HERE / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{name}: {len(lines) - 1} tensors from {len(state)}")


def settings(model) -> dict:
    """Its config without a list of what was left to the default, whose order is another one at each run."""
    return {name: value for name, value in model.config.items() if name != "_use_default_values"}


def check(state: dict, parts: dict, unet_config) -> None:
    """The way back, by what diffusers reads single files with."""
    for part, read in (
        ("unet", convert_ldm_unet_checkpoint(dict(state), dict(unet_config))),
        ("vae", convert_ldm_vae_checkpoint(dict(state), {"down_block_types": (0,) * 4, "up_block_types": (0,) * 4})),
    ):
        found = {name: tensor.flatten()[0].item() for name, tensor in read.items()}
        expected = {name: tensor.flatten()[0].item() for name, tensor in parts[part].items()}
        if found != expected:
            raise ValueError(f"{part}: {sorted(found.items() ^ expected.items())[:6]}")


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    scripts = {
        "sd": script(folder, "convert_diffusers_to_original_stable_diffusion"),
        "sdxl": script(folder, "convert_diffusers_to_original_sdxl"),
    }
    for family in FAMILIES:
        make(family, scripts)
