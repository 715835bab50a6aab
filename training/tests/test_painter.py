import random

import numpy as np
import pytest

from training import world
from training.painter import paint
from training.painter.brush import mix, svg


def scene(**changes):
    values = dict(subject="sailing boat", colour="red", place="sea", time="sunset", weather="clear", style="poster")
    return world.Scene(**{**values, **changes})


@pytest.mark.parametrize("subject", world.SUBJECTS)
@pytest.mark.parametrize("size", [(256, 256), (320, 192), (192, 320)])
def test_every_subject_in_every_shape(subject, size):
    picture = paint(scene(subject=subject), random.Random(1), *size)
    assert picture.shape == (size[1], size[0], 3) and picture.dtype == np.uint8
    assert picture.std() > 20


def test_the_same_seed_paints_the_same_picture():
    first, second = (paint(scene(style="watercolour"), random.Random(5)) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("attribute", ["subject", "colour", "place", "time", "weather", "style"])
def test_every_attribute_changes_the_picture(attribute):
    seen = []
    for value in world.ATTRIBUTES[attribute]:
        picture = paint(scene(**{attribute: value}), random.Random(3)).astype(int)
        assert all(np.abs(picture - other).mean() > 1 for other in seen), value
        seen.append(picture)


def test_night_is_darker_than_noon():
    night, noon = (paint(scene(time=t), random.Random(2)).mean() for t in ("night", "noon"))
    assert night < 0.6 * noon


def test_paths_are_read_from_svg():
    bounds = svg("M0 0 L2 0 L2 -.5 Z").getBounds()
    assert (bounds.left(), bounds.right(), bounds.top()) == (0, 2, -0.5)
    assert mix((0, 0, 0), (10, 20, 30), 0.5) == (5, 10, 15)
