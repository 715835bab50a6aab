"""A separate judge of pictures: a small convolutional net that names what a postcard shows.

It is trained on freshly painted postcards of all combinations, with random blur and noise, so that it looks at shapes
and colours rather than at crisp edges. It sees every picture at 96x96, whatever its shape.
"""

import argparse
import math
import random

import torch
import torch.nn.functional as F
from torch import nn

from . import paths, world
from .device import device
from .optimiser import Muon
from .pictures import scenes_to_labels, stream

CHECKPOINT = "classifier.pt"
SIDE, BATCH, STEPS, RATE = 96, 32, 600, 2e-3


def shrink(pictures: torch.Tensor) -> torch.Tensor:
    """(n, 3, H, W) in -1..1 to (n, 3, 96, 96)."""
    return F.interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)


class Block(nn.Module):
    def __init__(self, before: int, after: int):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(after, after, 3, 1, 1), nn.BatchNorm2d(after), nn.ReLU())

    def forward(self, x):
        x = self.first(x)
        return x + self.second(x)


class Classifier(nn.Module):
    """Pictures (n, 3, 96, 96) to a dictionary of logits, one entry an attribute."""

    def __init__(self):
        super().__init__()
        widths = (3, 32, 64, 96, 128)
        self.body = nn.Sequential(*[Block(a, b) for a, b in zip(widths, widths[1:])])
        features = widths[-1] * (SIDE // 16) ** 2
        self.heads = nn.ModuleDict({n: nn.Linear(features, len(v)) for n, v in world.ATTRIBUTES.items()})

    def forward(self, pictures):
        features = self.body(pictures).flatten(1)
        return {name: head(features) for name, head in self.heads.items()}


def disturb(pictures: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """Blurs half of the batches and adds a little noise, as a decoder would."""
    if rng.random() < 0.5:
        small = F.interpolate(pictures, scale_factor=rng.choice((0.5, 0.67)), mode="bilinear", antialias=True)
        pictures = F.interpolate(small, (SIDE, SIDE), mode="bilinear")
    return pictures + rng.uniform(0, 0.08) * torch.randn_like(pictures)


def load() -> Classifier:
    model = Classifier()
    model.load_state_dict(torch.load(paths.work(CHECKPOINT), map_location="cpu"))
    return model.eval()


@torch.no_grad()
def judge(model: Classifier, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
    """The index of the likeliest value of each attribute; pictures (n, 3, H, W) in -1..1."""
    return {name: logits.argmax(1) for name, logits in model(shrink(pictures)).items()}


def accuracy(model: Classifier, batches: int = 20) -> dict[str, float]:
    """The share of painted postcards, of seeds not trained on, that it names rightly."""
    right, count = dict.fromkeys(world.ATTRIBUTES, 0), 0
    source = stream(BATCH, seed=777)
    for _ in range(batches):
        pictures, scenes = next(source)
        labels = scenes_to_labels(scenes)
        for name, values in judge(model, pictures).items():
            right[name] += (values == labels[name]).sum().item()
        count += len(scenes)
    return {name: value / count for name, value in right.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    steps = parser.parse_args().steps
    if paths.work(CHECKPOINT).exists():
        print(accuracy(load()))
        return
    torch.manual_seed(5)
    where, rng, model = device(), random.Random(5), Classifier()
    model.to(where, memory_format=torch.channels_last)
    optimiser = Muon([model], RATE)
    for step, (pictures, scenes) in enumerate(stream(BATCH, seed=31)):
        if step == steps:
            break
        optimiser.set_lr(RATE * min(1, step / 30 + 0.03) * 0.5 * (1 + math.cos(math.pi * step / steps)))
        labels = {name: values.to(where) for name, values in scenes_to_labels(scenes).items()}
        with torch.autocast(where.type, torch.bfloat16):
            logits = model(disturb(shrink(pictures.to(where)), rng))
        loss = sum(F.cross_entropy(logits[name].float(), labels[name]) for name in labels)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        if step % 50 == 0:
            print(f"classifier step {step} loss {loss.item():.4f}", flush=True)
    model.cpu().eval()
    torch.save(model.state_dict(), paths.work(CHECKPOINT))
    print(accuracy(model))


if __name__ == "__main__":
    main()
