"""PURE. The picture as the rest of the robot knows it: told what goes on, asked for what it shows."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from device.messages.reports import Levels
from device.picture.canvas import Canvas, Frame
from device.picture.kinsoku import lines
from device.picture.layout import LAYOUTS, Kind
from device.picture.letters import Letters
from device.picture.look import Look, Scene
from device.picture.skin import Skin
from device.picture.subtitles import Subtitles


class Studio:
    """A `Motif`: `scene` is told what goes on, and a canvas shows it.

    Args:
        skin: colours and character.
        letters: draw the words.
        kind: with the character or without it.
        name: the robot's.
        levels: returns both voices' levels of this moment.
        random: decides when the eyes blink.
    """

    def __init__(
        self, skin: Skin, letters: Letters, kind: Kind, name: str, levels: Callable[[], Levels], random: Random
    ) -> None:
        layout = LAYOUTS[kind]
        measure = letters.measure(layout.size)
        self.scene = Scene(
            Subtitles(lambda text: lines(letters.spoken(text), layout.measure, measure), layout.rows), random
        )
        """Takes phases, mute, and captions."""
        self._canvas = Canvas(skin, letters, kind, name)
        self._levels = levels

    def look(self, now: float) -> Look:
        """Return what there is to see at monotonic time `now`."""
        return self.scene.look(self._levels(), now)

    def draw(self, look: Look) -> Frame:
        """Return its picture; valid until the next is drawn."""
        return self._canvas.draw(look)
