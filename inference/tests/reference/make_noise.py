"""Writes noise.json: what torch's CPU generator draws, as the bits of f32 numbers; and brownian.json and variation.json:
noise over stretches of levels, and noise between two others.

    .venv/bin/pip install --no-deps torchsde trampoline scipy
    .venv/bin/python inference/tests/reference/make_noise.py

Large draws are kept as their first and last 20 numbers and an FNV-1a hash over all bits. Needs a
processor with AVX2, as torch computes otherwise (and a few last bits differ) on older ones.
"""

import json
from pathlib import Path

import torch
import torchsde

SEEDS = [0, 1, 7, 42, 2**31, 2**32 - 1, 2**32 + 7, 2**53 + 12345, 2**64 - 1]
SIZES = [1, 4, 15, 16, 17, 31, 1000, 3072]
# One generator, several draws: small ones keep a spare number, large ones pass it by.
SUCCESSIVE = [3, 16, 1, 17, 2, 1000, 1, 15, 32]


def bits(values: torch.Tensor) -> list[int]:
    return [x & 0xFFFFFFFF for x in values.view(torch.int32).tolist()]


def fnv1a(numbers: list[int]) -> str:
    state = 0xCBF29CE484222325
    for number in numbers:
        for byte in number.to_bytes(4, "little"):
            state = ((state ^ byte) * 0x100000001B3) % 2**64
    return f"{state:016x}"


def describe(values: torch.Tensor) -> dict:
    numbers = bits(values)
    return {
        "size": len(numbers),
        "first": numbers[:20],
        "last": numbers[-20:],
        "fnv1a": fnv1a(numbers),
    }


def brownian() -> list[dict]:
    """torchsde's tree, asked as k-diffusion's `BrownianTreeNoiseSampler` asks it."""
    cases = []
    for seed, low, high, shape in (
        (0, 0.0291671582, 14.6146412, (1, 1, 4, 4)),
        (2**40 + 3, 0.0291671582, 14.6146412, (1, 4, 2, 2)),
        (7, 0.5, 4095.99988, (1, 1, 4, 4)),
    ):
        levels = torch.linspace(high**0.25, low**0.25, 6) ** 4
        # The tree keeps to the levels it is given, and those are f32.
        tree = torchsde.BrownianTree(levels[-1], torch.zeros(shape), levels[0], entropy=seed)
        stretches = [(levels[i], levels[i + 1]) for i in range(5)] + [(levels[1], levels[4])]
        noises = []
        for sigma, sigma_next in stretches:
            noise = -tree(sigma_next, sigma) / (sigma_next - sigma).abs().sqrt()
            noises.append(
                {"from": sigma.item(), "to": sigma_next.item(), "noise": noise.flatten().double().tolist()}
            )
        cases.append(
            {"seed": str(seed), "low": levels[-1].item(), "high": levels[0].item(), "shape": shape, "noises": noises}
        )
    return cases


def variations() -> list[dict]:
    """The arc between two noises, column by column, as the AUTOMATIC1111 web UI has it."""
    shape = (1, 4, 6, 3)
    cases = []
    for seed, other, strength in ((1, 2, 0.1), (1, 2, 0.85), (7, 11, 0.5)):
        low, high = (torch.randn(shape, generator=torch.Generator("cpu").manual_seed(s)) for s in (seed, other))
        angle = torch.acos(torch.cosine_similarity(low, high, dim=2)).unsqueeze(2)
        between = (torch.sin((1 - strength) * angle) * low + torch.sin(strength * angle) * high) / torch.sin(angle)
        cases.append(
            {"seed": seed, "other": other, "strength": strength, "noise": between.flatten().double().tolist()}
        )
    return cases


def write(name: str, cases: list[dict]) -> None:
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_name(name).write_text(f"[\n{rows}\n]\n")


def main() -> None:
    assert "AVX" in torch.backends.cpu.get_cpu_capability(), "needs AVX2"
    cases = []
    for seed in SEEDS:
        for size in SIZES:
            # manual_seed takes what fits into 64 bits, as a signed number from 2^63 on.
            generator = torch.Generator("cpu").manual_seed(seed)
            cases.append({"seed": str(seed), "draws": [describe(torch.randn(size, generator=generator))]})
        generator = torch.Generator("cpu").manual_seed(seed)
        draws = [describe(torch.randn(size, generator=generator)) for size in SUCCESSIVE]
        cases.append({"seed": str(seed), "draws": draws})
    write("noise.json", cases)
    write("brownian.json", brownian())
    write("variation.json", variations())


if __name__ == "__main__":
    main()
