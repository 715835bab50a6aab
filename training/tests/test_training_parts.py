"""The small parts that a training run leans on."""

import math

import torch

from training import latents, models
from training.noise import Noise
from training.optimiser import Muon, orthogonal
from training.vae import decibels, learning_rate


def test_v_and_the_noisy_latents_give_back_the_clean_ones():
    noise = Noise(torch.device("cpu"))
    clean, random = torch.randn(8, 12, 4, 4), torch.randn(8, 12, 4, 4)
    t = noise.draw(8)
    noisy, v = noise.add(clean, random, t)
    a, s = noise.signal[t].view(-1, 1, 1, 1), noise.noise[t].view(-1, 1, 1, 1)
    assert torch.allclose(a * noisy - s * v, clean, atol=1e-4)


def test_the_schedule_ends_in_nearly_pure_noise():
    alphas = models.scheduler().alphas_cumprod
    assert 50 < math.sqrt((1 - alphas[-1]) / alphas[-1]) < 150


def test_latents_of_a_complete_basis_are_undone():
    vectors = torch.linalg.qr(torch.randn(768, 768))[0]
    basis = {"mean": torch.randn(768), "to_latent": vectors.T.contiguous(), "from_latent": vectors}
    pictures = torch.randn(2, 3, 32, 48)
    z = latents.encode(basis, pictures)
    assert z.shape == (2, 768, 2, 3)
    assert torch.allclose(latents.decode(basis, z), pictures, atol=1e-3)


def test_orthogonal_keeps_directions_and_levels_their_lengths():
    u, s, v = torch.linalg.svd(torch.randn(3, 24, 60), full_matrices=False)
    result = orthogonal(u @ torch.diag_embed(s) @ v).float()
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.5 and values.max() < 1.4
    assert torch.cosine_similarity(result.flatten(), (u @ v).flatten(), 0) > 0.97


def test_muon_learns_a_linear_map():
    torch.manual_seed(0)
    net, x = torch.nn.Linear(16, 16), torch.randn(128, 16)
    target, optimiser, losses = x @ torch.randn(16, 16) / 4, Muon([net], 3e-2), []
    for _ in range(60):
        loss = ((net(x) - target) ** 2).mean()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_the_rate_warms_up_and_ends_at_nothing():
    assert learning_rate(0.0, 1.0) < 0.05 < 0.9 < learning_rate(0.05, 1.0)
    assert learning_rate(1.0, 1.0) == 0
    assert decibels(torch.zeros(1), torch.full((1,), 0.2)) > 19.9
