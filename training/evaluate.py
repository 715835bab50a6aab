"""Measures the demo model: what it paints is judged by the classifier, and shown on a contact sheet.

Captions are drawn with seeds that the training never used; a second group is about combinations of subject, colour and
place that the training never saw. A picture is judged only on what its caption states. Pictures are made with
diffusers, from the folder as it is, with its default settings. The classifier itself is measured on painted postcards.
"""

import argparse
import json
import random
import time

import numpy as np
import torch
from PIL import Image

from . import captions, classifier, paths, world
from .pictures import to_tensor
from .sheets import contact_sheet

JUDGED = ("subject", "colour", "place", "time", "style", "weather")
UNSEEN, HELD_OUT, CLASSIFIER = "unseen captions", "held-out combinations", "the classifier on painted postcards"
GOALS = {
    UNSEEN: {"subject": 0.85, "colour": 0.90, "place": 0.95, "time": 0.95, "style": 0.85},
    HELD_OUT: {"subject": 0.75, "colour": 0.75},
    CLASSIFIER: dict.fromkeys(JUDGED, 0.97),
}


def draw_prompts(count: int, held_out: bool, seed: int) -> list[tuple[str, set[str], world.Scene]]:
    """Captions with what they state and the scene they are about."""
    rng = random.Random(seed)
    prompts = []
    for _ in range(count):
        scene = world.draw_scene(rng, held_out)
        text, stated = captions.caption(scene, rng)
        prompts.append((text, stated, scene))
    return prompts


def load_pipeline(dtype: torch.dtype):
    """The demo model in diffusers, and its default settings."""
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(paths.DEMO, torch_dtype=dtype)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline, json.loads((paths.DEMO / "darkroom.json").read_text())["defaults"]


def generate(
    prompts, steps: int | None, guidance: float | None, dtype=torch.float32, batch: int = 20
) -> list[Image.Image]:
    """One picture for each prompt, 256x256."""
    pipeline, defaults = load_pipeline(dtype)
    pictures = []
    for start in range(0, len(prompts), batch):
        texts = [text for text, _, _ in prompts[start : start + batch]]
        pictures += pipeline(
            texts,
            num_inference_steps=steps or defaults["steps"],
            guidance_scale=guidance or defaults["guidance_scale"],
            generator=[torch.Generator().manual_seed(start + i) for i in range(len(texts))],
        ).images
    return pictures


def score(prompts, pictures) -> dict[str, tuple[int, int]]:
    """For each attribute how many pictures show it rightly, and of how many it was asked."""
    judge = classifier.load()
    result = {name: [0, 0] for name in JUDGED}
    for (_, stated, scene), picture in zip(prompts, pictures):
        seen = classifier.judge(judge, to_tensor(np.array(picture))[None])
        for name in JUDGED:
            if name in stated:
                result[name][0] += int(seen[name].item() == scene.labels()[name])
                result[name][1] += 1
    return {name: tuple(pair) for name, pair in result.items()}


def table(scores: dict[str, dict[str, tuple[int, int]]]) -> str:
    """A Markdown table: a row for each attribute, and two columns for each group: what was reached, and the goal."""
    lines = ["| right in |" + "".join(f" {group} | goal |" for group in scores), "| --- |" + " --- |" * 2 * len(scores)]
    for name in JUDGED:
        cells = ""
        for group, score in scores.items():
            right, asked = score[name]
            goal = f"{GOALS[group][name]:.0%}" if name in GOALS[group] else ""
            cells += f" {right / max(1, asked):.1%} of {asked} | {goal} |"
        lines.append(f"| {name} |{cells}")
    return "\n".join(lines)


def score_of_classifier() -> dict[str, tuple[int, int]]:
    """How many painted postcards of unseen seeds the classifier names rightly."""
    count = 640
    shares = classifier.accuracy(classifier.load(), batches=count // classifier.BATCH)
    return {name: (round(shares[name] * count), count) for name in JUDGED}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--held-out", type=int, default=100)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--dtype", default="float32", help="bfloat16 is faster and judges nearly alike")
    options = parser.parse_args()
    groups = {
        UNSEEN: draw_prompts(options.count, False, seed=1_000_001),
        HELD_OUT: draw_prompts(options.held_out, True, seed=1_000_002),
    }
    scores, sheets = {}, {}
    for name, prompts in groups.items():
        began = time.time()
        pictures = generate(prompts, options.steps, options.guidance, getattr(torch, options.dtype))
        print(f"{name}: {(time.time() - began) / len(prompts):.2f} s a picture", flush=True)
        scores[name] = score(prompts, pictures)
        sheets[name] = (pictures, [text for text, _, _ in prompts])
    scores[CLASSIFIER] = score_of_classifier()
    text = table(scores)
    print(text)
    paths.work("evaluation.md").write_text(text + "\n")
    for name, (pictures, texts) in sheets.items():
        slug = name.replace(" ", "-")
        contact_sheet(pictures[:64], texts[:64]).save(paths.work(f"sheet-{slug}.png"))
        contact_sheet(pictures[:64]).save(paths.work(f"sheet-{slug}-without-captions.png"))


if __name__ == "__main__":
    main()
