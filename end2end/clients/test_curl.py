"""curl, as the seeds of this product were called."""

import json
import subprocess

from PIL import Image

from conftest import PROMPT


def test_curl_gets_the_picture_of_one_call(darkroom, tmp_path):
    picture = tmp_path / "boat.png"
    body = json.dumps({"prompt": PROMPT, "seed": 7, "steps": 4})
    subprocess.run(
        ["curl", "--fail", "--silent", "--show-error", f"{darkroom.url}/generate-image"]
        + ["-H", "content-type: application/json", "-d", body, "-o", picture],
        check=True,
    )
    with Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.text["parameters"].startswith(f"{PROMPT}\nSteps: 4, ")
        assert len(image.getcolors(maxcolors=1 << 24)) > 1000, "a picture, not one colour"
