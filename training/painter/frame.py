"""The composition of one postcard: where horizon, ground and subject lie, in pixels."""

import random
from dataclasses import dataclass

FLOATING = {"hot-air balloon", "rocket"}


@dataclass(frozen=True)
class Frame:
    """Sizes and places in pixels; `unit` is the shorter side."""

    width: int
    height: int
    unit: float
    horizon: float
    x: float
    base: float
    size: float

    @staticmethod
    def draw(width: int, height: int, subject: str, rng: random.Random) -> "Frame":
        """Chooses the places; they vary little, so that a small model can learn the shapes well."""
        unit = min(width, height)
        tall = height / unit - 1
        base = height * (0.86 - 0.03 * tall) + unit * rng.uniform(-0.02, 0.02)
        size = unit * rng.uniform(0.6, 0.68)
        if subject in FLOATING:
            base -= unit * (0.08 + 0.2 * tall)
        return Frame(
            width=width,
            height=height,
            unit=unit,
            horizon=height * (0.62 + rng.uniform(-0.025, 0.025)),
            x=width * 0.5 + unit * rng.uniform(-0.05, 0.05),
            base=base,
            size=size,
        )
