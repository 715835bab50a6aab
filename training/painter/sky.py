"""The sky: gradient, sun or moon, stars, clouds."""

import random

import skia

from .brush import Brush, mix, svg
from .frame import Frame
from .light import Light

# Stars keep their places from picture to picture, in shares of the width and of the sky's height.
STARS = [(random.Random(7 + i).random(), random.Random(99 + i).random() * 0.85, i % 3) for i in range(34)]


def paint_sky(brush: Brush, frame: Frame, light: Light, time: str, rng: random.Random) -> None:
    everything = skia.Path.Rect(skia.Rect.MakeWH(frame.width, frame.height))
    brush.gradient(everything, 0, frame.horizon * 1.04, list(light.sky))
    if time == "night":
        paint_stars(brush, frame, light)
        paint_moon(brush, frame, light)
    else:
        paint_sun(brush, frame, light, time)
    paint_clouds(brush, frame, light, time, rng)


def paint_stars(brush: Brush, frame: Frame, light: Light) -> None:
    if light.rain:
        return
    for x, y, size in STARS:
        brush.circle(x * frame.width, y * frame.horizon, (0.8 + 0.5 * size) * frame.unit / 256, (255, 250, 228), 0.9)


def paint_moon(brush: Brush, frame: Frame, light: Light) -> None:
    x, y, radius = frame.width * 0.82, frame.horizon * 0.24, frame.unit * 0.062
    brush.glow(x, y, radius * 3.4, (190, 204, 255), 0.35)
    brush.circle(x, y, radius, mix(light.sun, light.sky[0], 0.5 if light.rain else 0.0))
    brush.circle(x - radius * 0.42, y - radius * 0.18, radius * 0.84, mix(light.sky[0], light.sky[1], 0.3))


def sun_place(frame: Frame, time: str) -> tuple[float, float, float]:
    """Centre and radius of the sun: low at the left, high at the right, or large on the horizon."""
    if time == "morning":
        return frame.width * 0.17, frame.horizon * 0.72, frame.unit * 0.06
    if time == "noon":
        return frame.width * 0.83, frame.horizon * 0.22, frame.unit * 0.07
    return frame.width * 0.78, frame.horizon * 0.84, frame.unit * 0.115


def paint_sun(brush: Brush, frame: Frame, light: Light, time: str) -> None:
    x, y, radius = sun_place(frame, time)
    hidden = 0.55 if light.rain else 0.2 if light.snow else 0.0
    brush.glow(x, y, radius * (4.6 if time == "sunset" else 3.6), light.sun, 0.75 * (1 - hidden))
    brush.circle(x, y, radius, mix(light.sun, light.sky[1], hidden))


CLOUD = "M-1 .3 Q-1.05 0 -.7 -.02 Q-.62 -.38 -.24 -.3 Q-.02 -.66 .34 -.4 Q.66 -.5 .72 -.1 Q1.05 -.06 1 .3 Z"
STREAK = "M-1 0 Q-.4 -.16 .1 -.07 Q.6 -.15 1 0 Q.5 .1 0 .05 Q-.5 .12 -1 0 Z"


def paint_clouds(brush: Brush, frame: Frame, light: Light, time: str, rng: random.Random) -> None:
    if light.rain or light.snow:
        tone = mix(light.sky[0], (70, 78, 92), 0.45) if light.rain else mix(light.sky[0], (236, 240, 246), 0.5)
        if light.dark:
            tone = mix(light.sky[1], (84, 94, 124), 0.4)
        for x, y, size in ((0.1, 0.02, 0.34), (0.42, -0.05, 0.36), (0.68, 0.03, 0.3), (0.95, -0.02, 0.32)):
            place_cloud(brush, CLOUD, frame, x + rng.uniform(-0.03, 0.03), y, size, tone, 0.9)
        return
    if time == "noon":
        for x, y in ((0.16, 0.24), (0.6, 0.13)):
            spot = (x + rng.uniform(-0.08, 0.08), y + rng.uniform(-0.06, 0.06))
            place_cloud(brush, CLOUD, frame, *spot, rng.uniform(0.1, 0.15), (255, 255, 255), 0.92)
        return
    tone = {"morning": (255, 246, 236), "sunset": (255, 152, 110), "night": (62, 78, 140)}[time]
    for x, y in ((0.2, 0.3), (0.66, 0.16), (0.4, 0.58)):
        spot = (x + rng.uniform(-0.12, 0.12), y + rng.uniform(-0.06, 0.06))
        place_cloud(brush, STREAK, frame, *spot, rng.uniform(0.2, 0.3), tone, 0.55)


def place_cloud(brush, shape: str, frame: Frame, x: float, y: float, size: float, colour, alpha: float) -> None:
    """Puts a cloud at shares of the width and of the sky's height."""
    brush.canvas.save()
    brush.canvas.translate(x * frame.width, y * frame.horizon)
    brush.canvas.scale(size * frame.unit, size * frame.unit)
    brush.path(svg(shape), colour, alpha)
    brush.canvas.restore()
