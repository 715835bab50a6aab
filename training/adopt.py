"""Begins from the finished models in `models/` instead of from nothing, where their checkpoints are gone.

Writes `vae.pt`, `text.pt` and `diffusion.pt` into the work folder wherever one is missing; the diffusion checkpoint
counts `--seen` samples as seen. What half precision rounded off and the optimiser's memory are lost, which a few
hundred steps make good. `prompts` writes its model only after a training of its own, so nothing is needed for it.
"""

import argparse

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel

from . import diffusion, paths, text, vae


def keep(name: str, state) -> None:
    """Saves a checkpoint unless there is one."""
    path = paths.work(name)
    if not path.exists():
        torch.save(state, path)
        print(f"{path} begins from the finished model")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seen", type=int, default=220_352, help="samples that the finished U-Net has seen")
    options = parser.parse_args()
    autoencoder = AutoencoderKL.from_pretrained(paths.DEMO / "vae", torch_dtype=torch.float32)
    keep(vae.CHECKPOINT, {"vae": autoencoder.state_dict(), "phase": "encoder", "done": True})
    model = diffusion.Model()
    model.text_encoder.load_state_dict(
        CLIPTextModel.from_pretrained(paths.DEMO / "text_encoder", torch_dtype=torch.float32).state_dict()
    )
    model.unet.load_state_dict(
        UNet2DConditionModel.from_pretrained(paths.DEMO / "unet", torch_dtype=torch.float32).state_dict()
    )
    keep(text.CHECKPOINT, model.text_encoder.state_dict())
    state = model.state_dict()
    step = options.seen // diffusion.BATCH
    keep(
        diffusion.CHECKPOINT,
        {"model": state, "average": state, "optimiser": None, "spent": 0.0, "step": step, "seen": options.seen},
    )


if __name__ == "__main__":
    main()
