"""Trains the autoencoder towards the fixed latents of `latents`, one phase after another.

1. `rough`: the lower half of the decoder learns the picture at 64x64 through a throw-away head; colours come right.
2. `decoder`: the whole decoder learns the picture.
3. `encoder`: learns to produce the latents.
4. `sharpen`: the decoder again, now also judged by its edges. Diffusion does not wait for it, as the latents stay as
   they are; it can run beside.

The learning rate follows the time that the training computes, so a phase ends with a rate of zero after the minutes it
is given, on any machine and beside any other program; an interrupted phase goes on from its last checkpoint.
"""

import argparse
import math
import time

import torch
import torch.nn.functional as F
from torch import nn

from . import latents, models, paths
from .device import device
from .optimiser import Muon
from .pictures import stream

CHECKPOINT = "vae.pt"
BATCH = 8
LATENT_NOISE = 0.06
RATES = {"rough": 3e-3, "decoder": 2.5e-3, "encoder": 2e-3, "sharpen": 1.5e-3}
MINUTES = {"rough": 2.0, "decoder": 24.0, "encoder": 7.0, "sharpen": 30.0}
SEEDS = {"rough": 11, "decoder": 12, "encoder": 13, "sharpen": 14}


def learning_rate(progress: float, peak: float) -> float:
    """Warm-up over the first 3 %, then a cosine down to nothing."""
    return peak * min(1.0, progress / 0.03 + 0.02) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


class Rough(nn.Module):
    """The decoder's first levels, latents (n, 12, h, w) to RGB at a quarter of the full size."""

    def __init__(self, vae):
        super().__init__()
        self.vae = [vae]
        self.parts = nn.ModuleList(
            [vae.post_quant_conv, vae.decoder.conv_in, vae.decoder.mid_block, *vae.decoder.up_blocks[:2]]
        )
        self.head = nn.Conv2d(96, 3, 3, padding=1)

    def forward(self, z):
        for part in self.parts:
            z = part(z)
        return self.head(z)


class Decoder(nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.post_quant_conv, self.decoder = vae.post_quant_conv, vae.decoder

    def forward(self, z):
        return self.decoder(self.post_quant_conv(z))


class Encoder(nn.Module):
    """The mean of the posterior; its log variance is pinned low, so that sampling from it adds nothing."""

    def __init__(self, vae):
        super().__init__()
        self.encoder, self.quant_conv = vae.encoder, vae.quant_conv
        with torch.no_grad():
            self.quant_conv.weight[models.LATENT_CHANNELS :].zero_()
            self.quant_conv.bias[models.LATENT_CHANNELS :].fill_(-16.0)

    def forward(self, pictures):
        return self.quant_conv(self.encoder(pictures))[:, : models.LATENT_CHANNELS]


def picture_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Sharp edges by the absolute error, right colours by the squared error of 8x8 means."""
    error = output - target
    return error.abs().mean() + (error**2).mean() + 4 * (F.avg_pool2d(error, 8) ** 2).mean()


def edge_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The absolute error of the differences between neighbouring pixels."""
    error = output - target
    return error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()


def computing_time() -> float:
    """Seconds that this process has computed, on one thread or on all of them alike."""
    return time.time() if torch.cuda.is_available() else time.process_time() / torch.get_num_threads()


def decibels(output: torch.Tensor, target: torch.Tensor) -> float:
    """Peak signal-to-noise ratio of pictures in -1..1."""
    return 10 * math.log10(4 / ((output.clamp(-1, 1) - target) ** 2).mean().item())


def phase_loss(phase: str, net: nn.Module, basis, pictures: torch.Tensor) -> torch.Tensor:
    z = latents.encode(basis, pictures)
    with torch.autocast(pictures.device.type, torch.bfloat16):
        if phase == "encoder":
            output = net(pictures)
        else:
            output = net(z + LATENT_NOISE * torch.rand(len(z), 1, 1, 1, device=z.device) * torch.randn_like(z))
    if phase == "encoder":
        return F.mse_loss(output.float(), z)
    target = F.avg_pool2d(pictures, 4) if phase == "rough" else pictures
    output = output.float()
    return picture_loss(output, target) + (0.5 * edge_loss(output, target) if phase == "sharpen" else 0)


def run_phase(vae, phase: str, minutes: float, state: dict, compile_net: bool) -> None:
    """Trains one phase for `minutes` in all, those of earlier runs counted in."""
    where = device()
    nets = {"rough": Rough, "decoder": Decoder, "encoder": Encoder, "sharpen": Decoder}
    net = nets[phase](vae).to(where, memory_format=torch.channels_last)
    basis = {name: tensor.to(where) for name, tensor in latents.load().items()}
    optimiser = Muon([net], RATES[phase])
    spent, step = 0.0, 0
    if state.get("phase") == phase and "optimiser" in state:
        spent, step = state["spent"], state["step"]
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
    forward = torch.compile(net) if compile_net else net
    last, saved, losses = computing_time(), time.time(), []
    for pictures, _ in stream(BATCH if phase != "rough" else 2 * BATCH, SEEDS[phase] + 100 * step):
        progress = spent / (60 * minutes)
        if progress >= 1:
            break
        optimiser.set_lr(learning_rate(progress, RATES[phase]))
        pictures = pictures.to(where, memory_format=torch.channels_last)
        loss = phase_loss(phase, forward, basis, pictures)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
        step += 1
        now = computing_time()
        # The first steps compile; that is not learning time.
        spent += now - last if len(losses) > 3 else 0
        last = now
        if step % 25 == 0:
            print(f"{phase} step {step} {spent:.0f} s loss {sum(losses[-25:]) / 25:.4f}", flush=True)
        if time.time() - saved > 120:
            save(vae, phase, False, net=net.state_dict(), optimiser=optimiser.state_dict(), spent=spent, step=step)
            saved = time.time()
    save(vae, phase, True)


def save(vae, phase: str, done: bool, **rest) -> None:
    path = paths.work(CHECKPOINT)
    torch.save({"vae": vae.state_dict(), "phase": phase, "done": done, **rest}, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def load():
    """The trained autoencoder on the CPU."""
    vae = models.autoencoder()
    vae.load_state_dict(torch.load(paths.work(CHECKPOINT), map_location="cpu")["vae"])
    return vae.eval()


@torch.no_grad()
def report(vae, count: int = 24) -> dict[str, float]:
    """Decibels of the linear map, of the decoder on true latents, and of encoder and decoder together."""
    basis, scores = latents.load(), {"linear": 0.0, "decoder": 0.0, "both": 0.0}
    vae = vae.cpu().eval()
    batches = stream(8, 999)
    for _ in range(count // 8):
        pictures, _ = next(batches)
        z = latents.encode(basis, pictures)
        scores["linear"] += decibels(latents.decode(basis, z), pictures) * 8 / count
        scores["decoder"] += decibels(vae.decode(z).sample, pictures) * 8 / count
        scores["both"] += decibels(vae.decode(vae.encode(pictures).latent_dist.mean).sample, pictures) * 8 / count
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--phases", nargs="+", default=list(MINUTES), choices=list(MINUTES))
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the minutes of each phase")
    parser.add_argument("--no-compile", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(1)
    vae, path, state = models.autoencoder(), paths.work(CHECKPOINT), {}
    if path.exists():
        state = torch.load(path, map_location="cpu")
        vae.load_state_dict(state["vae"])
    order = list(MINUTES)
    for phase in options.phases:
        reached = order.index(state["phase"]) if state else -1
        if reached > order.index(phase) or (reached == order.index(phase) and state["done"]):
            continue
        run_phase(vae, phase, MINUTES[phase] * options.scale, state, phase != "rough" and not options.no_compile)
    print(report(vae))


if __name__ == "__main__":
    main()
