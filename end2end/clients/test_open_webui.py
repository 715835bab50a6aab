"""Open WebUI with the engine AUTOMATIC1111: exactly the calls of its `routers/images.py`, in its order."""

import base64
import io

import pytest
import requests
from PIL import Image

from conftest import PROMPT

# What it sends where the administrator set a user and a password.
HEADERS = {"authorization": "Basic " + base64.b64encode(b"anna:secret").decode()}


def get(darkroom, path):
    answer = requests.get(f"{darkroom.url}/sdapi/v1/{path}", headers=HEADERS)
    answer.raise_for_status()
    return answer.json()


def post(darkroom, path, data):
    return requests.post(f"{darkroom.url}/sdapi/v1/{path}", json=data, headers=HEADERS)


def test_the_address_is_verified(darkroom):
    assert isinstance(get(darkroom, "options"), dict)


def test_the_models_are_listed_and_one_is_chosen(darkroom):
    models = [{"id": model["title"], "name": model["model_name"]} for model in get(darkroom, "sd-models")]
    assert models == [{"id": "demo", "name": "demo"}]
    options = get(darkroom, "options")
    assert options["sd_model_checkpoint"] in [model["id"] for model in models]
    # All options come back with the model of the administrator's choice.
    options["sd_model_checkpoint"] = models[0]["id"]
    post(darkroom, "options", options).raise_for_status()
    assert get(darkroom, "options")["sd_model_checkpoint"] == "demo"


@pytest.mark.parametrize("n", [1, 2])
def test_a_chat_message_becomes_pictures(darkroom, n):
    # `steps` and `negative_prompt` are sent where they are set; the administrator's own parameters come last.
    data = {"prompt": PROMPT, "batch_size": n, "width": 256, "height": 256, "steps": 4, "negative_prompt": "fog"}
    data = {**data, "sampler_name": "DPM++ 2M", "scheduler": "Karras", "cfg_scale": 4}
    result = post(darkroom, "txt2img", data).json()
    assert len(result["images"]) == n
    for image in result["images"]:
        with Image.open(io.BytesIO(base64.b64decode(image))) as picture:
            assert (picture.format, picture.size) == ("PNG", (256, 256))
    assert isinstance(result["info"], str)


def test_its_usual_size_is_possible(darkroom):
    result = post(darkroom, "txt2img", {"prompt": PROMPT, "batch_size": 1, "width": 512, "height": 512, "steps": 1})
    assert result.status_code == 200, result.text


def test_what_is_refused_is_told(darkroom):
    answer = post(darkroom, "options", {**get(darkroom, "options"), "sd_model_checkpoint": "sdxl"})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "model `sdxl` is not installed; installed are demo"
