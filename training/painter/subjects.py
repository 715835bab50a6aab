"""The twelve subjects, drawn with the foot at (0, 0) and the top at y = -1, in the colour that is asked for.

Each function gets a `Tones`: the subject's colour, its shaded and its bright side, and `tint` for fixed colours.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .brush import Brush, Colour, mix, scale
from .light import Light

COLOURS = {
    "red": (216, 36, 40),
    "orange": (246, 128, 24),
    "yellow": (252, 212, 40),
    "green": (40, 158, 74),
    "blue": (36, 92, 206),
    "purple": (126, 58, 172),
    "pink": (246, 136, 182),
    "white": (250, 248, 242),
}


@dataclass(frozen=True)
class Tones:
    main: Colour
    dark: Colour
    bright: Colour
    tint: Callable[[Colour], Colour]
    night: bool

    @staticmethod
    def of(colour: str, light: Light) -> "Tones":
        main = COLOURS[colour]
        shade = scale(main, 0.74) if colour != "white" else (204, 208, 220)
        return Tones(
            main=light.subject(main),
            dark=light.subject(shade),
            bright=light.subject(mix(main, (255, 255, 255), 0.35)),
            tint=light.subject,
            night=light.dark,
        )

    @property
    def window(self) -> Colour:
        return (255, 222, 130) if self.night else self.tint((70, 96, 130))


def sailing_boat(b: Brush, t: Tones) -> None:
    b.line("M.02 -.98 L.02 -.16", t.tint((92, 62, 46)), 0.028)
    b.path("M.05 -.96 Q.42 -.62 .5 -.24 L.05 -.24 Z", t.main)
    b.path("M-.02 -.88 Q-.2 -.5 -.4 -.24 L-.02 -.24 Z", t.dark)
    b.path("M.05 -.52 Q.28 -.5 .43 -.46 L.47 -.36 Q.26 -.42 .05 -.42 Z", t.bright)
    b.path("M-.52 -.19 L.58 -.19 Q.5 .02 .36 .03 L-.32 .03 Q-.46 0 -.52 -.19 Z", t.tint((112, 70, 48)))
    b.path("M-.52 -.19 L.58 -.19 L.55 -.13 L-.5 -.13 Z", t.tint((250, 240, 220)))


def cottage(b: Brush, t: Tones) -> None:
    roof = t.tint((104, 72, 62))
    b.rect(0.2, -0.96, 0.12, 0.3, t.tint((150, 96, 80)))
    b.rect(-0.44, -0.54, 0.88, 0.55, t.main)
    b.path("M.12 -.54 L.44 -.54 L.44 .01 L.12 .01 Z", t.dark, 0.55)
    b.path("M0 -.95 L.58 -.48 L.52 -.42 L-.52 -.42 L-.58 -.48 Z", roof)
    b.path("M0 -.72 L.26 -.48 L-.26 -.48 Z", t.main)
    b.rect(-0.09, -0.32, 0.18, 0.33, t.tint((90, 58, 46)), radius=0.03)
    for x in (-0.35, 0.17):
        b.rect(x, -0.34, 0.18, 0.17, t.tint((250, 244, 230)), radius=0.01)
        b.rect(x + 0.025, -0.315, 0.13, 0.12, t.window)


def lighthouse(b: Brush, t: Tones) -> None:
    white = t.tint((250, 247, 240)) if t.main != t.tint(COLOURS["white"]) else t.tint((150, 160, 180))
    b.path("M-.2 0 L-.115 -.72 L.115 -.72 L.2 0 Z", t.main)
    b.path("M-.174 -.22 L-.15 -.42 L.15 -.42 L.174 -.22 Z", white)
    b.path("M.03 0 L.02 -.72 L.115 -.72 L.2 0 Z", (20, 20, 50), 0.14)
    b.rect(-0.16, -0.755, 0.32, 0.04, t.tint((64, 66, 84)))
    b.rect(-0.085, -0.89, 0.17, 0.14, (255, 226, 130))
    b.line("M-.03 -.89 L-.03 -.755 M.03 -.89 L.03 -.755", t.tint((64, 66, 84)), 0.014)
    b.path("M-.13 -.88 Q-.08 -.98 0 -1 Q.08 -.98 .13 -.88 Z", t.main)
    b.rect(-0.05, -0.13, 0.1, 0.13, t.tint((74, 58, 58)), radius=0.04)
    b.path("M.08 -.85 L.9 -1.0 L.9 -.66 L.08 -.79 Z", (255, 232, 150), 0.5 if t.night else 0.16)
    b.path("M-.08 -.85 L-.9 -1.0 L-.9 -.66 L-.08 -.79 Z", (255, 232, 150), 0.5 if t.night else 0.16)


def hot_air_balloon(b: Brush, t: Tones) -> None:
    b.line("M-.2 -.34 L-.085 -.14 M.2 -.34 L.085 -.14", t.tint((96, 72, 58)), 0.014)
    b.path(
        "M0 -1 C.3 -1 .42 -.8 .42 -.64 C.42 -.5 .3 -.4 .2 -.3 L-.2 -.3 C-.3 -.4 -.42 -.5 -.42 -.64 C-.42 -.8 -.3 -1 0 -1 Z",
        t.main,
    )
    b.path(
        "M0 -1 C.15 -1 .19 -.8 .19 -.64 C.19 -.5 .14 -.4 .09 -.3 L-.09 -.3 C-.14 -.4 -.19 -.5 -.19 -.64 C-.19 -.8 -.15 -1 0 -1 Z",
        t.bright,
    )
    b.path(
        "M.1 -.99 C.34 -.94 .42 -.8 .42 -.64 C.42 -.5 .3 -.4 .2 -.3 L.15 -.3 C.26 -.42 .31 -.52 .31 -.64 C.31 -.8 .24 -.94 .1 -.99 Z",
        t.dark,
    )
    b.rect(-0.2, -0.325, 0.4, 0.04, t.dark, radius=0.02)
    b.path("M-.11 -.15 L.11 -.15 L.085 0 L-.085 0 Z", t.tint((166, 112, 66)))
    b.rect(-0.125, -0.165, 0.25, 0.04, t.tint((120, 78, 50)), radius=0.01)


def car(b: Brush, t: Tones) -> None:
    b.path("M-.34 -.38 Q-.26 -.66 -.1 -.67 L.16 -.67 Q.3 -.66 .42 -.38 Z", t.main)
    glass = t.window if t.night else t.tint((196, 228, 240))
    b.path("M-.25 -.4 Q-.2 -.59 -.1 -.6 L.01 -.6 L.01 -.4 Z", glass)
    b.path("M.07 -.6 L.15 -.6 Q.25 -.59 .33 -.4 L.07 -.4 Z", glass)
    b.path("M-.66 -.12 L-.66 -.3 Q-.64 -.4 -.5 -.41 L.46 -.41 Q.66 -.38 .68 -.24 L.68 -.12 Z", t.main)
    b.path("M-.66 -.22 L.68 -.22 L.68 -.12 L-.66 -.12 Z", t.dark)
    b.rect(-0.69, -0.17, 1.4, 0.055, t.tint((176, 180, 190)), radius=0.02)
    b.oval(0.63, -0.29, 0.035, 0.05, (255, 240, 170))
    for x in (-0.37, 0.38):
        b.circle(x, -0.13, 0.155, t.tint((40, 42, 54)))
        b.circle(x, -0.13, 0.075, t.tint((206, 208, 214)))


def tree(b: Brush, t: Tones) -> None:
    bark = t.tint((108, 72, 50))
    b.path("M-.1 0 Q-.05 -.2 -.055 -.5 L.055 -.5 Q.05 -.2 .1 0 Z", bark)
    b.line("M0 -.34 L.16 -.5 M0 -.28 L-.15 -.46", bark, 0.04)
    for x, y, radius in (
        (-0.24, -0.55, 0.2),
        (0.25, -0.55, 0.2),
        (0.0, -0.5, 0.2),
        (-0.17, -0.75, 0.2),
        (0.18, -0.74, 0.2),
        (0, -0.81, 0.19),
    ):
        b.circle(x, y, radius, t.main)
    for x, y, radius in ((0.28, -0.5, 0.14), (0.05, -0.44, 0.13), (-0.22, -0.46, 0.1)):
        b.circle(x, y, radius, t.dark)
    for x, y, radius in ((-0.2, -0.78, 0.11), (-0.02, -0.88, 0.08), (-0.3, -0.6, 0.07), (0.12, -0.7, 0.06)):
        b.circle(x, y, radius, t.bright)


def cat(b: Brush, t: Tones) -> None:
    b.line("M.24 -.06 C.56 -.02 .6 -.3 .46 -.46", t.dark, 0.1)
    b.path("M-.24 .01 C-.34 -.3 -.22 -.52 0 -.54 C.24 -.52 .36 -.24 .29 .01 Z", t.main)
    b.path("M.1 .01 C.08 -.2 .2 -.28 .29 -.12 L.29 .01 Z", t.dark)
    b.path("M-.1 0 C-.13 -.22 -.1 -.36 0 -.38 C.1 -.36 .1 -.2 .06 0 Z", t.bright)
    b.path("M-.27 -.98 L-.05 -.86 L.05 -.86 L.27 -.98 L.27 -.62 L-.27 -.62 Z", t.main)
    b.path("M-.23 -.91 L-.11 -.83 L-.22 -.74 Z M.23 -.91 L.11 -.83 L.22 -.74 Z", t.dark)
    b.oval(0, -0.65, 0.285, 0.22, t.main)
    eye = t.tint((40, 44, 50))
    for x in (-0.12, 0.12):
        b.oval(x, -0.67, 0.045, 0.055, eye)
        b.circle(x + 0.012, -0.69, 0.015, (255, 255, 255))
    b.path("M-.035 -.59 L.035 -.59 L0 -.55 Z", t.tint((220, 110, 120)))
    b.line("M-.14 -.57 L-.36 -.6 M-.14 -.54 L-.35 -.52 M.14 -.57 L.36 -.6 M.14 -.54 L.35 -.52", eye, 0.012, 0.7)
    b.oval(-0.11, 0, 0.09, 0.045, t.bright)
    b.oval(0.08, 0, 0.09, 0.045, t.bright)


def mushroom(b: Brush, t: Tones) -> None:
    b.path("M-.15 -.5 Q-.13 -.2 -.22 0 Q0 .06 .22 0 Q.13 -.2 .15 -.5 Z", t.tint((250, 236, 212)))
    b.path("M.05 -.5 L.15 -.5 Q.13 -.2 .22 0 Q.12 .04 .06 .03 Q.08 -.2 .05 -.5 Z", t.tint((216, 194, 168)))
    b.path("M-.3 -.48 Q0 -.36 .3 -.48 L.2 -.41 Q0 -.34 -.2 -.41 Z", t.tint((206, 180, 156)))
    b.path("M-.5 -.47 C-.5 -.84 -.26 -1 0 -1 C.26 -1 .5 -.84 .5 -.47 Q0 -.36 -.5 -.47 Z", t.main)
    b.path("M.2 -.96 C.4 -.86 .5 -.7 .5 -.47 Q.36 -.43 .22 -.42 Q.4 -.66 .2 -.96 Z", t.dark)
    dots = t.tint((255, 252, 244)) if t.main != t.tint(COLOURS["white"]) else t.tint((222, 188, 150))
    for x, y, radius in (
        (-0.26, -0.68, 0.075),
        (0.02, -0.84, 0.07),
        (0.04, -0.58, 0.085),
        (0.32, -0.64, 0.06),
        (-0.1, -0.5, 0.035),
    ):
        b.oval(x, y, radius, radius * 0.86, dots)


def windmill(b: Brush, t: Tones) -> None:
    b.path("M-.25 0 L-.16 -.6 L.16 -.6 L.25 0 Z", t.main)
    b.path("M.04 0 L.03 -.6 L.16 -.6 L.25 0 Z", t.dark)
    b.path("M-.19 -.58 Q-.12 -.76 0 -.78 Q.12 -.76 .19 -.58 Z", t.tint((104, 74, 64)))
    b.rect(-0.06, -0.17, 0.12, 0.17, t.tint((84, 56, 48)), radius=0.05)
    b.rect(-0.05, -0.44, 0.1, 0.11, t.window, radius=0.03)
    canvas, wood = t.tint((252, 244, 226)), t.tint((88, 62, 50))
    for quarter in range(4):
        b.canvas.save()
        b.canvas.translate(0, -0.62)
        b.canvas.rotate(45 + 90 * quarter)
        b.path("M.02 -.1 L.14 -.12 L.14 -.5 L.02 -.5 Z", canvas)
        b.line("M0 0 L0 -.52", wood, 0.03)
        b.line("M.03 -.23 L.13 -.23 M.03 -.36 L.13 -.36", wood, 0.01, 0.6)
        b.canvas.restore()
    b.circle(0, -0.62, 0.045, wood)


def tent(b: Brush, t: Tones) -> None:
    wood = t.tint((110, 76, 54))
    b.line("M-.08 -.76 L.06 -.56 M.08 -.76 L-.06 -.56", wood, 0.03)
    b.line("M-.5 -.2 L-.72 0 M.5 -.2 L.72 0", wood, 0.014)
    b.path("M0 -.66 L.62 0 L-.62 0 Z", t.main)
    b.path("M0 -.66 L.62 0 L.3 0 Z", t.dark)
    b.path("M0 -.66 L-.62 0 L-.4 0 Z", t.bright)
    b.path("M0 -.46 L.2 0 L-.2 0 Z", (255, 206, 110) if t.night else t.tint((66, 52, 60)))
    b.path("M0 -.46 L-.2 0 L-.28 0 Q-.12 -.2 0 -.46 Z M0 -.46 L.2 0 L.28 0 Q.12 -.2 0 -.46 Z", t.tint((252, 242, 222)))


def rocket(b: Brush, t: Tones) -> None:
    b.path("M-.13 -.17 Q-.16 .06 0 .2 Q.16 .06 .13 -.17 Z", (255, 150, 40))
    b.path("M-.07 -.17 Q-.09 0 0 .1 Q.09 0 .07 -.17 Z", (255, 232, 120))
    b.path("M-.17 -.46 Q-.36 -.3 -.35 -.06 L-.15 -.2 Z M.17 -.46 Q.36 -.3 .35 -.06 L.15 -.2 Z", t.dark)
    b.path("M0 -1 C.2 -.82 .27 -.5 .15 -.16 L-.15 -.16 C-.27 -.5 -.2 -.82 0 -1 Z", t.main)
    b.path("M0 -1 C.2 -.82 .27 -.5 .15 -.16 L.06 -.16 C.14 -.5 .11 -.8 0 -1 Z", t.dark)
    trim = t.tint((250, 247, 240)) if t.main != t.tint(COLOURS["white"]) else t.tint((150, 160, 180))
    b.path("M0 -1 C.09 -.92 .14 -.84 .17 -.75 Q0 -.7 -.17 -.75 C-.14 -.84 -.09 -.92 0 -1 Z", trim)
    b.circle(0, -0.55, 0.105, trim)
    b.circle(0, -0.55, 0.07, t.window if t.night else t.tint((120, 200, 232)))
    b.rect(-0.13, -0.2, 0.26, 0.05, t.tint((80, 84, 100)), radius=0.02)


def teapot(b: Brush, t: Tones) -> None:
    b.line("M-.34 -.52 C-.66 -.6 -.66 -.14 -.3 -.14", t.dark, 0.085)
    b.path("M.3 -.14 C.46 -.2 .46 -.46 .6 -.6 L.72 -.56 C.6 -.42 .62 -.12 .3 -.06 Z", t.main)
    b.path("M-.2 -.02 L.2 -.02 L.24 .03 L-.24 .03 Z", t.dark)
    b.oval(0, -0.33, 0.42, 0.33, t.main)
    b.path("M.14 -.63 C.56 -.5 .52 -.08 .14 -.02 C.34 -.2 .34 -.46 .14 -.63 Z", t.dark)
    b.oval(-0.2, -0.44, 0.1, 0.13, t.bright)
    b.path("M-.25 -.61 Q0 -.82 .25 -.61 Q0 -.54 -.25 -.61 Z", t.dark)
    b.circle(0, -0.77, 0.06, t.main)
    trim = t.tint((255, 250, 236)) if t.main != t.tint(COLOURS["white"]) else t.tint((120, 150, 200))
    b.line("M-.39 -.24 Q0 -.12 .39 -.24", trim, 0.03)


# The drawing function and how large it stands in the picture.
SUBJECTS = {
    "sailing boat": (sailing_boat, 1.0),
    "cottage": (cottage, 0.86),
    "lighthouse": (lighthouse, 1.12),
    "hot-air balloon": (hot_air_balloon, 1.08),
    "car": (car, 0.82),
    "tree": (tree, 1.02),
    "cat": (cat, 0.92),
    "mushroom": (mushroom, 0.9),
    "windmill": (windmill, 1.1),
    "tent": (tent, 0.96),
    "rocket": (rocket, 0.92),
    "teapot": (teapot, 0.9),
}


def stand(b: Brush, light: Light, subject: str, place: str) -> None:
    """What the subject stands on: a shadow, an island at sea, or a pond for the boat on land."""
    if subject == "sailing boat":
        if place != "sea":
            b.oval(0.02, 0.04, 0.8, 0.12, light.land((86, 168, 200), 0.1, 0.3))
            b.oval(0.02, 0.03, 0.66, 0.07, light.land((140, 206, 222), 0.1, 0.3))
        else:
            b.oval(0.02, 0.045, 0.56, 0.04, light.land((214, 240, 244), 0.1, 0.1), 0.6)
    elif place == "sea":
        b.oval(0, 0.06, 0.86, 0.14, light.land((214, 240, 244), 0.1, 0.1), 0.6)
        b.oval(0, 0.04, 0.8, 0.12, light.land((232, 200, 138)))
        b.oval(-0.05, 0.015, 0.66, 0.075, light.land((150, 186, 104)))
    else:
        b.oval(0.05, 0.015, 0.55, 0.055, mix(light.land((30, 40, 50), 0, 0.2), (20, 20, 40), 0.3), 0.35)


def paint_subject(b: Brush, light: Light, frame, subject: str, colour: str, place: str) -> None:
    from .frame import FLOATING

    draw, share = SUBJECTS[subject]
    b.canvas.save()
    b.canvas.translate(frame.x, frame.base)
    b.canvas.scale(frame.size * share, frame.size * share)
    if subject not in FLOATING:
        stand(b, light, subject, place)
    draw(b, Tones.of(colour, light))
    b.canvas.restore()
