"""Writes schedule.json, samplers.json and strengths.json: what reference schedulers do, level by level and step by step.

    .venv/bin/pip install scipy && .venv/bin/pip install --no-deps torchsde trampoline k-diffusion
    .venv/bin/python inference/tests/reference/make_samplers.py

The references are diffusers' schedulers, and k-diffusion for the two samplers that diffusers lacks. The network is a toy:
`predict(x, t) = 0.6 x + 0.3 cos(t / 150) tanh(x)`. Where diffusers has no such scheduler, its parts are put together:
Euler ancestral takes levels from Euler, DDIM with levels other than its own is the multistep solver at order 1, and
schedules that diffusers lacks (`given_levels`) are handed to its schedulers in place of their own.

Two references are more exact than diffusers is (`rewritten`), since its own rounding would show where ours is held to
1e-5: with zero terminal SNR Euler and Euler ancestral step in f64 (from level 4096, three digits of seven are lost in the
first step), and DPM++ SDE rounds its logarithms and exponentials correctly (torch's have last bits wrong, and the Brownian
tree is so fine that one changes the noise by about 1e-3).
"""

import importlib.util
import inspect
import json
import math
import sys
import types
import warnings
from pathlib import Path

import numpy as np
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
    TCDScheduler,
    UniPCMultistepScheduler,
)

SHAPE = (1, 1, 4, 4)
SEED = 5
N_STEPS = 7
STABLE_DIFFUSION = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
LINEAR = {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear"}
COSINE = {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "squaredcos_cap_v2"}
SPACINGS = ["linspace", "leading", "trailing"]
PREDICTIONS = ["epsilon", "v_prediction", "sample"]

FRACTIONAL = {
    "euler": EulerDiscreteScheduler,
    "heun": HeunDiscreteScheduler,
    "lms": LMSDiscreteScheduler,
    "dpm_2": KDPM2DiscreteScheduler,
    "dpm_2_ancestral": KDPM2AncestralDiscreteScheduler,
    "dpmpp_sde": DPMSolverSDEScheduler,
}
WHOLE = {
    "ddim": DDIMScheduler,
    "ddpm": DDPMScheduler,
    "pndm": PNDMScheduler,
    "lcm": LCMScheduler,
    "tcd": TCDScheduler,
}
MULTISTEP = ["dpmpp_2m", "dpmpp_2m_sde", "uni_pc"]
K_DIFFUSION = ["dpmpp_2s_ancestral", "dpmpp_3m_sde"]
OWN = {"karras": "use_karras_sigmas", "exponential": "use_exponential_sigmas", "beta": "use_beta_sigmas"}
GIVEN = ["sgm_uniform", "simple", "align_your_steps"]
SCHEDULES = ["normal", *OWN, *GIVEN]
# With whole timesteps, and no schedules but their own in diffusers.
ONLY_NORMAL = ["ddpm", "pndm", "lcm", "tcd"]
SAMPLERS = [*FRACTIONAL, "euler_ancestral", *MULTISTEP, *K_DIFFUSION, "ddim", *ONLY_NORMAL]
TAKE_NOISE = ["euler_ancestral", "dpm_2_ancestral", "dpmpp_2m_sde", "ddpm", "lcm", "tcd"]
TWO_CALLS = ["heun", "dpm_2", "dpm_2_ancestral", "dpmpp_sde"]
# Their schedulers know no networks that predict the clean latent.
NO_SAMPLE = ["euler_ancestral", "dpm_2", "dpm_2_ancestral", "dpmpp_sde", "pndm", *K_DIFFUSION]
ALIGNED = [
    14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520, 1.8841921177, 1.3943805092, 0.9642583904, 0.6523686016,
    0.3977456272, 0.1515232662, 0.0291671582,
]  # fmt: skip


def rewritten(kind: type, lines: dict[str, str]) -> type:
    """A scheduler with other lines in its source."""
    module = inspect.getmodule(kind)
    source = inspect.getsource(module)
    for old, new in lines.items():
        if old not in source:
            raise ValueError(f"{kind.__name__} has no line `{old}`")
        source = source.replace(old, new)
    made = types.ModuleType(module.__name__)
    made.__package__ = module.__package__
    exec(compile(source, module.__file__, "exec"), made.__dict__)
    return getattr(made, kind.__name__)


STEP_IN_F64 = {"        sample = sample.to(torch.float32)": "        sample = sample.to(torch.float64)"}
# The noise stays the one of f32.
NOISE_IN_F32 = {"randn_tensor(model_output.shape, dtype=model_output.dtype": "randn_tensor(model_output.shape, dtype=torch.float32"}
EXACT = {
    "euler": rewritten(EulerDiscreteScheduler, STEP_IN_F64),
    "euler_ancestral": rewritten(EulerAncestralDiscreteScheduler, {**STEP_IN_F64, **NOISE_IN_F32}),
}
ROUNDED_CORRECTLY = {
    "return _t.neg().exp()": "return _t.double().neg().exp().float()",
    "return _sigma.log().neg()": "return _sigma.double().log().neg().float()",
}
FRACTIONAL["dpmpp_sde"] = rewritten(DPMSolverSDEScheduler, ROUNDED_CORRECTLY)


def given_levels(schedule: str, n_steps: int, config: dict) -> tuple[np.ndarray, np.ndarray]:
    """Timesteps and levels of ComfyUI's schedules."""
    made = DDIMScheduler(**betas(config))
    sigmas = np.array(((1 - made.alphas_cumprod) / made.alphas_cumprod) ** 0.5).astype(np.float64)
    logs = np.log(sigmas)
    n = len(sigmas)
    if schedule == "simple":
        timesteps = np.array([n - 1 - int(i * n / n_steps) for i in range(n_steps)], dtype=np.float64)
        return timesteps, sigmas[timesteps.astype(int)]
    if schedule == "sgm_uniform":
        timesteps = np.linspace(n - 1, 0, n_steps + 1)[:-1]
        return timesteps, np.exp(np.interp(timesteps, np.arange(n), logs))
    places = np.linspace(0, len(ALIGNED) - 1, n_steps + 1)[:-1]
    levels = np.exp(np.interp(places, np.arange(len(ALIGNED)), np.log(ALIGNED)))
    return np.interp(np.log(levels), logs, np.arange(n)), levels


def betas(config: dict) -> dict:
    names = ["beta_start", "beta_end", "beta_schedule", "num_train_timesteps", "rescale_betas_zero_snr"]
    return {name: config[name] for name in names if name in config}


def scheduler(sampler: str, schedule: str, n_steps: int, **config):
    config = {"steps_offset": 1, **config}
    spaced = {OWN[schedule]: True} if schedule in OWN else {}
    given = schedule in GIVEN
    if sampler in WHOLE and schedule == "normal":
        extra = {} if sampler == "pndm" else {"clip_sample": False}
        if sampler in ("lcm", "tcd"):
            config.pop("timestep_spacing", None)
        made = WHOLE[sampler](**{"skip_prk_steps": True} if sampler == "pndm" else {}, **extra, **config)
        made.set_timesteps(n_steps)
        return made
    config.pop("set_alpha_to_one", None)
    if sampler in ("euler_ancestral", "dpmpp_2s_ancestral"):
        if schedule == "normal":
            made = EulerAncestralDiscreteScheduler(**config)
            made.set_timesteps(n_steps)
            return made
        levels = scheduler("euler", schedule, n_steps, **config)
        made = EulerAncestralDiscreteScheduler(**config)
        made.set_timesteps(n_steps)
        made.timesteps, made.sigmas = levels.timesteps, levels.sigmas
        return made
    if sampler in FRACTIONAL:
        if sampler == "dpmpp_sde":
            spaced["noise_sampler_seed"] = SEED
        if given:
            # Their own conversion is told these levels, and finds the timesteps to them.
            spaced["use_exponential_sigmas"] = True
        made = FRACTIONAL[sampler](**spaced, **config)
        if sampler == "dpmpp_sde":
            # torch's square root is a bit off with AVX-512, and the Brownian tree so fine that a bit shows: NumPy's.
            made.alphas_cumprod = made.alphas_cumprod.numpy()
        if given:
            levels = given_levels(schedule, n_steps, config)[1]
            made._convert_to_exponential = lambda **_: levels
        made.set_timesteps(n_steps)
        return made
    if sampler == "uni_pc":
        made = UniPCMultistepScheduler(**spaced, **config)
    else:
        order = {"ddim": 1, "dpmpp_3m_sde": 3}.get(sampler, 2)
        kind = {"algorithm_type": "sde-dpmsolver++"} if sampler.endswith("sde") else {}
        made = DPMSolverMultistepScheduler(solver_order=order, **kind, **spaced, **config)
    made.set_timesteps(n_steps)
    if given:
        timesteps, levels = given_levels(schedule, n_steps, config)
        made.timesteps = torch.from_numpy(timesteps)
        made.sigmas = torch.from_numpy(np.append(levels, 0.0).astype(np.float32))
    return made


def predict(x: torch.Tensor, t) -> torch.Tensor:
    return 0.6 * x + 0.3 * torch.cos(torch.as_tensor(t).double() / 150).to(x.dtype) * torch.tanh(x)


def numbers(values) -> list[float]:
    return [float(f"{x:.9g}") for x in torch.as_tensor(values).flatten().tolist()]


def beginnings(sampler: str, made) -> list[int]:
    """Where a step begins among timesteps that count every call of the network."""
    n_calls = len(made.timesteps)
    if sampler in TWO_CALLS:
        return list(range(0, n_calls, 2))
    if sampler == "pndm":
        return [0, *range(2, n_calls)]
    return list(range(n_calls))


def is_scaled(made) -> bool:
    """Whether latents are kept at deviation 1."""
    return not hasattr(made.init_noise_sigma, "item")


def levels(sampler: str, made) -> list[float]:
    """The level at which each step begins: kept by most schedulers, to be had from alphas_cumprod with the rest."""
    begin = beginnings(sampler, made)
    if isinstance(made, tuple(WHOLE.values())):
        alphas = made.alphas_cumprod[made.timesteps[begin]]
        return numbers(((1 - alphas) / alphas) ** 0.5)
    return numbers(made.sigmas[begin])


def within(sampler: str, made) -> list[float]:
    """The timesteps at which samplers ask again within a step."""
    return numbers(made.timesteps[1::2]) if sampler in TWO_CALLS else []


def initial_scale(sampler: str, made) -> float:
    if is_scaled(made):
        return (levels(sampler, made)[0] ** 2 + 1) ** 0.5
    return float(made.init_noise_sigma)


def level_case(sampler: str, schedule: str, n_steps: int, config: dict) -> dict:
    made = scheduler(sampler, schedule, n_steps, **config)
    return {
        "config": {"steps_offset": 1, **config},
        "sampler": sampler,
        "schedule": schedule,
        "n_steps": n_steps,
        "timesteps": numbers(made.timesteps[beginnings(sampler, made)]),
        "sigmas": levels(sampler, made),
        "within": within(sampler, made),
        "initial_scale": initial_scale(sampler, made),
    }


def schedules() -> list[dict]:
    cases = []
    for sampler in SAMPLERS:
        for schedule in ["normal"] if sampler in ONLY_NORMAL else SCHEDULES:
            for n_steps in (1, 7):
                cases.append(level_case(sampler, schedule, n_steps, {**STABLE_DIFFUSION, "timestep_spacing": "leading"}))
    # One of each family under every kind of betas and spacing.
    for sampler in ("euler", "dpmpp_2m", "uni_pc", "ddim", "pndm"):
        for config in (STABLE_DIFFUSION, LINEAR, COSINE):
            for spacing in SPACINGS:
                for schedule in ("normal", "karras", "beta") if sampler != "pndm" else ("normal",):
                    for n_steps in (1, 2, 20):
                        cases.append(level_case(sampler, schedule, n_steps, {**config, "timestep_spacing": spacing}))
    rescaled = {**STABLE_DIFFUSION, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    for sampler in ("euler", "euler_ancestral", "dpmpp_2m", "uni_pc"):
        cases.append(level_case(sampler, "normal", 7, rescaled))
    # SDXL-Turbo.
    cases.append(level_case("euler_ancestral", "normal", 1, {**STABLE_DIFFUSION, "timestep_spacing": "trailing"}))
    for n_steps in (3, 4, 8, 49):
        cases.append(level_case("lcm", "normal", n_steps, STABLE_DIFFUSION))
    return cases


def run(sampler: str, schedule: str, n_steps: int = N_STEPS, last_alone: bool = False, **config) -> dict:
    made = scheduler(sampler, schedule, n_steps, **STABLE_DIFFUSION, **config)
    generator = torch.Generator("cpu").manual_seed(SEED)
    x = torch.randn(SHAPE, generator=generator) * made.init_noise_sigma
    if config.get("rescale_betas_zero_snr") and sampler in EXACT:
        made.__class__, made.sigmas, x = EXACT[sampler], made.sigmas.double(), x.double()
    if sampler in K_DIFFUSION:
        steps = run_k_diffusion(sampler, made, generator, x)
    else:
        steps = []
        begin = beginnings(sampler, made)
        for index, t in enumerate(made.timesteps):
            prediction = predict(made.scale_model_input(x, t), t)
            noise = {"generator": generator} if sampler in TAKE_NOISE else {}
            x = made.step(prediction, t, x, **noise).prev_sample
            if index + 1 in begin or index + 1 == len(made.timesteps):
                steps.append(numbers(x))
    return {
        "config": {**STABLE_DIFFUSION, "steps_offset": 1, **config},
        "sampler": sampler,
        "schedule": schedule,
        "n_steps": n_steps,
        "is_scaled": is_scaled(made) and sampler not in K_DIFFUSION,
        "steps": steps[-1:] if last_alone else steps,
    }


def k_diffusion_sampling():
    """k-diffusion's `sampling.py` alone: the package around it wants more than is needed."""
    package = Path(importlib.util.find_spec("k_diffusion").submodule_search_locations[0])
    for name in ("torchdiffeq", "kd", "kd.utils"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["torchdiffeq"].odeint = None
    sys.modules["kd"].__path__ = [str(package)]
    sys.modules["kd"].utils = sys.modules["kd.utils"]
    sys.modules["kd.utils"].append_dims = lambda x, n: x[(...,) + (None,) * (n - x.ndim)]
    spec = importlib.util.spec_from_file_location("kd.sampling", package / "sampling.py")
    sampling = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sampling)
    return sampling


def run_k_diffusion(sampler: str, made, generator: torch.Generator, x: torch.Tensor) -> list[list[float]]:
    known = dict(zip(made.sigmas.tolist(), made.timesteps.tolist()))
    training = EulerDiscreteScheduler(**STABLE_DIFFUSION)
    log_sigmas = np.log(np.array(((1 - training.alphas_cumprod) / training.alphas_cumprod) ** 0.5))
    if is_scaled(made):
        x = x * (made.sigmas[0] ** 2 + 1) ** 0.5
    steps = []

    def model(x, sigma):
        sigma = sigma[0]
        t = known.get(sigma.item())
        if t is None:
            t = float(training._sigma_to_t(np.array(sigma.item()), log_sigmas))
        return estimate(made.config.prediction_type, predict(x / (sigma**2 + 1) ** 0.5, t), x, sigma)

    def noise_sampler(_sigma, _sigma_next):
        return torch.randn(SHAPE, generator=generator)

    function = getattr(k_diffusion_sampling(), f"sample_{sampler}")
    # The callback sees the latent before each step.
    callback = lambda state: steps.append(numbers(state["x"]))  # noqa: E731
    x = function(model, x, made.sigmas, callback=callback, disable=True, noise_sampler=noise_sampler)
    return [*steps[1:], numbers(x)]


def estimate(prediction: str, output: torch.Tensor, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    if prediction == "epsilon":
        return x - sigma * output
    return x / (sigma**2 + 1) - output * sigma / (sigma**2 + 1) ** 0.5


def runs() -> list[dict]:
    cases = []
    for sampler in SAMPLERS:
        for prediction in PREDICTIONS:
            if prediction == "sample" and sampler in NO_SAMPLE:
                continue
            config = {"prediction_type": prediction, "timestep_spacing": "leading"}
            cases.append(run(sampler, "normal", last_alone=prediction != "epsilon", **config))
        if sampler in ONLY_NORMAL:
            continue
        for schedule in SCHEDULES[1:]:
            config = {"prediction_type": "epsilon", "timestep_spacing": "leading"}
            cases.append(run(sampler, schedule, last_alone=True, **config))
    for sampler in ("euler", "dpmpp_2m", "ddim", "pndm"):
        for spacing in ("linspace", "trailing"):
            for prediction in ("epsilon", "v_prediction"):
                config = {"prediction_type": prediction, "timestep_spacing": spacing}
                cases.append(run(sampler, "normal", last_alone=True, **config))
    # Stable Diffusion's own DDIM config ends above zero.
    for sampler in ("ddim", "pndm"):
        for end in (False, True):
            config = {"prediction_type": "epsilon", "timestep_spacing": "leading", "set_alpha_to_one": end}
            cases.append(run(sampler, "normal", last_alone=True, **config))
    for sampler in ("euler", "dpmpp_2m", "dpmpp_2m_sde", "uni_pc"):
        for n_steps in (7, 16):
            config = {"prediction_type": "epsilon", "timestep_spacing": "linspace", "final_sigmas_type": "sigma_min"}
            cases.append(run(sampler, "normal", n_steps, last_alone=True, **config))
    for sampler in ("ddim", "euler", "euler_ancestral", "dpmpp_2m", "dpmpp_2m_sde", "uni_pc", "ddpm", "lcm", "tcd"):
        config = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
        if sampler not in ("lcm", "tcd"):
            config["timestep_spacing"] = "trailing"
        cases.append(run(sampler, "normal", last_alone=True, **config))
    return cases


def strengths() -> list[dict]:
    """Runs from a picture, noised as diffusers' image-to-image pipelines do."""
    cases = []
    for sampler in [s for s in SAMPLERS if s not in (*K_DIFFUSION, "lms", "dpmpp_sde")]:
        for schedule in ("normal", "karras"):
            if schedule == "karras" and (sampler in ONLY_NORMAL or sampler == "euler_ancestral"):
                continue
            for n_steps, strength in ((10, 0.7), (7, 0.5), (10, 1.0), (3, 0.34)):
                made = scheduler(sampler, schedule, n_steps, **STABLE_DIFFUSION, timestep_spacing="leading")
                # StableDiffusionImg2ImgPipeline.get_timesteps
                n_walked = min(int(n_steps * strength), n_steps)
                begin = max(n_steps - n_walked, 0) * made.order
                timesteps = made.timesteps[begin:]
                if hasattr(made, "set_begin_index"):
                    made.set_begin_index(begin)
                generator = torch.Generator("cpu").manual_seed(SEED)
                clean = torch.linspace(-1.5, 1.5, math.prod(SHAPE)).reshape(SHAPE)
                noise = torch.randn(SHAPE, generator=generator)
                x = made.add_noise(clean, noise, timesteps[:1])
                start = x
                for t in timesteps:
                    prediction = predict(made.scale_model_input(x, t), t)
                    takes = {"generator": generator} if sampler in TAKE_NOISE else {}
                    x = made.step(prediction, t, x, **takes).prev_sample
                cases.append(
                    {
                        "config": {**STABLE_DIFFUSION, "steps_offset": 1, "timestep_spacing": "leading"},
                        "sampler": sampler,
                        "schedule": schedule,
                        "n_steps": n_steps,
                        "strength": strength,
                        "is_scaled": is_scaled(made),
                        "start": numbers(start),
                        "end": numbers(x),
                    }
                )
    return cases


def write(name: str, cases: list[dict]) -> None:
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_name(name).write_text(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write("schedule.json", schedules())
    write("samplers.json", runs())
    write("strengths.json", strengths())
