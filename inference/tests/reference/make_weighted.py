"""Writes weighted.json and weighted.safetensors: whole pictures from prompts with weights, with more tokens than a text
encoder takes at once, with BREAK, and with learned words.

    .venv/bin/python inference/tests/reference/make_weighted.py

What the prompts become is computed as in `make_prompts.py`, over the text encoders of the tiny families, and handed to
diffusers' pipelines in the place of prompts. Brackets are read from `prompts.json`, where the AUTOMATIC1111 web UI's own
parser has put them.
"""

import json

import numpy
import torch
from family_pipelines import USUAL, paint
from make_prompts import CASES, LONG, MIXED, Part, encode, learned_vectors
from safetensors.torch import load_file, save_file
from tiny_families import HERE, Family, families

BROKEN = next(prompt for name, prompt, *_ in CASES if name == "broken")
WEIGHTED = next(prompt for name, prompt, *_ in CASES if name == "weighted")
LEARNED = next(prompt for name, prompt, *_ in CASES if name == "learned")
NEGATIVE = next(negative for name, _, negative, *_ in CASES if name == "weighted")

# prompt, negative prompt, weighting, further settings
PICTURES = [
    (WEIGHTED, NEGATIVE, "a1111", {}),
    (WEIGHTED, NEGATIVE, "compel", {}),
    (WEIGHTED, "", "a1111", {"clip_skip": 2, "sampler": "euler_ancestral"}),
    (LONG, NEGATIVE, "a1111", {"sampler": "dpmpp_2m", "schedule": "karras"}),
    (LONG, "", "compel", {}),
    (BROKEN, NEGATIVE, "a1111", {"mode": "image", "strength": 0.8}),
    (BROKEN, LONG, "compel", {"mode": "hires", "strength": 0.5, "scale": 1.5}),
]
# Vectors as wide as the text encoders are there for SDXL alone.
XL_PICTURES = [(LEARNED, NEGATIVE, "a1111", {}), (LEARNED, "", "compel", {"mode": "inpaint", "strength": 0.8})]

# Distilled to do without guidance, in a few steps: negative prompts are not heard, however long they are.
TURBO = {"guidance_scale": 0.0, "sampler": "euler_ancestral"}
LCM = {"sampler": "lcm", "steps": 4}
EDIT, INPAINT = {"mode": "edit"}, {"mode": "inpaint"}

# The same for what is special of each family.
OTHERS = {
    "sd1": [(MIXED, NEGATIVE, "a1111", {})],
    "sd2": [(MIXED, NEGATIVE, "a1111", {})],
    "sdxl": [(MIXED, NEGATIVE, "a1111", {})],
    "sdxl-turbo": [
        (MIXED, "", "a1111", {**TURBO, "steps": 4}),
        (WEIGHTED, LONG, "compel", {**TURBO, "steps": 2, "clip_skip": 2}),
    ],
    "sdxl-refiner": [
        (MIXED, NEGATIVE, "a1111", {"mode": "image", "strength": 0.6}),
        (LEARNED, "", "compel", {"clip_skip": 2}),
    ],
    "sdxl-inpainting": [
        (MIXED, NEGATIVE, "a1111", INPAINT),
        (LONG, "", "compel", {"sampler": "euler_ancestral", "clip_skip": 2}),
    ],
    "sd1-inpainting": [
        (MIXED, NEGATIVE, "a1111", {**INPAINT, "sampler": "ddim"}),
        (BROKEN, LONG, "compel", {**INPAINT, "strength": 0.7, "sampler": "euler_ancestral", "clip_skip": 2}),
    ],
    "sd2-zero-snr": [
        (MIXED, NEGATIVE, "a1111", {"sampler": "ddim", "guidance_rescale": 0.7}),
        (LONG, "", "compel", {"mode": "hires", "strength": 0.5, "sampler": "uni_pc", "scale": 1.5}),
    ],
    "instruct-pix2pix": [
        (MIXED, NEGATIVE, "a1111", EDIT),
        (WEIGHTED, LONG, "compel", {**EDIT, "sampler": "euler_ancestral", "clip_skip": 2}),
    ],
    "sd2-base": [
        (MIXED, NEGATIVE, "a1111", {"sampler": "pndm", "steps": 8}),
        (LONG, "", "compel", {**INPAINT, "strength": 0.8, "clip_skip": 2}),
    ],
    "sd2-inpainting": [
        (MIXED, NEGATIVE, "a1111", {**INPAINT, "sampler": "ddim"}),
        (WEIGHTED, LONG, "compel", {"sampler": "dpmpp_2m", "clip_skip": 2}),
    ],
    "sd-turbo": [
        (MIXED, "", "a1111", {**TURBO, "steps": 1, "sampler": "euler"}),
        (WEIGHTED, LONG, "a1111", {**TURBO, "mode": "image", "steps": 4, "strength": 0.5}),
    ],
    "sdxl-zero-snr": [
        (MIXED, NEGATIVE, "a1111", {"guidance_rescale": 0.7}),
        (LONG, "", "compel", {"mode": "image", "strength": 0.6, "sampler": "dpmpp_2m", "clip_skip": 2}),
    ],
    "sdxl-instruct-pix2pix": [
        (MIXED, NEGATIVE, "a1111", EDIT),
        (LEARNED, "", "compel", {**EDIT, "sampler": "euler_ancestral", "clip_skip": 2}),
    ],
    "sd1-distilled": [
        (MIXED, "", "a1111", LCM),
        (LONG, NEGATIVE, "compel", {**LCM, "mode": "image", "strength": 0.75, "clip_skip": 2}),
        (WEIGHTED, LONG, "a1111", LCM),
    ],
}
ALL = [("sd1", PICTURES), ("sd2", PICTURES), ("sdxl", PICTURES + XL_PICTURES), *OTHERS.items()]


def readers(family: Family) -> list[Part]:
    """The family's text encoders, as `make_prompts.py` asks them."""
    parts = family.components()
    learned = load_file(HERE / "embeddings-xl" / "tiny-stroke.safetensors")
    found = []
    for number, key in (("", "clip_l"), ("_2", "clip_g")):
        if f"text_encoder{number}" in parts:
            words = parts[f"tokenizer{number}"]
            vectors = learned_vectors(words, "tiny-stroke", learned[key]) if family.is_xl else {}
            found.append(Part(words, parts[f"text_encoder{number}"], vectors, family.is_xl))
    return found


@torch.no_grad()
def embeds_of(family: Family, run: dict, parse) -> dict:
    """What the pipeline is handed in the place of prompts."""
    is_guided = run["guidance_scale"] > 1 and not family.parts["unet"].network.config.time_cond_proj_dim
    # Without guidance there is nothing for the prompt to be as long as.
    negative = run["negative_prompt"] if is_guided else ""
    both, _ = encode(readers(family), parse, run["prompt"], negative, run["weighting"], run["clip_skip"])
    is_zero = family.is_xl and family.index.get("force_zeros_for_empty_prompt", True) and not negative
    embeds = {}
    for side, (context, pooled) in zip(("", "negative_"), both):
        # SDXL was trained with zeros where there is no prompt, but for its refiner.
        share = 0.0 if side and is_zero else 1.0
        embeds[f"{side}prompt_embeds"] = context * share
        if family.is_xl:
            embeds[f"{side}pooled_prompt_embeds"] = pooled * share
    return embeds


def main() -> None:
    brackets = {row["prompt"]: row["parts"] for row in json.loads((HERE / "prompts.json").read_text())["brackets"]}
    tensors, rows = {}, []
    made = {family.name: family for family in families()}
    for name, pictures in ALL:
        for prompt, negative, weighting, more in pictures:
            key = f"{name}.{len(rows)}"
            run = {**USUAL, "prompt": prompt, "negative_prompt": negative, **more, "weighting": weighting, "picture": key}
            embeds = embeds_of(made[name], run, brackets.__getitem__)
            tensors[key] = torch.from_numpy(numpy.array(paint(made[name], run, embeds)))
            print(f"{key}: {weighting}, {embeds['prompt_embeds'].shape[1]} tokens, std {tensors[key].float().std() / 255:.3f}")
            rows.append({"family": name, "run": run})
    save_file(tensors, HERE / "weighted.safetensors")
    (HERE / "weighted.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
