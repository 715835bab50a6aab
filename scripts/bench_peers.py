#!/usr/bin/env python3
"""Times the demo models under diffusers and transformers beside `darkroom bench`, and prints the ratios.

    .venv/bin/python scripts/bench_peers.py [--darkroom target/release/darkroom] [--rounds 3] [--repetitions 7]

Needs torch, diffusers and transformers (`training/README.md` tells how to get them). Darkroom and the peers in each of
two number formats take turns, round after round; each figure is the median over the rounds. A ratio above 1 means
that darkroom is faster. Run it on an idle machine: torch's threads wait for each other, so other work slows torch far
more than darkroom.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DTYPES = ("float32", "bfloat16")
PROMPT = "a red sailing boat on a calm sea at sunset"

# Name of the figure, what it is called in the table, and whether more of it is better.
FIGURES = [
    ("picture_load_ms", "picture model: load, ms", False),
    ("step_ms", "U-Net step with guidance, ms", False),
    ("decode_ms", "VAE decode, ms", False),
    ("picture_ms", "whole picture, ms", False),
    ("prompt_load_ms", "GPT-2: load, ms", False),
    ("tokens_per_second", "GPT-2: tokens per second", True),
]


def main() -> None:
    arguments = parse_arguments()
    darkroom_rounds: list[dict] = []
    peer_rounds: dict[str, list[dict]] = {dtype: [] for dtype in DTYPES}
    for round_number in range(1, arguments.rounds + 1):
        print(f"round {round_number} of {arguments.rounds}", file=sys.stderr)
        darkroom_rounds.append(run_darkroom(arguments))
        for dtype in DTYPES:
            peer_rounds[dtype].append(run_peers(arguments, dtype, darkroom_rounds[0]))
    print_table(medians(darkroom_rounds), {dtype: medians(rounds) for dtype, rounds in peer_rounds.items()})


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--darkroom", type=Path, default=ROOT / "target/release/darkroom")
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=7)
    # The peers run in a process of their own each time, so that all begin with the same memory.
    parser.add_argument("--peer", choices=DTYPES, help=argparse.SUPPRESS)
    parser.add_argument("--shape", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        measured = measure_peers(arguments.models, arguments.peer, arguments.repetitions, json.loads(arguments.shape))
        print(json.dumps(measured))
        sys.exit()
    if not arguments.darkroom.is_file():
        parser.error(f"{arguments.darkroom} is not there; build it with `cargo xtask build --release`")
    return arguments


def run_darkroom(arguments: argparse.Namespace) -> dict:
    command = [arguments.darkroom, "bench", "--json", "--repetitions", str(arguments.repetitions)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def run_peers(arguments: argparse.Namespace, dtype: str, shape: dict) -> dict:
    command = [sys.executable, __file__, "--peer", dtype, "--shape", json.dumps(shape)]
    command += ["--models", arguments.models, "--repetitions", str(arguments.repetitions)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)


def measure_peers(models: Path, dtype_name: str, repetitions: int, shape: dict) -> dict:
    """What `darkroom bench` measures, with the same sizes, steps and tokens as in `shape`."""
    import torch
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
    from diffusers.utils import logging as diffusers_logging
    from transformers import AutoTokenizer, GPT2LMHeadModel
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    torch.set_grad_enabled(False)
    dtype = getattr(torch, dtype_name)
    width, height = shape["width"], shape["height"]

    def median_ms(work) -> float:
        work()
        times = []
        for _ in range(repetitions):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1e3)
        return statistics.median(times)

    def load_pictures() -> StableDiffusionPipeline:
        return StableDiffusionPipeline.from_pretrained(models / "demo", dtype=dtype, safety_checker=None)

    def load_prompts() -> GPT2LMHeadModel:
        AutoTokenizer.from_pretrained(models / "demo-prompts")
        return GPT2LMHeadModel.from_pretrained(models / "demo-prompts", dtype=dtype)

    pipeline = load_pictures()
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config, use_karras_sigmas=True)
    shrink = pipeline.vae_scale_factor
    latent = torch.randn(1, pipeline.vae.config.latent_channels, height // shrink, width // shrink).to(dtype)
    text, _ = pipeline.encode_prompt("", "cpu", 1, do_classifier_free_guidance=False)
    batch, texts = torch.cat([latent, latent]), torch.cat([text, text])
    gpt2 = load_prompts().eval()
    n_tokens = shape["n_tokens"]

    def write_tokens() -> None:
        # The same loop as in darkroom: one token after the other, the likeliest one.
        token, memory = torch.zeros(1, 1, dtype=torch.long), None
        for _ in range(n_tokens):
            output = gpt2(token, past_key_values=memory, use_cache=True)
            token, memory = output.logits[:, -1:].argmax(-1), output.past_key_values

    def paint() -> None:
        pipeline(PROMPT, num_inference_steps=shape["n_steps"], guidance_scale=4.0, width=width, height=height)

    return {
        "picture_load_ms": median_ms(load_pictures),
        "step_ms": median_ms(lambda: pipeline.unet(batch, 500, encoder_hidden_states=texts)),
        "decode_ms": median_ms(lambda: pipeline.vae.decode(latent / pipeline.vae.config.scaling_factor)),
        "picture_ms": median_ms(paint),
        "prompt_load_ms": median_ms(load_prompts),
        "tokens_per_second": n_tokens / median_ms(write_tokens) * 1e3,
    }


def medians(rounds: list[dict]) -> dict:
    return {name: statistics.median(figures[name] for figures in rounds) for name, _, _ in FIGURES}


def print_table(darkroom: dict, peers: dict[str, dict]) -> None:
    columns = [f"{dtype} (ratio)" for dtype in peers]
    print(f"{'':32}{'darkroom':>12}" + "".join(f"{column:>24}" for column in columns))
    for name, title, more_is_better in FIGURES:
        row = f"{title:32}{darkroom[name]:12.1f}"
        for figures in peers.values():
            ratio = figures[name] / darkroom[name]
            row += f"{figures[name]:14.1f} ({1 / ratio if more_is_better else ratio:6.2f}x)"
        print(row)


if __name__ == "__main__":
    main()
