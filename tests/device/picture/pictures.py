"""Draw docs/pictures/broadcast.png: `python -m tests.device.picture.pictures`; four moments with and without the character."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from device.messages.reports import Speaker
from device.phase import Phase
from device.picture.built_in import built_in
from device.picture.canvas import Canvas
from device.picture.fonts import letters
from device.picture.kinsoku import lines
from device.picture.layout import LAYOUTS, Kind
from device.picture.look import Gaze, Lids, Look
from device.picture.skin import HEIGHT, WIDTH, Palette
from device.picture.subtitles import Subtitle

PICTURE = Path("docs/pictures/broadcast.png")
GAP = 16
LETTERS = letters()


def drawn(kind: Kind, speaker: Speaker, words: str, look: Look) -> Image.Image:
    """Return one moment."""
    layout = LAYOUTS[kind]
    rows = lines(words, layout.measure, LETTERS.measure(layout.size))[: layout.rows]
    canvas = Canvas(built_in(Palette(), character=kind == "character"), LETTERS, kind, "Hana ハナ")
    shown = replace(look, subtitle=Subtitle(speaker, tuple(rows)))
    return Image.fromarray(canvas.draw(shown))


def main() -> None:
    """Write the picture."""
    moments = [
        drawn(
            "character",
            Speaker.USER,
            "青いお茶碗のことを教えて。",
            Look(Phase.LISTENING, True, gaze=Gaze.VISITOR, user=8),
        ),
        drawn(
            "character",
            Speaker.ASSISTANT,
            "波佐見の小さな窯で焼かれました。ゆっくり火を入れたときだけ、この深い藍色になります。",
            Look(Phase.SPEAKING, True, mouth=5, assistant=9),
        ),
        drawn("character", Speaker.ASSISTANT, "Goodbye, and come again!", Look(Phase.ENDING, True, lids=Lids.GLAD)),
        drawn(
            "captions",
            Speaker.ASSISTANT,
            "They come from a small kiln in Hasami. The glaze turns this deep indigo only when the fire is slow.",
            Look(Phase.SPEAKING, True, muted=True, assistant=7),
        ),
    ]
    sheet = Image.new("RGB", (2 * WIDTH + 3 * GAP, 2 * HEIGHT + 3 * GAP), "#d9cbb3")
    for number, moment in enumerate(moments):
        sheet.paste(moment, (GAP + number % 2 * (WIDTH + GAP), GAP + number // 2 * (HEIGHT + GAP)))
    sheet.save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
