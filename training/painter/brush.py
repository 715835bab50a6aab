"""A thin layer over Skia: colours as (r, g, b) of 0..255, shapes in the canvas's current units, y downwards."""

import functools
import re

import skia

Colour = tuple[float, float, float]

_COUNTS = {"M": 2, "L": 2, "Q": 4, "C": 6, "Z": 0}


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`a` with `share` (0..1) of `b` in it."""
    return tuple(x + (y - x) * share for x, y in zip(a, b))


def scale(colour: Colour, factor: float) -> Colour:
    return tuple(min(255.0, x * factor) for x in colour)


def argb(colour: Colour, alpha: float = 1.0) -> int:
    red, green, blue = (max(0, min(255, round(x))) for x in colour)
    return skia.ColorSetARGB(round(255 * alpha), red, green, blue)


@functools.lru_cache(maxsize=512)
def svg(data: str) -> skia.Path:
    """A path from absolute SVG commands (M, L, Q, C, Z); numbers after a command repeat it."""
    path = skia.Path()
    calls = {"M": path.moveTo, "L": path.lineTo, "Q": path.quadTo, "C": path.cubicTo}
    for command, numbers in re.findall(r"([MLQCZ])([^MLQCZ]*)", data):
        values = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "Z":
            path.close()
            continue
        step = _COUNTS[command]
        for start in range(0, len(values), step):
            calls[command](*values[start : start + step])
    return path


def smooth(points: list[tuple[float, float]], floor: float) -> skia.Path:
    """A filled hill: a soft curve through `points` from left to right, closed along y = `floor`."""
    path = skia.Path()
    path.moveTo(points[0][0], floor)
    path.lineTo(*points[0])
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        middle = (x0 + x1) / 2
        path.cubicTo(middle, y0, middle, y1, x1, y1)
    path.lineTo(points[-1][0], floor)
    path.close()
    return path


def polygon(points: list[tuple[float, float]]) -> skia.Path:
    path = skia.Path()
    path.addPoly([skia.Point(x, y) for x, y in points], True)
    return path


class Brush:
    """Draws filled and stroked shapes on a canvas."""

    def __init__(self, canvas: skia.Canvas):
        self.canvas = canvas

    def paint(self, colour: Colour, alpha: float = 1.0) -> skia.Paint:
        return skia.Paint(AntiAlias=True, Color=argb(colour, alpha))

    def path(self, shape: skia.Path | str, colour: Colour, alpha: float = 1.0) -> None:
        self.canvas.drawPath(svg(shape) if isinstance(shape, str) else shape, self.paint(colour, alpha))

    def line(self, shape: skia.Path | str, colour: Colour, width: float, alpha: float = 1.0) -> None:
        paint = self.paint(colour, alpha)
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
        self.canvas.drawPath(svg(shape) if isinstance(shape, str) else shape, paint)

    def rect(
        self, x: float, y: float, width: float, height: float, colour: Colour, alpha: float = 1.0, radius: float = 0
    ):
        box = skia.Rect.MakeXYWH(x, y, width, height)
        self.canvas.drawRoundRect(box, radius, radius, self.paint(colour, alpha))

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: float = 1.0) -> None:
        """An ellipse around (x, y)."""
        self.canvas.drawOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry), self.paint(colour, alpha))

    def circle(self, x: float, y: float, radius: float, colour: Colour, alpha: float = 1.0) -> None:
        self.oval(x, y, radius, radius, colour, alpha)

    def gradient(self, shape: skia.Path, top: float, bottom: float, colours: list[Colour], alphas=None) -> None:
        """Fills `shape` with colours spread evenly from y = `top` to y = `bottom`."""
        alphas = alphas or [1.0] * len(colours)
        shader = skia.GradientShader.MakeLinear(
            [skia.Point(0, top), skia.Point(0, bottom)], [argb(c, a) for c, a in zip(colours, alphas)]
        )
        self.canvas.drawPath(shape, skia.Paint(AntiAlias=True, Shader=shader))

    def glow(self, x: float, y: float, radius: float, colour: Colour, alpha: float) -> None:
        """Light that fades to nothing at `radius`."""
        shader = skia.GradientShader.MakeRadial(
            skia.Point(x, y), radius, [argb(colour, alpha), argb(colour, alpha * 0.35), argb(colour, 0)]
        )
        self.canvas.drawCircle(x, y, radius, skia.Paint(AntiAlias=True, Shader=shader))
