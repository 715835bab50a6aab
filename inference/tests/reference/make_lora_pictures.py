"""Writes lora-pictures.json, lora-pictures.safetensors, `lora/{family}-*.safetensors` and `lora/drawn.json`: small random
LoRA files for the tiny families, and whole pictures with them.

    .venv/bin/pip install --no-deps peft==0.21.2 accelerate psutil
    .venv/bin/python inference/tests/reference/make_lora_pictures.py

diffusers and peft load the files and paint.
"""

import json
from contextlib import contextmanager

import numpy
import torch
from family_pipelines import USUAL, paint, pipeline
from safetensors.torch import save_file
from tiny_families import HERE, Family, families
from tiny_loras import layers, loras

NEGATIVE = "a blue car"
# Distilled to do without guidance, in a few steps.
TURBO = {"guidance_scale": 0.0, "sampler": "euler_ancestral"}
LCM = {"sampler": "lcm", "steps": 4}
KOHYA, PEFT, BOTH = {"kohya": 0.75}, {"peft": 0.75}, {"kohya": 0.5, "peft": 0.75}
KARRAS = {"sampler": "dpmpp_2m", "schedule": "karras"}

# family, LoRA files with their weights, further settings
PICTURES = [
    ("sd1", {"kohya": 0.75}, {}),
    ("sd1", {"peft": 0.75}, {"sampler": "euler_ancestral"}),
    ("sd1", {"kohya": 0.75, "peft": -0.4}, {"mode": "image", "strength": 0.8, **KARRAS}),
    ("sdxl", {"kohya": 0.75}, {}),
    ("sdxl", {"peft": 0.75}, {"sampler": "euler_ancestral"}),
    ("sdxl", BOTH, {"mode": "inpaint", "strength": 0.8, "sampler": "dpmpp_2m"}),
    ("sdxl-turbo", KOHYA, {**TURBO, "steps": 4}),
    ("sdxl-turbo", PEFT, {**TURBO, "mode": "hires", "steps": 2, "strength": 0.5, "scale": 1.5, "sampler": "euler"}),
    ("sdxl-refiner", KOHYA, {"mode": "image", "strength": 0.6, "negative_prompt": NEGATIVE}),
    ("sdxl-refiner", PEFT, {"sampler": "euler_ancestral", "clip_skip": 2}),
    ("sdxl-inpainting", KOHYA, {"mode": "inpaint"}),
    ("sdxl-inpainting", PEFT, {"mode": "inpaint", "strength": 0.7, "sampler": "euler_ancestral", "clip_skip": 2}),
    ("sd1-inpainting", KOHYA, {"mode": "inpaint", "sampler": "ddim"}),
    ("sd1-inpainting", PEFT, {"mode": "inpaint", "strength": 0.7, "sampler": "euler_ancestral", "clip_skip": 2}),
    ("sd1-distilled", KOHYA, LCM),
    ("sd1-distilled", PEFT, {**LCM, "mode": "image", "strength": 0.75, "clip_skip": 2}),
    ("sd2-zero-snr", KOHYA, {"sampler": "ddim", "guidance_rescale": 0.7}),
    ("sd2-zero-snr", PEFT, {"mode": "hires", "strength": 0.5, "sampler": "uni_pc", "scale": 1.5}),
    ("instruct-pix2pix", KOHYA, {"mode": "edit", "negative_prompt": NEGATIVE}),
    ("instruct-pix2pix", PEFT, {"mode": "edit", "sampler": "euler_ancestral", "clip_skip": 2}),
    ("sd2", KOHYA, {"sampler": "ddim"}),
    ("sd2", PEFT, {"mode": "hires", "strength": 0.5, "scale": 1.5, **KARRAS}),
    ("sd2-base", KOHYA, {"sampler": "pndm", "steps": 8}),
    ("sd2-base", PEFT, {"mode": "inpaint", "strength": 0.8, "clip_skip": 2}),
    ("sd2-inpainting", KOHYA, {"mode": "inpaint", "sampler": "ddim"}),
    ("sd2-inpainting", PEFT, {"sampler": "dpmpp_2m", "clip_skip": 2}),
    ("sd-turbo", KOHYA, {**TURBO, "steps": 1, "sampler": "euler"}),
    ("sd-turbo", PEFT, {**TURBO, "mode": "image", "steps": 4, "strength": 0.5}),
    ("sdxl-zero-snr", KOHYA, {"guidance_rescale": 0.7, "negative_prompt": NEGATIVE}),
    ("sdxl-zero-snr", PEFT, {"mode": "image", "strength": 0.6, "sampler": "dpmpp_2m"}),
    ("sdxl-instruct-pix2pix", KOHYA, {"mode": "edit", "negative_prompt": NEGATIVE}),
    ("sdxl-instruct-pix2pix", PEFT, {"mode": "edit", "sampler": "euler_ancestral"}),
]


@contextmanager
def changed(family: Family, uses: dict[str, float], files: dict[str, tuple[dict, dict]]):
    """The family with LoRA files, each with its weight."""
    made = pipeline(family, USUAL, "text")
    weights = {}
    for name, weight in uses.items():
        for kind, state in zip(("kohya", "peft"), files[name]):
            if state:
                made.load_lora_weights({key: tensor.clone() for key, tensor in state.items()}, adapter_name=f"{name}_{kind}")
                weights[f"{name}_{kind}"] = weight
    made.set_adapters(list(weights), list(weights.values()))
    n_changed = sum(hasattr(module, "lora_A") for part in family.parts.values() for module in part.network.modules())
    if n_changed != len(layers(family)):
        raise ValueError(f"{family.name}: diffusers changed {n_changed} of {len(layers(family))} layers")
    yield
    made.unload_lora_weights()


def pixels_of(family: Family, run: dict) -> torch.Tensor:
    return torch.from_numpy(numpy.array(paint(family, run)))


def main() -> None:
    made = {family.name: family for family in families()}
    files = loras(list(made.values()))
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
        rows.append({"family": name, "loras": [{"file": f"{name}-{file}", "weight": weight} for file, weight in uses.items()], "run": run})
    save_file(tensors, HERE / "lora-pictures.safetensors")
    (HERE / "lora-pictures.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
