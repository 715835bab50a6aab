"""One tiny model of each family, for the scripts that paint with them.

No weights are stored. A tensor is `offset + factor * randn(shape)` with torch's CPU generator, seeded with the CRC-32
of its full name, and the tests draw the same numbers. `make_families.py` writes down each tensor's shape, offset and
factor.
"""

import json
import pathlib
import zlib

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    UNet2DConditionModel,
)
from diffusers.image_processor import VaeImageProcessor
from start_pictures import start
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

HERE = pathlib.Path(__file__).parent
# Which reference model's tokenizer: OpenCLIP's fills up with an exclamation mark.
CLIP_WORDS, OPEN_CLIP_WORDS = "tiny-1", "tiny-2"
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


def words_of(model: str) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(HERE / model / "tokenizer")


# ---------------------------------------------------------------------------------------------------------------
# weights from names
# ---------------------------------------------------------------------------------------------------------------


class Part:
    """A network whose weights are made from their names."""

    def __init__(self, name: str, network: torch.nn.Module):
        self.name = name
        self.network = network.eval()
        self.rows = {}
        for key, tensor in network.state_dict().items():
            if not tensor.is_floating_point():
                continue
            is_norm = "norm" in key and tensor.dim() == 1
            if is_norm and key.endswith("weight"):
                offset, factor = 1.0, 0.1
            elif tensor.dim() < 2:
                offset, factor = 0.0, 0.05
            elif "embedding" in key and key.startswith(("text_model", "embeddings")):
                offset, factor = 0.0, 0.5
            else:
                offset, factor = 0.0, tensor[0].numel() ** -0.5
            self.rows[key] = [list(tensor.shape), offset, factor]
        self.write(self.rows)

    def write(self, keys) -> None:
        state = {}
        for key in keys:
            shape, offset, factor = self.rows[key]
            generator = torch.Generator("cpu").manual_seed(zlib.crc32(f"{self.name}/{key}".encode()))
            state[key] = offset + factor * torch.randn(shape, generator=generator)
        self.network.load_state_dict(state, strict=False)

    def scale(self, prefix: str, factor) -> None:
        keys = [key for key in self.rows if key.startswith(prefix + ".")]
        for key in keys:
            # Six digits, as they are written down.
            self.rows[key][2] = float(f"{self.rows[key][2] * float(factor):.6g}")
            self.rows[key][1] = float(f"{self.rows[key][1] * float(factor):.6g}")
        self.write(keys)

    def shift(self, key: str, offset: float) -> None:
        self.rows[key][1] = offset
        self.write([key])


def text_encoder(name: str, width: int, projection: int | None, act: str, layers: int) -> Part:
    words = words_of(CLIP_WORDS)
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        hidden_act=act,
        projection_dim=projection or width,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    return Part(name, (CLIPTextModelWithProjection if projection else CLIPTextModel)(config))


def autoencoder(name: str, **more) -> Part:
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 12, 16),
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=32,
        **more,
    )
    return Part(name, vae)


def unet(name: str, **more) -> Part:
    usual = {
        "sample_size": 8,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "block_out_channels": (16, 24),
        "layers_per_block": 1,
        "cross_attention_dim": 24,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    return Part(name, UNet2DConditionModel(**{**usual, **more}))


XL = {
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (16, 16, 24),
    "transformer_layers_per_block": (1, 1, 2),
    "attention_head_dim": (2, 4, 3),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
}


# Deviation of a picture's latents, and how much of it at most is noise; about the logarithm of that noise's variance.
SPREAD, MOST_NOISE, LOG_VARIANCE = 0.6, 2.0, -5.0


@torch.no_grad()
def wake(unet: Part, vae: Part, text_width: int, added) -> None:
    """Scales weights up until text, added numbers, noise and picture matter: see `make.py`."""
    torch.manual_seed(3)
    x = torch.randn(1, unet.network.config.in_channels, 8, 8).repeat(2, 1, 1, 1)
    text = torch.randn(2, 20, text_width)
    names = [name + ".to_out.0" for name, _ in unet.network.named_modules() if name.endswith("attn2")]
    more = {}
    if unet.network.config.time_cond_proj_dim:
        more["timestep_cond"] = torch.randn(2, unet.network.config.time_cond_proj_dim)
    for _ in range(30):
        prediction = unet.network(x, 500, text, added_cond_kwargs=added, **more).sample
        unet.scale("conv_out", 1 / prediction.std())
        if (prediction[0] - prediction[1]).std() / prediction.std() > 0.7:
            break
        for name in names:
            unet.scale(name, 1.4)
    picture = vae.network.decode(torch.randn(1, 4, 8, 8) / vae.network.config.scaling_factor).sample
    vae.scale("decoder.conv_out", 0.5 / picture.std())
    # Latents of pictures have little noise of their own: as much as they vary would drown all else.
    vae.shift("quant_conv.bias", LOG_VARIANCE)
    picture, factor = torch.randn(1, 3, 32, 32).clamp(-1, 1), vae.network.config.scaling_factor
    vae.scale("encoder.conv_out", SPREAD / (vae.network.encode(picture).latent_dist.mean.std() * factor))
    picture = VaeImageProcessor(vae_scale_factor=4).preprocess(start(32, 40))
    while vae.network.encode(picture).latent_dist.std.max() * factor > MOST_NOISE:
        vae.scale("encoder.conv_out", 0.7)


# ---------------------------------------------------------------------------------------------------------------
# families
# ---------------------------------------------------------------------------------------------------------------


class Family:
    """The parts of a model by their folders, and the files beside them."""

    def __init__(self, name: str, parts: dict[str, Part], scheduler, index: dict, tokenizer: str = CLIP_WORDS):
        self.name, self.parts, self.scheduler, self.index = name, parts, scheduler, index
        sources = {"tokenizer": tokenizer, "tokenizer_2": OPEN_CLIP_WORDS}
        self.tokenizers = {folder: sources[folder] for folder in sources if folder.replace("tokenizer", "text_encoder") in parts}

    @property
    def is_xl(self) -> bool:
        return "text_encoder_2" in self.parts

    @property
    def n_inputs(self) -> int:
        return self.parts["unet"].network.config.in_channels

    def components(self) -> dict:
        made = {folder: part.network for folder, part in self.parts.items()}
        made |= {folder: words_of(model) for folder, model in self.tokenizers.items()}
        made["scheduler"] = self.scheduler
        return made

    def card(self) -> dict:
        files = {"scheduler/scheduler_config.json": config_of(self.scheduler), "model_index.json": self.index}
        for folder, part in self.parts.items():
            network = part.network
            is_text = folder.startswith("text_encoder")
            files[f"{folder}/config.json"] = config_of(network.config if is_text else network)
            if is_text:
                files[f"{folder}/config.json"]["architectures"] = [type(network).__name__]
        weights = {folder: {"seed": part.name, "tensors": part.rows} for folder, part in self.parts.items()}
        return {"name": self.name, "files": files, "tokenizers": self.tokenizers, "weights": weights}


def config_of(thing) -> dict:
    """As `save_pretrained` writes it."""
    return json.loads(thing.to_json_string())


def xl(name: str, inputs: int, scheduler, numbers: int = 6, both: bool = True, index: dict | None = None) -> Family:
    first, second, pooled = 16, 24, 20
    width = first + second if both else second
    sizes = {**XL, "in_channels": inputs, "cross_attention_dim": width}
    sizes["projection_class_embeddings_input_dim"] = pooled + numbers * 8
    parts = {
        "text_encoder_2": text_encoder(f"{name}/text_encoder_2", second, pooled, "gelu", 3),
        "unet": unet(f"{name}/unet", **sizes),
        "vae": autoencoder(f"{name}/vae", scaling_factor=0.13025),
    }
    if both:
        parts["text_encoder"] = text_encoder(f"{name}/text_encoder", first, None, "quick_gelu", 3)
    added = {"text_embeds": torch.randn(2, pooled), "time_ids": torch.tensor([[32.0] * numbers] * 2)}
    wake(parts["unet"], parts["vae"], width, added)
    return Family(name, parts, scheduler, {"_class_name": "StableDiffusionXLPipeline", **(index or {})})


def first(name: str, inputs: int, scheduler, **more) -> Family:
    parts = {
        "text_encoder": text_encoder(f"{name}/text_encoder", 24, None, "quick_gelu", 3),
        "unet": unet(f"{name}/unet", in_channels=inputs, **more),
        "vae": autoencoder(f"{name}/vae", scaling_factor=0.18215),
    }
    wake(parts["unet"], parts["vae"], 24, None)
    return Family(name, parts, scheduler, {"_class_name": "StableDiffusionPipeline"})


def second(name: str, inputs: int, scheduler) -> Family:
    """Built like SD 2.x: OpenCLIP's text encoder, linear projections, heads per level, scores in f32."""
    sizes = {"in_channels": inputs, "attention_head_dim": (2, 3), "use_linear_projection": True, "upcast_attention": True}
    parts = {
        "text_encoder": text_encoder(f"{name}/text_encoder", 24, None, "gelu", 3),
        "unet": unet(f"{name}/unet", **sizes),
        "vae": autoencoder(f"{name}/vae", scaling_factor=0.18215),
    }
    wake(parts["unet"], parts["vae"], 24, None)
    return Family(name, parts, scheduler, {"_class_name": "StableDiffusionPipeline"}, OPEN_CLIP_WORDS)


def families() -> list[Family]:
    torch.manual_seed(2)
    euler = EulerDiscreteScheduler(**BETAS, timestep_spacing="leading")
    turbo = EulerAncestralDiscreteScheduler(**BETAS, timestep_spacing="trailing")
    # Said outright: what is only a default does not go over from one scheduler to another.
    ddim = DDIMScheduler(**BETAS, set_alpha_to_one=False, clip_sample=False, timestep_spacing="leading")
    zero = DDIMScheduler(
        **BETAS, set_alpha_to_one=False, clip_sample=False, timestep_spacing="trailing",
        prediction_type="v_prediction", rescale_betas_zero_snr=True,
    )  # fmt: skip
    pndm = PNDMScheduler(**BETAS, set_alpha_to_one=False, skip_prk_steps=True, timestep_spacing="leading")
    velocity = DDIMScheduler(
        **BETAS, set_alpha_to_one=False, clip_sample=False, timestep_spacing="leading", prediction_type="v_prediction"
    )  # fmt: skip
    trailing = EulerDiscreteScheduler(**BETAS, timestep_spacing="trailing")
    return [
        xl("sdxl", 4, euler),
        xl("sdxl-turbo", 4, turbo),
        xl("sdxl-refiner", 4, euler, numbers=5, both=False, index={"requires_aesthetics_score": True, "force_zeros_for_empty_prompt": False}),
        xl("sdxl-inpainting", 9, euler),
        first("sd1", 4, ddim),
        first("sd1-inpainting", 9, ddim),
        first("sd1-distilled", 4, ddim, time_cond_proj_dim=16),
        first("sd2-zero-snr", 4, zero),
        first("instruct-pix2pix", 8, ddim),
        second("sd2", 4, velocity),
        second("sd2-base", 4, pndm),
        second("sd2-inpainting", 9, pndm),
        second("sd-turbo", 4, trailing),
        xl("sdxl-zero-snr", 4, zero),
        xl("sdxl-instruct-pix2pix", 8, euler, index={"_class_name": "StableDiffusionXLInstructPix2PixPipeline"}),
    ]
