"""Light by time of day and weather: the colours of the sky, and what becomes of a colour under it."""

from dataclasses import dataclass

from .brush import Colour, mix, scale


@dataclass(frozen=True)
class Light:
    """The sky from top to horizon, the light's own colour, and how strongly it tints the land."""

    sky: tuple[Colour, Colour, Colour]
    sun: Colour
    ambient: Colour
    tint: float
    brightness: float
    dark: bool = False
    snow: bool = False
    rain: bool = False

    def land(self, colour: Colour, distance: float = 0.0, white: float = 0.8) -> Colour:
        """A landscape colour in this light; `distance` 0..1 fades it into the horizon, `white` is its share of snow."""
        if self.snow:
            colour = mix(colour, (242, 246, 252), white)
        lit = mix(scale(colour, self.brightness), self.ambient, self.tint)
        return mix(lit, self.sky[2], distance * 0.75)

    def subject(self, colour: Colour) -> Colour:
        """The main subject's colour: tinted far less than the land, so that its hue can be named at night."""
        return mix(scale(colour, 0.5 + 0.5 * self.brightness**0.5), self.ambient, self.tint * 0.22)


TIMES = {
    "morning": Light(((158, 205, 226), (214, 226, 222), (255, 222, 190)), (255, 244, 214), (255, 222, 205), 0.22, 1.0),
    "noon": Light(((38, 132, 214), (98, 182, 236), (190, 230, 246)), (255, 246, 190), (255, 255, 240), 0.02, 1.0),
    "sunset": Light(((88, 52, 128), (226, 84, 98), (255, 186, 92)), (255, 226, 120), (176, 56, 104), 0.3, 0.94),
    "night": Light(((10, 14, 46), (24, 36, 88), (58, 76, 136)), (250, 246, 222), (30, 42, 104), 0.4, 0.56, dark=True),
}
_OVERCAST = {"morning": (176, 186, 192), "noon": (138, 158, 178), "sunset": (140, 84, 104), "night": (30, 36, 62)}


def light_for(time: str, weather: str) -> Light:
    """The light of a time of day under a kind of weather."""
    light = TIMES[time]
    if weather == "clear":
        return light
    grey = _OVERCAST[time]
    share = 0.5 if weather == "rain" else 0.35
    if weather == "snow":
        grey = mix(grey, (225, 232, 242), 0.1 if light.dark else 0.45)
    sky = tuple(mix(colour, grey, share * weight) for colour, weight in zip(light.sky, (1.1, 0.9, 0.6)))
    return Light(
        sky,
        light.sun,
        light.ambient,
        light.tint,
        light.brightness * (0.88 if weather == "rain" else 1.0),
        light.dark,
        snow=weather == "snow",
        rain=weather == "rain",
    )
