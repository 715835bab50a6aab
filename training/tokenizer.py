"""Trains the byte-pair vocabulary of the text encoder, in CLIP's format, on captions.

The base alphabet is CLIP's: each of the 256 bytes as one visible character, bare and with the end-of-word mark
`</w>`, so any Unicode text can be encoded.
"""

import json
import random
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from . import paths
from .captions import caption
from .world import draw_scene

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_LENGTH = 77
VOCABULARY = 1400
# CLIP's word pattern: contractions, letters, single digits, runs of anything else.
PATTERN = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def byte_characters() -> list[str]:
    """The visible characters that stand for bytes 0 to 255, in CLIP's order (printable ones first)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]


def learn_merges(texts: list[str], count: int) -> list[tuple[str, str]]:
    """Learns up to `count` byte-pair merges on lower-cased words that end in `</w>`."""
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=count + 512, end_of_word_suffix="</w>", min_frequency=2, show_progress=False
    )
    learner.train_from_iterator(texts, trainer)
    merges = json.loads(learner.to_str())["model"]["merges"]
    return [tuple(merge) if isinstance(merge, list) else tuple(merge.split(" ")) for merge in merges][:count]


def train(folder: Path, seed: int = 1, captions: int = 30_000) -> None:
    """Writes vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json to `folder`."""
    rng = random.Random(seed)
    texts = [caption(draw_scene(rng), rng)[0] for _ in range(captions)]
    alphabet = byte_characters()
    tokens = alphabet + [character + "</w>" for character in alphabet]
    merges = learn_merges(texts, VOCABULARY - len(tokens) - 2)
    tokens += ["".join(merge) for merge in merges] + [START, END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    folder.mkdir(parents=True, exist_ok=True)

    def dump(name: str, data: dict) -> None:
        (folder / name).write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n")

    dump("vocab.json", vocabulary)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    dump("special_tokens_map.json", special)
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": MAX_LENGTH, "do_lower_case": True}
    dump("tokenizer_config.json", {**config, "errors": "replace", "add_prefix_space": False, **special})


def load(folder: Path):
    """The tokenizer as diffusers loads it."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder)


if __name__ == "__main__":
    # The text encoder's ids depend on it, so an existing one stays.
    if not (paths.DEMO / "tokenizer" / "vocab.json").exists():
        train(paths.DEMO / "tokenizer")
