"""Drawing by measure: what grows, what stays, what is there."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from PIL import ImageColor

from device.messages.reports import Speaker
from device.phase import Phase
from device.picture.built_in import LIGHT, built_in
from device.picture.canvas import Canvas, Frame
from device.picture.fonts import letters
from device.picture.layout import LAYOUTS, Kind
from device.picture.look import MOUTHS, STEPS, Gaze, Lids, Look
from device.picture.skin import Palette
from device.picture.subtitles import Subtitle

PALETTE = Palette()
SPEAKING = Look(phase=Phase.SPEAKING, on_air=True)


@cache
def canvas(kind: Kind = "character", name: str = "Hana") -> Canvas:
    return Canvas(built_in(PALETTE, character=kind == "character"), letters(), kind, name)


def picture(look: Look, kind: Kind = "character") -> Frame:
    return canvas(kind).draw(look).copy()


def count(frame: Frame, colour: str, box: tuple[int, int, int, int] = (0, 0, 640, 360)) -> int:
    """Return how many pixels in a box have nearly that colour."""
    left, top, right, bottom = box
    distance = np.abs(frame[top:bottom, left:right].astype(np.int16) - ImageColor.getrgb(colour)[:3]).max(axis=2)
    return int((distance < 40).sum())


MOUTH = (280, 145, 360, 175)
EYES = (270, 108, 370, 146)


def test_the_mouth_opens_with_the_level() -> None:
    open_pixels = [count(picture(replace(SPEAKING, mouth=number)), LIGHT, MOUTH) for number in range(1, MOUTHS)]
    assert open_pixels == sorted(set(open_pixels))
    assert open_pixels[-1] > 3 * open_pixels[0]


@pytest.mark.parametrize("kind", ["character", "captions"])
def test_meters_grow_each_by_itself(kind: Kind) -> None:
    users = [count(picture(replace(SPEAKING, user=step), kind), PALETTE.guest_bright) for step in range(STEPS + 1)]
    robots = [
        count(picture(replace(SPEAKING, assistant=step), kind), PALETTE.robot_bright, (500, 50, 640, 300))
        for step in range(STEPS + 1)
    ]
    for grown in (np.diff(users), np.diff(robots)):
        assert (grown > 150).all()
        assert grown.max() - grown.min() < 20


def test_eyes_go_where_the_character_looks_and_close() -> None:
    def middle(gaze: Gaze) -> tuple[float, float]:
        frame = picture(replace(SPEAKING, gaze=gaze))[EYES[1] : EYES[3], EYES[0] : EYES[2]]
        y, x = np.nonzero(frame[..., 0] > 200)
        return float(x.mean()), float(y.mean())

    ahead, visitor, up = map(middle, (Gaze.AHEAD, Gaze.VISITOR, Gaze.UP))
    assert ahead[0] - visitor[0] > 5
    assert ahead[1] - up[1] > 4
    seen, closed = (count(picture(replace(SPEAKING, lids=lids)), LIGHT, EYES) for lids in (Lids.OPEN, Lids.CLOSED))
    assert closed < seen / 3


def test_the_mark_says_whether_it_is_on_air_and_the_line_whether_the_microphone_is_closed() -> None:
    mark, line = (0, 0, 180, 50), (180, 0, 460, 50)
    on, off, muted = map(picture, (SPEAKING, replace(SPEAKING, on_air=False), replace(SPEAKING, muted=True)))
    assert count(on, PALETTE.air, mark) > 1500
    assert count(off, PALETTE.air, mark) == 0
    assert count(muted, PALETTE.air, line) > 100 > count(on, PALETTE.air, line)


@pytest.mark.parametrize("kind", ["character", "captions"])
def test_captions_stand_on_their_sheet_in_the_colour_of_who_speaks_and_go_again(kind: Kind) -> None:
    nothing = picture(SPEAKING, kind)
    panel = LAYOUTS[kind].panel
    words = Subtitle(Speaker.ASSISTANT, ("ゆっくり火を入れたとき", "this deep indigo"))
    shown = picture(replace(SPEAKING, subtitle=words), kind)
    ink = count(shown, PALETTE.ink, panel)
    assert ink > 1000
    assert count(shown, PALETTE.robot_bright, panel) > 300
    assert (
        count(picture(replace(SPEAKING, subtitle=replace(words, speaker=Speaker.USER)), kind), PALETTE.guest_bright)
        > 300
    )
    assert (picture(SPEAKING, kind) == nothing).all()


def test_only_what_differs_is_drawn() -> None:
    drawn = Canvas(built_in(PALETTE, character=True), letters(), "character", "Hana")
    drawn.draw(SPEAKING)
    before = drawn.drawn
    drawn.draw(replace(SPEAKING))
    assert drawn.drawn == before
    drawn.draw(replace(SPEAKING, mouth=3))
    assert drawn.drawn == before + 1


def test_the_way_to_a_picture_does_not_matter() -> None:
    busy = replace(SPEAKING, mouth=5, user=7, gaze=Gaze.UP, muted=True, subtitle=Subtitle(Speaker.USER, ("Hm",)))
    fresh = Canvas(built_in(PALETTE, character=True), letters(), "character", "Hana").draw(SPEAKING).copy()
    picture(busy)
    assert (picture(SPEAKING) == fresh).all()
