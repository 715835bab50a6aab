"""OpenAI's package for Python, and the one for JavaScript."""

import base64
import io
import subprocess
from pathlib import Path

import numpy
import openai
import pytest
import requests
from PIL import Image

from conftest import PROMPT

# Few steps: it is the calls that are tried here, not the picture.
QUICK = {"steps": 4, "seed": 7}


@pytest.fixture
def client(darkroom):
    return openai.OpenAI(base_url=f"{darkroom.url}/v1", api_key="any")


def opened(image) -> Image.Image:
    """The picture of an answer or of an event."""
    return Image.open(io.BytesIO(base64.b64decode(image.b64_json)))


def as_png(image: Image.Image) -> tuple[str, bytes, str]:
    file = io.BytesIO()
    image.save(file, "PNG")
    return ("picture.png", file.getvalue(), "image/png")


def pixels(image: Image.Image) -> numpy.ndarray:
    return numpy.asarray(image.convert("RGB")).astype(int)


@pytest.fixture
def boat(client) -> Image.Image:
    """A picture that Darkroom made, with its settings inside."""
    made = client.images.generate(prompt=PROMPT, response_format="b64_json", extra_body=QUICK)
    return opened(made.data[0])


def test_a_picture_comes_as_an_address_that_leads_to_it(client):
    made = client.images.generate(model="dall-e-3", prompt=PROMPT, size="256x192", extra_body=QUICK)
    file = requests.get(made.data[0].url, timeout=60)
    assert file.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(file.content)) as image:
        assert image.size == (256, 192)
        assert image.text["parameters"].startswith(f"{PROMPT}\nSteps: 4, ")
    assert (made.size, made.quality, made.output_format) == ("256x192", "medium", "png")
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens > 0
    assert made.data[0].revised_prompt is None


def test_several_pictures_come_as_base64_in_the_format_that_is_asked_for(client):
    made = client.images.generate(
        model="gpt-image-1",
        prompt=PROMPT,
        n=2,
        output_format="jpeg",
        output_compression=60,
        quality="low",
        background="opaque",
        moderation="low",
        user="anna",
        extra_body=QUICK,
    )
    images = [opened(image) for image in made.data]
    assert [image.format for image in images] == ["JPEG", "JPEG"]
    assert (pixels(images[0]) != pixels(images[1])).any()


def test_the_same_seed_gives_the_same_file(client):
    body = {"negative_prompt": "rain", "sampler": "euler", **QUICK}
    call = dict(prompt=PROMPT, response_format="b64_json")
    first = client.images.generate(**call, extra_body=body)
    again = client.images.generate(**call, extra_body={**body, "cache": False})
    other = client.images.generate(**call, extra_body={**body, "seed": 8})
    assert first.data[0].b64_json == again.data[0].b64_json != other.data[0].b64_json


def test_an_edit_paints_anew_what_the_mask_is_transparent_in(client, boat):
    width, height = boat.size
    mask = numpy.full((height, width, 4), 255, dtype=numpy.uint8)
    mask[:, width // 2 :, 3] = 0
    made = client.images.edit(
        image=as_png(boat),
        mask=as_png(Image.fromarray(mask)),
        prompt="a white lighthouse by the sea at night",
        response_format="b64_json",
        extra_body={"steps": 8, "seed": 1},
    )
    edited = opened(made.data[0])
    assert edited.size == boat.size
    changes = abs(pixels(edited) - pixels(boat)).max(axis=2)
    # The mask's edge is soft.
    assert changes[:, : width // 2 - 16].max() <= 2
    assert changes[:, width // 2 + 16 :].mean() > 10


def test_an_edit_without_a_mask_goes_as_far_as_its_strength(client, boat):
    def edited(strength):
        made = client.images.edit(
            image=[as_png(boat)],
            prompt=PROMPT,
            response_format="b64_json",
            extra_body={"steps": 8, "seed": 1, "strength": strength},
        )
        return abs(pixels(opened(made.data[0])) - pixels(boat)).mean()

    assert edited(0.25) < edited(1.0)


def test_a_variation_is_painted_after_the_prompt_inside_the_picture(client, boat, tmp_path):
    file = tmp_path / "boat.png"
    made = client.images.generate(prompt=PROMPT, extra_body=QUICK)
    file.write_bytes(requests.get(made.data[0].url, timeout=60).content)
    with file.open("rb") as picture:
        varied = client.images.create_variation(image=picture, n=2, extra_body={"steps": 4})
    assert [image.revised_prompt for image in varied.data] == [PROMPT, PROMPT]
    for image in varied.data:
        with Image.open(io.BytesIO(requests.get(image.url, timeout=60).content)) as picture:
            assert (pixels(picture) != pixels(boat)).any()


def test_partial_images_come_before_the_picture(client):
    # What was made before comes at once, without partial images.
    anew = {"steps": 20, "seed": 7, "cache": False}
    events = list(client.images.generate(prompt=PROMPT, stream=True, partial_images=3, extra_body=anew))
    *partials, completed = events
    assert 1 <= len(partials) <= 3
    assert [event.partial_image_index for event in partials] == list(range(len(partials)))
    assert {event.type for event in partials} == {"image_generation.partial_image"}
    assert completed.type == "image_generation.completed"
    assert completed.usage.total_tokens > 0
    looks = [opened(event) for event in events]
    assert {look.size for look in looks} == {opened(completed).size}
    for one, next_one in zip(looks, looks[1:]):
        assert (pixels(one) != pixels(next_one)).any()


def test_an_edit_is_streamed_by_its_own_events(client, boat):
    stream = client.images.edit(
        image=as_png(boat), prompt=PROMPT, stream=True, partial_images=0, extra_body=QUICK
    )
    assert [event.type for event in stream] == ["image_edit.completed"]


def test_a_stream_that_is_left_stops_its_job(darkroom):
    # Whoever sends a visitor's cookie is that visitor, whose jobs Darkroom's own API tells.
    visitor = requests.Session()
    jobs = f"{darkroom.url}/api/v1/jobs"
    visitor.get(f"{darkroom.url}/", timeout=60).raise_for_status()
    cookie = {"Cookie": f"darkroom_visitor={visitor.cookies['darkroom_visitor']}"}
    client = openai.OpenAI(base_url=f"{darkroom.url}/v1", api_key="any", default_headers=cookie)
    # More than a thousand steps: whoever had to wait for them would wait for minutes.
    long = {"steps": 150, "seed": 7}
    with client.images.generate(prompt=PROMPT, n=8, stream=True, partial_images=3, extra_body=long) as stream:
        next(iter(stream))
        (left,) = visitor.get(jobs, timeout=60).json()["jobs"]
        assert left["status"] == "running"
    # The next job begins only when the one before it is over.
    made = client.images.generate(prompt=PROMPT, extra_body={"steps": 1, "seed": 7}, timeout=60)
    assert made.data[0].url.startswith(darkroom.url)
    assert visitor.get(f"{jobs}/{left['id']}", timeout=60).json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("call", "raised", "param", "code", "sentence"),
    [
        (dict(n=9), openai.BadRequestError, "n", "invalid_value", "allowed are 1 to 8"),
        (dict(size="1792x1024"), openai.BadRequestError, "size", "invalid_value", "allowed are multiples of"),
        (dict(quality="ultra"), openai.BadRequestError, "quality", "invalid_value", "allowed are auto, low"),
        (dict(model="sdxl"), openai.NotFoundError, "model", "model_not_found", "installed are demo"),
        (dict(prompt=""), openai.BadRequestError, "prompt", "missing_required_parameter", "write 1 to 2000"),
        (dict(extra_body={"stepps": 3}), openai.BadRequestError, "stepps", "unknown_parameter", "`stepps`"),
        (dict(extra_body={"steps": 0}), openai.BadRequestError, "steps", "invalid_value", "allowed are 1 to 150"),
    ],
)
def test_what_is_wrong_is_raised_as_the_right_exception(client, call, raised, param, code, sentence):
    with pytest.raises(raised) as caught:
        client.images.generate(**{"prompt": PROMPT, **call})
    assert (caught.value.param, caught.value.code, caught.value.type) == (param, code, "invalid_request_error")
    assert sentence in caught.value.message


def test_files_that_are_no_pictures_and_masks_that_hide_nothing_are_refused(client, boat):
    with pytest.raises(openai.BadRequestError, match="the file is not an image") as caught:
        client.images.edit(image=("boat.png", b"hello"), prompt=PROMPT)
    assert caught.value.param == "image"
    with pytest.raises(openai.BadRequestError, match="no wholly transparent pixel") as caught:
        client.images.edit(image=as_png(boat), mask=as_png(boat), prompt=PROMPT)
    assert caught.value.param == "mask"


def test_models_are_listed(client):
    assert [model.id for model in client.models.list()] == ["demo"]
    assert client.models.retrieve("demo").owned_by == "darkroom"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")
    with pytest.raises(openai.NotFoundError, match="there is nothing at POST /v1/chat/completions"):
        client.chat.completions.create(model="demo", messages=[])


def test_the_package_for_javascript_is_answered_as_well(darkroom):
    script = Path(__file__).parent / "openai/images.mjs"
    ran = subprocess.run(["node", script, darkroom.url], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "every call was answered as it should be"
