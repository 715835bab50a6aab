"""Sentences for scenes: varied English, synonyms, some attributes left out, and a style of bare tags.

`caption` returns the text and the names of the attributes that it states, so that pictures are judged only on
what was asked for.
"""

import random

from .world import Scene

SUBJECT_WORDS = {
    "sailing boat": ("sailing boat", "sailing boat", "sailboat", "boat", "sailing ship"),
    "cottage": ("cottage", "cottage", "house", "little house"),
    "lighthouse": ("lighthouse",),
    "hot-air balloon": ("hot-air balloon", "hot air balloon", "balloon"),
    "car": ("car", "car", "vintage car", "little car"),
    "tree": ("tree", "tree", "big tree"),
    "cat": ("cat", "cat", "sitting cat", "kitten"),
    "mushroom": ("mushroom", "mushroom", "toadstool", "giant mushroom"),
    "windmill": ("windmill", "windmill", "mill"),
    "tent": ("tent", "tent", "camping tent"),
    "rocket": ("rocket", "rocket", "space rocket", "spaceship"),
    "teapot": ("teapot", "teapot", "tea pot", "giant teapot"),
}
COLOUR_WORDS = {
    "red": ("red", "red", "red", "bright red", "crimson", "scarlet"),
    "orange": ("orange", "orange", "orange", "bright orange"),
    "yellow": ("yellow", "yellow", "yellow", "golden yellow", "bright yellow"),
    "green": ("green", "green", "green", "bright green", "emerald green"),
    "blue": ("blue", "blue", "blue", "bright blue", "deep blue"),
    "purple": ("purple", "purple", "purple", "violet"),
    "pink": ("pink", "pink", "pink", "rosy pink", "bright pink"),
    "white": ("white", "white", "white", "snow-white", "bright white"),
}
PLACE_PHRASES = {
    "sea": ("at sea", "on the sea", "on a calm sea", "by the sea", "on the ocean", "on calm water", "out at sea"),
    "mountains": ("in the mountains", "in front of mountains", "below snowy peaks", "among high mountains"),
    "meadow": ("in a meadow", "on a green meadow", "in a field of flowers", "among rolling hills", "in the meadow"),
    "desert": ("in the desert", "in a desert", "among sand dunes", "in a sandy desert"),
    "forest": ("in a forest", "in the forest", "in the woods", "among pine trees", "in a pine forest"),
    "city": ("in the city", "in a city", "in front of a skyline", "downtown", "in the big city"),
}
PLACE_TAGS = {
    "sea": ("sea", "ocean", "calm sea"),
    "mountains": ("mountains", "high mountains", "snowy peaks"),
    "meadow": ("meadow", "green meadow", "rolling hills"),
    "desert": ("desert", "sand dunes"),
    "forest": ("forest", "woods", "pine forest"),
    "city": ("city", "skyline", "big city"),
}
TIME_PHRASES = {
    "morning": ("in the morning", "at dawn", "at sunrise", "in the early morning", "on a misty morning"),
    "noon": ("at noon", "at midday", "in bright daylight", "by day", "on a bright day", "under a blue sky"),
    "sunset": ("at sunset", "at dusk", "in the evening light", "at sundown", "under a glowing sunset sky"),
    "night": ("at night", "by moonlight", "under the stars", "under a starry sky", "at midnight"),
}
TIME_TAGS = {
    "morning": ("morning", "dawn", "sunrise"),
    "noon": ("noon", "daylight", "midday", "day"),
    "sunset": ("sunset", "dusk", "evening"),
    "night": ("night", "moonlight", "starry night"),
}
WEATHER_PHRASES = {
    "clear": ("in clear weather", "under a clear sky", "on a clear day"),
    "rain": ("in the rain", "in the rain", "on a rainy day", "in rainy weather"),
    "snow": ("in the snow", "in the snow", "while snow is falling", "in winter"),
}
WEATHER_TAGS = {"clear": ("clear sky", "clear weather"), "rain": ("rain", "rainy"), "snow": ("snow", "snowy", "winter")}
STYLE_PREFIXES = {
    "poster": (
        "a flat poster of",
        "a travel poster of",
        "a poster of",
        "a flat illustration of",
        "a vintage poster of",
    ),
    "watercolour": ("a watercolour of", "a watercolour painting of", "a watercolor of", "a soft watercolour of"),
}
STYLE_TAGS = {
    "poster": ("flat poster", "travel poster", "poster", "flat illustration", "poster style"),
    "watercolour": ("watercolour", "watercolor", "watercolour painting", "soft watercolour", "in watercolour"),
}

# What nobody would say of a rainy or snowy scene.
FAIR_SKY = ("sky", "stars", "bright day", "moonlight")

# Words that say nothing about the picture; they teach the text encoder to pass over such words.
FILLERS = ("lovely", "beautiful", "pretty", "old", "small", "charming", "lonely", "quiet", "single", "wonderful")
NEUTRAL_PREFIXES = ("a picture of", "a postcard of", "an image of", "a painting of")
FILLER_SHARE = 0.12

# How often each attribute is stated. The subject always is; clear weather is rarely worth a word.
STATED = {"colour": 0.92, "place": 0.9, "time": 0.88, "weather": 0.9, "style": 0.75}
CLEAR_STATED = 0.12


def stated_attributes(scene: Scene, rng: random.Random) -> set[str]:
    """Chooses which attributes the caption mentions."""
    stated = {"subject"} | {name for name, share in STATED.items() if rng.random() < share}
    if scene.weather == "clear" and rng.random() > CLEAR_STATED:
        stated.discard("weather")
    return stated


def with_article(phrase: str) -> str:
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def noun_phrase(scene: Scene, stated: set[str], rng: random.Random) -> str:
    """The coloured subject without an article: "bright red sailing boat"."""
    noun = rng.choice(SUBJECT_WORDS[scene.subject])
    if "colour" not in stated:
        return noun
    colour = rng.choice(COLOUR_WORDS[scene.colour])
    adjective, _, bare = noun.rpartition(" ")
    if adjective in ("little", "big", "giant"):
        return f"{adjective} {colour} {bare}"
    return f"{colour} {noun}"


def sentence(scene: Scene, stated: set[str], rng: random.Random, article: bool = False) -> str:
    """An English phrase: "a watercolour of a red sailing boat on a calm sea at sunset".

    Now and then the article is left out, unless `article` insists on it.
    """
    noun = noun_phrase(scene, stated, rng)
    details = []
    if "place" in stated:
        details.append(rng.choice(PLACE_PHRASES[scene.place]))
    if "time" in stated:
        details.append(rng.choice(TIME_PHRASES[scene.time]))
    if "weather" in stated:
        details.append(rng.choice(WEATHER_PHRASES[scene.weather]))
    if rng.random() < 0.15:
        rng.shuffle(details)
    if rng.random() < FILLER_SHARE:
        noun = f"{rng.choice(FILLERS)} {noun}"
    subject = noun if rng.random() < 0.15 and not article else with_article(noun)
    if rng.random() < 0.08:
        subject = f"the {noun}"
    text = " ".join([subject, *details])
    if "style" not in stated:
        return f"{rng.choice(NEUTRAL_PREFIXES)} {text}" if rng.random() < 0.15 else text
    if rng.random() < 0.5:
        return f"{rng.choice(STYLE_PREFIXES[scene.style])} {text}"
    return f"{text}, {rng.choice(STYLE_TAGS[scene.style])}"


def tags(scene: Scene, stated: set[str], rng: random.Random) -> str:
    """Bare words with commas: "watercolour, red boat, sea, sunset"."""
    parts = [noun_phrase(scene, stated, rng)]
    words = {"place": PLACE_TAGS, "time": TIME_TAGS, "weather": WEATHER_TAGS, "style": STYLE_TAGS}
    parts += [rng.choice(table[getattr(scene, name)]) for name, table in words.items() if name in stated]
    if rng.random() < 0.5:
        rng.shuffle(parts)
    return ", ".join(parts)


def caption(scene: Scene, rng: random.Random) -> tuple[str, set[str]]:
    """One caption of the scene and the set of attributes it states."""
    stated = stated_attributes(scene, rng)
    write = tags if rng.random() < 0.25 else sentence
    return write(scene, stated, rng), stated


def full_caption(scene: Scene, rng: random.Random) -> str:
    """A sentence in the prettier, fuller manner that demo-prompts learns to write."""
    stated = {"subject", "colour", "place", "time", "style"} - ({"style"} if rng.random() < 0.3 else set())
    if scene.weather != "clear":
        stated.add("weather")
    while True:
        text = sentence(scene, stated, rng, article=True)
        if scene.weather == "clear" or not any(words in text for words in FAIR_SKY):
            return text
