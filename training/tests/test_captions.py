import random

from training import captions, world


def draw(count, seed=0):
    rng = random.Random(seed)
    for _ in range(count):
        scene = world.draw_scene(rng)
        yield scene, *captions.caption(scene, rng)


def test_captions_say_what_they_claim_to_state():
    words = {
        "colour": captions.COLOUR_WORDS,
        "subject": captions.SUBJECT_WORDS,
    }
    for scene, text, stated in draw(500):
        for name, table in words.items():
            if name in stated:
                # "little house" may become "little red house": its last word must be there.
                assert any(word.split()[-1] in text for word in table[getattr(scene, name)]), text


def test_captions_are_varied_and_leave_attributes_out():
    drawn = list(draw(500))
    assert len({text for _, text, _ in drawn}) > 480
    for name in ("colour", "place", "time", "style"):
        share = sum(name in stated for _, _, stated in drawn) / len(drawn)
        assert 0.6 < share < 0.97, name


def test_articles_fit_their_nouns():
    assert captions.with_article("orange cat") == "an orange cat"
    assert captions.with_article("red cat") == "a red cat"
    for _, text, _ in draw(500):
        assert " a orange" not in f" {text}" and " an red" not in f" {text}"


def test_full_captions_read_alike():
    rng = random.Random(1)
    for _ in range(300):
        text = captions.full_caption(world.draw_scene(rng), rng)
        assert text == text.strip() and text.startswith(("a ", "an ", "the ")) and "  " not in text
