"""Writes noise.json: what torch's CPU generator draws, as the bits of f32 numbers.

    .venv/bin/python inference/tests/reference/make_noise.py

Large draws are kept as their first and last 20 numbers and an FNV-1a hash over all bits. Needs a
processor with AVX2, as torch computes otherwise (and a few last bits differ) on older ones.
"""

import json
from pathlib import Path

import torch

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
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_name("noise.json").write_text(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    main()
