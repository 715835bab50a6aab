"""Writes families.json and families.safetensors: one tiny model of each family, and what diffusers makes of it.

    .venv/bin/python inference/tests/reference/make_families.py

No weights are stored. A tensor is `offset + factor * randn(shape)` with torch's CPU generator, seeded with the CRC-32
of its full name, and the tests draw the same numbers. `families.json` has each tensor's shape, offset and factor.
"""

import json
import pathlib
import zlib

import numpy
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

HERE = pathlib.Path(__file__).parent
WORDS = HERE / "tiny-1" / "tokenizer"
# OpenCLIP's tokenizer fills up with an exclamation mark.
OPEN_CLIP_WORDS = HERE / "tiny-2" / "tokenizer"
PROMPT = "a red sailing boat on a calm sea at sunset"
NEGATIVE = "a blue car"
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


# ---------------------------------------------------------------------------------------------------------------
# weights from names
# ---------------------------------------------------------------------------------------------------------------


class Part:
    """A network whose weights are made from their names."""

    def __init__(self, name: str, network: torch.nn.Module):
        self.name = name
        self.network = network.eval()
        self.rows = {}
        for key, tensor in network.state_dict().items():
            if not tensor.is_floating_point():
                continue
            is_norm = "norm" in key and tensor.dim() == 1
            if is_norm and key.endswith("weight"):
                offset, factor = 1.0, 0.1
            elif tensor.dim() < 2:
                offset, factor = 0.0, 0.05
            elif "embedding" in key and key.startswith(("text_model", "embeddings")):
                offset, factor = 0.0, 0.5
            else:
                offset, factor = 0.0, tensor[0].numel() ** -0.5
            self.rows[key] = [list(tensor.shape), offset, factor]
        self.write(self.rows)

    def write(self, keys) -> None:
        state = {}
        for key in keys:
            shape, offset, factor = self.rows[key]
            generator = torch.Generator("cpu").manual_seed(zlib.crc32(f"{self.name}/{key}".encode()))
            state[key] = offset + factor * torch.randn(shape, generator=generator)
        self.network.load_state_dict(state, strict=False)

    def scale(self, prefix: str, factor) -> None:
        keys = [key for key in self.rows if key.startswith(prefix + ".")]
        for key in keys:
            # Six digits, as they are written down.
            self.rows[key][2] = float(f"{self.rows[key][2] * float(factor):.6g}")
            self.rows[key][1] = float(f"{self.rows[key][1] * float(factor):.6g}")
        self.write(keys)


def text_encoder(name: str, width: int, projection: int | None, act: str, layers: int) -> Part:
    words = CLIPTokenizer.from_pretrained(WORDS)
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        hidden_act=act,
        projection_dim=projection or width,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    return Part(name, (CLIPTextModelWithProjection if projection else CLIPTextModel)(config))


def autoencoder(name: str, **more) -> Part:
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 12, 16),
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=32,
        **more,
    )
    return Part(name, vae)


def unet(name: str, **more) -> Part:
    usual = {
        "sample_size": 8,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "block_out_channels": (16, 24),
        "layers_per_block": 1,
        "cross_attention_dim": 24,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    return Part(name, UNet2DConditionModel(**{**usual, **more}))


XL = {
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (16, 16, 24),
    "transformer_layers_per_block": (1, 1, 2),
    "attention_head_dim": (2, 4, 3),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
}


@torch.no_grad()
def wake(unet: Part, vae: Part, text_width: int, added) -> None:
    """Scales weights up until text, added numbers, noise and picture matter: see `make.py`."""
    torch.manual_seed(3)
    x = torch.randn(1, unet.network.config.in_channels, 8, 8).repeat(2, 1, 1, 1)
    text = torch.randn(2, 20, text_width)
    names = [name + ".to_out.0" for name, _ in unet.network.named_modules() if name.endswith("attn2")]
    more = {}
    if unet.network.config.time_cond_proj_dim:
        more["timestep_cond"] = torch.randn(2, unet.network.config.time_cond_proj_dim)
    for _ in range(30):
        prediction = unet.network(x, 500, text, added_cond_kwargs=added, **more).sample
        unet.scale("conv_out", 1 / prediction.std())
        if (prediction[0] - prediction[1]).std() / prediction.std() > 0.7:
            break
        for name in names:
            unet.scale(name, 1.4)
    picture = vae.network.decode(torch.randn(1, 4, 8, 8) / vae.network.config.scaling_factor).sample
    vae.scale("decoder.conv_out", 0.5 / picture.std())
    latent = vae.network.encode(torch.randn(1, 3, 32, 32).clamp(-1, 1)).latent_dist
    spread = latent.mean.std() * vae.network.config.scaling_factor
    vae.scale("encoder.conv_out", 1 / spread)


# ---------------------------------------------------------------------------------------------------------------
# families
# ---------------------------------------------------------------------------------------------------------------


class Family:
    """The parts of a model by their folders, and the files beside them."""

    def __init__(self, name: str, parts: dict[str, Part], scheduler, index: dict):
        self.name, self.parts, self.scheduler, self.index = name, parts, scheduler, index

    def components(self) -> dict:
        made = {folder: part.network for folder, part in self.parts.items()}
        if "text_encoder" in made:
            made["tokenizer"] = CLIPTokenizer.from_pretrained(WORDS)
        if "text_encoder_2" in made:
            made["tokenizer_2"] = CLIPTokenizer.from_pretrained(OPEN_CLIP_WORDS)
        made["scheduler"] = self.scheduler
        return made

    def card(self) -> dict:
        files = {"scheduler/scheduler_config.json": config_of(self.scheduler), "model_index.json": self.index}
        for folder, part in self.parts.items():
            network = part.network
            is_text = folder.startswith("text_encoder")
            files[f"{folder}/config.json"] = config_of(network.config if is_text else network)
            if is_text:
                files[f"{folder}/config.json"]["architectures"] = [type(network).__name__]
        weights = {folder: {"seed": part.name, "tensors": part.rows} for folder, part in self.parts.items()}
        return {"name": self.name, "files": files, "weights": weights}


def config_of(thing) -> dict:
    """As `save_pretrained` writes it."""
    return json.loads(thing.to_json_string())


def xl(name: str, inputs: int, scheduler, numbers: int = 6, both: bool = True, index: dict | None = None) -> Family:
    first, second, pooled = 16, 24, 20
    width = first + second if both else second
    sizes = {**XL, "in_channels": inputs, "cross_attention_dim": width}
    sizes["projection_class_embeddings_input_dim"] = pooled + numbers * 8
    parts = {
        "text_encoder_2": text_encoder(f"{name}/text_encoder_2", second, pooled, "gelu", 3),
        "unet": unet(f"{name}/unet", **sizes),
        "vae": autoencoder(f"{name}/vae", scaling_factor=0.13025),
    }
    if both:
        parts["text_encoder"] = text_encoder(f"{name}/text_encoder", first, None, "quick_gelu", 3)
    added = {"text_embeds": torch.randn(2, pooled), "time_ids": torch.tensor([[32.0] * numbers] * 2)}
    wake(parts["unet"], parts["vae"], width, added)
    return Family(name, parts, scheduler, {"_class_name": "StableDiffusionXLPipeline", **(index or {})})


def first(name: str, inputs: int, scheduler, **more) -> Family:
    parts = {
        "text_encoder": text_encoder(f"{name}/text_encoder", 24, None, "quick_gelu", 3),
        "unet": unet(f"{name}/unet", in_channels=inputs, **more),
        "vae": autoencoder(f"{name}/vae", scaling_factor=0.18215),
    }
    wake(parts["unet"], parts["vae"], 24, None)
    return Family(name, parts, scheduler, {"_class_name": "StableDiffusionPipeline"})


def families() -> list[Family]:
    euler = EulerDiscreteScheduler(**BETAS, timestep_spacing="leading")
    turbo = EulerAncestralDiscreteScheduler(**BETAS, timestep_spacing="trailing")
    # Said outright: what is only a default does not go over from one scheduler to another.
    ddim = DDIMScheduler(**BETAS, set_alpha_to_one=False, clip_sample=False, timestep_spacing="leading")
    zero = DDIMScheduler(
        **BETAS, set_alpha_to_one=False, clip_sample=False, timestep_spacing="trailing",
        prediction_type="v_prediction", rescale_betas_zero_snr=True,
    )  # fmt: skip
    return [
        xl("sdxl", 4, euler),
        xl("sdxl-turbo", 4, turbo),
        xl("sdxl-refiner", 4, euler, numbers=5, both=False, index={"requires_aesthetics_score": True, "force_zeros_for_empty_prompt": False}),
        xl("sdxl-inpainting", 9, euler),
        first("sd1", 4, ddim),
        first("sd1-inpainting", 9, ddim),
        first("sd1-distilled", 4, ddim, time_cond_proj_dim=16),
        first("sd2-zero-snr", 4, zero),
        first("instruct-pix2pix", 8, ddim),
    ]


# ---------------------------------------------------------------------------------------------------------------
# runs
# ---------------------------------------------------------------------------------------------------------------

USUAL = {
    "prompt": PROMPT, "negative_prompt": "", "sampler": "euler", "schedule": "normal", "steps": 6, "guidance_scale": 5.0,
    "guidance_rescale": 0.0, "seed": 7, "width": 32, "height": 40, "mode": "text", "strength": 1.0, "clip_skip": 1,
}  # fmt: skip

RUNS = [
    ("sdxl", {}),
    ("sdxl", {"negative_prompt": NEGATIVE, "sampler": "dpmpp_2m", "schedule": "karras", "guidance_rescale": 0.7}),
    ("sdxl", {"clip_skip": 2}),
    ("sdxl", {"mode": "image", "strength": 0.6}),
    ("sdxl", {"mode": "inpaint", "strength": 0.8, "negative_prompt": NEGATIVE}),
    ("sdxl-turbo", {"steps": 1, "guidance_scale": 0.0, "sampler": "euler_ancestral"}),
    ("sdxl-turbo", {"steps": 4, "guidance_scale": 0.0, "sampler": "euler_ancestral"}),
    ("sdxl-refiner", {"mode": "image", "strength": 0.5, "negative_prompt": NEGATIVE}),
    ("sdxl-inpainting", {"mode": "inpaint"}),
    ("sdxl-inpainting", {"mode": "inpaint", "strength": 0.7, "sampler": "dpmpp_2m"}),
    ("sd1", {"mode": "image", "strength": 0.75, "sampler": "ddim"}),
    ("sd1", {"mode": "image", "strength": 0.75, "sampler": "euler_ancestral"}),
    ("sd1", {"mode": "image", "strength": 1.0, "sampler": "dpmpp_2m", "schedule": "karras"}),
    ("sd1", {"mode": "inpaint", "strength": 1.0, "sampler": "ddim"}),
    ("sd1", {"mode": "inpaint", "strength": 0.7, "sampler": "euler_ancestral"}),
    ("sd1", {"mode": "inpaint", "strength": 0.7, "sampler": "dpmpp_2m"}),
    ("sd1", {"mode": "hires", "strength": 0.5, "sampler": "dpmpp_2m", "schedule": "karras", "scale": 1.5}),
    ("sd1", {"guidance_rescale": 0.5, "negative_prompt": NEGATIVE}),
    ("sd1", {"mode": "image", "strength": 0.6, "sampler": "heun"}),
    ("sd1", {"mode": "inpaint", "strength": 0.6, "sampler": "heun"}),
    ("sd1", {"mode": "image", "strength": 0.6, "sampler": "uni_pc"}),
    ("sd1", {"sampler": "pndm", "steps": 8}),
    ("sd1", {"clip_skip": 2, "negative_prompt": NEGATIVE}),
    ("sd1-inpainting", {"mode": "inpaint", "sampler": "ddim"}),
    ("sd1-inpainting", {"mode": "inpaint", "strength": 0.7, "sampler": "euler_ancestral"}),
    ("sd1-distilled", {"sampler": "ddim"}),
    ("sd1-distilled", {"sampler": "lcm", "steps": 4}),
    ("sd2-zero-snr", {"sampler": "ddim", "guidance_rescale": 0.7}),
    ("sd2-zero-snr", {"sampler": "euler", "guidance_rescale": 0.7}),
    ("instruct-pix2pix", {"mode": "edit", "sampler": "euler", "negative_prompt": NEGATIVE}),
    ("instruct-pix2pix", {"mode": "edit", "sampler": "ddim", "guidance_scale": 1.0}),
]


def scheduler_for(config, sampler: str, schedule: str):
    karras = schedule == "karras"
    if sampler == "dpmpp_2m":
        return DPMSolverMultistepScheduler.from_config(config, use_karras_sigmas=karras, algorithm_type="dpmsolver++", solver_order=2)
    if sampler == "euler":
        return EulerDiscreteScheduler.from_config(config, use_karras_sigmas=karras)
    others = {
        "heun": HeunDiscreteScheduler,
        "uni_pc": UniPCMultistepScheduler,
        "lcm": LCMScheduler,
        "pndm": PNDMScheduler,
    }
    if sampler in others:
        return others[sampler].from_config(config, **({"skip_prk_steps": True} if sampler == "pndm" else {}))
    if sampler == "euler_ancestral":
        return EulerAncestralDiscreteScheduler.from_config(config)
    return DDIMScheduler.from_config(config, clip_sample=False)


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


PIPELINES = {
    "text": (StableDiffusionPipeline, StableDiffusionXLPipeline),
    "image": (StableDiffusionImg2ImgPipeline, StableDiffusionXLImg2ImgPipeline),
    "inpaint": (StableDiffusionInpaintPipeline, StableDiffusionXLInpaintPipeline),
    "edit": (StableDiffusionInstructPix2PixPipeline, None),
}


def pipeline(family: Family, run: dict, mode: str):
    is_xl = "text_encoder_2" in family.parts
    components = family.components()
    components["scheduler"] = scheduler_for(family.scheduler.config, run["sampler"], run["schedule"])
    if is_xl:
        for missing in ("text_encoder", "tokenizer"):
            components.setdefault(missing, None)
        components["force_zeros_for_empty_prompt"] = family.index.get("force_zeros_for_empty_prompt", True)
        components["add_watermarker"] = False
        if mode != "text":
            components["requires_aesthetics_score"] = family.index.get("requires_aesthetics_score", False)
    else:
        components.update(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    made = PIPELINES[mode][is_xl](**components)
    made.set_progress_bar_config(disable=True)
    return made


def skipping(made, run: dict) -> dict:
    """The settings that stop text encoders early: both prompts in SD 1.x, where diffusers skips for the first alone."""
    if hasattr(made, "text_encoder_2"):
        return {"clip_skip": run["clip_skip"] - 1}

    def embed(text: str) -> torch.Tensor:
        ids = made.tokenizer(text, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        state = made.text_encoder(ids, output_hidden_states=True).hidden_states[-run["clip_skip"]]
        return getattr(made.text_encoder, "text_model", made.text_encoder).final_layer_norm(state)

    embeds = {"prompt_embeds": embed(run["prompt"]), "negative_prompt_embeds": embed(run["negative_prompt"])}
    return {"prompt": None, "negative_prompt": None, **embeds}


@torch.no_grad()
def paint(family: Family, run: dict) -> Image.Image:
    width, height, mode = run["width"], run["height"], run["mode"]
    settings = {
        "prompt": run["prompt"],
        # diffusers takes zeros for a prompt that is not there, and Darkroom for an empty one.
        "negative_prompt": run["negative_prompt"] or None,
        "num_inference_steps": run["steps"],
        "guidance_scale": run["guidance_scale"],
    }
    generator = lambda: torch.Generator("cpu").manual_seed(run["seed"])
    rescale = {"guidance_rescale": run["guidance_rescale"]} if run["guidance_rescale"] else {}
    sizes = {"width": width, "height": height}
    if mode in ("text", "hires"):
        made = pipeline(family, run, "text")
        if run["clip_skip"] > 1:
            settings = {**settings, **skipping(made, run)}
        picture = made(**settings, **sizes, **rescale, generator=generator()).images[0]
        if mode == "text":
            return picture
        scale = run["scale"]
        larger = picture.resize((round(width * scale), round(height * scale)), Image.LANCZOS)
        second = pipeline(family, run, "image")
        return second(**settings, image=larger, strength=run["strength"], generator=generator()).images[0]
    begin = start(width, height)
    if mode == "edit":
        return pipeline(family, run, mode)(**settings, image=begin, image_guidance_scale=1.5, generator=generator()).images[0]
    if mode == "image":
        return pipeline(family, run, mode)(**settings, image=begin, strength=run["strength"], generator=generator()).images[0]
    where = mask(width, height)
    made = pipeline(family, run, mode)(
        **settings, **sizes, image=begin, mask_image=where, strength=run["strength"], generator=generator()
    ).images[0]
    # Darkroom keeps the pixels that stay.
    return Image.composite(made, begin, where)


@torch.no_grad()
def part_tensors(family: Family, tensors: dict) -> dict:
    """Numbers of the encoder and of the U-Net alone."""
    torch.manual_seed(5)
    net, vae = family.parts["unet"].network, family.parts["vae"].network
    x = torch.randn(2, net.config.in_channels, 7, 9)
    text = torch.randn(2, 20, net.config.cross_attention_dim)
    card, more, added = {"timestep": 321.0}, {}, None
    tensors.update({f"{family.name}.unet.x": x, f"{family.name}.unet.text": text})
    if net.config.addition_embed_type:
        numbers = [[32.0, 40.0, 0.0, 4.0, 64.0, 6.0], [1024.0, 512.0, 8.0, 0.0, 2.5, 100.0]]
        n = 5 if family.name == "sdxl-refiner" else 6
        pooled = torch.randn(2, 20)
        tensors[f"{family.name}.unet.pooled"] = pooled
        card["numbers"] = [row[:n] for row in numbers]
        added = {"text_embeds": pooled, "time_ids": torch.tensor(card["numbers"])}
    if net.config.time_cond_proj_dim:
        card["guidance_scale"] = 6.5
        w = torch.tensor([5.5])
        more["timestep_cond"] = StableDiffusionPipeline.get_guidance_scale_embedding(None, w, 16).repeat(2, 1)
    tensors[f"{family.name}.unet.y"] = net(x, torch.tensor(card["timestep"]), text, added_cond_kwargs=added, **more).sample
    picture = torch.rand(1, 3, 24, 40) * 2 - 1
    latent = vae.encode(picture).latent_dist
    tensors[f"{family.name}.vae.picture"] = picture
    tensors[f"{family.name}.vae.mean"] = latent.mean
    tensors[f"{family.name}.vae.deviation"] = latent.std
    if family.name == "sd1":
        latent = torch.randn(1, 4, 13, 22)
        picture = torch.rand(1, 3, 52, 88) * 2 - 1
        vae.tile_latent_min_size, vae.tile_sample_min_size = 8, 32
        vae.enable_tiling()
        tensors["tiles.latent"], tensors["tiles.decoded"] = latent, vae.decode(latent / vae.config.scaling_factor).sample
        tensors["tiles.picture"], tensors["tiles.encoded"] = picture, vae.encode(picture).latent_dist.mean
        vae.disable_tiling()
    return card


def main() -> None:
    tensors, cards = {}, []
    made = {family.name: family for family in families()}
    for family in made.values():
        cards.append({**family.card(), "unet": part_tensors(family, tensors), "runs": []})
    for i, (name, changes) in enumerate(RUNS):
        run = {**USUAL, **changes}
        pixels = torch.from_numpy(numpy.array(paint(made[name], run)))
        key = f"run.{i}"
        tensors[key] = pixels
        print(f"{name} {changes}: {tuple(pixels.shape)} std {pixels.float().std() / 255:.3f}")
        next(card for card in cards if card["name"] == name)["runs"].append({**run, "picture": key})
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, HERE / "families.safetensors")
    (HERE / "families.json").write_text(json.dumps(cards, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
