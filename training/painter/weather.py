"""Rain and snow in front of everything. Drops and flakes keep their places, so that a small model can learn them."""

import random

import skia

from .brush import Brush
from .frame import Frame
from .light import Light

_PLACES = random.Random(3)
# Jittered grid points in shares of width and height, with a size.
DROPS = [
    ((i + _PLACES.random() * 0.7) / 8, (j + _PLACES.random() * 0.7) / 7, _PLACES.random())
    for j in range(7)
    for i in range(8)
]
FLAKES = [
    ((i + _PLACES.random() * 0.8) / 9, (j + _PLACES.random() * 0.8) / 9, _PLACES.random())
    for j in range(9)
    for i in range(9)
]


def paint_weather(brush: Brush, frame: Frame, light: Light) -> None:
    u = frame.unit
    if light.rain:
        tone = (150, 170, 214) if light.dark else (226, 236, 246)
        path = skia.Path()
        for x, y, size in DROPS:
            length = u * (0.05 + 0.04 * size)
            path.moveTo(x * frame.width, y * frame.height)
            path.lineTo(x * frame.width - length * 0.36, y * frame.height + length)
        brush.line(path, tone, u * 0.0075, 0.62)
    if light.snow:
        tone = (214, 224, 248) if light.dark else (255, 255, 255)
        for x, y, size in FLAKES:
            brush.circle(x * frame.width, y * frame.height, u * (0.007 + 0.008 * size), tone, 0.92)
