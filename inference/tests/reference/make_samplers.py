"""Writes schedule.json and samplers.json: what diffusers' schedulers do, level by level and step by step.

    .venv/bin/python inference/tests/reference/make_samplers.py

The network is a toy: `predict(x, t) = 0.6 x + 0.3 cos(t / 150) tanh(x)`. Where diffusers has no
such scheduler, its parts are put together: Euler ancestral takes Karras levels from Euler, and DDIM with Karras
levels is the multistep solver at order 1.
"""

import json
from pathlib import Path

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
)

SHAPE = (1, 1, 4, 4)
SEED = 5
N_STEPS = 7
STABLE_DIFFUSION = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
CONFIGS = [
    STABLE_DIFFUSION,
    {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear"},
    {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "squaredcos_cap_v2"},
]
SAMPLERS = ["ddim", "euler", "euler_ancestral", "dpmpp_2m"]
SCHEDULES = ["normal", "karras"]
SPACINGS = ["linspace", "leading", "trailing"]
PREDICTIONS = ["epsilon", "v_prediction"]


def scheduler(sampler: str, schedule: str, n_steps: int, **config):
    karras = schedule == "karras"
    config = {"steps_offset": 1, **config}
    if sampler == "ddim" and not karras:
        made = DDIMScheduler(clip_sample=False, **config)
    elif sampler in ("ddim", "dpmpp_2m"):
        config.pop("set_alpha_to_one", None)
        order = 1 if sampler == "ddim" else 2
        made = DPMSolverMultistepScheduler(use_karras_sigmas=karras, solver_order=order, **config)
    elif sampler == "euler":
        made = EulerDiscreteScheduler(use_karras_sigmas=karras, **config)
    else:
        made = EulerAncestralDiscreteScheduler(**config)
    made.set_timesteps(n_steps)
    if sampler == "euler_ancestral" and karras:
        levels = scheduler("euler", "karras", n_steps, **config)
        made.timesteps, made.sigmas = levels.timesteps, levels.sigmas
    return made


def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return 0.6 * x + 0.3 * torch.cos(t.double() / 150).float() * torch.tanh(x)


def numbers(values) -> list[float]:
    return [float(f"{x:.9g}") for x in torch.as_tensor(values).flatten().tolist()]


def levels(made) -> list[float]:
    """Noise levels: kept by most schedulers, to be had from alphas_cumprod with DDIM."""
    if not isinstance(made, DDIMScheduler):
        return numbers(made.sigmas[:-1])
    alphas = made.alphas_cumprod[made.timesteps]
    return numbers(((1 - alphas) / alphas) ** 0.5)


def initial_scale(made) -> float:
    """Relative to noise levels; DDIM and the multistep solver count in latents of deviation 1."""
    if isinstance(made, (DDIMScheduler, DPMSolverMultistepScheduler)):
        return (levels(made)[0] ** 2 + 1) ** 0.5
    return float(made.init_noise_sigma)


def schedules() -> list[dict]:
    cases = []
    for config in CONFIGS:
        for sampler in SAMPLERS:
            for schedule in SCHEDULES:
                for spacing in SPACINGS:
                    for n_steps in (1, 2, 7, 20):
                        made = scheduler(sampler, schedule, n_steps, timestep_spacing=spacing, **config)
                        cases.append(
                            {
                                "config": {**config, "timestep_spacing": spacing, "steps_offset": 1},
                                "sampler": sampler,
                                "schedule": schedule,
                                "n_steps": n_steps,
                                "timesteps": numbers(made.timesteps),
                                "sigmas": levels(made),
                                "initial_scale": initial_scale(made),
                            }
                        )
    return cases


def run(sampler: str, schedule: str, **config) -> dict:
    made = scheduler(sampler, schedule, N_STEPS, **STABLE_DIFFUSION, **config)
    generator = torch.Generator("cpu").manual_seed(SEED)
    x = torch.randn(SHAPE, generator=generator) * made.init_noise_sigma
    steps = []
    for t in made.timesteps:
        prediction = predict(made.scale_model_input(x, t), t)
        takes_noise = sampler == "euler_ancestral"
        x = made.step(prediction, t, x, **({"generator": generator} if takes_noise else {})).prev_sample
        steps.append(numbers(x))
    return {
        "config": {**STABLE_DIFFUSION, "steps_offset": 1, **config},
        "sampler": sampler,
        "schedule": schedule,
        "steps": steps,
    }


def runs() -> list[dict]:
    cases = []
    for sampler in SAMPLERS:
        for schedule in SCHEDULES:
            for prediction in PREDICTIONS:
                for spacing in SPACINGS:
                    config = {"prediction_type": prediction, "timestep_spacing": spacing}
                    cases.append(run(sampler, schedule, **config))
    # Stable Diffusion's own DDIM config ends above zero.
    cases.append(
        run("ddim", "normal", prediction_type="epsilon", timestep_spacing="leading", set_alpha_to_one=False)
    )
    return cases


def write(name: str, cases: list[dict]) -> None:
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_name(name).write_text(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    write("schedule.json", schedules())
    write("samplers.json", runs())
