"""PURE. The skin that needs no files: the character of the observer page, drawn in code.

Coordinates are those of the page's drawing, a square of 240 units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PIL import Image, ImageDraw

from device.picture.look import MOUTHS, Gaze, Lids
from device.picture.skin import HEIGHT, WIDTH, Palette, Skin

SCALE: Final = 0.94
"""Pixels per unit."""
LEFT: Final = WIDTH / 2 - 120 * SCALE
TOP: Final = 34.0
"""Where the drawing's corner lies in the picture."""
FINE: Final = 4
"""Everything is drawn so many times larger first, for smooth edges."""

EYES_BOX: Final = (70.0, 82.0, 170.0, 120.0)
MOUTH_BOX: Final = (96.0, 121.0, 144.0, 148.0)

SHELL: Final = "#fffdf8"
EDGE: Final = "#d8c7ad"
FACE: Final = "#2b2320"
LIGHT: Final = "#ffe9cf"
CHEEK: Final = "#6e3a2a"
SHADE: Final = "#e4d8c4"

Line = Sequence[tuple[float, float]]
Box = tuple[float, float, float, float]


class Pen:
    """Draws in units of the drawing on an image that is `FINE` times too large; `left` and `top` are its corner."""

    def __init__(self, image: Image.Image, left: float, top: float) -> None:
        self._draw = ImageDraw.Draw(image)
        self._left, self._top, self._unit = left, top, SCALE * FINE

    def rounded(self, box: Box, radius: float, fill: str, outline: str | None = None) -> None:
        """Fill a box with round corners, 2.5 units of `outline` around it."""
        width = round(2.5 * self._unit) if outline else 0
        self._draw.rounded_rectangle(self._box(box), radius * self._unit, fill, outline, width)

    def ellipse(self, box: Box, fill: str) -> None:
        """Fill an ellipse."""
        self._draw.ellipse(self._box(box), fill)

    def line(self, points: Line, width: float, fill: str) -> None:
        """Draw a line with round ends."""
        half = width / 2
        self._draw.line([self._at(*point) for point in points], fill, round(width * self._unit), "curve")
        for x, y in (points[0], points[-1]):
            self.ellipse((x - half, y - half, x + half, y + half), fill)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return (x - self._left) * self._unit, (y - self._top) * self._unit

    def _box(self, box: Box) -> Box:
        return (*self._at(*box[:2]), *self._at(*box[2:]))


def bow(start: tuple[float, float], middle: tuple[float, float], end: tuple[float, float]) -> Line:
    """Return a quadratic Bézier curve as points."""
    shares = [number / 24 for number in range(25)]
    (x0, y0), (x1, y1), (x2, y2) = start, middle, end
    return [
        ((1 - t) ** 2 * x0 + 2 * t * (1 - t) * x1 + t * t * x2, (1 - t) ** 2 * y0 + 2 * t * (1 - t) * y1 + t * t * y2)
        for t in shares
    ]


def built_in(palette: Palette, *, character: bool) -> Skin:
    """Return the skin in the colours of `palette`; without the `character`, only its paper."""
    if not character:
        nothing = Image.new("RGBA", (2, 2))
        return Skin(palette, Image.new("RGB", (WIDTH, HEIGHT), palette.paper), {}, (0, 0), (nothing,) * MOUTHS, (0, 0))
    eyes: dict[str, Image.Image] = {gaze: _piece(EYES_BOX, _open_eyes(gaze)) for gaze in Gaze}
    eyes[Lids.CLOSED] = _piece(EYES_BOX, _closed_eyes)
    eyes[Lids.GLAD] = _piece(EYES_BOX, _glad_eyes)
    mouths = tuple(_piece(MOUTH_BOX, _mouth(number)) for number in range(MOUTHS))
    return Skin(palette, _backdrop(palette), eyes, _corner(EYES_BOX), mouths, _corner(MOUTH_BOX))


def _corner(box: Box) -> tuple[int, int]:
    return round(LEFT + box[0] * SCALE), round(TOP + box[1] * SCALE)


def _piece(box: Box, shape: Callable[[Pen], None]) -> Image.Image:
    left, top = _corner(box)
    width, height = round((box[2] - box[0]) * SCALE), round((box[3] - box[1]) * SCALE)
    large = Image.new("RGBA", (width * FINE, height * FINE), FACE + "00")
    shape(Pen(large, (left - LEFT) / SCALE, (top - TOP) / SCALE))
    return large.resize((width, height), Image.Resampling.BOX)


def _backdrop(palette: Palette) -> Image.Image:
    large = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), palette.paper)
    pen = Pen(large, -LEFT / SCALE, -TOP / SCALE)
    pen.ellipse((62, 219, 178, 233), SHADE)
    _body(pen, palette)
    _head(pen)
    return large.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def _body(pen: Pen, palette: Palette) -> None:
    pen.line(bow((70, 178), (52, 184), (50, 202)), 9, EDGE)
    pen.line(bow((170, 178), (188, 184), (190, 202)), 9, EDGE)
    pen.rounded((69, 158, 171, 225), 16, SHELL, EDGE)
    pen.ellipse((107, 188, 133, 214), palette.rim)
    pen.ellipse((111.5, 192.5, 128.5, 209.5), palette.robot_bright)
    pen.line([(120, 54), (120, 34)], 4, EDGE)
    pen.ellipse((112, 17, 128, 33), palette.robot_bright)


def _head(pen: Pen) -> None:
    pen.rounded((32, 92, 50, 134), 9, EDGE)
    pen.rounded((190, 92, 208, 134), 9, EDGE)
    pen.rounded((43, 52, 197, 170), 54, SHELL, EDGE)
    pen.rounded((60, 70, 180, 152), 39, FACE)
    pen.ellipse((69, 121.5, 85, 132.5), CHEEK)
    pen.ellipse((155, 121.5, 171, 132.5), CHEEK)


def _open_eyes(gaze: Gaze) -> Callable[[Pen], None]:
    x, y = {Gaze.AHEAD: (0, 0), Gaze.VISITOR: (-9, 1), Gaze.UP: (6, -7)}[gaze]

    def shape(pen: Pen) -> None:
        for left in (82 + x, 140 + x):
            pen.rounded((left, 91 + y, left + 18, 117 + y), 9, LIGHT)

    return shape


def _closed_eyes(pen: Pen) -> None:
    for left in (82, 140):
        pen.line([(left + 1, 106), (left + 17, 106)], 4, LIGHT)


def _glad_eyes(pen: Pen) -> None:
    for left in (81, 138):
        pen.line(bow((left, 110), (left + 10.5, 95), (left + 21, 110)), 5, LIGHT)


def _mouth(number: int) -> Callable[[Pen], None]:
    share = number / (MOUTHS - 1)

    def shape(pen: Pen) -> None:
        if number == 0:
            pen.line(bow((108, 127), (120, 136), (132, 127)), 4, LIGHT)
        else:
            wide, high = 10 + 5 * share, 3.5 + 8.5 * share
            pen.ellipse((120 - wide, 134 - high, 120 + wide, 134 + high), LIGHT)

    return shape
