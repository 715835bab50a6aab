"""Where to compute: `DARKROOM_DEVICE` if set, else a CUDA card if there is one, else the CPU."""

import os

import torch


def device() -> torch.device:
    return torch.device(os.environ.get("DARKROOM_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu"))
