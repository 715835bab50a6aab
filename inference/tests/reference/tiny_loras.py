"""Small random LoRA files for the tiny families, under kohya's and under peft's names.

The files of the first two families are stored, `lora/{family}-*.safetensors`. Those of the others are not: their tensors
are drawn from their names, as the weights of the families are, and `lora/drawn.json` has shapes, offsets and factors.

Under kohya's names diffusers 0.42 loses text encoders beside transformers 5, and the projection of the guidance scale:
these layers it is given under peft's names, with `alpha` multiplied in.
"""

import json
import zlib

import torch
from safetensors.torch import save_file
from tiny_families import HERE, Family

RANK, ALPHA = 2, 1.5
# How large the random numbers are: enough for a picture that is plainly another one.
SIZE = 0.5
# The same for what is multiplied afterwards in layers outside of the blocks, of which one alone changes everything.
SIZE_OUTSIDE = 0.1

STORED = ("sd1", "sdxl")
UNET = [
    "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k",
    "down_blocks.0.attentions.0.proj_in",
    "down_blocks.1.resnets.0.conv1",
    "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj",
    "up_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0",
]
XL_UNET = [
    "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v",
    "down_blocks.2.attentions.0.proj_in",
    "down_blocks.0.downsamplers.0.conv",
    "mid_block.attentions.0.transformer_blocks.1.ff.net.2",
    "up_blocks.0.attentions.1.transformer_blocks.1.attn1.to_q",
]
# Here families differ from one another: in what goes in, and in what else the network is told.
OUTSIDE = ["conv_in", "conv_out", "time_embedding.linear_1"]
GUIDANCE, ADDED = "time_embedding.cond_proj", "add_embedding.linear_1"
TEXT = ["encoder.layers.0.self_attn.q_proj", "encoder.layers.1.mlp.fc1", "encoder.layers.1.self_attn.out_proj"]

# For SDXL kohya's scripts number the layers as the original does: here with one layer a level.
ORIGINAL = {
    "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v": "input_blocks.3.1.transformer_blocks.0.attn2.to_v",
    "down_blocks.2.attentions.0.proj_in": "input_blocks.5.1.proj_in",
    "down_blocks.0.downsamplers.0.conv": "input_blocks.2.0.op",
    "mid_block.attentions.0.transformer_blocks.1.ff.net.2": "middle_block.1.transformer_blocks.1.ff.net.2",
    "up_blocks.0.attentions.1.transformer_blocks.1.attn1.to_q": "output_blocks.1.1.transformer_blocks.1.attn1.to_q",
    "conv_in": "input_blocks.0.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    ADDED: "label_emb.0.0",
}


def layers(family: Family) -> list[tuple[str, str]]:
    """Part and name of each layer that the family's files change."""
    unet = XL_UNET if family.is_xl else UNET
    if family.name not in STORED:
        unet = unet + OUTSIDE + [ADDED] * family.is_xl
        unet = unet + [GUIDANCE] * (family.parts["unet"].network.config.time_cond_proj_dim is not None)
    texts = [part for part in ("text_encoder", "text_encoder_2") if part in family.parts]
    return [("unet", layer) for layer in unet] + [(part, layer) for part in texts for layer in TEXT]


def shapes(family: Family, part: str, layer: str) -> tuple[list[int], list[int]]:
    """Of the two matrices of a change."""
    network = family.parts[part].network
    network = network if part == "unet" else getattr(network, "text_model", network)
    outputs, inputs, *window = network.get_submodule(layer).weight.shape
    return [RANK, inputs, *window], [outputs, RANK, *(1 for _ in window)]


def peft_name(part: str, layer: str) -> str:
    return f"{part}.{layer}" if part == "unet" else f"{part}.text_model.{layer}"


def kohya_name(family: Family, part: str, layer: str) -> str:
    if part == "unet":
        is_original = family.is_xl and family.name not in STORED
        return "lora_unet_" + (ORIGINAL[layer] if is_original else layer).replace(".", "_")
    number = {"text_encoder": "1" if family.is_xl else "", "text_encoder_2": "2"}[part]
    return f"lora_te{number}_text_model_" + layer.replace(".", "_")


def names(family: Family, kind: str, part: str, layer: str) -> tuple[str, str]:
    """Of the two matrices of a change."""
    if kind == "peft":
        name = peft_name(part, layer)
        return f"{name}.lora_A.weight", f"{name}.lora_B.weight"
    name = kohya_name(family, part, layer)
    return f"{name}.lora_down.weight", f"{name}.lora_up.weight"


def alpha_name(family: Family, part: str, layer: str) -> str:
    return f"{kohya_name(family, part, layer)}.alpha"


def stored(family: Family, kind: str) -> dict[str, torch.Tensor]:
    """The file, with torch's next random numbers."""
    state = {}
    for part, layer in layers(family):
        for name, shape in zip(names(family, kind, part, layer), shapes(family, part, layer)):
            state[name] = torch.randn(shape) * SIZE
        if kind == "kohya":
            state[alpha_name(family, part, layer)] = torch.tensor(ALPHA)
    save_file(state, HERE / "lora" / f"{family.name}-{kind}.safetensors")
    return state


def drawn(family: Family, kind: str, card: dict) -> dict[str, torch.Tensor]:
    """The file that is made of the names in it. Writes on the card how."""
    rows = {}
    for part, layer in layers(family):
        is_outside = part == "unet" and "blocks" not in layer
        sizes = (SIZE, SIZE_OUTSIDE if is_outside else SIZE)
        for name, shape, size in zip(names(family, kind, part, layer), shapes(family, part, layer), sizes):
            rows[name] = [shape, 0.0, size]
        if kind == "kohya":
            rows[alpha_name(family, part, layer)] = [[], ALPHA, 0.0]
    file = f"{family.name}-{kind}"
    card[file] = {"seed": file, "tensors": rows}
    state = {}
    for name, (shape, offset, factor) in rows.items():
        generator = torch.Generator("cpu").manual_seed(zlib.crc32(f"{file}/{name}".encode()))
        state[name] = offset + factor * torch.randn(shape, generator=generator)
    return state


def read(family: Family, kind: str, state: dict) -> tuple[dict, dict]:
    """What diffusers is to read: under kohya's names and under peft's, which it does not read out of one file."""
    if kind == "peft":
        return {}, state
    kohya, peft = {}, {}
    for part, layer in layers(family):
        down, up = names(family, kind, part, layer)
        if part == "unet" and layer != GUIDANCE:
            alpha = alpha_name(family, part, layer)
            kohya |= {name: state[name] for name in (down, up, alpha)}
        else:
            one, two = names(family, "peft", part, layer)
            peft |= {one: state[down], two: state[up] * (ALPHA / RANK)}
    return kohya, peft


def loras(families: list[Family]) -> dict[str, dict[str, tuple[dict, dict]]]:
    """Writes all of them. Returns family and kind to what diffusers is to read.

    What is stored takes torch's random numbers as `families()` leaves them: call it before.
    """
    card, found = {}, {}
    # What is stored is drawn one after the other, in this order.
    for family in sorted(families, key=lambda family: STORED.index(family.name) if family.name in STORED else len(STORED)):
        found[family.name] = {}
        for kind in ("kohya", "peft"):
            state = stored(family, kind) if family.name in STORED else drawn(family, kind, card)
            found[family.name][kind] = read(family, kind, state)
    (HERE / "lora" / "drawn.json").write_text(json.dumps(card, separators=(",", ":")) + "\n")
    return found
