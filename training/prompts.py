"""Trains demo-prompts: a small GPT-2 that writes captions of the fuller kind, from nothing or from a beginning.

Each training row is one prompt between two end-of-text tokens, which is also how the model is asked: the end token
first, then the beginning that the user typed.
"""

import argparse
import random
import shutil
import time

import torch
import torch.nn.functional as F

from . import captions, export, models, paths, prompt_tokenizer, world
from .device import device
from .optimiser import Muon

CHECKPOINT, VOCABULARY = "prompts.pt", "prompts-vocabulary"
BATCH, STEPS, RATE, LENGTH = 64, 800, 2e-3, 40


def draw_texts(rng: random.Random, count: int) -> list[str]:
    """Full captions of the scenes that the demo model was trained on."""
    return [captions.full_caption(world.draw_scene(rng), rng) for _ in range(count)]


def rows(words, texts: list[str]) -> torch.Tensor:
    """Token ids (n, LENGTH): end token, prompt, and end tokens to fill up."""
    end = words.token_to_id(prompt_tokenizer.END)
    coded = [[end, *encoding.ids][: LENGTH - 1] for encoding in words.encode_batch(texts)]
    return torch.tensor([row + [end] * (LENGTH - len(row)) for row in coded])


def loss_of(model, batch: torch.Tensor, end: int) -> torch.Tensor:
    """Mean cross-entropy over the prompt's tokens and the first end token after it."""
    logits = model(batch).logits[:, :-1].float()
    target = batch[:, 1:].clone()
    ends = (target == end).cumsum(1)
    target[(target == end) & (ends > 1)] = -100
    return F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-100)


def write() -> None:
    """Vocabulary and weights to models/demo-prompts, together."""
    folder = paths.work(VOCABULARY)
    words = prompt_tokenizer.load(folder)
    model = models.prompt_writer(words.get_vocab_size(), words.token_to_id(prompt_tokenizer.END))
    model.load_state_dict(torch.load(paths.work(CHECKPOINT), map_location="cpu"))
    shutil.copytree(folder, paths.PROMPTS, dirs_exist_ok=True)
    export.write_prompts(model)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    steps = parser.parse_args().steps
    if paths.work(CHECKPOINT).exists():
        print("demo-prompts is trained")
        return
    torch.manual_seed(4)
    rng, where, began = random.Random(4), device(), time.time()
    folder = paths.work(VOCABULARY)
    prompt_tokenizer.train(draw_texts(random.Random(0), 20_000), folder)
    words = prompt_tokenizer.load(folder)
    end = words.token_to_id(prompt_tokenizer.END)
    model = models.prompt_writer(words.get_vocab_size(), end).to(where)
    optimiser = Muon([model], RATE)
    for step in range(steps):
        optimiser.set_lr(RATE * min(1, step / 50 + 0.02) * (1 - step / steps))
        batch = rows(words, draw_texts(rng, BATCH)).to(where)
        with torch.autocast(where.type, torch.bfloat16):
            loss = loss_of(model, batch, end)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        if step % 50 == 0 or step == steps - 1:
            print(f"prompts step {step} loss {loss.item():.4f} after {time.time() - began:.0f} s", flush=True)
    torch.save(model.state_dict(), paths.work(CHECKPOINT))
    write()


if __name__ == "__main__":
    main()
