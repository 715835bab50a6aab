"""Paints illustrated postcards from scenes: `paint(scene, rng, width, height)`, a few milliseconds each."""

import random

import numpy as np
import skia

from ..world import Scene
from .brush import Brush
from .frame import Frame
from .light import light_for
from .places import PLACES
from .sky import paint_sky
from .styles import STYLES
from .subjects import paint_subject
from .weather import paint_weather


def paint(scene: Scene, rng: random.Random, width: int = 256, height: int = 256) -> np.ndarray:
    """The postcard as uint8 RGB of shape (height, width, 3)."""
    surface = skia.Surface(width, height)
    brush = Brush(surface.getCanvas())
    frame = Frame.draw(width, height, scene.subject, rng)
    light = light_for(scene.time, scene.weather)
    paint_sky(brush, frame, light, scene.time, rng)
    PLACES[scene.place](brush, frame, light, scene.time, rng)
    paint_subject(brush, light, frame, scene.subject, scene.colour, scene.place)
    paint_weather(brush, frame, light)
    pixels = surface.makeImageSnapshot().toarray(colorType=skia.ColorType.kRGBA_8888_ColorType)
    return STYLES[scene.style](np.ascontiguousarray(pixels[..., :3]), rng)
