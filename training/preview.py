"""Fits the linear map from latents to RGB that draws previews without the decoder."""

import numpy as np
import torch
import torch.nn.functional as F

from . import latents, models
from .pictures import stream


@torch.no_grad()
def fit(count: int = 160) -> tuple[list[list[float]], list[float]]:
    """Least squares from latents, as the sampler sees them, to pictures in -1..1 at a sixteenth of their size.

    Returns one [r, g, b] row for each latent channel, and the bias [r, g, b].
    """
    basis, source, inputs, outputs = latents.load(), stream(16, seed=41), [], []
    for _ in range(count // 16):
        pictures, _ = next(source)
        inputs.append(latents.encode(basis, pictures).movedim(1, -1).flatten(0, 2))
        outputs.append(F.avg_pool2d(pictures, models.SHRINK).movedim(1, -1).flatten(0, 2))
    z = torch.cat(inputs).double().numpy()
    rows = np.concatenate([z, np.ones((len(z), 1))], axis=1)
    solution, *_ = np.linalg.lstsq(rows, torch.cat(outputs).double().numpy(), rcond=None)
    rounded = [[round(float(x), 5) for x in row] for row in solution]
    return rounded[:-1], rounded[-1]
