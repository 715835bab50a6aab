"""Writes what transformers makes of two GPT-2 models.

    .venv/bin/python inference/tests/reference/make_gpt2.py           # tiny-gpt2/ (random weights) and gpt2-tiny.json
    .venv/bin/python inference/tests/reference/make_gpt2.py --demo    # gpt2-demo.json, of models/demo-prompts

Run the second whenever the demo model changes.
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

HERE = Path(__file__).parent
TINY = HERE / "tiny-gpt2"
DEMO = HERE.parents[2] / "models" / "demo-prompts"
END = "<|endoftext|>"
N_NEW = 24
TEXTS = [
    "a red sailing boat on a calm sea at sunset, watercolour",
    "a café in the snow, 雪 and 🌊, the sky über the city",
    "it's a windmill among rolling hills, travel poster, 1930s",
]
STARTS = {
    TINY: ["", "a red", "a café in the snow 雪", "it's 🌊"],
    DEMO: ["", "a red sailing boat", "a watercolour of a pink"],
}


def make_tiny() -> None:
    """Random weights, large enough that every part of the network shows in the scores."""
    TINY.mkdir(exist_ok=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, special_tokens=[END], show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.save(str(TINY / "tokenizer.json"))
    tokenizer.model.save(str(TINY))
    settings = {"tokenizer_class": "GPT2Tokenizer", "bos_token": END, "eos_token": END, "unk_token": END}
    (TINY / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")
    torch.manual_seed(3)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_inner=48,
        initializer_range=0.25,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        # Biases and norms begin as zeros and ones, which would hide a mix-up.
        for name, weight in model.named_parameters():
            if weight.dim() == 1:
                weight.add_(torch.randn_like(weight) * 0.2)
    model.half().save_pretrained(TINY)
    (TINY / "generation_config.json").unlink(missing_ok=True)


def describe(folder: Path) -> dict:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32).eval()
    end = tokenizer.convert_tokens_to_ids(END)
    cases = []
    for start in STARTS[folder]:
        ids = [end, *tokenizer(start)["input_ids"]]
        tokens = torch.tensor([ids])
        with torch.no_grad():
            scores = model(tokens).logits[0, -1]
        case = {"start": start, "ids": ids, "scores": [float(f"{x:.8g}") for x in scores.tolist()]}
        for name, penalty in (("greedy", 1.0), ("greedy_penalised", 1.3)):
            new = model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                do_sample=False,
                max_new_tokens=N_NEW,
                repetition_penalty=penalty,
                pad_token_id=end,
            )[0, len(ids) :].tolist()
            text = tokenizer.decode(new, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            case[name] = {"ids": new, "text": text}
        cases.append(case)
    return {"n_new": N_NEW, "cases": cases}


def write(name: str, content: dict) -> None:
    (HERE / name).write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", action="store_true", help="the demo model instead of the tiny one")
    if parser.parse_args().demo:
        write("gpt2-demo.json", describe(DEMO))
    else:
        make_tiny()
        write("gpt2-tiny.json", describe(TINY))


if __name__ == "__main__":
    main()
