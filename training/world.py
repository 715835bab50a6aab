"""The small world that the demo model knows: what a postcard can show, and which combinations are held out.

A `Scene` is a full description of one postcard. Sentences are made from it by `captions`, pictures by `painter`.
"""

import hashlib
import itertools
import random
from dataclasses import dataclass

SUBJECTS = (
    "sailing boat",
    "cottage",
    "lighthouse",
    "hot-air balloon",
    "car",
    "tree",
    "cat",
    "mushroom",
    "windmill",
    "tent",
    "rocket",
    "teapot",
)
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
PLACES = ("sea", "mountains", "meadow", "desert", "forest", "city")
TIMES = ("morning", "noon", "sunset", "night")
WEATHERS = ("clear", "rain", "snow")
STYLES = ("poster", "watercolour")

ATTRIBUTES = {
    "subject": SUBJECTS,
    "colour": COLOURS,
    "place": PLACES,
    "time": TIMES,
    "weather": WEATHERS,
    "style": STYLES,
}

HELD_OUT_SHARE = 0.05
# Clear weather is the common case, so that a caption that is silent about the weather means it.
WEATHER_WEIGHTS = (0.7, 0.15, 0.15)


@dataclass(frozen=True)
class Scene:
    """One postcard, described by one value of each attribute."""

    subject: str
    colour: str
    place: str
    time: str
    weather: str
    style: str

    @property
    def combination(self) -> tuple[str, str, str]:
        return (self.subject, self.colour, self.place)

    def labels(self) -> dict[str, int]:
        """The index of each attribute's value, as the classifier predicts it."""
        return {name: values.index(getattr(self, name)) for name, values in ATTRIBUTES.items()}


def is_held_out(combination: tuple[str, str, str]) -> bool:
    """Whether a (subject, colour, place) combination is never shown in training; a hash decides, so for ever the same."""
    return combination in HELD_OUT


def _order(combination: tuple[str, str, str]) -> str:
    return hashlib.sha256("/".join(combination).encode()).hexdigest()


ALL_COMBINATIONS = tuple(itertools.product(SUBJECTS, COLOURS, PLACES))
HELD_OUT = frozenset(sorted(ALL_COMBINATIONS, key=_order)[: round(HELD_OUT_SHARE * len(ALL_COMBINATIONS))])


def draw_scene(rng: random.Random, held_out: bool = False) -> Scene:
    """Draws a scene from the combinations that may be trained on, or from the held-out ones."""
    while True:
        scene = Scene(
            rng.choice(SUBJECTS),
            rng.choice(COLOURS),
            rng.choice(PLACES),
            rng.choice(TIMES),
            rng.choices(WEATHERS, WEATHER_WEIGHTS)[0],
            rng.choice(STYLES),
        )
        if is_held_out(scene.combination) == held_out:
            return scene
