"""Endless painted postcards as tensors, painted by a worker process beside the training."""

import random

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from .painter import paint
from .world import Scene, draw_scene


def to_tensor(picture: np.ndarray) -> torch.Tensor:
    """uint8 (H, W, 3) to float (3, H, W) in -1..1."""
    return torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5 - 1


class Postcards(IterableDataset):
    """Batches of (pictures, scenes): uint8 tensors (batch, H, W, 3) and lists of `Scene`."""

    def __init__(self, batch: int, seed: int, width: int = 256, height: int = 256):
        self.batch, self.seed, self.width, self.height = batch, seed, width, height

    def __iter__(self):
        import cv2

        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        rng = random.Random(self.seed * 1000 + (worker.id if worker else 0))
        while True:
            scenes = [draw_scene(rng) for _ in range(self.batch)]
            yield torch.from_numpy(np.stack([paint(s, rng, self.width, self.height) for s in scenes])), scenes


def stream(batch: int, seed: int, **size):
    """Iterates over float pictures (batch, 3, H, W) in -1..1 with their scenes."""
    # A forked worker would hang in OpenCV once the parent has used threads.
    loader = DataLoader(
        Postcards(batch, seed, **size),
        batch_size=None,
        num_workers=1,
        prefetch_factor=4,
        multiprocessing_context="spawn",
    )
    for pictures, scenes in loader:
        yield pictures.permute(0, 3, 1, 2).float() / 127.5 - 1, scenes


def scenes_to_labels(scenes: list[Scene]) -> dict[str, torch.Tensor]:
    """Each attribute's values as a tensor of indices (batch)."""
    rows = [scene.labels() for scene in scenes]
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}
