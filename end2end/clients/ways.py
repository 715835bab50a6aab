"""The seven ways to ask for a picture, each as its own users do. Each gives back the picture's bytes."""

import base64
import io
import json
import subprocess
import uuid

import openai
import requests
import webuiapi
import websocket

import test_comfyui
from conftest import PROGRAM


class Wish:
    """What is asked for: the same for every way."""

    prompt = "a red sailing boat on a calm sea at sunset"
    negative = "rain"
    steps = 5
    guidance = 4.0
    side = 128

    def __init__(self, seed: int):
        self.seed = seed

    def fields(self) -> dict:
        """As our own API calls them."""
        return {
            "prompt": self.prompt,
            "negative_prompt": self.negative,
            "seed": self.seed,
            "steps": self.steps,
            "guidance_scale": self.guidance,
            "sampler": "dpmpp_2m",
            "schedule": "karras",
            "width": self.side,
            "height": self.side,
        }


def page(url: str, wish: Wish, data) -> bytes:
    """The form of the page, without a script, and the picture that its job's page shows."""
    visitor = requests.Session()
    visitor.get(f"{url}/")
    job = visitor.post(f"{url}/", data=wish.fields(), allow_redirects=False).headers["location"]
    assert job.startswith("/j/")
    events = visitor.get(f"{url}/api/v1/jobs/{job.removeprefix('/j/')}/events", stream=True)
    assert "event: done" in events.text
    shown = visitor.get(f"{url}{job}").text
    picture = shown.split('src="/images/')[1].split('"')[0]
    return visitor.get(f"{url}/images/{picture}").content


def rest(url: str, wish: Wish, data) -> bytes:
    job = requests.post(f"{url}/api/v1/jobs", json=wish.fields(), headers={"prefer": "wait=600"})
    assert job.status_code == 200, job.text
    return requests.get(f"{url}/images/{uuid.UUID(job.json()['pictures'][0]['id']).hex}.png").content


def openai_images(url: str, wish: Wish, data) -> bytes:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=f"key-{wish.seed}")
    fields = wish.fields()
    size = f"{fields.pop('width')}x{fields.pop('height')}"
    answer = client.images.generate(
        model="demo", prompt=fields.pop("prompt"), size=size, response_format="b64_json", extra_body=fields
    )
    return base64.b64decode(answer.data[0].b64_json)


def automatic1111(url: str, wish: Wish, data) -> bytes:
    host, port = url.removeprefix("http://").split(":")
    api = webuiapi.WebUIApi(host=host, port=int(port))
    answer = api.txt2img(
        prompt=wish.prompt,
        negative_prompt=wish.negative,
        seed=wish.seed,
        steps=wish.steps,
        cfg_scale=wish.guidance,
        sampler_name="DPM++ 2M",
        scheduler="Karras",
        width=wish.side,
        height=wish.side,
        override_settings={"randn_source": "CPU"},
    )
    png = io.BytesIO()
    answer.image.save(png, "PNG")
    return png.getvalue()


def comfyui(url: str, wish: Wish, data) -> bytes:
    graph = test_comfyui.text_to_image(seed=wish.seed, steps=wish.steps, size=wish.side)
    graph["3"]["inputs"]["cfg"] = wish.guidance
    graph["6"]["inputs"]["text"] = wish.prompt
    graph["7"]["inputs"]["text"] = wish.negative
    client = str(uuid.uuid4())
    socket = websocket.create_connection(f"ws{url.removeprefix('http')}/ws?clientId={client}")
    asked = requests.post(f"{url}/prompt", json={"prompt": graph, "client_id": client}).json()
    prompt_id = asked["prompt_id"]
    while True:
        message = socket.recv()
        if isinstance(message, str):
            message = json.loads(message)
            of_prompt = message["data"].get("prompt_id") == prompt_id
            if message["type"] == "execution_success" and of_prompt:
                break
            assert message["type"] != "execution_error", message
    socket.close()
    outputs = requests.get(f"{url}/history/{prompt_id}").json()[prompt_id]["outputs"]
    return requests.get(f"{url}/view", params=outputs["9"]["images"][0]).content


def generate_image(url: str, wish: Wish, data) -> bytes:
    answer = requests.post(f"{url}/generate-image", json=wish.fields())
    assert answer.status_code == 200, answer.text
    return answer.content


def command_line(url: str, wish: Wish, data) -> bytes:
    picture = data / f"{uuid.uuid4()}.png"
    command = [PROGRAM, "generate", wish.prompt, "--negative", wish.negative, "--seed", str(wish.seed)]
    command += ["--steps", str(wish.steps), "--guidance", str(wish.guidance), "--sampler", "dpmpp_2m"]
    command += ["--schedule", "karras", "--width", str(wish.side), "--height", str(wish.side)]
    subprocess.run([*command, "--data", data / "command-line", "-o", picture], check=True, cwd=data)
    return picture.read_bytes()


OVER_HTTP = [page, rest, openai_images, automatic1111, comfyui, generate_image]
