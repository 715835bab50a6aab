"""Training samples of the diffusion model: cached latents in buckets by shape, with a fresh caption each time."""

import random
import time

import torch

from . import captions, paths
from .cache import row_to_scene

DROPPED = 0.1


class Samples:
    """Grows as `cache` writes more files; every batch comes from one bucket."""

    def __init__(self, words, batch: int, seed: int):
        self.words, self.batch, self.rng = words, batch, random.Random(seed)
        self.files, self.looked = set(), 0.0
        self.latents: dict[tuple[int, int], list[torch.Tensor]] = {}
        self.scenes: dict[tuple[int, int], list] = {}
        self.look()

    def look(self) -> None:
        """Takes up files that have appeared since the last look."""
        for path in sorted((paths.WORK / "cache").glob("*.pt")):
            if path.name not in self.files:
                data = torch.load(path)
                shape = tuple(data["latents"].shape[2:])
                self.latents.setdefault(shape, []).append(data["latents"])
                self.scenes.setdefault(shape, []).extend(row_to_scene(row) for row in data["scenes"].tolist())
                self.files.add(path.name)
        self.looked = time.time()

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Latents (batch, 12, h, w) and token ids (batch, 77)."""
        if time.time() - self.looked > 60:
            self.look()
        shapes = list(self.latents)
        shape = self.rng.choices(shapes, [len(self.scenes[s]) for s in shapes])[0]
        chosen = [self.rng.randrange(len(self.scenes[shape])) for _ in range(self.batch)]
        parts = self.latents[shape]
        size = len(parts[0])
        latents = torch.stack([parts[i // size][i % size] for i in chosen]).float()
        texts = [self.caption(self.scenes[shape][i]) for i in chosen]
        tokens = self.words(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids
        return latents, tokens

    def caption(self, scene) -> str:
        return "" if self.rng.random() < DROPPED else captions.caption(scene, self.rng)[0]
