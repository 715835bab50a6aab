"""Makes what the parity tests compare with: tiny models, and what diffusers and transformers make of them.

    .venv/bin/python inference/tests/reference/make.py          the tiny models in this folder, and their numbers
    .venv/bin/python inference/tests/reference/make.py --demo   numbers of models/demo, after its weights changed

Needs torch, diffusers and transformers. See README.md for what is in the files.
"""

import argparse
import json
import pathlib
import shutil
import unicodedata

import numpy
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

HERE = pathlib.Path(__file__).parent
DEMO = HERE.parents[2] / "models" / "demo"

TEXTS = [
    "",
    "a red sailing boat on a calm sea at sunset",
    "A  RED\tboat,\n\n  on the   SEA!!",
    "it's the artist's 2nd painting, they'll say; we've 1234 of 'em",
    "caf\u00e9 cafe\u0301 \u00c5ngstr\u00f6m \u0130stanbul stra\u00dfe na\u00efve \u0152uvre",
    "\u6d77\u306e\u591c \u043c\u043e\u0440\u0435 \u03b8\u03ac\u03bb\u03b1\u03c3\u03c3\u03b1",
    "a boat \U0001f6a4\U0001f30a \U0001f469\u200d\U0001f3a8 \u2764\ufe0f",
    "(masterpiece:1.2), [soft] {light} <lora:x> \u2014 \u201cquoted\u201d \u2026 50% #1 & more... ?!?!",
    "before <|endoftext|> after <|startoftext|>x",
    "no\u00a0break\u2003space\u200bzero\u3000wide",
    "one two three four five six seven eight nine ten, " * 12,
    "\u00bd \u2167 x\u00b2 \u0663 \ufb01n",
]

PROMPT = "a red sailing boat on a calm sea at sunset"
NEGATIVE = "a blue car"

# sampler, schedule, steps, guidance scale, negative prompt, seed
RUNS = [
    ("dpmpp_2m", "karras", 8, 4.0, "", 7),
    ("dpmpp_2m", "normal", 6, 5.0, NEGATIVE, 11),
    ("euler", "normal", 6, 5.0, "", 12),
    ("euler", "karras", 6, 5.0, "", 13),
    ("euler_ancestral", "normal", 6, 5.0, NEGATIVE, 14),
    ("ddim", "normal", 6, 5.0, "", 15),
    ("dpmpp_2m", "karras", 5, 1.0, "", 16),
]


# ---------------------------------------------------------------------------------------------------------------
# tiny models
# ---------------------------------------------------------------------------------------------------------------


def byte_letters() -> list[str]:
    """The letter that stands for each byte in a byte-level vocabulary, in the order of OpenAI's list."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in plain]
    return [chr(byte) for byte in plain] + [chr(256 + i) for i in range(len(rest))]


def learn_merges(text: str, n: int) -> list[tuple[str, str]]:
    """Byte pairs by frequency; ties go to the first in the alphabet."""
    words: dict[tuple[str, ...], int] = {}
    for word in text.lower().split():
        pieces = (*word[:-1], word[-1] + "</w>")
        words[pieces] = words.get(pieces, 0) + 1
    merges = []
    for _ in range(n):
        pairs: dict[tuple[str, str], int] = {}
        for pieces, count in words.items():
            for pair in zip(pieces, pieces[1:]):
                pairs[pair] = pairs.get(pair, 0) + count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        merged = {}
        for pieces, count in words.items():
            joined, i = [], 0
            while i < len(pieces):
                if pieces[i : i + 2] == best:
                    joined.append("".join(best))
                    i += 2
                else:
                    joined.append(pieces[i])
                    i += 1
            merged[tuple(joined)] = count
        words = merged
    return merges


def write_tokenizer(folder: pathlib.Path, padding: str) -> None:
    folder.mkdir(parents=True)
    letters = byte_letters()
    sentence = "a red sailing boat on a calm sea at sunset the artist painting they seven eight three blue car "
    merges = learn_merges(unicodedata.normalize("NFC", sentence * 3 + "they'll we've it's 'll 've 's soft light"), 120)
    tokens = letters + [letter + "</w>" for letter in letters] + ["".join(pair) for pair in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    write_json(folder / "vocab.json", vocabulary)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")
    start, end = "<|startoftext|>", "<|endoftext|>"
    written_out = {"content": start, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    write_json(folder / "special_tokens_map.json", {"bos_token": written_out, "eos_token": end, "pad_token": padding, "unk_token": end})
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True, "pad_token": end},
    )


def tiny(name: str) -> None:
    """Writes a random model. `tiny-1` is built like SD 1.5, `tiny-2` like SD 2.1."""
    second = name == "tiny-2"
    torch.manual_seed(2 if second else 1)
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    write_tokenizer(folder / "tokenizer", "!" if second else "<|endoftext|>")
    words = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(words),
            hidden_size=24,
            intermediate_size=96,
            num_hidden_layers=3,
            num_attention_heads=4 if second else 2,
            hidden_act="gelu" if second else "quick_gelu",
            projection_dim=24,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(16, 24, 24) if second else (16, 16, 24),
        layers_per_block=(1, 2, 1) if second else 2,
        transformer_layers_per_block=(1, 2, 1) if second else 1,
        cross_attention_dim=24,
        attention_head_dim=(2, 3, 4) if second else 4,
        norm_num_groups=8,
        use_linear_projection=second,
        upcast_attention=second,
        flip_sin_to_cos=not second,
        freq_shift=1 if second else 0,
        norm_eps=1e-6 if second else 1e-5,
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 16, 24),
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=32,
        scaling_factor=0.18215,
        use_post_quant_conv=not second,
        use_quant_conv=not second,
    )
    betas = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
    if second:
        scheduler = DDIMScheduler(**betas, set_alpha_to_one=False, clip_sample=False, prediction_type="v_prediction")
    else:
        scheduler = PNDMScheduler(**betas, set_alpha_to_one=False, skip_prk_steps=True)
    wake(text_encoder, words, unet, vae)
    pipe = StableDiffusionPipeline(
        vae, text_encoder, words, unet, scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    tokenizer_files = {path.name: path.read_text() for path in (folder / "tokenizer").iterdir()}
    pipe.to(torch.float16).save_pretrained(folder)
    # The tokenizer stays as people have it, with vocab.json and merges.txt.
    shutil.rmtree(folder / "tokenizer")
    (folder / "tokenizer").mkdir()
    for file, text in tokenizer_files.items():
        (folder / "tokenizer" / file).write_text(text)
    rename_weights(folder, second)
    if not second:
        # Early configs lack the key, and each scheduler then takes its own default.
        edit_json(folder / "scheduler" / "scheduler_config.json", lambda config: config.pop("timestep_spacing"))


def rename_weights(folder: pathlib.Path, second: bool) -> None:
    """Both ways in which text encoders are named, and the older names of the VAE's attention."""
    path = folder / "text_encoder" / "model.safetensors"
    state = {name.removeprefix("text_model."): tensor for name, tensor in load_file(path).items()}
    prefix = "" if second else "text_model."
    save_file({prefix + name: tensor for name, tensor in state.items()}, path, {"format": "pt"})
    if second:
        return
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    state = {}
    for name, tensor in load_file(path).items():
        for new_part, old_part in old.items():
            name = name.replace(f"attentions.0.{new_part}.", f"attentions.0.{old_part}.")
        state[name] = tensor
    save_file(state, path, {"format": "pt"})


@torch.no_grad()
def wake(text_encoder, words, unet, vae) -> None:
    """Scales weights up until text, noise and picture matter: a fresh network hardly listens to its text and
    paints with little contrast, and so hides mistakes."""
    ids = words([PROMPT, ""], padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    text = text_encoder(ids).last_hidden_state
    x = torch.randn(1, 4, 8, 8).repeat(2, 1, 1, 1)
    to_text = [module.to_out[0] for name, module in unet.named_modules() if name.endswith("attn2")]
    for _ in range(20):
        prediction = unet(x, 500, text).sample
        scale(unet.conv_out, 1 / prediction.std())
        listening = (prediction[0] - prediction[1]).std() / prediction.std()
        if listening > 0.8:
            break
        for layer in to_text:
            scale(layer, 1.5)
    x = torch.randn(1, 4, 8, 8) * 5
    picture = vae.decode(x).sample
    scale(vae.decoder.conv_out, 0.5 / picture.std())


def scale(layer, factor) -> None:
    layer.weight *= factor
    if layer.bias is not None:
        layer.bias *= factor


# ---------------------------------------------------------------------------------------------------------------
# references
# ---------------------------------------------------------------------------------------------------------------


def scheduler_for(config, sampler: str, schedule: str):
    karras = schedule == "karras"
    if sampler == "dpmpp_2m":
        return DPMSolverMultistepScheduler.from_config(
            config, use_karras_sigmas=karras, algorithm_type="dpmsolver++", solver_order=2
        )
    if sampler == "euler":
        return EulerDiscreteScheduler.from_config(config, use_karras_sigmas=karras)
    if karras:
        raise ValueError(f"diffusers has no Karras levels for {sampler}")
    if sampler == "euler_ancestral":
        return EulerAncestralDiscreteScheduler.from_config(config)
    # Latents of a demo model or of SD are no pictures: nothing is clipped to -1..1.
    return DDIMScheduler.from_config(config, clip_sample=False)


@torch.no_grad()
def references(folder: pathlib.Path, name: str, sizes: dict) -> None:
    """Writes `{name}.safetensors` and `{name}.json`."""
    pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    torch.manual_seed(5)
    tensors, card = {}, {"texts": [], "unet": [], "vae": [], "runs": []}

    for text in TEXTS:
        ids = pipe.tokenizer(text, padding="max_length", max_length=77, truncation=True).input_ids
        card["texts"].append({"text": text, "ids": ids})
    ids = torch.tensor([card["texts"][i]["ids"] for i in (1, 10)])
    text = pipe.text_encoder(ids).last_hidden_state
    tensors["text"] = text

    channels = pipe.unet.config.in_channels
    for i, (height, width) in enumerate(sizes["latents"]):
        x = torch.randn(2, channels, height, width)
        timestep = [601.0, 20.5, 999.0][i % 3]
        y = pipe.unet(x, torch.tensor(timestep), text).sample
        tensors[f"unet.{i}.x"], tensors[f"unet.{i}.y"] = x, y
        card["unet"].append(timestep)
        listening = pipe.unet(x[:1], torch.tensor(timestep), text[1:]).sample - y[:1]
        if i == 0:
            tensors["unet.difference"] = listening
        print(f"{name}: U-Net {height}x{width}: std {y.std():.3f}, difference by text {listening.std():.3f}")

    for i, (height, width) in enumerate(sizes["decoded"]):
        x = torch.randn(1, channels, height, width) * sizes["latent_std"]
        y = pipe.vae.decode(x / pipe.vae.config.scaling_factor).sample
        tensors[f"vae.{i}.x"], tensors[f"vae.{i}.y"] = x, y
        print(f"{name}: VAE {height}x{width}: std {y.std():.3f}")
        card["vae"].append(i)

    config = pipe.scheduler.config
    for i, (sampler, schedule, steps, guidance_scale, negative, seed) in enumerate(RUNS):
        width, height = sizes["pictures"][min(i, len(sizes["pictures"]) - 1)]
        pipe.scheduler = scheduler_for(config, sampler, schedule)
        picture = pipe(
            PROMPT,
            negative_prompt=negative,
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            width=width,
            height=height,
            generator=torch.Generator("cpu").manual_seed(seed),
            output_type="pil",
        ).images[0]
        pixels = torch.from_numpy(numpy.array(picture))
        print(f"{name}: {sampler} {schedule}: std {pixels.float().std() / 255:.3f}")
        tensors[f"run.{i}"] = pixels
        card["runs"].append(
            {
                "prompt": PROMPT,
                "negative_prompt": negative,
                "sampler": sampler,
                "schedule": schedule,
                "steps": steps,
                "guidance_scale": guidance_scale,
                "seed": seed,
                "width": width,
                "height": height,
            }
        )
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, HERE / f"{name}.safetensors")
    write_json(HERE / f"{name}.json", card)


def write_json(path: pathlib.Path, data) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n")


def edit_json(path: pathlib.Path, change) -> None:
    data = json.loads(path.read_text())
    change(data)
    write_json(path, data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--demo", action="store_true", help="the demo model's numbers only")
    if parser.parse_args().demo:
        sizes = {
            "latents": [(16, 16), (12, 20)],
            "decoded": [(4, 6)],
            "latent_std": 1.0,
            "pictures": [(256, 256), (128, 128), (128, 192), (128, 128)],
        }
        references(DEMO, "demo", sizes)
    else:
        for name in ("tiny-1", "tiny-2"):
            tiny(name)
            # Odd sizes are halved and doubled again with one less.
            sizes = {
                "latents": [(8, 8), (7, 9), (5, 16)],
                "decoded": [(8, 8), (5, 7)],
                "latent_std": 1.0,
                "pictures": [(64, 64), (56, 40), (64, 64)],
            }
            references(HERE / name, name, sizes)
