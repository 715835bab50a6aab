"""The forward process of the diffusion: noise levels, how often each is trained on, and the v target."""

import torch

from . import models

# Noise levels are drawn with ln(sigma) around this mean and deviation, a share of them evenly over all steps instead:
# the shapes of things are decided in the middle of the range.
LOG_MEAN, LOG_DEVIATION, EVEN_SHARE = 0.4, 1.4, 0.25


class Noise:
    """The schedule's tables; `t` are integer training steps of shape (n)."""

    def __init__(self, where: torch.device):
        alphas = models.scheduler().alphas_cumprod.double()
        log_sigma = 0.5 * torch.log((1 - alphas) / alphas)
        density = torch.exp(-0.5 * ((log_sigma - LOG_MEAN) / LOG_DEVIATION) ** 2) * torch.gradient(log_sigma)[0]
        weights = (1 - EVEN_SHARE) * density / density.sum() + EVEN_SHARE / len(alphas)
        self.weights = weights.float().to(where)
        self.signal = alphas.sqrt().float().to(where)
        self.noise = (1 - alphas).sqrt().float().to(where)

    def draw(self, count: int) -> torch.Tensor:
        """Training steps for `count` samples."""
        return torch.multinomial(self.weights, count, replacement=True)

    def add(self, latents: torch.Tensor, noise: torch.Tensor, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The noisy latents and the v that the U-Net is to predict, both (n, channels, h, w)."""
        a, s = self.signal[t].view(-1, 1, 1, 1), self.noise[t].view(-1, 1, 1, 1)
        return a * latents + s * noise, a * noise - s * latents
