#!/usr/bin/env python3
"""Holds full-size models beside diffusers: makes random ones, runs both programs, and prints a table.

    .venv/bin/pip install --no-deps open_clip_torch     # brings CLIP's vocabulary
    .venv/bin/python scripts/parity_full.py [sd15 sd21 sdxl sdxl-inpainting] [--write docs/parity.md]

Needs torch, diffusers and transformers (`training/README.md` tells how to get them), 24 GB of memory and 20 GB of disk
under `target/parity`, where models are kept for the next run. No weight is downloaded: a random model of the full
architecture has the same tensor names, shapes and arithmetic. Its last convolutions and cross-attentions are scaled
up until text, noise and picture matter; a fresh network hardly listens, and so hides mistakes.

Both programs compute in f32 from the same weights in f16: one call of each part, then a picture of 256x256 pixels
in 3 steps with guidance. A part may differ by 1e-4 of its size, and a picture has to reach 50 dB; the script
fails otherwise. Seconds of a part are the lesser of two calls, those of loading and of the picture are of one; memory
is the most that a process held.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "parity"
FAMILIES = ("sd15", "sd21", "sdxl", "sdxl-inpainting")
SIZE = 256
PART_TOLERANCE = 1e-4
PICTURE_PSNR = 50.0
# The first call of a part is slower in both programs; `inference/examples/parity.rs` has the same number.
N_CALLS = 2
PROMPT = "a red sailing boat on a calm sea at sunset"
REQUEST = {
    "prompt": PROMPT, "timestep": 601.0, "numbers": None, "steps": 3, "guidance_scale": 5.0, "seed": 7,
    "width": SIZE, "height": SIZE, "sampler": "euler", "schedule": "normal", "inpaints": False,
}  # fmt: skip
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


# ---------------------------------------------------------------------------------------------------------------
# models
# ---------------------------------------------------------------------------------------------------------------


def write_tokenizer(folder: Path, padding: str) -> None:
    """CLIP's byte pairs, as OpenAI published them."""
    import importlib.util

    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        sys.exit("CLIP's vocabulary is missing: pip install --no-deps open_clip_torch")
    lines = gzip.open(Path(spec.origin).with_name("bpe_simple_vocab_16e6.txt.gz"), "rt", encoding="utf-8").read()
    merges = lines.split("\n")[1 : 49152 - 256 - 2 + 1]
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = [chr(byte) for byte in plain] + [chr(256 + i) for i in range(256 - len(plain))]
    tokens = letters + [letter + "</w>" for letter in letters] + ["".join(pair.split()) for pair in merges]
    start, end = "<|startoftext|>", "<|endoftext|>"
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: i for i, token in enumerate([*tokens, start, end])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    special = {"bos_token": start, "eos_token": end, "pad_token": padding, "unk_token": end}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def text_encoder(kind: str):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    sizes = {
        "l": dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, hidden_act="quick_gelu", projection_dim=768),
        "h": dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16, hidden_act="gelu", projection_dim=512),
        "g": dict(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20, hidden_act="gelu", projection_dim=1280),
    }[kind]
    config = CLIPTextConfig(vocab_size=49408, bos_token_id=49406, eos_token_id=49407, pad_token_id=49407, **sizes)
    return (CLIPTextModelWithProjection if kind == "g" else CLIPTextModel)(config)


def unet(family: str):
    from diffusers import UNet2DConditionModel

    first = dict(
        sample_size=64,
        block_out_channels=(320, 640, 1280, 1280),
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        layers_per_block=2,
    )
    if family == "sd15":
        return UNet2DConditionModel(**first, cross_attention_dim=768, attention_head_dim=8)
    if family == "sd21":
        return UNet2DConditionModel(**first, cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20), use_linear_projection=True)
    return UNet2DConditionModel(
        sample_size=128,
        in_channels=9 if family == "sdxl-inpainting" else 4,
        block_out_channels=(320, 640, 1280),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=2,
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(5, 10, 20),
        cross_attention_dim=2048,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )


def autoencoder(scaling_factor: float):
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        sample_size=512,
        scaling_factor=scaling_factor,
    )


def conditions(net, n: int) -> dict:
    """What a U-Net is told while it is woken up."""
    import torch

    told = {"encoder_hidden_states": torch.randn(n, 77, net.config.cross_attention_dim)}
    if net.config.addition_embed_type:
        told["added_cond_kwargs"] = {"text_embeds": torch.randn(n, 1280), "time_ids": torch.tensor([[256.0, 256, 0, 0, 256, 256]] * n)}
    return told


def scale(layer, factor: float) -> None:
    for parameter in layer.parameters():
        parameter *= float(factor)


def wake_unet(net) -> None:
    import torch

    x = torch.randn(1, net.config.in_channels, 16, 16).repeat(2, 1, 1, 1)
    told = conditions(net, 2)
    to_text = [module.to_out[0] for name, module in net.named_modules() if name.endswith("attn2")]
    for _ in range(12):
        prediction = net(x, 500, **told).sample
        scale(net.conv_out, 1 / prediction.std())
        if (prediction[0] - prediction[1]).std() / prediction.std() > 0.8:
            break
        for layer in to_text:
            scale(layer, 2.0)


def wake_vae(vae) -> None:
    import torch

    picture = vae.decode(torch.randn(1, 4, 16, 16) / vae.config.scaling_factor).sample
    scale(vae.decoder.conv_out, 0.5 / picture.std())
    mean = vae.encode(torch.rand(1, 3, 64, 64) * 2 - 1).latent_dist.mean
    # The logarithm of the variance comes out of the same convolution and stays near 0.
    vae.encoder.conv_out.weight[:4] *= float(1 / (mean.std() * vae.config.scaling_factor))


def make(family: str) -> None:
    """Writes a random model in f16, part by part, so that never two are in memory."""
    import torch
    from diffusers import DDIMScheduler, EulerDiscreteScheduler

    torch.manual_seed(FAMILIES.index(family))
    torch.set_grad_enabled(False)
    folder = WORK / family / "model"
    shutil.rmtree(folder, ignore_errors=True)
    is_xl = family.startswith("sdxl")
    write_tokenizer(folder / "tokenizer", "!" if family == "sd21" else "<|endoftext|>")
    if is_xl:
        write_tokenizer(folder / "tokenizer_2", "!")
    net = unet(family)
    wake_unet(net)
    net.half().save_pretrained(folder / "unet")
    del net
    vae = autoencoder(0.13025 if is_xl else 0.18215)
    wake_vae(vae)
    vae.half().save_pretrained(folder / "vae")
    del vae
    text_encoder("h" if family == "sd21" else "l").half().save_pretrained(folder / "text_encoder")
    if is_xl:
        text_encoder("g").half().save_pretrained(folder / "text_encoder_2")
        EulerDiscreteScheduler(**BETAS, timestep_spacing="leading").save_pretrained(folder / "scheduler")
    else:
        prediction = "v_prediction" if family == "sd21" else "epsilon"
        scheduler = DDIMScheduler(**BETAS, set_alpha_to_one=False, clip_sample=False, timestep_spacing="leading", prediction_type=prediction)
        scheduler.save_pretrained(folder / "scheduler")
    name = {"sdxl": "StableDiffusionXLPipeline", "sdxl-inpainting": "StableDiffusionXLInpaintPipeline"}.get(family, "StableDiffusionPipeline")
    (folder / "model_index.json").write_text(json.dumps({"_class_name": name, "force_zeros_for_empty_prompt": True}))
    (folder / "made").touch()


# ---------------------------------------------------------------------------------------------------------------
# the reference
# ---------------------------------------------------------------------------------------------------------------


def start_and_mask():
    import numpy

    y, x = numpy.mgrid[0:SIZE, 0:SIZE]
    start = numpy.stack([x, y, (x + y) // 2], axis=-1).astype(numpy.uint8)
    mask = ((3 * x >= SIZE) & (3 * y >= SIZE)).astype(numpy.uint8) * 255
    return start, mask


def load(folder: Path):
    """The parts in f32, and their tokenizers."""
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    import torch

    f32 = {"torch_dtype": torch.float32}
    parts = {
        "tokenizer": CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        "text_encoder": CLIPTextModel.from_pretrained(folder / "text_encoder", **f32),
        "unet": UNet2DConditionModel.from_pretrained(folder / "unet", **f32),
        "vae": AutoencoderKL.from_pretrained(folder / "vae", **f32),
        "scheduler": EulerDiscreteScheduler.from_config(EulerDiscreteScheduler.load_config(folder / "scheduler")),
    }
    if (folder / "text_encoder_2").is_dir():
        parts["tokenizer_2"] = CLIPTokenizer.from_pretrained(folder / "tokenizer_2")
        parts["text_encoder_2"] = CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder_2", **f32)
    return parts


def refer(family: str) -> None:
    """Computes what Darkroom is compared with, and writes down what it computed from."""
    import numpy
    import torch
    from diffusers import StableDiffusionPipeline, StableDiffusionXLInpaintPipeline, StableDiffusionXLPipeline
    from PIL import Image
    from safetensors.torch import save_file

    torch.set_grad_enabled(False)
    work, seconds = WORK / family, {}
    begin = time.perf_counter()
    parts = load(work / "model")
    seconds["load"] = time.perf_counter() - begin
    is_xl, inpaints = "text_encoder_2" in parts, family.endswith("inpainting")
    request = {**REQUEST, "inpaints": inpaints}
    if is_xl:
        request["numbers"] = [float(SIZE), float(SIZE), 0.0, 0.0, float(SIZE), float(SIZE)]
    usual = {} if is_xl else {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    kind = StableDiffusionXLInpaintPipeline if inpaints else StableDiffusionXLPipeline if is_xl else StableDiffusionPipeline
    pipe = kind(**parts, **usual, **({"add_watermarker": False} if is_xl else {}))
    pipe.set_progress_bar_config(disable=True)

    def timed(name, compute):
        result, tries = None, []
        for _ in range(N_CALLS):
            begin = time.perf_counter()
            result = compute()
            tries.append(time.perf_counter() - begin)
        seconds[name] = min(tries)
        return result

    torch.manual_seed(11)
    found, inputs = {}, {}
    encoded = timed("text", lambda: pipe.encode_prompt(PROMPT, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False))
    found["text"] = encoded[0]
    if is_xl:
        found["pooled"] = encoded[2]
    net = pipe.unet
    inputs["unet.x"] = torch.randn(1, net.config.in_channels, SIZE // 8, SIZE // 8).repeat(2, 1, 1, 1)
    inputs["unet.text"] = torch.cat([encoded[0], torch.randn_like(encoded[0]) * encoded[0].std()])
    told = {"encoder_hidden_states": inputs["unet.text"]}
    if is_xl:
        inputs["unet.pooled"] = torch.cat([encoded[2], torch.randn_like(encoded[2])])
        told["added_cond_kwargs"] = {"text_embeds": inputs["unet.pooled"], "time_ids": torch.tensor([request["numbers"]] * 2)}
    found["unet"] = timed("unet", lambda: net(inputs["unet.x"], torch.tensor(request["timestep"]), **told).sample)
    found["difference"] = found["unet"][1] - found["unet"][0]
    inputs["vae.latent"] = torch.randn(1, 4, SIZE // 8, SIZE // 8)
    found["decoded"] = timed("decoded", lambda: pipe.vae.decode(inputs["vae.latent"] / pipe.vae.config.scaling_factor).sample)
    inputs["vae.picture"] = torch.rand(1, 3, SIZE, SIZE) * 2 - 1
    found["encoded"] = timed("encoded", lambda: pipe.vae.encode(inputs["vae.picture"]).latent_dist.mean)

    settings = {
        "num_inference_steps": request["steps"], "guidance_scale": request["guidance_scale"], "width": SIZE, "height": SIZE,
        "generator": torch.Generator("cpu").manual_seed(request["seed"]),
    }  # fmt: skip
    start, mask = start_and_mask()
    if inpaints:
        inputs["start"], inputs["mask"] = torch.from_numpy(start), torch.from_numpy(mask)
        settings.update(image=Image.fromarray(start), mask_image=Image.fromarray(mask), strength=1.0)
    begin = time.perf_counter()
    picture = pipe(PROMPT, **settings).images[0]
    seconds["picture"] = time.perf_counter() - begin
    if inpaints:
        # Darkroom keeps the pixels that stay.
        picture = Image.composite(picture, Image.fromarray(start), Image.fromarray(mask))
    found["picture"] = torch.from_numpy(numpy.array(picture))
    save_file({name: tensor.contiguous() for name, tensor in inputs.items()}, work / "inputs.safetensors")
    save_file({name: tensor.contiguous() for name, tensor in found.items()}, work / "expected.safetensors")
    (work / "request.json").write_text(json.dumps(request))
    (work / "expected.json").write_text(json.dumps(seconds))


# ---------------------------------------------------------------------------------------------------------------
# the table
# ---------------------------------------------------------------------------------------------------------------


def run(command: list) -> float:
    """Runs a process of its own and returns the most memory that it held, in GB."""
    process = subprocess.Popen([str(word) for word in command], cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"`{' '.join(map(str, command))}` ended with {process.returncode}")
    return usage.ru_maxrss / 1e6


def compare(family: str, memory: tuple[float, float]) -> tuple[list[str], list[str]]:
    """The table's rows, and what lies outside of the tolerance."""
    from safetensors.torch import load_file

    work = WORK / family
    expected, found = load_file(work / "expected.safetensors"), load_file(work / "found.safetensors")
    times = [json.loads((work / f"{name}.json").read_text()) for name in ("found", "expected")]
    rows, outside = [], []

    def row(part: str, agreement: str, key: str | None) -> None:
        seconds = [f"{each[key]:.2f}" if key else "" for each in times]
        ratio = f"{times[1][key] / times[0][key]:.2f}" if key else ""
        rows.append(f"| {family} | {part} | {agreement} | {seconds[0]} | {seconds[1]} | {ratio} |")

    titles = {
        "text": "text", "pooled": "pooled text", "unet": "U-Net, batch of 2", "difference": "difference by text",
        "decoded": "VAE decoder", "encoded": "VAE encoder",
    }  # fmt: skip
    for name, title in titles.items():
        if name not in expected:
            continue
        one, two = found[name].double(), expected[name].double()
        error = float((one.reshape(two.shape) - two).norm() / two.norm())
        row(title, f"{error:.1e}", name if name in times[0] else None)
        if not error <= PART_TOLERANCE:
            outside.append(f"{family}: {title} differs by {error:.1e}; allowed are {PART_TOLERANCE:.0e}")
    squares = float(((found["picture"].double() - expected["picture"].double()) ** 2).mean())
    from math import inf, log10

    psnr = inf if squares == 0 else 10 * log10(255**2 / squares)
    row(f"picture, {REQUEST['steps']} steps", f"{psnr:.1f} dB", "picture")
    if psnr < PICTURE_PSNR:
        outside.append(f"{family}: the picture reaches {psnr:.1f} dB; {PICTURE_PSNR:.0f} are needed")
    row("loading", "", "load")
    rows.append(f"| {family} | most memory, GB | | {memory[0]:.1f} | {memory[1]:.1f} | {memory[1] / memory[0]:.2f} |")
    return rows, outside


def versions() -> str:
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("torch", "diffusers", "transformers"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", default=FAMILIES, metavar="FAMILY", help=f"of {', '.join(FAMILIES)}; all by default")
    parser.add_argument("--write", type=Path, help="puts the table into this file as well")
    parser.add_argument("--step", choices=("make", "refer"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.families) - set(FAMILIES):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(FAMILIES)}")
    if arguments.step:
        for family in arguments.families:
            {"make": make, "refer": refer}[arguments.step](family)
        return

    subprocess.run(["cargo", "build", "--quiet", "--release", "--package", "inference", "--example", "parity"], cwd=ROOT, check=True)
    rows, outside = [], []
    for family in arguments.families:
        work = WORK / family
        if not (work / "model" / "made").exists():
            print(f"{family}: making the model", file=sys.stderr)
            run([sys.executable, __file__, family, "--step", "make"])
        print(f"{family}: diffusers", file=sys.stderr)
        theirs = run([sys.executable, __file__, family, "--step", "refer"])
        print(f"{family}: Darkroom", file=sys.stderr)
        ours = run([ROOT / "target/release/examples/parity", work / "model", work])
        new_rows, new_outside = compare(family, (ours, theirs))
        print("\n".join(new_rows), flush=True)
        rows += new_rows
        outside += new_outside
    head = ["| model | part | difference | Darkroom, s | diffusers, s | ratio |", "| --- | --- | --- | --- | --- | --- |"]
    table = "\n".join(head + rows)
    print(table)
    if arguments.write:
        arguments.write.write_text(PAGE.format(table=table, versions=versions(), size=SIZE, steps=REQUEST["steps"]))
    if outside:
        sys.exit("\n".join(outside))


PAGE = """# Parity

Full-size random models beside diffusers, written by `scripts/parity_full.py` ({versions}; both in f32 on the CPU,
{size}x{size} pixels, {steps} steps, guidance 5). The difference is relative: length of the difference over length of the
reference. At most 1e-4 is allowed for a part, at least 50 dB for a picture. A ratio above 1 means that Darkroom is
faster, or needs less memory.

{table}
"""

if __name__ == "__main__":
    main()
