"""Writes lora-pictures.json, lora-pictures.safetensors and `lora/{family}-*.safetensors`: small random LoRA files for the
tiny families, and whole pictures with them.

    .venv/bin/pip install --no-deps peft==0.21.2 accelerate psutil
    .venv/bin/python inference/tests/reference/make_lora_pictures.py

diffusers and peft load the files and paint. Under kohya's names diffusers 0.42 loses text encoders beside transformers 5:
their layers it is given under peft's names, with `alpha` multiplied in.
"""

import json
from contextlib import contextmanager

import numpy
import torch
from family_pipelines import USUAL, paint, pipeline
from safetensors.torch import save_file
from tiny_families import HERE, Family, families

RANK, ALPHA = 2, 1.5
# How large the random numbers are: enough for a picture that is plainly another one.
SIZE = 0.5

UNET = {
    "sd1": [
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k",
        "down_blocks.0.attentions.0.proj_in",
        "down_blocks.1.resnets.0.conv1",
        "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj",
        "up_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0",
    ],
    "sdxl": [
        "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v",
        "down_blocks.2.attentions.0.proj_in",
        "down_blocks.0.downsamplers.0.conv",
        "mid_block.attentions.0.transformer_blocks.1.ff.net.2",
        "up_blocks.0.attentions.1.transformer_blocks.1.attn1.to_q",
    ],
}
TEXT = ["encoder.layers.0.self_attn.q_proj", "encoder.layers.1.mlp.fc1", "encoder.layers.1.self_attn.out_proj"]

# family, LoRA files with their weights, further settings
PICTURES = [
    ("sd1", {"kohya": 0.75}, {}),
    ("sd1", {"peft": 0.75}, {"sampler": "euler_ancestral"}),
    ("sd1", {"kohya": 0.75, "peft": -0.4}, {"mode": "image", "strength": 0.8, "sampler": "dpmpp_2m", "schedule": "karras"}),
    ("sdxl", {"kohya": 0.75}, {}),
    ("sdxl", {"peft": 0.75}, {"sampler": "euler_ancestral"}),
    ("sdxl", {"kohya": 0.5, "peft": 0.75}, {"mode": "inpaint", "strength": 0.8, "sampler": "dpmpp_2m"}),
]


def layer_of(family: Family, part: str, layer: str):
    network = family.parts[part].network
    return getattr(network, "text_model", network).get_submodule(layer) if part != "unet" else network.get_submodule(layer)


def draw(family: Family) -> dict[tuple[str, str], tuple[torch.Tensor, torch.Tensor]]:
    """Part and layer to the two matrices of each change."""
    named = [("unet", layer) for layer in UNET[family.name]]
    named += [(part, layer) for part in ("text_encoder", "text_encoder_2") if part in family.parts for layer in TEXT]
    drawn = {}
    for part, layer in named:
        weight = layer_of(family, part, layer).weight
        window = weight.shape[2:]
        down = torch.randn(RANK, weight.shape[1], *window) * SIZE
        up = torch.randn(weight.shape[0], RANK, *(1 for _ in window)) * SIZE
        drawn[part, layer] = down, up
    return drawn


def peft_names(part: str, layer: str) -> str:
    return f"{part}.{layer}" if part == "unet" else f"{part}.text_model.{layer}"


def kohya_names(family: Family, part: str, layer: str) -> str:
    if part == "unet":
        return "lora_unet_" + layer.replace(".", "_")
    number = {"text_encoder": "1" if family.is_xl else "", "text_encoder_2": "2"}[part]
    return f"lora_te{number}_text_model_" + layer.replace(".", "_")


def write_peft(family: Family) -> dict:
    """The file; returns what diffusers reads, which is the same."""
    state = {}
    for (part, layer), (down, up) in draw(family).items():
        name = peft_names(part, layer)
        state |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    save_file(state, HERE / "lora" / f"{family.name}-peft.safetensors")
    return state


def write_kohya(family: Family) -> dict:
    """The file; returns what diffusers reads in its place."""
    state, read = {}, {}
    for (part, layer), (down, up) in draw(family).items():
        name = kohya_names(family, part, layer)
        tensors = {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": torch.tensor(ALPHA)}
        state |= tensors
        if part == "unet":
            read |= tensors
        else:
            name = peft_names(part, layer)
            read |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up * (ALPHA / RANK)}
    save_file(state, HERE / "lora" / f"{family.name}-kohya.safetensors")
    return read


def split(read: dict) -> tuple[dict, dict]:
    """Kohya's names and peft's, which diffusers does not read out of one file."""
    return (
        {name: tensor for name, tensor in read.items() if name.startswith("lora_")},
        {name: tensor for name, tensor in read.items() if not name.startswith("lora_")},
    )


@contextmanager
def changed(family: Family, uses: dict[str, float], files: dict[str, dict]):
    """The family with LoRA files, each with its weight."""
    made = pipeline(family, USUAL, "text")
    weights = {}
    for name, weight in uses.items():
        for kind, state in zip(("kohya", "peft"), split(files[name])):
            if state:
                made.load_lora_weights({key: tensor.clone() for key, tensor in state.items()}, adapter_name=f"{name}_{kind}")
                weights[f"{name}_{kind}"] = weight
    made.set_adapters(list(weights), list(weights.values()))
    n_changed = sum(hasattr(module, "lora_A") for part in family.parts.values() for module in part.network.modules())
    n_expected = len(UNET[family.name]) + len(TEXT) * (2 if family.is_xl else 1)
    if n_changed != n_expected:
        raise ValueError(f"{family.name}: diffusers changed {n_changed} of {n_expected} layers")
    yield
    made.unload_lora_weights()


def pixels_of(family: Family, run: dict) -> torch.Tensor:
    return torch.from_numpy(numpy.array(paint(family, run)))


def main() -> None:
    torch.manual_seed(11)
    made = {family.name: family for family in families()}
    files = {name: {"kohya": write_kohya(made[name]), "peft": write_peft(made[name])} for name in UNET}
    tensors, rows = {}, []
    for name, uses, more in PICTURES:
        family, key = made[name], f"{name}.{len(rows)}"
        run = {**USUAL, **more, "picture": key}
        plain = pixels_of(family, run)
        with changed(family, uses, files[name]):
            tensors[key] = pixels_of(family, run)
        if not torch.equal(pixels_of(family, run), plain):
            raise ValueError(f"{key}: something of the LoRA stays behind")
        difference = (tensors[key].float() - plain.float()).std() / 255
        print(f"{key} {uses}: std {tensors[key].float().std() / 255:.3f}, difference {difference:.3f}")
        loras = [{"file": f"{name}-{file}", "weight": weight} for file, weight in uses.items()]
        rows.append({"family": name, "loras": loras, "run": run})
    save_file(tensors, HERE / "lora-pictures.safetensors")
    (HERE / "lora-pictures.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
