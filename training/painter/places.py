"""The six landscapes, each painted from the horizon towards the viewer."""

import random

import skia

from .brush import Brush, mix, polygon, smooth, svg
from .frame import Frame
from .light import Light
from .sky import sun_place


def ridge(frame: Frame, rng: random.Random, top: float, rise: float, count: int) -> list[tuple[float, float]]:
    """Points from left edge to right around y = `top`, alternately up and down by about `rise` pixels."""
    phase = rng.choice((0, 1))
    step = frame.width / count
    points = []
    for i in range(-1, count + 2):
        sign = 1 if (i + phase) % 2 else -1
        points.append((i * step + rng.uniform(-0.2, 0.2) * step, top + sign * rise * rng.uniform(0.5, 1.0)))
    return points


def ground(brush: Brush, frame: Frame, top: float, near, far) -> None:
    """Fills everything below y = `top`."""
    area = skia.Path.Rect(skia.Rect.MakeLTRB(0, top, frame.width, frame.height))
    brush.gradient(area, top, frame.height, [far, near])


def sea(brush: Brush, frame: Frame, light: Light, time: str, rng: random.Random) -> None:
    u, h = frame.unit, frame.horizon
    far = smooth(ridge(frame, rng, h - 0.03 * u, 0.035 * u, 4), h + 2)
    brush.path(far, light.land((92, 132, 150), 0.55))
    deep, pale = light.land((18, 96, 140), 0, 0.12), light.land((80, 176, 196), 0.3, 0.12)
    ground(brush, frame, h, deep, pale)
    x = frame.width * 0.82 if time == "night" else sun_place(frame, time)[0]
    shine = mix(light.sun, pale, 0.5 if light.rain else 0.15)
    for i in range(9):
        y = h + (frame.height - h) * ((i + 0.5) / 9) ** 1.3
        half = u * (0.05 + 0.018 * i) * rng.uniform(0.8, 1.2)
        brush.rect(x - half, y, 2 * half, u * 0.011, shine, 0.75 - 0.05 * i, u * 0.006)
    crest = mix(pale, (255, 255, 255), 0.08 if light.dark else 0.35)
    for i in range(12):
        y = h + (frame.height - h) * ((i + 0.7) / 12) ** 1.2
        x0 = frame.width * ((i * 0.381 + rng.uniform(0, 0.1)) % 1.0)
        wide = u * (0.04 + 0.011 * i)
        brush.rect(x0 - wide, y, 2 * wide, u * 0.009, crest, 0.5, u * 0.005)


def mountains(brush: Brush, frame: Frame, light: Light, time: str, rng: random.Random) -> None:
    u, h, w = frame.unit, frame.horizon, frame.width
    for row, (top, distance, count) in enumerate(((0.36, 0.55, 3), (0.2, 0.2, 4))):
        stone = light.land((96, 112, 148) if row == 0 else (70, 84, 112), distance, 0.25)
        shade = mix(stone, light.ambient, 0.25) if light.dark else mix(stone, (30, 36, 70), 0.25)
        snow = light.land((250, 252, 255), distance * 0.35)
        for i in range(count):
            x = w * (i + 0.5 + rng.uniform(-0.2, 0.2)) / count
            peak = h - u * top * rng.uniform(0.8, 1.15)
            half = w / count * rng.uniform(0.75, 0.95)
            tall = h - peak
            brush.path(polygon([(x - half, h + 3), (x, peak), (x + half, h + 3)]), stone)
            brush.path(
                polygon([(x, peak), (x + half, h + 3), (x + half * 0.2, h + 3), (x + half * 0.1, peak + tall * 0.4)]),
                shade,
            )
            cap, side = 0.34, half * 0.34
            jag = [
                (x, peak),
                (x + side, peak + cap * tall),
                (x + side * 0.4, peak + cap * tall * 0.75),
                (x, peak + cap * tall * 1.1),
                (x - side * 0.45, peak + cap * tall * 0.78),
                (x - side, peak + cap * tall),
            ]
            brush.path(polygon(jag), snow)
    ground(brush, frame, h, light.land((62, 104, 78)), light.land((116, 150, 106), 0.25))
    brush.path(smooth(ridge(frame, rng, h + 0.13 * u, 0.025 * u, 3), frame.height), light.land((78, 120, 88)))
    for i in range(7):
        stone_x, y = w * ((i * 0.618 + rng.uniform(0, 0.1)) % 1), h + u * (0.12 + 0.035 * i)
        brush.oval(stone_x, y, u * 0.022, u * 0.013, light.land((138, 144, 152)))


def meadow(brush: Brush, frame: Frame, light: Light, time: str, rng: random.Random) -> None:
    u, h = frame.unit, frame.horizon
    brush.path(smooth(ridge(frame, rng, h - 0.07 * u, 0.05 * u, 3), frame.height), light.land((138, 188, 120), 0.4))
    brush.path(smooth(ridge(frame, rng, h - 0.005 * u, 0.035 * u, 3), frame.height), light.land((120, 186, 84), 0.12))
    ground(brush, frame, h + 0.06 * u, light.land((66, 150, 58)), light.land((128, 196, 78)))
    brush.path(smooth(ridge(frame, rng, h + 0.12 * u, 0.03 * u, 3), frame.height), light.land((92, 174, 66)), 0.6)
    petals = ((255, 246, 214), (250, 210, 70), (240, 120, 130))
    for i in range(30):
        depth = ((i + 0.5) / 30) ** 0.8
        x = frame.width * ((i * 0.618 + rng.uniform(0, 0.06)) % 1)
        y = h + 0.1 * u + (frame.height - h - 0.1 * u) * depth
        brush.circle(x, y, u * (0.005 + 0.007 * depth), light.land(petals[i % 3], 0, 0.5))


def desert(brush: Brush, frame: Frame, light: Light, time: str, rng: random.Random) -> None:
    u, h, w = frame.unit, frame.horizon, frame.width
    mesa = light.land((206, 124, 84), 0.35)
    x = w * rng.uniform(0.06, 0.14)
    brush.path(
        polygon(
            [(x - 0.12 * u, h + 2), (x - 0.07 * u, h - 0.17 * u), (x + 0.13 * u, h - 0.17 * u), (x + 0.2 * u, h + 2)]
        ),
        mesa,
    )
    x = w * rng.uniform(0.84, 0.94)
    brush.path(
        polygon([(x - 0.16 * u, h + 2), (x - 0.1 * u, h - 0.1 * u), (x + 0.1 * u, h - 0.1 * u), (x + 0.2 * u, h + 2)]),
        mesa,
    )
    ground(brush, frame, h - 0.01 * u, light.land((226, 160, 82)), light.land((246, 204, 134), 0.1))
    for top, tone in ((0.05, (240, 192, 116)), (0.15, (232, 174, 96)), (0.27, (222, 158, 80))):
        brush.path(smooth(ridge(frame, rng, h + top * u, 0.028 * u, 2), frame.height), light.land(tone))
    green = light.land((62, 130, 82), 0, 0.4)
    for share, y, size in ((0.1, 0.1, 0.2), (0.91, 0.16, 0.24)):
        cactus(brush, w * share + u * rng.uniform(-0.02, 0.02), h + y * u, size * u, green)


def cactus(brush: Brush, x: float, base: float, size: float, colour) -> None:
    brush.canvas.save()
    brush.canvas.translate(x, base)
    brush.canvas.scale(size, size)
    brush.line("M0 0 L0 -.92", colour, 0.17)
    brush.line("M0 -.34 L-.26 -.34 L-.26 -.66", colour, 0.12)
    brush.line("M0 -.24 L.26 -.24 L.26 -.54", colour, 0.12)
    brush.canvas.restore()


FIR = "M0 -1 L.2 -.62 L.12 -.62 L.3 -.32 L.2 -.32 L.38 0 L-.38 0 L-.2 -.32 L-.3 -.32 L-.12 -.62 L-.2 -.62 Z"


def forest(brush: Brush, frame: Frame, light: Light, time: str, rng: random.Random) -> None:
    u, h, w = frame.unit, frame.horizon, frame.width
    for count, size, base, tone, distance in (
        (12, 0.36, 0.0, (74, 124, 96), 0.42),
        (9, 0.46, 0.03, (44, 96, 70), 0.14),
    ):
        for i in range(count):
            x = w * (i + 0.5 + rng.uniform(-0.2, 0.2)) / count
            fir(brush, x, h + base * u, size * u * rng.uniform(0.85, 1.1), light.land(tone, distance, 0.35))
    ground(brush, frame, h, light.land((34, 82, 50)), light.land((74, 124, 66), 0.1))
    brush.path(smooth(ridge(frame, rng, h + 0.14 * u, 0.025 * u, 3), frame.height), light.land((48, 98, 56)))
    for side in (0.04, 0.97):
        x = w * side + u * rng.uniform(-0.02, 0.02)
        fir(brush, x, h + 0.2 * u, u * 0.74 * rng.uniform(0.95, 1.05), light.land((24, 70, 52), 0, 0.3))


def fir(brush: Brush, x: float, base: float, size: float, colour) -> None:
    brush.canvas.save()
    brush.canvas.translate(x, base)
    brush.canvas.scale(size, size)
    brush.path(svg(FIR), colour)
    brush.canvas.restore()


# Left edge, width and height of the buildings of two rows, in shares of the width and of the unit.
BACK_ROW = (
    (0.0, 0.13, 0.3),
    (0.15, 0.1, 0.42),
    (0.27, 0.13, 0.34),
    (0.42, 0.1, 0.46),
    (0.55, 0.13, 0.36),
    (0.7, 0.1, 0.48),
    (0.82, 0.16, 0.34),
)
FRONT_ROW = (
    (-0.02, 0.13, 0.24),
    (0.12, 0.13, 0.17),
    (0.26, 0.11, 0.22),
    (0.38, 0.14, 0.14),
    (0.53, 0.12, 0.2),
    (0.66, 0.14, 0.16),
    (0.81, 0.1, 0.24),
    (0.92, 0.12, 0.18),
)


def city(brush: Brush, frame: Frame, light: Light, time: str, rng: random.Random) -> None:
    u, h, w = frame.unit, frame.horizon, frame.width
    lit = (255, 214, 120)
    for row, tone, distance in ((BACK_ROW, (118, 132, 164), 0.45), (FRONT_ROW, (84, 96, 128), 0.12)):
        wall = light.land(tone, distance, 0.12)
        pane = mix(lit, wall, 0.1) if light.dark else mix(wall, lit if time == "sunset" else (240, 248, 255), 0.45)
        for left, wide, tall in row:
            x, width, height = w * left, w * wide, u * tall * rng.uniform(0.88, 1.12)
            brush.rect(x, h - height, width, height + 2, wall)
            rows, columns = int(height / (u * 0.055)), max(2, int(width / (u * 0.045)))
            for r in range(rows):
                for c in range(columns):
                    if (r * 5 + c * 3) % 4:
                        brush.rect(
                            x + width * (c + 0.28) / columns,
                            h - height + u * (0.025 + 0.055 * r),
                            width * 0.44 / columns,
                            u * 0.026,
                            pane,
                        )
    ground(brush, frame, h, light.land((104, 108, 122)), light.land((150, 152, 160)))
    brush.rect(0, h, w, u * 0.03, light.land((196, 192, 186)))
    stripe = light.land((236, 226, 190))
    for i in range(-1, 5):
        x = w * (i * 0.25 + 0.03)
        brush.rect(x, h + u * 0.31, w * 0.13, u * 0.016, stripe)


PLACES = {"sea": sea, "mountains": mountains, "meadow": meadow, "desert": desert, "forest": forest, "city": city}
