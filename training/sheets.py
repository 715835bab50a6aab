"""Contact sheets: pictures in a grid, with a caption under each when asked for."""

import textwrap

from PIL import Image, ImageDraw, ImageFont


def contact_sheet(pictures: list[Image.Image], captions: list[str] | None = None, columns: int = 8) -> Image.Image:
    """All pictures in cells as large as the largest of them."""
    wide, tall = max(p.width for p in pictures), max(p.height for p in pictures)
    strip = 44 if captions else 0
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (wide + 8) + 8, rows * (tall + strip + 8) + 8), (28, 26, 30))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for i, picture in enumerate(pictures):
        x, y = 8 + (i % columns) * (wide + 8), 8 + (i // columns) * (tall + strip + 8)
        sheet.paste(picture, (x, y))
        if captions:
            lines = textwrap.wrap(captions[i], max(20, wide // 7))[:3]
            draw.multiline_text((x + 2, y + tall + 1), "\n".join(lines), fill=(226, 220, 210), font=font, spacing=1)
    return sheet
