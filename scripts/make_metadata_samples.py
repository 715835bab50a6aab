"""Writes small pictures with settings in them as other programs write them, from the descriptions of their formats.

    pip install pillow && python scripts/make_metadata_samples.py backend/src/tests/samples

Each function builds what its program would have written, with the program's own way of writing it where that is
Pillow's: `PngInfo.add_text`, or an `Image.Exif`. The texts are made up; all ask for the same picture in their own
words, so that one test holds them all.
"""

import json
import sys
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SIZE = (64, 64)

# What all of them ask for.
PROMPT = 'a red sailing boat, "calm" sea: café at sunset'
NEGATIVE = "fog, rain"
WIDTH, HEIGHT = 320, 256
STEPS, SEED, GUIDANCE = 12, 1234567, 5.5


def picture() -> Image.Image:
    """A gradient: what is in it makes no difference."""
    return Image.linear_gradient("L").resize(SIZE).convert("RGB")


def save_png(path: Path, texts: dict[str, str]) -> None:
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    picture().save(path, pnginfo=info)


def quoted(value: str) -> str:
    """A value of the AUTOMATIC1111 web UI: in quotation marks if it has one of its own separators."""
    return json.dumps(value, ensure_ascii=False) if any(c in value for c in ",:\n") else value


def automatic1111(folder: Path) -> None:
    """`create_infotext` in modules/processing.py, version 1.10."""
    settings = {
        "Steps": STEPS,
        "Sampler": "DPM++ 2M",
        "Schedule type": "Karras",
        "CFG scale": GUIDANCE,
        "Seed": SEED,
        "Size": f"{WIDTH}x{HEIGHT}",
        "Model hash": "6ce0161689",
        "Model": "v1-5-pruned-emaonly",
        "ADetailer model": "face_yolov8n.pt",
        "ADetailer prompt": "a face, calm: smiling",
        "Lora hashes": "ink: 21895f3ba9ab",
        "RNG": "CPU",
        "Version": "v1.10.1",
    }
    line = ", ".join(f"{name}: {quoted(str(value))}" for name, value in settings.items())
    text = f"{PROMPT}\nNegative prompt: {NEGATIVE}\n{line}"
    save_png(folder / "automatic1111.png", {"parameters": text})


def comfyui(folder: Path) -> None:
    """`SaveImage` in nodes.py, and `SaveAnimatedWEBP` in comfy_extras/nodes_images.py.

    Both keep the graph that was run and the one that was drawn: as texts, and as EXIF `Model` and `Make`.
    """
    prompt = {
        "3": {
            "inputs": {
                "seed": SEED,
                "steps": STEPS,
                "cfg": GUIDANCE,
                "sampler_name": "dpmpp_2m",
                "scheduler": "karras",
                "denoise": 1.0,
                "model": ["4", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
            },
            "class_type": "KSampler",
            "_meta": {"title": "KSampler"},
        },
        "4": {
            "inputs": {"ckpt_name": "v1-5-pruned-emaonly.safetensors"},
            "class_type": "CheckpointLoaderSimple",
            "_meta": {"title": "Load Checkpoint"},
        },
        "5": {
            "inputs": {"width": WIDTH, "height": HEIGHT, "batch_size": 1},
            "class_type": "EmptyLatentImage",
            "_meta": {"title": "Empty Latent Image"},
        },
        "6": {
            "inputs": {"text": PROMPT, "clip": ["4", 1]},
            "class_type": "CLIPTextEncode",
            "_meta": {"title": "CLIP Text Encode (Prompt)"},
        },
        "7": {
            "inputs": {"text": NEGATIVE, "clip": ["4", 1]},
            "class_type": "CLIPTextEncode",
            "_meta": {"title": "CLIP Text Encode (Prompt)"},
        },
        "8": {
            "inputs": {"samples": ["3", 0], "vae": ["4", 2]},
            "class_type": "VAEDecode",
            "_meta": {"title": "VAE Decode"},
        },
        "9": {
            "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]},
            "class_type": "SaveImage",
            "_meta": {"title": "Save Image"},
            "is_changed": [float("nan")],
        },
    }
    workflow = {"last_node_id": 9, "last_link_id": 9, "nodes": [], "links": [], "groups": [], "version": 0.4}
    save_png(folder / "comfyui.png", {"prompt": json.dumps(prompt), "workflow": json.dumps(workflow)})
    exif = Image.Exif()
    exif[0x0110] = f"prompt:{json.dumps(prompt)}"
    exif[0x010F] = f"workflow:{json.dumps(workflow)}"
    picture().save(folder / "comfyui.webp", lossless=True, exif=exif)


def invokeai(folder: Path) -> None:
    """`CoreMetadataInvocation` in invokeai/app/invocations/metadata.py, version 5."""
    metadata = {
        "generation_mode": "txt2img",
        "positive_prompt": PROMPT,
        "negative_prompt": NEGATIVE,
        "width": WIDTH,
        "height": HEIGHT,
        "seed": SEED,
        "rand_device": "cpu",
        "cfg_scale": GUIDANCE,
        "cfg_rescale_multiplier": 0,
        "steps": STEPS,
        "scheduler": "dpmpp_2m_k",
        "model": {
            "key": "3a1b",
            "hash": "blake3:aa",
            "name": "v1-5-pruned-emaonly",
            "base": "sd-1",
            "type": "main",
        },
        "app_version": "5.4.2",
    }
    graph = {"id": "sd1_graph", "nodes": {}, "edges": []}
    save_png(
        folder / "invokeai.png",
        {"invokeai_metadata": json.dumps(metadata), "invokeai_graph": json.dumps(graph)},
    )


def fooocus(folder: Path) -> None:
    """`FooocusMetadataParser.to_string` and `get_exif` in modules/meta_parser.py, version 2.5, as JPEG."""
    metadata = {
        "adm_guidance": "(1.5, 0.8, 0.3)",
        "base_model": "v1-5-pruned-emaonly",
        "base_model_hash": "6ce0161689",
        "full_negative_prompt": [NEGATIVE],
        "full_prompt": [f"{PROMPT}, cinematic"],
        "guidance_scale": GUIDANCE,
        "loras": [],
        "metadata_scheme": "fooocus",
        "negative_prompt": NEGATIVE,
        "performance": "Speed",
        "prompt": PROMPT,
        "refiner_model": "None",
        "refiner_switch": 0.5,
        "resolution": str((WIDTH, HEIGHT)),
        "sampler": "dpmpp_2m",
        "scheduler": "karras",
        "seed": str(SEED),
        "sharpness": 2.0,
        "steps": STEPS,
        "styles": "['Fooocus Cinematic']",
        "vae": "Default (model)",
        "version": "Fooocus v2.5.5",
    }
    exif = Image.Exif()
    exif[0x9286] = json.dumps(metadata)
    exif[0x0131] = "Fooocus v2.5.5"
    exif[0x927C] = "fooocus"
    picture().save(folder / "fooocus.jpg", quality=95, optimize=True, progressive=True, exif=exif)


def swarmui(folder: Path) -> None:
    """`GenFullMetadataObject` in src/Text2Image/T2IParamInput.cs, version 0.9, as WebP.

    ImageSharp writes `UserComment` as UTF-16 in the byte order of its processor.
    """
    metadata = {
        "sui_image_params": {
            "prompt": PROMPT,
            "negativeprompt": NEGATIVE,
            "model": "OfficialStableDiffusion/v1-5-pruned-emaonly",
            "seed": SEED,
            "steps": STEPS,
            "cfgscale": GUIDANCE,
            "aspectratio": "Custom",
            "width": WIDTH,
            "height": HEIGHT,
            "sampler": "dpmpp_2m",
            "scheduler": "karras",
            "automaticvae": True,
            "swarm_version": "0.9.6.2",
        },
        "sui_extra_data": {"date": "2025-01-25", "prep_time": "6.11 sec", "generation_time": "4.84 sec"},
    }
    exif = Image.Exif()
    comment = b"UNICODE\0" + json.dumps(metadata, indent=2, ensure_ascii=False).encode("utf-16-le")
    exif.get_ifd(0x8769)[0x9286] = comment
    picture().save(folder / "swarmui.webp", lossless=True, exif=exif)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for make in (automatic1111, comfyui, invokeai, fooocus, swarmui):
        make(target)
