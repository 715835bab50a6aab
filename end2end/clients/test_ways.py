"""One picture by seven ways, and a hundred of them at once."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy
import pytest
from PIL import Image

import ways


def pixels(picture: bytes) -> numpy.ndarray:
    with Image.open(io.BytesIO(picture)) as image:
        return numpy.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What the command line paints, which asks no server."""
    return pixels(ways.command_line("", ways.Wish(seed=11), tmp_path_factory.mktemp("command-line")))


@pytest.mark.parametrize("way", ways.OVER_HTTP, ids=lambda way: way.__name__)
def test_every_way_paints_the_pixels_of_the_command_line(darkroom, expected, tmp_path, way):
    assert numpy.array_equal(pixels(way(darkroom.url, ways.Wish(seed=11), tmp_path)), expected)


def test_another_seed_paints_other_pixels(darkroom, expected, tmp_path):
    assert not numpy.array_equal(pixels(ways.rest(darkroom.url, ways.Wish(seed=12), tmp_path)), expected)


def test_a_hundred_requests_at_once_each_get_their_own_picture(fresh_darkroom, tmp_path):
    def ask(number: int) -> bytes:
        way = ways.OVER_HTTP[number % len(ways.OVER_HTTP)]
        # Two that follow each other in the numbers ask for the same by different ways.
        return pixels(way(fresh_darkroom.url, ways.Wish(seed=1000 + number // 2), tmp_path)).tobytes()

    with ThreadPoolExecutor(100) as callers:
        pictures = list(callers.map(ask, range(100)))
    for first, second in zip(pictures[::2], pictures[1::2]):
        assert first == second, "a seed is one picture, whichever way it is asked for"
    assert len(set(pictures)) == 50
