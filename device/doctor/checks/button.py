"""PURE. The button as it really bounces: whether each push is felt once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Outcome, Phrase
from device.panel.bounces import Edge, bounces
from device.panel.gestures import DEBOUNCE

MOST_EDGES: Final = 200
"""Told with a finding."""

UNTOUCHED: Final = Phrase(
    "button.untouched",
    Outcome.WARNING,
    "nobody pressed it within {seconds:.0f} s, or it is not felt (GPIO {gpio})",
    "{seconds:.0f} 秒間押されなかったか、押しても伝わりません (GPIO {gpio})",
    "Its two wires go to the pin of `button` in [panel] and to ground: look at COM and NO, then try again.",
    "2 本の線を [panel] の `button` のピンと GND につなぎます。COM と NO を確かめ、もう一度試してください。",
)
GOOD: Final = Phrase(
    "button.good",
    Outcome.OK,
    "each of {pushes} pushes was felt once; the contact was open for {gap:.1f} ms at most while it bounced",
    "{pushes} 回の操作がすべて 1 回ずつ伝わりました。跳ね返りで接点が開いたのは最長 {gap:.1f} ms です",
)
BOUNCY: Final = Phrase(
    "button.bouncy",
    Outcome.WARNING,
    "{pushes} pushes were felt as {felt}: while it bounces the contact opens for {gap:.0f} ms, and {limit:.0f} are too long",
    "{pushes} 回の操作が {felt} 回と感じられました。跳ね返りで接点が {gap:.0f} ms 開き、限度の {limit:.0f} ms を超えます",
    "Solder or screw its wires anew; if that does not help, take another button (docs/panel.md says which).",
    "配線をはんだ付けか、ねじ止めし直してください。直らなければボタンを替えてください (docs/panel.ja.md)。",
)


@dataclass(frozen=True, slots=True)
class ButtonFacts:
    """What was felt of it; `edges` in the order in which they came."""

    gpio: int
    seconds: float
    """How long it was watched."""
    edges: tuple[Edge, ...]


def check(facts: ButtonFacts) -> list[Finding]:
    """Return what is to be said about the button; the values hold the milliseconds of its first edges, for a record."""
    found = bounces(facts.edges)
    if not found.pushes:
        return [UNTOUCHED(seconds=facts.seconds, gpio=facts.gpio)]
    values = {"pushes": found.pushes, "felt": found.felt, "gap": found.gap * 1000.0, "limit": DEBOUNCE * 1000.0}
    return [(GOOD if found.felt == found.pushes else BOUNCY)(**values, edges=_written(facts.edges))]


def _written(edges: tuple[Edge, ...]) -> str:
    """Return the moments as text, `+` for closed and `-` for open, in milliseconds from the first."""
    return " ".join(f"{'+' if closed else '-'}{(at - edges[0][0]) * 1000.0:.3f}" for at, closed in edges[:MOST_EDGES])
