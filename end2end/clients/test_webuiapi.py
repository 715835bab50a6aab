"""webuiapi, the Python client of the AUTOMATIC1111 web UI, as its readme uses it."""

import threading
from urllib.parse import urlparse

import pytest
import webuiapi
from PIL import Image, ImageDraw

from conftest import PROMPT

SIDE = 128
QUICK = {"steps": 4, "cfg_scale": 4, "width": SIDE, "height": SIDE, "seed": 7}


@pytest.fixture
def api(darkroom):
    address = urlparse(darkroom.url)
    return webuiapi.WebUIApi(host=address.hostname, port=address.port)


def n_colours(image: Image.Image) -> int:
    return len(image.convert("RGB").getcolors(maxcolors=1 << 24))


def start_picture() -> Image.Image:
    """Two colours, which no model would paint so plainly."""
    image = Image.new("RGB", (SIDE, SIDE), (20, 60, 180))
    ImageDraw.Draw(image).rectangle((0, 0, SIDE, SIDE // 3), fill=(230, 200, 40))
    return image


def right_half() -> Image.Image:
    mask = Image.new("L", (SIDE, SIDE), 0)
    ImageDraw.Draw(mask).rectangle((SIDE // 2, 0, SIDE, SIDE), fill=255)
    return mask


def test_a_prompt_gives_a_picture_with_its_settings(api):
    result = api.txt2img(prompt=PROMPT, negative_prompt="fog", sampler_name="DPM++ 2M", **QUICK)
    assert result.image.size == (SIDE, SIDE)
    assert n_colours(result.image) > 1000, "a picture, not one colour"
    assert result.info["seed"] == 7
    assert result.info["infotexts"] == [result.image.info["parameters"]]
    assert "Sampler: DPM++ 2M, Schedule type: Karras" in result.info["infotexts"][0]
    assert result.parameters["cfg_scale"] == 4
    again = api.txt2img(prompt=PROMPT, negative_prompt="fog", sampler_name="DPM++ 2M", **QUICK)
    assert again.image.tobytes() == result.image.tobytes(), "the same seed gives the same picture"


def test_a_batch_gives_a_picture_for_every_seed(api):
    result = api.txt2img(prompt=PROMPT, batch_size=2, n_iter=2, **QUICK)
    assert result.info["all_seeds"] == [7, 8, 9, 10]
    assert len({image.tobytes() for image in result.images}) == 4


def test_a_second_pass_enlarges(api):
    result = api.txt2img(prompt=PROMPT, enable_hr=True, hr_scale=1.5, denoising_strength=0.5, **QUICK)
    assert result.image.size == (192, 192)


def test_a_picture_gives_a_picture_close_to_it(api):
    start = start_picture()

    def distance(strength):
        result = api.img2img(images=[start], prompt=PROMPT, denoising_strength=strength, **QUICK)
        pairs = zip(result.image.convert("RGB").tobytes(), start.tobytes())
        return sum(abs(a - b) for a, b in pairs) / len(start.tobytes())

    near, far = distance(0.25), distance(1.0)
    assert 0 < near < far


@pytest.mark.parametrize("fill", [0, 1, 2, 3])
def test_inpainting_leaves_what_is_outside_the_mask(api, fill):
    start = start_picture()
    result = api.img2img(
        images=[start], mask_image=right_half(), mask_blur=4, inpainting_fill=fill, prompt=PROMPT, **QUICK
    )
    kept = (0, 0, SIDE // 2 - 16, SIDE)
    assert result.image.crop(kept).tobytes() == start.crop(kept).tobytes()
    painted = (SIDE // 2 + 16, 0, SIDE, SIDE)
    assert result.image.crop(painted).tobytes() != start.crop(painted).tobytes()


class Call(threading.Thread):
    """A call that takes its time."""

    def __init__(self, api, **arguments):
        super().__init__()
        self.api, self.arguments = api, arguments
        self.start()

    def run(self):
        self.result = self.api.txt2img(prompt=PROMPT, **{**QUICK, **self.arguments})


def progress_where(api, call, is_it):
    """The progress at a moment of a call. Every look is an answer of the program, so there is nothing to sleep for."""
    while call.is_alive():
        progress = api.get_progress()
        if is_it(progress):
            return progress
    raise AssertionError("the call ended before the moment that was looked for")


def test_progress_is_told_while_a_picture_is_made(api):
    call = Call(api, steps=40, width=256, height=256)
    progress = progress_where(api, call, lambda told: told["state"]["sampling_step"] >= 3 and told["current_image"])
    assert 0 < progress["progress"] < 1
    assert progress["state"]["sampling_steps"] == 40
    assert progress["state"]["job_count"] == 1
    later = progress_where(api, call, lambda told: told["state"]["sampling_step"] >= 10)
    assert later["progress"] > progress["progress"]
    call.join()
    assert call.result.image.size == (256, 256)
    api.util_wait_for_ready()
    assert api.get_progress()["progress"] == 0


def test_an_interrupted_call_is_answered_with_what_is_finished(api):
    call = Call(api, n_iter=8, steps=20)
    progress_where(api, call, lambda told: told["state"]["job_no"] >= 1)
    assert api.interrupt() == {}
    call.join()
    assert 1 <= len(call.result.images) < 8
    assert call.result.info["all_seeds"][0] == 7
    api.skip()
    assert api.get_progress()["state"]["job_count"] == 0


def test_the_settings_are_read_out_of_a_picture(api):
    made = api.txt2img(prompt=PROMPT, **QUICK)
    result = api.png_info(made.image)
    assert result.info == made.info["infotexts"][0]
    assert result.parameters["Prompt"] == PROMPT
    assert (result.parameters["Seed"], result.parameters["Size-1"]) == ("7", str(SIDE))


def test_options_are_kept_and_choose_the_model(api):
    assert api.util_get_current_model() == "demo"
    before = api.get_options()
    api.set_options({"show_progress_every_n_steps": 5, "CLIP_stop_at_last_layers": 2})
    try:
        assert api.get_options()["show_progress_every_n_steps"] == 5
        api.util_set_model("dem")
        assert api.util_get_current_model() == "demo"
        assert api.txt2img(prompt=PROMPT, **QUICK).info["clip_skip"] == 2
    finally:
        api.set_options({"CLIP_stop_at_last_layers": before["CLIP_stop_at_last_layers"]})
    with pytest.raises(RuntimeError, match="model `sdxl` is not installed; installed are demo"):
        api.txt2img(prompt=PROMPT, override_settings={"sd_model_checkpoint": "sdxl"}, **QUICK)


def test_what_is_installed_is_listed(api):
    assert api.util_get_model_names() == ["demo"]
    assert {"Euler a", "DPM++ 2M", "DDIM"} <= set(api.util_get_sampler_names())
    assert {"automatic", "karras", "align_your_steps"} <= set(api.util_get_scheduler_names())
    assert [upscaler["name"] for upscaler in api.get_upscalers()] == ["None", "Lanczos"]
    for nothing in [
        api.get_latent_upscale_modes(),
        api.get_sd_vae(),
        api.get_loras(),
        api.get_hypernetworks(),
        api.get_face_restorers(),
        api.get_realesrgan_models(),
    ]:
        assert nothing == []
    assert isinstance(api.get_prompt_styles(), list)
    assert api.get_embeddings()["loaded"] == {}
    assert api.get_scripts() == {"txt2img": [], "img2img": []}
    assert api.get_memory()["ram"]["total"] > api.get_memory()["ram"]["used"] > 0
    assert api.get_cmd_flags()["api"] is True
    assert api.refresh_checkpoints() is None


def test_gpt_2_writes_prompts(api):
    assert api.list_prompt_gen_models() == ["demo-prompts"]
    prompts = api.prompt_gen(text="a red", batch_size=3)
    assert len(prompts) == 3
    assert all(prompt.startswith("a red") and len(prompt) > len("a red") for prompt in prompts), prompts


def test_an_unknown_sampler_is_refused_with_the_known_ones(api):
    with pytest.raises(RuntimeError, match="sampler `Restart` is unknown; known are dpmpp_2m, euler"):
        api.txt2img(prompt=PROMPT, **{**QUICK, "sampler_name": "Restart"})
