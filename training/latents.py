"""The latent space: principal components of 16x16 patches, partly whitened.

A picture in -1..1 becomes 12 numbers a patch. Component i is divided by its deviation to the power `WHITEN`, so that
fine detail is not drowned by brightness, and all are scaled together to unit deviation. The autoencoder is trained to
these latents from both sides: its decoder undoes them (far better than the linear map could) and its encoder makes them.
"""

import random

import numpy as np
import torch
import torch.nn.functional as F

from . import paths
from .models import LATENT_CHANNELS, SHRINK
from .painter import paint
from .world import draw_scene

WHITEN = 0.6
FILE = "latents.pt"


def patches(pictures: torch.Tensor) -> torch.Tensor:
    """(n, 3, H, W) to (n, 768, H/16, W/16): every patch as a column of numbers."""
    return F.pixel_unshuffle(pictures, SHRINK)


def fit(pictures: int = 2000, seed: int = 1) -> dict[str, torch.Tensor]:
    """Finds the components and saves {mean (768), to_latent (12, 768), from_latent (768, 12)}."""
    rng = random.Random(seed)
    total, square, count = np.zeros(768), np.zeros((768, 768)), 0
    for _ in range(pictures):
        picture = torch.from_numpy(paint(draw_scene(rng), rng)).permute(2, 0, 1)[None].float() / 127.5 - 1
        rows = patches(picture)[0].flatten(1).T.double().numpy()
        total += rows.sum(0)
        square += rows.T @ rows
        count += len(rows)
    mean = total / count
    variances, vectors = np.linalg.eigh(square / count - np.outer(mean, mean))
    variances, vectors = variances[::-1][:LATENT_CHANNELS].copy(), vectors[:, ::-1][:, :LATENT_CHANNELS].copy()
    weights = variances ** (-WHITEN / 2)
    weights /= np.sqrt(np.mean(variances * weights**2))
    basis = {
        "mean": torch.from_numpy(mean).float(),
        "to_latent": torch.from_numpy((vectors * weights).T.copy()).float(),
        "from_latent": torch.from_numpy(vectors / weights).float(),
        "deviation": torch.from_numpy(np.sqrt(variances) * weights).float(),
    }
    torch.save(basis, paths.work(FILE))
    return basis


def load() -> dict[str, torch.Tensor]:
    """The fitted components; fits them on first use."""
    path = paths.work(FILE)
    return torch.load(path) if path.exists() else fit()


def encode(basis: dict[str, torch.Tensor], pictures: torch.Tensor) -> torch.Tensor:
    """(n, 3, H, W) in -1..1 to latents (n, 12, H/16, W/16)."""
    return F.conv2d(patches(pictures) - basis["mean"][None, :, None, None], basis["to_latent"][:, :, None, None])


def decode(basis: dict[str, torch.Tensor], latents: torch.Tensor) -> torch.Tensor:
    """The best linear way back, blocky but with the right colours."""
    rows = F.conv2d(latents, basis["from_latent"][:, :, None, None]) + basis["mean"][None, :, None, None]
    return F.pixel_shuffle(rows, SHRINK)
