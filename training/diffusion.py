"""Trains text encoder and U-Net together on cached latents.

`--samples` is the length of the whole training, earlier runs counted in: the rate is constant and falls to nothing over
the last `--decay` samples. A longer run may follow a finished one; it starts again at the full rate. A checkpoint is
written every few minutes and when the process is asked to end (SIGTERM).

On a busy machine, threads that wait for each other waste most of their time; one process a core, each with one thread,
learns several times faster. Every few steps they average their weights: `OMP_NUM_THREADS=1 torchrun --nproc-per-node 2 -m training.diffusion`.
"""

import argparse
import copy
import os
import signal
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F
from diffusers.models.attention_processor import AttnProcessor
from torch import nn

from . import export, models, paths, text, tokenizer
from .device import device
from .noise import Noise
from .optimiser import Muon
from .samples import Samples

CHECKPOINT = "diffusion.pt"
BATCH = 32
RATE, WARM_UP = 1.5e-3, 100
EMA = 0.9985
# Processes go their own ways for so many steps between two averagings of their weights.
MEETING = 8
# The text encoder knows its words after its head start; every so many steps it may learn more.
TEXT_EVERY = 4


class Model(nn.Module):
    """Text encoder and U-Net as one: noisy latents, steps and token ids to the predicted v."""

    def __init__(self):
        super().__init__()
        self.text_encoder = export.build_text_encoder()
        self.unet = models.unet()
        # torch's fused attention is slow to differentiate on a CPU; written out, a step costs a third less.
        self.unet.set_attn_processor(AttnProcessor())
        self.text_encoder.set_attn_implementation("eager")

    def forward(self, noisy, t, tokens, train_text: bool = True):
        with torch.set_grad_enabled(train_text):
            states = self.text_encoder(tokens).last_hidden_state
        return self.unet(noisy, t, encoder_hidden_states=states).sample


def learning_rate(step: int, left: int, decay: int) -> float:
    """`left` is the number of samples still to come."""
    return RATE * min(1.0, (step + 1) / WARM_UP) * min(1.0, left / decay)


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, step: int) -> None:
    """Moves the running average towards the model, faster in the beginning."""
    weight = 1 - min(EMA, (1 + step) / (20 + step))
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), weight)


@torch.no_grad()
def meet(model: nn.Module, stop: bool) -> bool:
    """Averages the weights over all processes, and agrees on whether to stop."""
    if not dist.is_initialized():
        return stop
    weights = list(model.parameters())
    flat = torch.cat([w.reshape(-1) for w in weights] + [torch.tensor([float(stop)], device=weights[0].device)])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    parts = flat.split([w.numel() for w in weights] + [1])
    torch._foreach_copy_(weights, [part.view_as(w) for part, w in zip(parts, weights)])
    return parts[-1].item() > 0


def save(model, average, optimiser, **numbers) -> None:
    path = paths.work(CHECKPOINT)
    state = {"model": model.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict()}
    torch.save({**state, **numbers}, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def load_average() -> Model:
    """The averaged weights of the newest checkpoint, on the CPU."""
    model = Model()
    model.load_state_dict(torch.load(paths.work(CHECKPOINT), map_location="cpu")["average"])
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=300_000)
    parser.add_argument("--decay", type=int, default=60_000)
    parser.add_argument("--no-compile", action="store_true")
    options = parser.parse_args()
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("gloo")
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    where, words = device(), tokenizer.load(paths.DEMO / "tokenizer")
    torch.manual_seed(3)
    model, spent, step, seen = Model(), 0.0, 0, 0
    if paths.work(text.CHECKPOINT).exists():
        model.text_encoder.load_state_dict(torch.load(paths.work(text.CHECKPOINT)))
    model.to(where, memory_format=torch.channels_last)
    average = copy.deepcopy(model)
    optimiser = Muon([model], RATE)
    if paths.work(CHECKPOINT).exists():
        state = torch.load(paths.work(CHECKPOINT), map_location=where)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        if state["optimiser"]:
            optimiser.load_state_dict(state["optimiser"])
        spent, step, seen = state["spent"], state["step"], state["seen"]
    forward = model if options.no_compile else torch.compile(model)
    torch.manual_seed(3 + step + 1_000_000 * rank)
    samples, noise = Samples(words, BATCH, seed=step + 1_000_000 * rank), Noise(where)
    last = saved = time.time()
    losses = []
    while True:
        if step % MEETING == 0:
            if meet(model, bool(stop)) or seen >= options.samples:
                break
        latents, tokens = samples.draw()
        latents, tokens = latents.to(where, memory_format=torch.channels_last), tokens.to(where)
        t = noise.draw(len(latents))
        noisy, target = noise.add(latents, torch.randn_like(latents), t)
        with torch.autocast(where.type, torch.bfloat16):
            predicted = forward(noisy, t, tokens, step % TEXT_EVERY == 0)
        loss = F.mse_loss(predicted.float(), target)
        loss.backward()
        optimiser.set_lr(learning_rate(step, options.samples - seen, options.decay))
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        if rank == 0:
            follow(average, model, step)
        losses.append(loss.item())
        step, seen = step + 1, seen + len(latents) * world
        now = time.time()
        spent, last = spent + now - last, now
        if step % 50 == 0 and rank == 0:
            mean = sum(losses[-50:]) / len(losses[-50:])
            print(
                f"step {step} seen {seen} {spent / 60:.1f} min loss {mean:.4f} rate {optimiser.param_groups[0]['lr']:.2e}",
                flush=True,
            )
        if now - saved > 240 and rank == 0:
            save(model, average, optimiser, spent=spent, step=step, seen=seen)
            saved = now
    if rank:
        return
    save(model, average, optimiser, spent=spent, step=step, seen=seen)
    print(f"stopped at step {step}, {seen} samples, {spent / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
