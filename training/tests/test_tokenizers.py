import json
import random

import pytest
from transformers import CLIPTokenizer, GPT2Tokenizer

from training import captions, prompt_tokenizer, tokenizer, world


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    tokenizer.train(folder)
    return CLIPTokenizer.from_pretrained(folder)


def test_captions_take_one_token_a_word(words):
    ids = words("A red sailing boat on a calm sea at sunset").input_ids
    assert ids[0] == words.bos_token_id and ids[-1] == words.eos_token_id
    assert len(ids) == 2 + 10


def test_any_unicode_text_is_encoded_and_comes_back(words):
    for text in ("zürich 東京 🙂", "naïve café #42", "~ | \\ {}"):
        ids = words(text, add_special_tokens=False).input_ids
        assert words.unk_token_id not in ids
        assert words.decode(ids).replace(" ", "") == text.replace(" ", "")


def test_padding_and_cutting_end_at_77(words):
    for text in ("", "a cat", "a cat " * 100):
        ids = words(text, padding="max_length", truncation=True).input_ids
        assert len(ids) == 77 and ids[-1] == words.eos_token_id


def test_the_prompt_vocabulary_loads_as_gpt2s_and_returns_its_text(tmp_path):
    rng = random.Random(0)
    texts = [captions.full_caption(world.draw_scene(rng), rng) for _ in range(2000)]
    prompt_tokenizer.train(texts, tmp_path)
    ours, theirs = prompt_tokenizer.load(tmp_path), GPT2Tokenizer.from_pretrained(tmp_path)
    for text in (texts[0], "Größe 東京 🙂"):
        ids = ours.encode(text).ids
        assert ours.decode(ids) == text
        assert theirs(text).input_ids == ids
    assert json.loads((tmp_path / "vocab.json").read_text())[prompt_tokenizer.END] == theirs.eos_token_id
