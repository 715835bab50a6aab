"""Writes safety.json and safety.safetensors: a tiny random safety checker, and what diffusers makes of it.

    .venv/bin/python inference/tests/reference/make_safety.py

No weights are stored: they are drawn from their names as those of the families (`tiny_families.py`).
"""

import json

import numpy
import torch
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from PIL import Image
from safetensors.torch import save_file
from start_pictures import start
from tiny_families import HERE, Part
from transformers import CLIPConfig, CLIPImageProcessorPil

# Two pixels of a side are left over behind the last whole part.
VISION = {
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 30,
    "patch_size": 7,
    "hidden_act": "quick_gelu",
}
PREPROCESSOR = {
    "do_resize": True,
    "size": {"shortest_edge": 33},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 30, "width": 30},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
PROJECTED = 16
# Where the thresholds lie, so that some pictures are let pass and some are not, and special care decides for one.
CARE, CONCEPT = 0.3, 0.456


def pictures() -> list[Image.Image]:
    noise = numpy.random.default_rng(3)
    drawn = [noise.integers(0, 256, size, numpy.uint8) for size in [(64, 64, 3), (20, 45, 3), (97, 41, 3)]]
    plain = [numpy.full((32, 40, 3), colour, numpy.uint8) for colour in [(0, 0, 0), (255, 255, 255), (200, 20, 60)]]
    stripes = numpy.repeat(numpy.arange(60)[None, :, None] // 6 % 2 * 255, 48, 0).repeat(3, 2).astype(numpy.uint8)
    return [start(64, 48), start(33, 70), *map(Image.fromarray, [*drawn, *plain, stripes])]


@torch.no_grad()
def main() -> None:
    config = CLIPConfig(vision_config=VISION, projection_dim=PROJECTED)
    part = Part("safety_checker", StableDiffusionSafetyChecker(config))
    # A fresh network sees the same in every picture.
    part.scale("vision_model.encoder", 3.0)
    part.scale("vision_model.embeddings", 2.0)
    part.shift("special_care_embeds_weights", CARE)
    part.shift("concept_embeds_weights", CONCEPT)
    checker, tensors, checks = part.network, {}, []
    processor = CLIPImageProcessorPil(**PREPROCESSOR)
    for i, picture in enumerate(pictures()):
        seen = processor(picture, return_tensors="pt").pixel_values
        embedding = checker.visual_projection(checker.vision_model(seen)[1])
        scores = judge(checker, embedding[0])
        _, (unsafe,) = checker(clip_input=seen, images=[numpy.zeros((1, 1, 3))])
        assert unsafe == any(score > 0 for score in scores[1])
        tensors[f"{i}.picture"] = torch.from_numpy(numpy.array(picture))
        tensors[f"{i}.seen"], tensors[f"{i}.embedding"] = seen, embedding
        tensors[f"{i}.special_care"], tensors[f"{i}.concepts"] = map(torch.tensor, scores)
        checks.append(unsafe)
        print(f"{picture.size}: {'unsafe' if unsafe else 'safe'}, {max(scores[0]):.3f} {max(scores[1]):.3f}")
    assert len(set(checks)) == 2
    by_care = [i for i, unsafe in enumerate(checks) if unsafe and max(tensors[f"{i}.concepts"]) < 0.01]
    assert any(max(tensors[f"{i}.special_care"]) > 0 for i in by_care)
    files = {
        "safety_checker/config.json": {"vision_config": VISION, "projection_dim": PROJECTED},
        "feature_extractor/preprocessor_config.json": PREPROCESSOR,
    }
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, HERE / "safety.safetensors")
    card = {"files": files, "weights": {"seed": part.name, "tensors": part.rows}, "unsafe": checks}
    (HERE / "safety.json").write_text(json.dumps(card, separators=(",", ":")) + "\n")


def judge(checker, embedding) -> tuple[list[float], list[float]]:
    """The scores that the checker's `forward` keeps to itself, by the same lines; `main` holds the outcome against it."""
    cosines = [
        torch.nn.functional.cosine_similarity(embedding[None], directions).numpy()
        for directions in (checker.special_care_embeds, checker.concept_embeds)
    ]
    adjustment, care = 0.0, []
    for cosine, threshold in zip(cosines[0], checker.special_care_embeds_weights):
        care.append(float(round(cosine - threshold.item() + adjustment, 3)))
        if care[-1] > 0:
            adjustment = 0.01
    thresholds = checker.concept_embeds_weights
    return care, [float(round(c - t.item() + adjustment, 3)) for c, t in zip(cosines[1], thresholds)]


if __name__ == "__main__":
    main()
