"""PURE. Drawing: a look in, a picture out; only what differs from the picture before is drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from device.messages.reports import Speaker
from device.picture import wording
from device.picture.layout import LAYOUTS, MARK, MARK_HEIGHT, METER_WIDTH, PADDING, Box, Kind
from device.picture.letters import Letters
from device.picture.look import STEPS, Look
from device.picture.skin import EYES, WIDTH, Skin, eyes_of

Frame = NDArray[np.uint8]
"""RGB, shape (360, 640, 3)."""

TITLE: Final = 20
SMALL: Final = 15
TINY: Final = 13
NAME_RIGHT: Final = WIDTH - 20
MIDDLE: Final = MARK[1] + MARK_HEIGHT // 2
"""Of the line with mark, state and name."""
FINE: Final = 3
"""Round corners are drawn so many times larger first."""


@dataclass(slots=True)
class _Part:
    """A place in the picture, what it depends on, and how it is drawn."""

    depends: Callable[[Look], object]
    draw: Callable[[Look], None]
    drawn: object = ""


class Canvas:
    """The picture, and the look that stands in it.

    Args:
        skin: its colours and character.
        letters: draw the words.
        kind: with the character or without it.
        name: the robot's, shown on top.
    """

    def __init__(self, skin: Skin, letters: Letters, kind: Kind, name: str) -> None:
        self._skin, self._letters, self._layout = skin, letters, LAYOUTS[kind]
        self._image = skin.backdrop.copy()
        self._pen = ImageDraw.Draw(self._image)
        self._pieces = _on_backdrop(skin)
        self._segment = _inside((METER_WIDTH, self._layout.segment - 4), 3)
        self._still(name)
        self._top_ground = self._image.crop((0, 0, WIDTH, 2 * MIDDLE))
        self._sheets: dict[Speaker | None, Image.Image] = {speaker: self._sheet(speaker) for speaker in Speaker}
        self._sheets[None] = skin.backdrop.crop(self._layout.panel)
        self._parts = self._made()
        self.drawn = 0
        """Parts drawn so far; only grows."""

    def draw(self, look: Look) -> Frame:
        """Return the picture of `look`."""
        for part in self._parts:
            wanted = part.depends(look)
            if wanted != part.drawn:
                part.draw(look)
                part.drawn = wanted
                self.drawn += 1
        return np.asarray(self._image)

    def _made(self) -> list[_Part]:
        parts = [
            _Part(lambda look: (look.on_air, look.muted, look.phase), self._top),
            _Part(lambda look: look.user, lambda look: self._meter(Speaker.USER, look.user)),
            _Part(lambda look: look.assistant, lambda look: self._meter(Speaker.ASSISTANT, look.assistant)),
            _Part(lambda look: look.subtitle, self._words),
        ]
        if self._skin.eyes:
            parts += [
                _Part(eyes_of, lambda look: self._image.paste(self._pieces[eyes_of(look)], self._skin.eyes_at)),
                _Part(
                    lambda look: look.mouth,
                    lambda look: self._image.paste(self._pieces[str(look.mouth)], self._skin.mouth_at),
                ),
            ]
        return parts

    def _still(self, name: str) -> None:
        """Draw what never changes: the name, and whose meter is whose."""
        palette, layout = self._skin.palette, self._layout
        font = self._letters.load(TITLE)
        self._pen.text((NAME_RIGHT, MIDDLE), self._letters.spoken(name), palette.ink, font, "rm")
        bottom = layout.meter_top + STEPS * layout.segment + 18
        for x, words, colour in (
            (layout.meters[0], wording.VISITOR, palette.guest),
            (layout.meters[1], wording.ROBOT, palette.robot),
        ):
            for row, word in enumerate(words[: 1 + self._letters.japanese]):
                self._pen.text((x, bottom + row * 17), word, colour, self._letters.load(TINY), "ms")

    def _top(self, look: Look) -> None:
        """Draw the on-air mark, and what the robot does."""
        palette = self._skin.palette
        self._image.paste(self._top_ground, (0, 0))
        words = self._letters.both(wording.ON_AIR if look.on_air else wording.OFF_AIR, "  ")
        width = round(self._letters.measure(SMALL)(words)) + 40
        left, top = MARK
        self._rounded((left, top, left + width, top + MARK_HEIGHT), 13, palette.air if look.on_air else palette.rim)
        text = palette.on_air if look.on_air else palette.ink
        self._rounded((left + 12, MIDDLE - 4, left + 21, MIDDLE + 5), 4.5, text)
        self._pen.text((left + 28, MIDDLE), words, text, self._letters.load(SMALL), "lm")
        doing = self._letters.both(wording.MUTED if look.muted else wording.PHASES[look.phase])
        colour = palette.air if look.muted else palette.ink_soft
        self._pen.text((WIDTH // 2, MIDDLE), doing, colour, self._letters.load(SMALL), "mm")

    def _meter(self, speaker: Speaker, level: int) -> None:
        palette, layout = self._skin.palette, self._layout
        user = speaker is Speaker.USER
        left = layout.meters[0 if user else 1] - METER_WIDTH // 2
        lit = palette.guest_bright if user else palette.robot_bright
        column = (left, layout.meter_top, left + METER_WIDTH, layout.meter_top + STEPS * layout.segment)
        self._image.paste(self._skin.backdrop.crop(column), column)
        for step in range(STEPS):
            top = layout.meter_top + (STEPS - 1 - step) * layout.segment
            box = (left, top, left + METER_WIDTH, top + self._segment.height)
            self._image.paste(lit if step < level else palette.rim, box, self._segment)

    def _words(self, look: Look) -> None:
        layout, palette = self._layout, self._skin.palette
        speaker = None if look.subtitle is None else look.subtitle.speaker
        self._image.paste(self._sheets[speaker], layout.panel[:2])
        if look.subtitle is None:
            return
        lines, font = look.subtitle.lines, self._letters.load(layout.size)
        middle = (layout.panel[1] + layout.panel[3]) / 2
        for row, line in enumerate(lines):
            y = middle + (row - (len(lines) - 1) / 2) * layout.leading
            self._pen.text((layout.panel[0] + PADDING, y), line, palette.ink, font, "lm")

    def _sheet(self, speaker: Speaker) -> Image.Image:
        """Return the sheet of captions, with an edge in the colour of whoever speaks."""
        left, top, right, bottom = self._layout.panel
        palette = self._skin.palette
        size = (right - left, bottom - top)
        sheet = Image.new("RGB", size, palette.sheet)
        colour = palette.guest_bright if speaker is Speaker.USER else palette.robot_bright
        sheet.paste(colour, (0, 0, 8, size[1]))
        sheet.paste(self._skin.backdrop.crop(self._layout.panel), mask=_outside(size))
        return sheet

    def _rounded(self, box: Box, radius: float, colour: str) -> None:
        size = (box[2] - box[0], box[3] - box[1])
        self._image.paste(colour, box, _inside(size, radius))


def _on_backdrop(skin: Skin) -> dict[str, Image.Image]:
    """Return every eye and mouth as it stands on the backdrop, ready to be copied there."""
    eyes = {name: _laid(skin, skin.eyes[name], skin.eyes_at) for name in EYES if name in skin.eyes}
    mouths = {str(number): _laid(skin, mouth, skin.mouth_at) for number, mouth in enumerate(skin.mouths)}
    return {str(name): piece for name, piece in (eyes | mouths).items()}


def _laid(skin: Skin, piece: Image.Image, at: tuple[int, int]) -> Image.Image:
    ground = skin.backdrop.crop((*at, at[0] + piece.width, at[1] + piece.height)).convert("RGBA")
    return Image.alpha_composite(ground, piece.convert("RGBA")).convert("RGB")


def _inside(size: tuple[int, int], radius: float) -> Image.Image:
    large = Image.new("L", (size[0] * FINE, size[1] * FINE))
    ImageDraw.Draw(large).rounded_rectangle((0, 0, large.width - 1, large.height - 1), radius * FINE, 255)
    return large.resize(size, Image.Resampling.BOX)


def _outside(size: tuple[int, int], radius: int = 12) -> Image.Image:
    return _inside(size, radius).point(lambda value: 255 - value)
