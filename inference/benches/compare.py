"""Times the engine beside diffusers, in turn, on the same machine and the same weights.

    cargo build --release -p inference --example time_parts
    python inference/benches/compare.py models/demo 256 256
    python inference/benches/compare.py --make-full /tmp/sd15     a random model of SD 1.5's size
    python inference/benches/compare.py /tmp/sd15 512 512 --rounds 2

Prints seconds of a guided U-Net step and of a decoding, the least of all rounds, and ratios: above 1 the engine
is faster.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import time

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

ROOT = pathlib.Path(__file__).parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def make_full(folder: pathlib.Path) -> None:
    torch.manual_seed(0)
    half = torch.float16
    UNet2DConditionModel(cross_attention_dim=768, sample_size=64).to(half).save_pretrained(folder / "unet")
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        sample_size=512,
    )
    vae.to(half).save_pretrained(folder / "vae")
    # The demo's tokenizer does for timing.
    shutil.copytree(ROOT / "models/demo/tokenizer", folder / "tokenizer", dirs_exist_ok=True)
    vocabulary = len(json.loads((folder / "tokenizer/vocab.json").read_text()))
    text = CLIPTextConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, vocab_size=vocabulary
    )
    CLIPTextModel(text).to(half).save_pretrained(folder / "text_encoder")
    DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").save_pretrained(folder / "scheduler")


def ours(folder: pathlib.Path, width: int, height: int) -> dict[str, float]:
    program = TARGET / "release/examples/time_parts"
    text = subprocess.run([program, folder, str(width), str(height), "1"], check=True, capture_output=True, text=True)
    return {name: float(seconds) for name, seconds in (line.split() for line in text.stdout.splitlines())}


@torch.inference_mode()
def theirs(unet, vae, width: int, height: int) -> dict[str, float]:
    shrink = 2 ** (len(vae.config.block_out_channels) - 1)
    dtype = unet.dtype
    x = torch.randn(2, unet.config.in_channels, height // shrink, width // shrink, dtype=dtype)
    text = torch.randn(2, 77, unet.config.cross_attention_dim, dtype=dtype)
    start = time.perf_counter()
    unet(x, 500, text)
    middle = time.perf_counter()
    vae.decode(x[:1])
    return {"step": middle - start, "decode": time.perf_counter() - middle}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--make-full", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("width", type=int, nargs="?", default=256)
    parser.add_argument("height", type=int, nargs="?", default=256)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.make_full:
        make_full(arguments.make_full)
        return

    size = arguments.width, arguments.height
    models = {}
    for name, dtype in (("diffusers f32", torch.float32), ("diffusers bf16", torch.bfloat16)):
        unet = UNet2DConditionModel.from_pretrained(arguments.folder / "unet", dtype=dtype).eval()
        vae = AutoencoderKL.from_pretrained(arguments.folder / "vae", dtype=dtype).eval()
        # In this order memory lies as the vector instructions like it.
        models[name] = [part.to(memory_format=torch.channels_last) for part in (unet, vae)]
        theirs(*models[name], *size)
    found: dict[str, dict[str, float]] = {}
    for _ in range(arguments.rounds):
        for name in ("darkroom", *models):
            seconds = ours(arguments.folder, *size) if name == "darkroom" else theirs(*models[name], *size)
            for part, value in seconds.items():
                found.setdefault(name, {}).setdefault(part, value)
                found[name][part] = min(found[name][part], value)
    print(f"{torch.get_num_threads()} threads, {size[0]}x{size[1]}, {arguments.folder}")
    for part in ("step", "decode"):
        own = found["darkroom"][part]
        print(f"{part}: darkroom {own:.3f} s" + "".join(
            f", {name} {found[name][part]:.3f} s (ratio {found[name][part] / own:.2f})" for name in models
        ))


if __name__ == "__main__":
    main()
