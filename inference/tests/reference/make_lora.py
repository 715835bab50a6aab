"""Makes `lora/*.safetensors`: small random LoRA files for `tiny-1` in every form they come in, and beside each the
weights that the model then has (`NAME.merged.safetensors`).

What diffusers reads is merged by diffusers (`load_lora_weights`, `fuse_lora`; needs peft), the rest by a few lines of
torch in double precision, after the papers.

    python make_lora.py
"""

import pathlib

import torch
from diffusers import StableDiffusionPipeline
from diffusers.loaders.lora_conversion_utils import _maybe_map_sgm_blocks_to_diffusers
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
OUT = HERE / "lora"
RANK, ALPHA, WEIGHT = 2, 1.5, 0.75

LINEAR = "down_blocks.0.attentions.1.transformer_blocks.0.attn2.to_k"
OUT_LAYER = "up_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0"
FEED = "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj"
POINT = "down_blocks.1.attentions.0.proj_in"
CONVOLUTION = "up_blocks.0.resnets.1.conv1"
HALVING = "down_blocks.0.downsamplers.0.conv"
UNET = [LINEAR, OUT_LAYER, FEED, POINT, CONVOLUTION, HALVING]
TEXT = ["text_model.encoder.layers.0.self_attn.q_proj", "text_model.encoder.layers.2.mlp.fc1"]

# The same layers as the original numbers them: two layers a level.
ORIGINAL = {
    LINEAR: "input_blocks.2.1.transformer_blocks.0.attn2.to_k",
    OUT_LAYER: "output_blocks.3.1.transformer_blocks.0.attn1.to_out.0",
    FEED: "middle_block.1.transformer_blocks.0.ff.net.0.proj",
    POINT: "input_blocks.4.1.proj_in",
    CONVOLUTION: "output_blocks.1.0.in_layers.2",
    HALVING: "input_blocks.3.0.op",
}


def pipeline() -> StableDiffusionPipeline:
    return StableDiffusionPipeline.from_pretrained(HERE / "tiny-1", torch_dtype=torch.float32, safety_checker=None)


def module(pipe, part: str, name: str):
    root = pipe.unet if part == "unet" else pipe.text_encoder
    try:
        return root.get_submodule(name)
    except AttributeError:
        # transformers 5 leaves the first step of the names out.
        return root.get_submodule(name.removeprefix("text_model."))


def weight(pipe, part: str, name: str) -> torch.Tensor:
    found = module(pipe, part, name)
    return getattr(found, "base_layer", found).weight.detach()


def down_up(base: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    window = base.shape[2:]
    down = torch.randn(RANK, base.shape[1], *window) * 0.2
    up = torch.randn(base.shape[0], RANK, *(1 for _ in window)) * 0.2
    return down, up


def layers(pipe) -> list[tuple[str, str, torch.Tensor]]:
    named = [("unet", name) for name in UNET] + [("text_encoder", name) for name in TEXT]
    return [(part, name, weight(pipe, part, name)) for part, name in named]


def write(name: str, state: dict, merged: dict) -> None:
    OUT.mkdir(exist_ok=True)
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, OUT / f"{name}.safetensors")
    save_file({key: tensor.contiguous() for key, tensor in merged.items()}, OUT / f"{name}.merged.safetensors")
    print(f"{name}: {len(state)} tensors, {len(merged)} weights changed")


def by_diffusers(name: str, state: dict, read: dict | None = None, text: dict | None = None) -> None:
    """`read`: what diffusers is given, where it needs other names than the file has. `text`: changes to text encoders
    that diffusers 0.42 loses beside transformers 5, whose attention it still knows by the names of its own."""
    pipe = pipeline()
    before = {f"{part}.{layer}.weight": base.clone() for part, layer, base in layers(pipe)}
    pipe.load_lora_weights({key: tensor.clone() for key, tensor in (read or state).items()})
    pipe.fuse_lora(lora_scale=WEIGHT)
    merged = {f"{part}.{layer}.weight": weight(pipe, part, layer) for part, layer, _ in layers(pipe)}
    for layer, delta in (text or {}).items():
        key = f"text_encoder.{layer}.weight"
        merged[key] = (before[key].double() + WEIGHT * delta).float()
    same = [key for key in merged if torch.equal(merged[key], before[key])]
    if same:
        raise ValueError(f"{name}: {same} did not change")
    write(name, state, merged)


def by_torch(name: str, state: dict, deltas: dict) -> None:
    pipe = pipeline()
    merged = {}
    for part, layer, base in layers(pipe):
        if layer in deltas:
            delta = deltas[layer].reshape(base.shape)
            merged[f"{part}.{layer}.weight"] = (base.double() + WEIGHT * ALPHA / RANK * delta).float()
    write(name, state, merged)


def kohya(part: str, layer: str) -> str:
    return ("lora_unet_" if part == "unet" else "lora_te_") + layer.replace(".", "_")


def main() -> None:
    torch.manual_seed(3)
    pipe = pipeline()
    every = [(part, layer, base, *down_up(base)) for part, layer, base in layers(pipe)]
    alpha = torch.tensor(ALPHA)

    state = {}
    for part, layer, _, down, up in every:
        key = kohya(part, layer)
        state |= {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up, f"{key}.alpha": alpha.clone()}
    text = {layer: ALPHA / RANK * up.double() @ down.double() for part, layer, _, down, up in every if part != "unet"}
    by_diffusers("kohya", state, text=text)

    # Half precision, and the original's names for the blocks.
    state, read = {}, {}
    for part, layer, _, down, up in every:
        key = kohya(part, ORIGINAL.get(layer, layer))
        tensors = {"lora_down.weight": down.half(), "lora_up.weight": up.half(), "alpha": alpha.half()}
        state |= {f"{key}.{ending}": tensor for ending, tensor in tensors.items()}
        read |= {f"{key}.{ending}": tensor.float() for ending, tensor in tensors.items()}
    text = {
        layer: ALPHA / RANK * up.half().double() @ down.half().double()
        for part, layer, _, down, up in every
        if part != "unet"
    }
    by_diffusers("kohya-original-names", state, _maybe_map_sgm_blocks_to_diffusers(read, pipe.unet.config), text)

    state = {}
    for part, layer, _, down, up in every:
        state |= {f"{part}.{layer}.lora_A.weight": down, f"{part}.{layer}.lora_B.weight": up}
    by_diffusers("peft", state)

    # diffusers before it used peft: attentions alone, through their processors. What it was given then are today's
    # names of the same numbers.
    state, read = {}, {}
    for part, layer, _, down, up in every:
        if part == "unet" and ".attn" in layer:
            block, projection = layer.rsplit(".to_", 1)
            key = f"unet.{block}.processor.to_{projection.removesuffix('.0')}_lora"
        elif part == "text_encoder":
            key = f"{part}.{layer}.lora_linear_layer"
        else:
            key = f"{part}.{layer}.lora"
        state |= {f"{key}.down.weight": down, f"{key}.up.weight": up}
        read |= {f"{part}.{layer}.lora_A.weight": down, f"{part}.{layer}.lora_B.weight": up}
    by_diffusers("diffusers-old", state, read)

    # LoCon with a core: Σ core(n, m, y, x) up(i, n) down(m, j)
    state, deltas = {}, {}
    for layer in (CONVOLUTION, HALVING):
        base = weight(pipe, "unet", layer)
        outputs, inputs, height, width = base.shape
        down, up = torch.randn(RANK, inputs, 1, 1) * 0.2, torch.randn(outputs, RANK, 1, 1) * 0.2
        core = torch.randn(RANK, RANK, height, width) * 0.5
        key = kohya("unet", layer)
        state |= {
            f"{key}.lora_down.weight": down,
            f"{key}.lora_up.weight": up,
            f"{key}.lora_mid.weight": core,
            f"{key}.alpha": alpha.clone(),
        }
        deltas[layer] = torch.einsum(
            "nmyx,in,mj->ijyx", core.double(), up[:, :, 0, 0].double(), down[:, :, 0, 0].double()
        )
    by_torch("locon-core", state, deltas)

    # LoHa: (w1_a w1_b) * (w2_a w2_b); with cores Σ core(n, m, y, x) a(n, i) b(m, j) in the place of each product
    state, deltas = {}, {}
    for part, layer, base in layers(pipe):
        key = kohya(part, layer)
        inputs = base[0].numel()
        pieces = {}
        for i in (1, 2):
            if layer == CONVOLUTION:
                a, b = torch.randn(RANK, base.shape[0]) * 0.5, torch.randn(RANK, base.shape[1]) * 0.5
                core = torch.randn(RANK, RANK, *base.shape[2:]) * 0.5
                state[f"{key}.hada_t{i}"] = core
                pieces[i] = torch.einsum("nmyx,ni,mj->ijyx", core.double(), a.double(), b.double())
            else:
                a, b = torch.randn(base.shape[0], RANK) * 0.5, torch.randn(RANK, inputs) * 0.5
                pieces[i] = a.double() @ b.double()
            state |= {f"{key}.hada_w{i}_a": a, f"{key}.hada_w{i}_b": b}
        state[f"{key}.alpha"] = alpha.clone()
        deltas[layer] = pieces[1] * pieces[2]
    by_torch("loha", state, deltas)


if __name__ == "__main__":
    main()
