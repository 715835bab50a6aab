"""Pictures of the tiny families, by diffusers' pipelines."""

import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    DPMSolverSDEScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
    LCMScheduler,
    LMSDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
    StableDiffusionXLPipeline,
    TCDScheduler,
    UniPCMultistepScheduler,
)
from PIL import Image
from start_pictures import mask, start
from tiny_families import Family

# What a run has unless it says something else.
USUAL = {
    "prompt": "a red sailing boat on a calm sea at sunset", "negative_prompt": "", "sampler": "euler", "schedule": "normal",
    "steps": 6, "guidance_scale": 5.0, "guidance_rescale": 0.0, "seed": 7, "width": 32, "height": 40, "mode": "text",
    "strength": 1.0, "clip_skip": 1,
}  # fmt: skip
PIPELINES = {
    "text": (StableDiffusionPipeline, StableDiffusionXLPipeline),
    "image": (StableDiffusionImg2ImgPipeline, StableDiffusionXLImg2ImgPipeline),
    "inpaint": (StableDiffusionInpaintPipeline, StableDiffusionXLInpaintPipeline),
    "edit": (StableDiffusionInstructPix2PixPipeline, StableDiffusionXLInstructPix2PixPipeline),
}


SPACED = {"karras": "use_karras_sigmas", "exponential": "use_exponential_sigmas", "beta": "use_beta_sigmas"}
# Scheduler and settings of each sampler.
SAMPLERS = {
    "dpmpp_2m": (DPMSolverMultistepScheduler, {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "dpmpp_2m_sde": (DPMSolverMultistepScheduler, {"algorithm_type": "sde-dpmsolver++", "solver_order": 2}),
    "dpmpp_sde": (DPMSolverSDEScheduler, {}),
    "uni_pc": (UniPCMultistepScheduler, {}),
    "euler": (EulerDiscreteScheduler, {}),
    "euler_ancestral": (EulerAncestralDiscreteScheduler, {}),
    "heun": (HeunDiscreteScheduler, {}),
    "lms": (LMSDiscreteScheduler, {}),
    "dpm_2": (KDPM2DiscreteScheduler, {}),
    "dpm_2_ancestral": (KDPM2AncestralDiscreteScheduler, {}),
    "lcm": (LCMScheduler, {}),
    "tcd": (TCDScheduler, {}),
    "pndm": (PNDMScheduler, {"skip_prk_steps": True}),
    "ddim": (DDIMScheduler, {"clip_sample": False}),
    "ddpm": (DDPMScheduler, {"clip_sample": False}),
}


def scheduler_for(config, run: dict):
    kind, settings = SAMPLERS[run["sampler"]]
    if run["schedule"] in SPACED:
        settings = {**settings, SPACED[run["schedule"]]: True}
    if run["sampler"] == "dpmpp_sde":
        settings = {**settings, "noise_sampler_seed": run["seed"]}
    return kind.from_config(config, **settings)


def pipeline(family: Family, run: dict, kind: str):
    components = family.components()
    components["scheduler"] = scheduler_for(family.scheduler.config, run)
    if family.is_xl:
        for missing in ("text_encoder", "tokenizer"):
            components.setdefault(missing, None)
        components["force_zeros_for_empty_prompt"] = family.index.get("force_zeros_for_empty_prompt", True)
        components["add_watermarker"] = False
        if kind in ("image", "inpaint"):
            components["requires_aesthetics_score"] = family.index.get("requires_aesthetics_score", False)
    else:
        components.update(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    made = PIPELINES[kind][family.is_xl](**components)
    made.set_progress_bar_config(disable=True)
    return made


def skipping(made, run: dict) -> dict:
    """Prompts as text encoders that stop early have them: both, where diffusers skips blocks for the first alone."""
    prompts = {"": run["prompt"], "negative_": run["negative_prompt"]}
    if hasattr(made, "text_encoder_2"):
        embeds = {}
        for side, text in prompts.items():
            context, _, pooled, _ = made.encode_prompt(text, do_classifier_free_guidance=False, clip_skip=run["clip_skip"] - 1)
            is_zero = side and not text and made.config.force_zeros_for_empty_prompt
            embeds |= {f"{side}prompt_embeds": context * (not is_zero), f"{side}pooled_prompt_embeds": pooled * (not is_zero)}
        return embeds

    def embed(text: str) -> torch.Tensor:
        ids = made.tokenizer(text, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        state = made.text_encoder(ids, output_hidden_states=True).hidden_states[-run["clip_skip"]]
        return getattr(made.text_encoder, "text_model", made.text_encoder).final_layer_norm(state)

    return {f"{side}prompt_embeds": embed(text) for side, text in prompts.items()}


@torch.no_grad()
def paint(family: Family, run: dict, embeds: dict | None = None) -> Image.Image:
    """The picture of a run. `embeds`: what the prompts have become, where the pipeline is not to encode them itself."""
    size = (run["width"], run["height"])
    if run["mode"] in ("text", "hires"):
        picture = paint_once(family, run, size, None, None, embeds)
        if run["mode"] == "text":
            return picture
        size = tuple(round(side * run["scale"]) for side in size)
        return paint_once(family, run, size, picture.resize(size, Image.LANCZOS), None, embeds)
    return paint_once(family, run, size, start(*size), mask(*size) if run["mode"] == "inpaint" else None, embeds)


def paint_once(family: Family, run: dict, size: tuple[int, int], begin, where, embeds) -> Image.Image:
    """One pass: from `begin` or from noise alone; with a mask in the part that it shows."""
    sizes = {"width": size[0], "height": size[1]}
    generator = torch.Generator("cpu").manual_seed(run["seed"])
    settings = {"num_inference_steps": run["steps"], "guidance_scale": run["guidance_scale"], "generator": generator}
    if run["sampler"] == "tcd":
        # What its makers call it with, and its scheduler's own value: pipelines say 0 to all schedulers that know `eta`.
        settings["eta"] = 0.3

    def ask(kind: str, **more) -> Image.Image:
        made = pipeline(family, run, kind)
        # diffusers takes zeros for a prompt that is not there, and Darkroom for an empty one.
        texts = {"prompt": run["prompt"], "negative_prompt": run["negative_prompt"] or None}
        if embeds or run["clip_skip"] > 1:
            texts = embeds or skipping(made, run)
        return made(**texts, **settings, **more).images[0]

    if run["mode"] == "edit":
        more = sizes if family.is_xl else {}
        return ask("edit", image=begin, image_guidance_scale=1.5, **more)
    if family.n_inputs == 9 or where is not None:
        # A U-Net for inpainting paints all of a picture where there is no mask, and all of a grey one without a picture.
        strength = 1.0 if begin is None else run["strength"]
        picture = begin or Image.new("RGB", size, (128, 128, 128))
        white = Image.new("L", size, 255)
        painted = ask("inpaint", image=picture, mask_image=where or white, strength=strength, **sizes)
        # Darkroom keeps the pixels that stay.
        return Image.composite(painted, picture, where or white)
    if begin is not None:
        return ask("image", image=begin, strength=run["strength"])
    if "text_encoder" not in family.parts:
        # The refiner has no pipeline that begins with noise: the one that begins with a picture is handed noise in its place.
        scheduler = scheduler_for(family.scheduler.config, run)
        scheduler.set_timesteps(run["steps"])
        noise = torch.randn((1, 4, size[1] // 4, size[0] // 4), generator=generator) * scheduler.init_noise_sigma
        return ask("image", image=start(*size), latents=noise, strength=1.0)
    rescale = {"guidance_rescale": run["guidance_rescale"]} if run["guidance_rescale"] else {}
    return ask("text", **sizes, **rescale)
