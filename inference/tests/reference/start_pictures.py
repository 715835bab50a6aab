"""What runs begin with that do not begin with noise alone: drawn by the same few lines in `tests/parity/family_pictures.rs`."""

import numpy
from PIL import Image


def start(width: int, height: int) -> Image.Image:
    """A gradient with a bright square, in whole numbers."""
    pixels = numpy.zeros((height, width, 3), numpy.uint8)
    for y in range(height):
        for x in range(width):
            pixels[y, x] = (x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height))
            if width // 4 <= x < width // 2 and height // 4 <= y < height // 2:
                pixels[y, x] = (250, 240, 30)
    return Image.fromarray(pixels)


def mask(width: int, height: int) -> Image.Image:
    """White on the right and below, where two thirds begin."""
    pixels = numpy.zeros((height, width), numpy.uint8)
    for y in range(height):
        for x in range(width):
            if 3 * x >= width and 3 * y >= height:
                pixels[y, x] = 255
    return Image.fromarray(pixels)
