"""What helps with prompts, over HTTP and with the real models."""

import io

import requests
from PIL import Image

QUICK = {"steps": 2, "seed": 7}


def paint(darkroom, **request):
    answer = requests.post(f"{darkroom.url}/generate-image", json=QUICK | request, timeout=120)
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def painted(picture):
    return picture.text["parameters"].split("\nSteps: ")[0].split("\nNegative prompt: ")


def test_files_of_the_operator_are_used_while_the_site_runs(fresh_darkroom):
    data = fresh_darkroom.data / "darkroom"
    (data / "styles.csv").write_text('name,prompt,negative_prompt\nCard,"a poster of {prompt}",rain\n')
    (data / "wildcards").mkdir()
    (data / "wildcards" / "vessel.txt").write_text("sailing boat\n")
    picture = paint(fresh_darkroom, prompt="a red __vessel__", styles=["Card"])
    assert painted(picture) == ["a poster of a red sailing boat", "rain"]
    (data / "wildcards" / "vessel.txt").write_text("hot-air balloon\n")
    assert painted(paint(fresh_darkroom, prompt="a red __vessel__")) == ["a red hot-air balloon"]


def test_a_seed_names_the_words_and_the_picture(darkroom):
    asked = {"prompt": "a __colour__ __subject__ {in|near} the __place__ at __time__"}
    first, second, other = (paint(darkroom, **asked, seed=seed) for seed in (7, 7, 8))
    assert painted(first) == painted(second) != painted(other)
    assert first.tobytes() == second.tobytes()


def test_ratios_of_every_model_are_made(darkroom):
    sizes = requests.get(f"{darkroom.url}/api/v1/models", timeout=10).json()[0]["aspect_ratios"]
    for ratio in ("16:9", "9:21"):
        assert list(paint(darkroom, prompt="a red boat", aspect_ratio=ratio, steps=1).size) == sizes[ratio]


def test_whole_prompts_are_written_and_one_is_painted(darkroom):
    body = {"start": "a red", "seed": 7, "count": 2}
    prompts = requests.post(f"{darkroom.url}/api/v1/prompts", json=body, timeout=60).json()["prompts"]
    assert [prompt["seed"] for prompt in prompts] == [7, 8]
    assert all(prompt["prompt"].startswith("a red ") for prompt in prompts)
    picture = paint(darkroom, prompt="a red", extend=True)
    assert painted(picture) == [prompts[0]["prompt"]]


def test_styles_that_come_along_leave_the_small_model_to_its_words(darkroom):
    picture = paint(darkroom, prompt="a red boat", styles=["Concept art", "Watercolour", "Without bad weather"])
    assert painted(picture) == ["a red boat, watercolour", "rain, snow"]
