"""Makes what the tests of prompts compare with: brackets, chunks, weights, hidden layers, pooled outputs, tokens.

    .venv/bin/python inference/tests/reference/make_prompts.py --webui ~/stable-diffusion-webui --vocabulary bpe_simple_vocab_16e6.txt.gz

Needs torch, transformers, and a copy of AUTOMATIC1111/stable-diffusion-webui 1.10, of which `modules/prompt_parser.py` is run to read
brackets. `--vocabulary` is the list of byte pairs in the PyPI package open_clip_torch. The tiny models of make.py have to
be there. See README.md for what is in the files.
"""

import argparse
import gzip
import importlib.util
import json
import pathlib
import shutil
import sys
import tempfile
import types

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from make import TEXTS, byte_letters, write_json
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

HERE = pathlib.Path(__file__).parent
CAPACITY = 75
COMMA_REACH = 20

# A weight, brackets that lessen, and a new chunk.
MIXED = "a (red:1.3) [sailing] boat BREAK on a calm sea"

# Whatever may stand in a prompt, and what may go wrong in it.
BRACKETS = [
    "",
    "a quiet harbour at dawn",
    "a (quiet) harbour",
    "((quiet)) [harbour] [[at dawn]]",
    "a (quiet:1.4) harbour, (dawn:.5), (mist: 0.8 ), (fog :+1.) and (rain:-0.5)",
    "((quiet harbour:1.3), a [boat (red:2)])",
    "(one)(two)[three][four](five:1.1)",
    "an (unclosed harbour",
    "an [unclosed (harbour [at",
    "a closed) harbour] here",
    "a harbour:1.2) here",
    "([crossed)] brackets (over [each) other]",
    "()[](())",
    "(:1.2)",
    "(harbour:)",
    "(harbour:high)",
    "(harbour:1.2",
    "[harbour:1.2] (10:30:1.5)",
    "at 10:30 :) a smile",
    r"\(literal\) and \[square\] and \\ a backslash",
    r"harbour \(Brittany\), (boat \(red\):1.3)",
    "a\\b c\\",
    "a harbour BREAK a boat",
    "a harbour ,  BREAK  , a boat BREAK",
    "BREAK",
    "BREAK BREAK",
    "(stressed) BREAK (again:1.2)BREAK[and]",
    "OUTBREAK BREAKER break BREAK_2 2BREAK \u00e9BREAK -BREAK-",
    "(a BREAK b:1.2) [c BREAK d]",
    "(((((deep)))))",
    "\u6d77\u306e(\u591c:1.2)\u3000BREAK\u3000\u043c\u043e\u0440\u0435 [\u2728]",
    "(line\nbreak:1.2)\tand tab",
    MIXED,
]

LONG = (
    "a red sailing boat, on a calm sea at sunset, (the artist:1.3) painting, eight blue cars, soft light, [three boats], "
    "they'll sail on a calm red sea at the sunset, (seven boats on a sea:1.2), a calm artist, a boat, a blue sea, a car, "
    "a watercolour without any comma for a good while so that the chunk ends wherever it happens to be full of tokens, "
    "(a lighthouse, a [pier], gulls:1.1)"
)

# name, prompt, negative prompt, weighting, clip skip
CASES = [
    ("plain", "a red sailing boat on a calm sea", "", "a1111", 1),
    ("weighted", "a (red:1.4) sailing boat on a [calm] ((sea))", "a (blue:0.6) car", "a1111", 1),
    ("interpolated", "a (red:1.4) sailing boat on a [calm] ((sea))", "a (blue:0.6) car", "compel", 1),
    ("long", LONG, "", "a1111", 1),
    ("broken", "a boat BREAK a (calm:1.5) sea", "a car", "compel", 1),
    ("skipped", "a (red:1.4) boat", "", "a1111", 2),
    ("skipped_twice", "a red boat", "a car", "a1111", 3),
    ("learned", "a red tiny-stroke boat, (Tiny-Stroke:1.3), tiny stroke", "", "a1111", 1),
]


def prompts_of_cases() -> list[str]:
    """Each once, in order, but for those that stand among the brackets."""
    prompts = [prompt for _, *both, _, _ in CASES for prompt in both]
    return [prompt for prompt in dict.fromkeys(prompts) if prompt not in BRACKETS]


# What each text encoder, and both as in SDXL, are asked for; not everything of each, so that the files stay small.
ASKED = {
    "first": [name for name, *_ in CASES],
    "second": ["weighted", "interpolated", "skipped"],
    "both": ["plain", "weighted", "broken", "skipped", "learned"],
}


def load_webui(folder: pathlib.Path):
    """Its prompt parser alone: the grammar of prompt editing, for which it wants lark, is not used."""
    if importlib.util.find_spec("lark") is None:
        lark = types.ModuleType("lark")
        lark.Lark = lambda *_args, **_settings: None
        sys.modules["lark"] = lark
    spec = importlib.util.spec_from_file_location("prompt_parser", folder / "modules" / "prompt_parser.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.parse_prompt_attention


# ---------------------------------------------------------------------------------------------------------------
# chunks
# ---------------------------------------------------------------------------------------------------------------


class Chunk:
    """Tokens with their weights, and the places of learned vectors."""

    def __init__(self):
        self.tokens: list[int] = []
        self.weights: list[float] = []
        self.learned: list[tuple[int, torch.Tensor]] = []

    def close(self, words) -> "Chunk":
        fill = CAPACITY - len(self.tokens)
        self.tokens = [words.bos_token_id, *self.tokens, words.eos_token_id, *[words.pad_token_id] * fill]
        self.weights = [1.0, *self.weights, 1.0, *[1.0] * fill]
        self.learned = [(place + 1, vectors) for place, vectors in self.learned]
        return self


def cut(parts, words, learned) -> list[Chunk]:
    """As the web UI's `tokenize_line` cuts. `learned` maps the tokens of a name to its vectors."""
    comma = words.get_vocab().get(",</w>")
    done, now, last_comma = [], Chunk(), None
    for text, weight in parts:
        if text == "BREAK" and weight == -1:
            done.append(now.close(words))
            now, last_comma = Chunk(), None
            continue
        tokens = words(text, add_special_tokens=False).input_ids
        at = 0
        while at < len(tokens):
            full = len(now.tokens) == CAPACITY
            if tokens[at] == comma:
                last_comma = len(now.tokens)
            elif full and last_comma is not None and len(now.tokens) - last_comma <= COMMA_REACH:
                keep, after = last_comma + 1, Chunk()
                after.tokens, now.tokens = now.tokens[keep:], now.tokens[:keep]
                after.weights, now.weights = now.weights[keep:], now.weights[:keep]
                after.learned = [(place - keep, vectors) for place, vectors in now.learned if place >= keep]
                now.learned = [(place, vectors) for place, vectors in now.learned if place < keep]
                done.append(now.close(words))
                now, last_comma = after, None
            if len(now.tokens) == CAPACITY:
                done.append(now.close(words))
                now, last_comma = Chunk(), None
            name = next((name for name in learned if tuple(tokens[at : at + len(name)]) == name), None)
            if name is None:
                now.tokens.append(tokens[at])
                now.weights.append(weight)
                at += 1
                continue
            vectors = learned[name]
            if len(now.tokens) + len(vectors) > CAPACITY:
                done.append(now.close(words))
                now, last_comma = Chunk(), None
            now.learned.append((len(now.tokens), vectors))
            now.tokens += [0] * len(vectors)
            now.weights += [weight] * len(vectors)
            at += len(name)
    if now.tokens or not done:
        done.append(now.close(words))
    return done


# ---------------------------------------------------------------------------------------------------------------
# text encoders
# ---------------------------------------------------------------------------------------------------------------


class Part:
    """A text encoder with its tokenizer. `index` counts hidden states from the end; -1 is the last one."""

    def __init__(self, words, encoder, learned, penultimate=False):
        self.words, self.encoder, self.learned, self.penultimate = words, encoder, learned, penultimate

    def states(self, chunk: Chunk, skip: int):
        table = self.encoder.get_input_embeddings()
        ids = torch.tensor([chunk.tokens])

        def put_vectors(_module, _inputs, output):
            for place, vectors in chunk.learned:
                output[0, place : place + len(vectors)] = vectors
            return output

        hook = table.register_forward_hook(put_vectors)
        outputs = self.encoder(input_ids=ids, output_hidden_states=True)
        hook.remove()
        assert len(outputs.hidden_states) == self.encoder.config.num_hidden_layers + 1
        pooled = outputs.text_embeds if "text_embeds" in outputs else None
        if self.penultimate:
            return outputs.hidden_states[-(skip + 1)], pooled
        if skip == 1:
            return outputs.last_hidden_state, pooled
        text_model = getattr(self.encoder, "text_model", self.encoder)
        return text_model.final_layer_norm(outputs.hidden_states[-skip]), pooled

    def encode(self, chunks: list[Chunk], weighting: str, skip: int):
        contexts, first_pooled = [], None
        for i, chunk in enumerate(chunks):
            z, pooled = self.states(chunk, skip)
            weights = torch.tensor(chunk.weights).reshape(1, -1, 1)
            if weighting == "a1111":
                before = z.mean()
                z = z * weights
                z = z * (before / z.mean())
            elif (weights != 1).any():
                empty, _ = self.states(Chunk().close(self.words), skip)
                z = torch.where(weights == 1, z, (z - empty) * weights + empty)
            contexts.append(z)
            first_pooled = pooled if i == 0 else first_pooled
        return torch.cat(contexts, 1), first_pooled


def encode(parts: list[Part], parse, prompt, negative, weighting, skip):
    """Both prompts with as many chunks as the longer one has."""
    chunks = {text: [cut(parse(text), part.words, part.learned) for part in parts] for text in (prompt, negative)}
    n_chunks = max(len(one) for both in chunks.values() for one in both)
    found = []
    for text in (prompt, negative):
        contexts, pooled = [], None
        for part, own in zip(parts, chunks[text]):
            own = own + [Chunk().close(part.words) for _ in range(n_chunks - len(own))]
            context, pooled = part.encode(own, weighting, skip)
            contexts.append(context)
        found.append((torch.cat(contexts, -1), pooled))
    return found, [chunk for chunk in chunks[prompt][0]]


def shake(encoder) -> None:
    """A fresh network's biases are zero and its norms one, and so hide mistakes."""
    for name, weight in encoder.named_parameters():
        if name.endswith(("bias", "norm.weight", "norm1.weight", "norm2.weight")):
            weight.data += torch.randn_like(weight) * 0.2
        elif weight.dim() == 2 and "embedding" not in name:
            weight.data *= 4


def write_text_encoders() -> None:
    """Two random text encoders as SDXL has them, stored in f16; each alone is one as SD 1.x or 2.x has it."""
    torch.manual_seed(9)
    folder = HERE / "tiny-text"
    shutil.rmtree(folder, ignore_errors=True)
    words = [CLIPTokenizer.from_pretrained(HERE / name / "tokenizer") for name in ("tiny-1", "tiny-2")]
    shared = {
        "vocab_size": len(words[0]),
        "num_hidden_layers": 3,
        "bos_token_id": words[0].bos_token_id,
        "eos_token_id": words[0].eos_token_id,
    }
    first = CLIPTextModel(
        CLIPTextConfig(hidden_size=16, intermediate_size=32, num_attention_heads=2, hidden_act="quick_gelu", projection_dim=16, **shared)
    )
    second = CLIPTextModelWithProjection(
        CLIPTextConfig(hidden_size=24, intermediate_size=48, num_attention_heads=3, hidden_act="gelu", projection_dim=20, **shared)
    )
    for encoder, number, tokenizer in ((first, "", words[0]), (second, "_2", words[1])):
        shake(encoder)
        encoder.to(torch.float16).save_pretrained(folder / f"text_encoder{number}")
        # As transformers 5 writes it: one tokenizer.json in the place of vocab.json and merges.txt.
        tokenizer.save_pretrained(folder / f"tokenizer{number}")
    write_json(folder / "model_index.json", {"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True})


def learned_vectors(words, name: str, vectors: torch.Tensor) -> dict:
    return {tuple(words(name, add_special_tokens=False).input_ids): vectors}


@torch.no_grad()
def models(parse) -> None:
    torch.manual_seed(10)
    alone, wide, wider = torch.randn(3, 16), torch.randn(3, 16), torch.randn(3, 24)
    for place, vectors in (("embeddings", {"emb_params": alone}), ("embeddings-xl", {"clip_l": wide, "clip_g": wider})):
        shutil.rmtree(HERE / place, ignore_errors=True)
        (HERE / place).mkdir()
        save_file(vectors, HERE / place / "tiny-stroke.safetensors")
    folder = HERE / "tiny-text"
    words = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    other = CLIPTokenizer.from_pretrained(folder / "tokenizer_2")
    first = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    second = CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder_2", dtype=torch.float32)
    kinds = {
        "first": [Part(words, first, learned_vectors(words, "tiny-stroke", alone))],
        "second": [Part(other, second, {})],
        "both": [
            Part(words, first, learned_vectors(words, "tiny-stroke", wide), True),
            Part(other, second, learned_vectors(other, "tiny-stroke", wider), True),
        ],
    }
    agree_with_diffusers(kinds, parse)
    tensors, card = {}, {}
    for name, asked in ASKED.items():
        parts = kinds[name]
        card[name] = []
        for case, prompt, negative, weighting, skip in CASES:
            if case not in asked:
                continue
            (positive, opposite), chunks = encode(parts, parse, prompt, negative, weighting, skip)
            key = f"{name}.{case}"
            tensors[f"{key}.positive"] = positive[0]
            if positive[1] is not None:
                tensors[f"{key}.positive.pooled"] = positive[1]
            if negative:
                tensors[f"{key}.negative"] = opposite[0]
                if opposite[1] is not None:
                    tensors[f"{key}.negative.pooled"] = opposite[1]
            print(f"{key}: {len(chunks)} chunks, std {positive[0].std():.3f}, mean {positive[0].mean():.4f}")
            card[name].append(
                {
                    "name": case,
                    "prompt": prompt,
                    "negative_prompt": negative,
                    "weighting": weighting,
                    "clip_skip": skip,
                    "ids": [chunk.tokens for chunk in chunks],
                    "weights": [chunk.weights for chunk in chunks],
                }
            )
    ends(tensors)
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, HERE / "prompts.safetensors")
    write_json(
        HERE / "prompts.json",
        {"brackets": [{"prompt": prompt, "parts": parse(prompt)} for prompt in [*BRACKETS, *prompts_of_cases()]], "cases": card},
    )


def agree_with_diffusers(kinds: dict, parse) -> None:
    """Prompts of one chunk without weights have to be what diffusers' own pipelines make of them."""
    tiny = HERE / "tiny-1"
    rest = {
        "vae": AutoencoderKL.from_pretrained(tiny / "vae"),
        "unet": UNet2DConditionModel.from_pretrained(tiny / "unet"),
        "scheduler": DDIMScheduler(clip_sample=False),
    }
    # diffusers 0.42 looks for the final norm where transformers 4 had it.
    object.__setattr__(kinds["first"][0].encoder, "text_model", kinds["first"][0].encoder)
    prompt, negative = "a red boat on a calm sea", "a blue car"
    for name, parts in kinds.items():
        first, last = parts[0], parts[-1]
        for skip in (1, 2):
            settings = {"device": "cpu", "num_images_per_prompt": 1, "do_classifier_free_guidance": True}
            settings |= {"negative_prompt": negative, "clip_skip": None if skip == 1 else skip - 1}
            if name == "both":
                pipe = StableDiffusionXLPipeline(
                    text_encoder=first.encoder, text_encoder_2=last.encoder, tokenizer=first.words, tokenizer_2=last.words, **rest
                )
                theirs = pipe.encode_prompt(prompt, **settings)
            elif name == "first" or skip == 1:
                pipe = StableDiffusionPipeline(
                    text_encoder=first.encoder,
                    tokenizer=first.words,
                    safety_checker=None,
                    feature_extractor=None,
                    requires_safety_checker=False,
                    **rest,
                )
                if name == "second":
                    # With its projection in front, diffusers would take the pooled output for the hidden states.
                    pipe.text_encoder = CLIPTextModel.from_pretrained(HERE / "tiny-text" / "text_encoder_2", dtype=torch.float32)
                theirs = pipe.encode_prompt(prompt, **settings)
            else:
                continue
            ours, _ = encode(parts, parse, prompt, negative, "a1111", skip)
            # diffusers skips no block for the negative prompt; the web UI does, and so does the program.
            pairs = [(ours[0][0], theirs[0])]
            if skip == 1:
                pairs.append((ours[1][0], theirs[1]))
            if name == "both":
                pairs += [(ours[0][1], theirs[2]), (ours[1][1], theirs[3])]
            for own, their in pairs:
                torch.testing.assert_close(own, their, rtol=1e-5, atol=1e-5)
    print("diffusers agrees")


def ends(tensors: dict) -> None:
    """Pooled outputs by both rules of finding a text's end, over tokens for which they differ."""
    folder = HERE / "tiny-text" / "text_encoder_2"
    ids = torch.tensor([[3, 40, 41, 500, 42, 500, 510, 9], [3, 500, 7, 8, 511, 0, 0, 0]])
    tensors["ends.ids"] = ids.to(torch.int64)
    for end in (2, 500):
        config = CLIPTextConfig.from_pretrained(folder)
        config.eos_token_id = end
        model = CLIPTextModelWithProjection.from_pretrained(folder, config=config, dtype=torch.float32)
        tensors[f"ends.{end}"] = model(input_ids=ids).text_embeds


def vocabulary(source: pathlib.Path) -> None:
    """Tokens of OpenAI's vocabulary, as transformers reads it."""
    merges = gzip.open(source).read().decode().split("\n")[1 : 1 + 49_152 - 256 - 2]
    letters = byte_letters()
    tokens = letters + [letter + "</w>" for letter in letters] + [pair.replace(" ", "") for pair in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    texts = [*TEXTS, *BRACKETS, "photograph of a capybara wearing sunglasses, 85mm, f/1.8, trending on artstation, 8k uhd"]
    with tempfile.TemporaryDirectory() as folder:
        write_json(pathlib.Path(folder) / "vocab.json", {token: i for i, token in enumerate(tokens)})
        (pathlib.Path(folder) / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
        found = []
        for padding in ("<|endoftext|>", "!"):
            words = CLIPTokenizer.from_pretrained(folder, pad_token=padding)
            for text in texts if padding == "!" else texts[:2]:
                ids = words(text, padding="max_length", max_length=77, truncation=True).input_ids
                found.append({"padding": padding, "text": text, "ids": " ".join(map(str, ids))})
    write_json(HERE / "clip-vocabulary.json", found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--webui", type=pathlib.Path, required=True)
    parser.add_argument("--vocabulary", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    write_text_encoders()
    models(load_webui(arguments.webui))
    vocabulary(arguments.vocabulary)
