"""Writes the models in the layout that diffusers and transformers read, weights in half precision.

`.venv/bin/python -m training.export` takes the newest checkpoints from the work folder. With `--random` it writes untrained
models of the same shape, for developing the engine.
"""

import argparse
import json

import torch

from . import captions, models, paths, prompt_tokenizer, tokenizer, world

LICENCE = "MIT OR Apache-2.0"
DEFAULTS = {"steps": 20, "guidance_scale": 4.0, "sampler": "dpmpp_2m", "schedule": "karras"}
WRITING = {"temperature": 0.95, "top_k": 0, "top_p": 0.95, "repetition_penalty": 1.0, "max_new_tokens": 60}
EXAMPLES = (
    "a red sailing boat on a calm sea at sunset",
    "a watercolour of a pink cottage in a meadow at dawn",
    "a travel poster of a white lighthouse by the sea at night",
    "a yellow hot-air balloon over the mountains in the morning",
    "a purple mushroom in a forest in the rain",
    "a blue car in the city at night, flat poster",
    "an orange cat in a field of flowers at noon, watercolour",
    "a green tent among pine trees under a starry sky",
    "a white windmill among rolling hills at sunset, soft watercolour",
    "a red rocket in the desert under the stars, travel poster",
    "a pink tree in the mountains in the snow, watercolour",
    "a blue teapot in the desert at sunset, flat illustration",
)


def write_json(path, data) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def save_half(model, folder) -> None:
    """Saves a copy in half precision; the model itself stays as it is."""
    state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    model.half().save_pretrained(folder, safe_serialization=True)
    model.float().load_state_dict(state)
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)


def model_index() -> dict:
    return {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.42.1",
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }


def demo_card(matrix: list, bias: list) -> dict:
    """What the site shows about the demo model, its defaults, and the latent-to-RGB map of the previews."""
    return {
        "title": "Postcards",
        "description": "A small model that comes with Darkroom. It paints illustrated postcards: a subject, its "
        "colour, a place, a time of day, the weather, and a style.",
        "licence": LICENCE,
        "defaults": DEFAULTS,
        "sizes": [list(size) for size in models.SIZES],
        "latent_rgb": {"matrix": matrix, "bias": bias},
        "vocabulary": {
            "subjects": list(world.SUBJECTS),
            "colours": list(world.COLOURS),
            "places": list(world.PLACES),
            "times": list(world.TIMES),
            "weather": list(world.WEATHERS),
            "styles": list(world.STYLES),
        },
        "examples": list(EXAMPLES),
    }


def prompts_card() -> dict:
    return {
        "title": "Postcard prompts",
        "description": "A small GPT-2 that comes with Darkroom and writes prompts for the postcard model.",
        "licence": LICENCE,
        "defaults": WRITING,
    }


def write_demo(vae, text_encoder, unet, matrix, bias) -> None:
    """Everything in models/demo but the tokenizer, which `tokenizer.train` writes there."""
    write_json(paths.DEMO / "model_index.json", model_index())
    write_json(paths.DEMO / "darkroom.json", demo_card(matrix, bias))
    models.scheduler().save_pretrained(paths.DEMO / "scheduler")
    save_half(vae, paths.DEMO / "vae")
    save_half(text_encoder, paths.DEMO / "text_encoder")
    save_half(unet, paths.DEMO / "unet")


def write_prompts(model) -> None:
    write_json(paths.PROMPTS / "darkroom.json", prompts_card())
    save_half(model, paths.PROMPTS)


def build_text_encoder():
    """A fresh text encoder that fits the tokenizer in models/demo."""
    words = tokenizer.load(paths.DEMO / "tokenizer")
    return models.text_encoder(len(words), words.bos_token_id, words.eos_token_id)


def write_random() -> None:
    """Untrained models of the final shape."""
    import random

    torch.manual_seed(0)
    tokenizer.train(paths.DEMO / "tokenizer")
    channels = models.LATENT_CHANNELS
    write_demo(models.autoencoder(), build_text_encoder(), models.unet(), [[0.1] * 3] * channels, [0.0] * 3)
    rng = random.Random(0)
    texts = [captions.full_caption(world.draw_scene(rng), rng) for _ in range(20_000)]
    prompt_tokenizer.train(texts, paths.PROMPTS)
    words = prompt_tokenizer.load(paths.PROMPTS)
    write_prompts(models.prompt_writer(words.get_vocab_size(), words.token_to_id(prompt_tokenizer.END)))


def write_trained() -> None:
    """The newest checkpoints: autoencoder, averaged text encoder and U-Net, prompt writer if there is one."""
    from . import diffusion, preview, prompts, vae

    model = diffusion.load_average()
    matrix, bias = preview.fit()
    write_demo(vae.load(), model.text_encoder, model.unet, matrix, bias)
    if paths.work(prompts.CHECKPOINT).exists():
        prompts.write()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--random", action="store_true", help="write untrained models")
    write_random() if parser.parse_args().random else write_trained()
