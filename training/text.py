"""Gives the text encoder a head start: it learns to name a caption's attributes before the U-Net listens to it.

Linear heads read the attributes (or "not stated") off the states from the end token onwards. With their help the
cross-attention has something to hold on to from its first step. The heads are thrown away.
"""

import argparse
import random
import time

import torch
import torch.nn.functional as F
from torch import nn

from . import captions, export, paths, tokenizer, world
from .device import device
from .optimiser import Muon

CHECKPOINT = "text.pt"
BATCH, STEPS, RATE = 48, 200, 2e-3


def draw(rng: random.Random, count: int) -> tuple[list[str], dict[str, torch.Tensor]]:
    """Captions and, for each attribute, the index of what is stated; the last index means that nothing is."""
    texts, rows = [], []
    for _ in range(count):
        scene = world.draw_scene(rng)
        text, stated = captions.caption(scene, rng)
        texts.append(text)
        rows.append([i if name in stated else len(world.ATTRIBUTES[name]) for name, i in scene.labels().items()])
    table = torch.tensor(rows)
    return texts, {name: table[:, i] for i, name in enumerate(world.ATTRIBUTES)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    steps = parser.parse_args().steps
    if paths.work(CHECKPOINT).exists():
        return
    torch.manual_seed(2)
    where, rng, began = device(), random.Random(2), time.time()
    words = tokenizer.load(paths.DEMO / "tokenizer")
    encoder = export.build_text_encoder().to(where)
    width = encoder.config.hidden_size
    heads = nn.ModuleDict({n: nn.Linear(width, len(v) + 1) for n, v in world.ATTRIBUTES.items()}).to(where)
    optimiser = Muon([encoder, heads], RATE)
    for step in range(steps):
        optimiser.set_lr(RATE * min(1, step / 50 + 0.02) * (1 - step / steps))
        texts, labels = draw(rng, BATCH)
        # 40 positions are enough: every caption ends before, and later ones see the same.
        batch = words(texts, padding="max_length", max_length=40, truncation=True, return_tensors="pt").to(where)
        with torch.autocast(where.type, torch.bfloat16):
            states = encoder(batch.input_ids).last_hidden_state
        after = (batch.input_ids == words.eos_token_id).float()
        pooled = (states.float() * after[..., None]).sum(1) / after.sum(1, keepdim=True)
        loss = sum(F.cross_entropy(heads[name](pooled), labels[name].to(where)) for name in heads)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        if step % 10 == 0 or step == steps - 1:
            print(f"text step {step} loss {loss.item():.4f} after {time.time() - began:.0f} s", flush=True)
    torch.save(encoder.state_dict(), paths.work(CHECKPOINT))


if __name__ == "__main__":
    main()
