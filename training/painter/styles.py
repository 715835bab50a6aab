"""The two styles, applied to a finished flat picture of shape (height, width, 3), values 0..255.

`poster` keeps the flat colours, edge to edge. `watercolour` lets edges wander, thins the colour in
washes, darkens where pigment gathers, and leaves an uneven margin of paper.
"""

import functools
import random

import cv2
import numpy as np

PAPER = np.array((250, 246, 236), np.float32)


@functools.lru_cache(maxsize=32)
def noise(height: int, width: int, scale: float, seed: int) -> np.ndarray:
    """Smooth noise of unit deviation, shape (height, width), with features of about `scale` pixels."""
    grid = np.random.default_rng(seed).standard_normal((int(height / scale) + 3, int(width / scale) + 3))
    field = cv2.resize(grid.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return ((field - field.mean()) / field.std()).astype(np.float32)


@functools.lru_cache(maxsize=32)
def sheet(height: int, width: int, seed: int):
    """Everything about one sheet of paper that no picture changes: warp maps, wash, grain and margin."""
    unit = min(height, width)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    wander = unit * 0.006
    map_x = x + wander * noise(height, width, unit / 14, seed)
    map_y = y + wander * noise(height, width, unit / 14, seed + 1)
    wash = 0.1 + 0.05 * noise(height, width, unit / 5, seed + 2) + 0.03 * noise(height, width, unit / 28, seed + 3)
    edge = np.minimum.reduce([x, y, width - 1 - x, height - 1 - y])
    rough = unit * (0.04 + 0.008 * noise(height, width, unit / 10, seed + 4))
    inside = np.clip((edge - rough) / 1.5 + 0.5, 0, 1)
    rim = np.exp(-(((edge - rough - unit * 0.012) / (unit * 0.012)) ** 2)) * 0.16 * inside
    return map_x, map_y, np.clip(wash, 0, 0.4)[..., None], inside[..., None], rim[..., None]


def watercolour(picture: np.ndarray, rng: random.Random) -> np.ndarray:
    height, width = picture.shape[:2]
    map_x, map_y, wash, inside, rim = sheet(height, width, rng.randrange(6) * 10)
    wet = cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(wet, (0, 0), min(height, width) / 200).astype(np.float32)
    broad = cv2.GaussianBlur(wet, (0, 0), min(height, width) / 42).astype(np.float32)
    pooled = soft + np.clip(soft - broad, -60, 20) * 0.35
    light = pooled + (PAPER - pooled) * (wash + 0.04)
    painted = light * (1 - rim)
    return np.clip(PAPER + (painted - PAPER) * inside, 0, 255).astype(np.uint8)


def poster(picture: np.ndarray, rng: random.Random) -> np.ndarray:
    return picture


STYLES = {"poster": poster, "watercolour": watercolour}
