"""Paints postcards ahead of the diffusion training and keeps their latents, a thousand to a file.

A file holds latents (1000, 12, h, w) in half precision and the scenes as attribute indices (1000, 6); captions are
drawn anew each time a sample is used. Seven files of ten are square, the others are landscape and portrait in turn.
`.venv/bin/python -m training.cache --files 100` can run beside the training, which takes up new files as they appear.
"""

import argparse
import random

import cv2
import torch

from . import latents, paths
from .painter import paint
from .pictures import to_tensor
from .world import ATTRIBUTES, Scene, draw_scene

PER_FILE = 1000


def size_of(index: int) -> tuple[int, int]:
    """Width and height of the pictures in a file: of twenty, fourteen are square, three wide, three tall."""
    wide, tall = {3, 9, 15}, {6, 12, 18}
    return (320, 192) if index % 20 in wide else (192, 320) if index % 20 in tall else (256, 256)


def scene_to_row(scene: Scene) -> list[int]:
    return list(scene.labels().values())


def row_to_scene(row: list[int]) -> Scene:
    return Scene(*(values[i] for values, i in zip(ATTRIBUTES.values(), row)))


@torch.no_grad()
def write_file(index: int, basis) -> None:
    path = paths.work(f"cache/{index:04d}.pt")
    if path.exists():
        return
    rng = random.Random(50_000 + index)
    width, height = size_of(index)
    scenes = [draw_scene(rng) for _ in range(PER_FILE)]
    parts = []
    for scene in scenes:
        parts.append(latents.encode(basis, to_tensor(paint(scene, rng, width, height))[None]).half())
    temporary = path.with_suffix(".new")
    torch.save({"latents": torch.cat(parts), "scenes": torch.tensor([scene_to_row(s) for s in scenes])}, temporary)
    temporary.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--files", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    basis = latents.load()
    for index in range(options.first, options.files):
        write_file(index, basis)
        print(f"cache file {index}", flush=True)


if __name__ == "__main__":
    main()
