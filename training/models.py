"""The architectures of the demo model and of demo-prompts, as plain diffusers and transformers configs.

Pictures are 256x256 (also 320x192 and 192x320), latents a sixteenth of that a side with `LATENT_CHANNELS` channels.
"""

from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, GPT2Config, GPT2LMHeadModel

LATENT_CHANNELS = 12
SHRINK = 16
TEXT_WIDTH = 192
# Width by height in pixels; the first is the main one.
SIZES = ((256, 256), (320, 192), (192, 320))


def autoencoder() -> AutoencoderKL:
    """Five levels, so a picture shrinks by 16; few channels where there are many pixels. 3.6 M parameters."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 5,
        up_block_types=("UpDecoderBlock2D",) * 5,
        block_out_channels=(16, 32, 64, 96, 128),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        # Few groups: a norm over one or two channels would wipe out how bright and how colourful a picture is.
        norm_num_groups=2,
        sample_size=SIZES[0][0],
        scaling_factor=1.0,
    )


def text_encoder(vocabulary: int, start: int, end: int) -> CLIPTextModel:
    """A small CLIP text transformer; `start` and `end` are token ids."""
    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=TEXT_WIDTH,
        intermediate_size=TEXT_WIDTH * 4,
        projection_dim=TEXT_WIDTH,
        num_hidden_layers=4,
        num_attention_heads=6,
        max_position_embeddings=77,
        hidden_act="quick_gelu",
        bos_token_id=start,
        eos_token_id=end,
        pad_token_id=end,
    )
    return CLIPTextModel(config)


def unet() -> UNet2DConditionModel:
    """Three levels of one layer, text heard at the two lower ones. 11 M parameters."""
    return UNet2DConditionModel(
        sample_size=SIZES[0][0] // SHRINK,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(64, 128, 192),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        # diffusers reads this as the number of heads.
        attention_head_dim=4,
        norm_num_groups=16,
    )


def scheduler() -> DPMSolverMultistepScheduler:
    """The noise schedule; it ends at sigma 97, so that the first step starts from as good as pure noise."""
    return DPMSolverMultistepScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.022,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        solver_order=2,
        algorithm_type="dpmsolver++",
        use_karras_sigmas=True,
        timestep_spacing="linspace",
        final_sigmas_type="zero",
        steps_offset=1,
    )


def prompt_writer(vocabulary: int, end: int) -> GPT2LMHeadModel:
    """A small GPT-2; `end` is the id of its only special token."""
    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=128,
        n_embd=160,
        n_layer=4,
        n_head=5,
        bos_token_id=end,
        eos_token_id=end,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    return GPT2LMHeadModel(config)
