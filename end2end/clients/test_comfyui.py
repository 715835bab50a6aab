"""Programs that know ComfyUI: its own example script, a package from PyPI, and one from npm."""

import json
import struct
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import uuid
from io import BytesIO
from pathlib import Path

import numpy
import pytest
import requests
import websocket
from comfy_api_simplified import ComfyApiWrapper, ComfyWorkflowWrapper
from comfy_api_simplified.exceptions import ComfyApiError
from PIL import Image

from conftest import PROMPT

NODE_CLIENT = Path(__file__).parent / "comfyui/text_to_image.mjs"


def text_to_image(seed=7, steps=4, sampler="dpmpp_2m", size=128):
    """ComfyUI's first workflow, in API form."""
    return {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "model": ["4", 0], "seed": seed, "steps": steps, "cfg": 4.0,
                "sampler_name": sampler, "scheduler": "karras", "denoise": 1.0,
                "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0],
            },
            "_meta": {"title": "Sampler"},
        },
        "4": {
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": "demo.safetensors"},
            "_meta": {"title": "Load Checkpoint"},
        },
        "5": {
            "class_type": "EmptyLatentImage",
            "inputs": {"width": size, "height": size, "batch_size": 1},
            "_meta": {"title": "Size"},
        },
        "6": {
            "class_type": "CLIPTextEncode",
            "inputs": {"text": PROMPT, "clip": ["4", 1]},
            "_meta": {"title": "Positive"},
        },
        "7": {
            "class_type": "CLIPTextEncode",
            "inputs": {"text": "", "clip": ["4", 1]},
            "_meta": {"title": "Negative"},
        },
        "8": {
            "class_type": "VAEDecode",
            "inputs": {"samples": ["3", 0], "vae": ["4", 2]},
            "_meta": {"title": "Decode"},
        },
        "9": {
            "class_type": "SaveImage",
            "inputs": {"images": ["8", 0], "filename_prefix": "ComfyUI"},
            "_meta": {"title": "Save Image"},
        },
    }  # fmt: skip


def image_to_image(name, denoise):
    """The same from a picture that was sent."""
    graph = text_to_image()
    graph["1"] = {"class_type": "LoadImage", "inputs": {"image": name}, "_meta": {"title": "Load Image"}}
    graph["5"] = {
        "class_type": "VAEEncode",
        "inputs": {"pixels": ["1", 0], "vae": ["4", 2]},
        "_meta": {"title": "Encode"},
    }
    graph["3"]["inputs"]["denoise"] = denoise
    return graph


class Example:
    """What ComfyUI's example script for WebSockets does, with nothing but urllib and websocket-client."""

    def __init__(self, darkroom):
        self.url = darkroom.url
        self.client_id = str(uuid.uuid4())
        self.socket = websocket.WebSocket()
        self.socket.connect(f"{darkroom.url.replace('http', 'ws')}/ws?clientId={self.client_id}", timeout=120)

    def queue(self, graph, **more):
        body = json.dumps({"prompt": graph, "client_id": self.client_id, **more}).encode()
        # urllib calls this body a form.
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/prompt", data=body)) as answer:
            return json.load(answer)["prompt_id"]

    def listen(self, prompt_id):
        """All messages until nothing is executed any more, and the previews in between."""
        messages, previews = [], []
        while True:
            said = self.socket.recv()
            if isinstance(said, bytes):
                previews.append(said)
                continue
            message = json.loads(said)
            messages.append(message)
            data = message["data"]
            if message["type"] == "executing" and data["node"] is None and data["prompt_id"] == prompt_id:
                return messages, previews

    def pictures(self, prompt_id):
        with urllib.request.urlopen(f"{self.url}/history/{prompt_id}") as answer:
            outputs = json.load(answer)[prompt_id]["outputs"]
        pictures = []
        for output in outputs.values():
            for image in output["images"]:
                query = urllib.parse.urlencode(image)
                with urllib.request.urlopen(f"{self.url}/view?{query}") as answer:
                    pictures.append(answer.read())
        return pictures


@pytest.fixture
def example(darkroom):
    example = Example(darkroom)
    yield example
    example.socket.close()


def pixels(png):
    with Image.open(BytesIO(png)) as image:
        return numpy.asarray(image.convert("RGB")).astype(float)


def test_comfyuis_example_script_hears_every_step_and_gets_the_picture_that_rest_makes(darkroom, example):
    prompt_id = example.queue(text_to_image())
    messages, previews = example.listen(prompt_id)
    kinds = [message["type"] for message in messages]
    assert kinds[0] == "status"
    for earlier, later in [
        ("execution_start", "execution_cached"),
        ("execution_cached", "progress"),
        ("progress", "executed"),
        ("executed", "execution_success"),
    ]:
        assert kinds.index(earlier) < kinds.index(later), kinds
    steps = [message["data"] for message in messages if message["type"] == "progress"]
    assert [(step["value"], step["max"]) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {step["node"] for step in steps} == {"3"}
    assert previews == [], "nobody asked for them"

    [picture] = example.pictures(prompt_id)
    assert len(numpy.unique(pixels(picture).reshape(-1, 3), axis=0)) > 1000, "a picture, not one colour"
    same = requests.post(
        f"{darkroom.url}/generate-image",
        json={
            "prompt": PROMPT, "negative_prompt": "", "model": "demo", "steps": 4, "guidance_scale": 4,
            "sampler": "dpmpp_2m", "schedule": "karras", "seed": 7, "width": 128, "height": 128,
            "weighting": "compel",
        },
    )  # fmt: skip
    assert same.content == picture


def test_previews_that_were_asked_for_are_pictures_that_come_closer(example):
    # At least five are made of so many steps, however fast they go; one is left out only for a reader slower than them.
    prompt_id = example.queue(text_to_image(seed=8, steps=60), extra_data={"preview_method": "auto"})
    _, previews = example.listen(prompt_id)
    assert len(previews) >= 2
    shown = []
    for frame in previews:
        assert struct.unpack(">II", frame[:8]) == (1, 1), "a preview, as JPEG"
        with Image.open(BytesIO(frame[8:])) as image:
            assert image.format == "JPEG"
            shown.append(numpy.asarray(image.convert("RGB").resize((32, 32))).astype(float))
    [picture] = example.pictures(prompt_id)
    with Image.open(BytesIO(picture)) as image:
        end = numpy.asarray(image.convert("RGB").resize((32, 32))).astype(float)
    assert abs(shown[-1] - end).mean() < abs(shown[0] - end).mean()


def test_an_unknown_node_is_told_in_comfyuis_shape(darkroom, example):
    graph = text_to_image() | {"20": {"class_type": "ControlNetApply", "inputs": {}}}
    with pytest.raises(urllib.error.HTTPError) as refused:
        example.queue(graph)
    assert refused.value.code == 400
    body = json.load(refused.value)
    assert body["error"]["type"] == "missing_node_type"
    assert body["error"]["extra_info"] == {
        "node_id": "20", "class_type": "ControlNetApply", "node_title": "ControlNetApply",
    }  # fmt: skip
    assert body["node_errors"] == {}

    answer = requests.post(f"{darkroom.url}/prompt", json={"prompt": text_to_image(steps=0)})
    assert answer.status_code == 400
    [fault] = answer.json()["node_errors"]["3"]["errors"]
    assert (fault["type"], fault["message"]) == ("value_smaller_than_min", "0 is smaller than 1, the least")


def test_a_package_from_pypi_asks_for_pictures_by_the_titles_of_nodes(darkroom):
    api = ComfyApiWrapper(darkroom.url)
    workflow = ComfyWorkflowWrapper(text_to_image())
    workflow.set_node_param("Sampler", "seed", 11)
    workflow.set_node_param("Size", "batch_size", 2)
    pictures = api.queue_and_wait_images(workflow, "Save Image")
    assert len(pictures) == 2
    assert all(name.startswith("ComfyUI_") and name.endswith(".png") for name in pictures)
    first, second = [pixels(picture) for picture in pictures.values()]
    assert first.shape == (128, 128, 3)
    assert abs(first - second).mean() > 1, "each has a noise of its own"
    assert api.get_queue() == {"queue_running": [], "queue_pending": []}
    loader = api.get_object_info("CheckpointLoaderSimple")["CheckpointLoaderSimple"]
    assert "demo" in loader["input"]["required"]["ckpt_name"][0]
    assert api.get_system_stats()["devices"]
    workflow.set_node_param("Sampler", "sampler_name", "restart")
    with pytest.raises(ComfyApiError, match="400"):
        api.queue_and_wait_images(workflow, "Save Image")


def test_a_package_from_pypi_sends_a_picture_and_begins_with_it(darkroom, tmp_path):
    api = ComfyApiWrapper(darkroom.url)
    file = tmp_path / "orange.png"
    Image.new("RGB", (128, 128), (250, 140, 20)).save(file)
    sent = api.upload_image(file, subfolder="starts")
    assert sent == {"name": "orange.png", "subfolder": "starts", "type": "input"}
    far = {}
    for denoise in [0.25, 1.0]:
        workflow = ComfyWorkflowWrapper(image_to_image(f"{sent['subfolder']}/{sent['name']}", denoise))
        [picture] = api.queue_and_wait_images(workflow, "Save Image").values()
        far[denoise] = abs(pixels(picture) - (250, 140, 20)).mean()
    assert far[0.25] < far[1.0], far


def test_only_the_masked_half_of_a_picture_is_painted_anew(darkroom):
    api = ComfyApiWrapper(darkroom.url)
    orange = Image.new("RGBA", (128, 128), (250, 140, 20, 255))
    orange.paste((250, 140, 20, 0), (64, 0, 128, 128))
    file = BytesIO()
    orange.save(file, "PNG")
    form = {"image": ("half.png", file.getvalue(), "image/png")}
    name = requests.post(f"{darkroom.url}/upload/image", files=form, data={"overwrite": "true"}).json()["name"]
    graph = image_to_image(name, 0.9)
    graph["20"] = {
        "class_type": "SetLatentNoiseMask",
        "inputs": {"samples": ["5", 0], "mask": ["1", 1]},
        "_meta": {"title": "Mask"},
    }
    graph["3"]["inputs"]["latent_image"] = ["20", 0]
    [picture] = api.queue_and_wait_images(ComfyWorkflowWrapper(graph), "Save Image").values()
    change = abs(pixels(picture) - (250, 140, 20)).mean(axis=2)
    assert change[:, :56].max() < 2, "what is not masked stays"
    assert change[:, 72:].mean() > 5, "what is masked does not"


def test_a_long_workflow_is_interrupted_and_the_next_one_is_made(darkroom, example):
    long = example.queue(text_to_image(steps=150, size=256))
    while True:
        said = example.socket.recv()
        if isinstance(said, str) and json.loads(said)["type"] == "progress":
            break
    waiting = example.queue(text_to_image(seed=12))
    queue = requests.get(f"{darkroom.url}/queue").json()
    assert [entry[1] for entry in queue["queue_running"]] == [long]
    assert [entry[1] for entry in queue["queue_pending"]] == [waiting]
    assert requests.post(f"{darkroom.url}/interrupt").status_code == 200
    messages, _ = example.listen(long)
    assert "execution_interrupted" in [message["type"] for message in messages]
    example.listen(waiting)
    assert len(example.pictures(waiting)) == 1
    past = requests.get(f"{darkroom.url}/history").json()
    assert past[long]["status"]["status_str"] == "error"
    assert past[waiting]["status"] | {"messages": None} == {
        "status_str": "success", "completed": True, "messages": None,
    }  # fmt: skip


def test_a_package_from_npm_gets_the_picture_and_hears_its_steps(fresh_darkroom, tmp_path):
    host = fresh_darkroom.url.removeprefix("http://")
    picture = tmp_path / "boat.png"
    command = ["node", "--experimental-websocket", "--no-warnings", NODE_CLIENT, host, picture]
    lived = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert lived["models"] == ["demo"]
    assert lived["progress"] == ["1/4", "2/4", "3/4", "4/4"]
    assert lived["n_polled"] == 1
    assert "400" in lived["refused"]
    assert (lived["n_waiting"], lived["n_past"]) == (0, 2)
    with Image.open(picture) as image:
        assert (image.format, image.size) == ("PNG", (128, 128))
        assert image.text["parameters"].startswith(f"{PROMPT}\nSteps: 4, Sampler: DPM++ 2M, Schedule type: Karras")
