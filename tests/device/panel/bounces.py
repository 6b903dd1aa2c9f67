"""Contacts that others have recorded closing, edge by edge, and how long others have found theirs to bounce.

No button of a robot was recorded for this. The figures are of published measurements:

- a Morse key, sampled every 5.6 µs: testresults/measure_1.csv of github.com/pe1hvh/measure_bouncing (2021), all of it;
- a push button JUDCO 1024-2 with 332 nF across it: comment of 10 March 2024 on issue 6 of
  github.com/adamfk/bouncy-button-data, all of it;
- a contact that closes slowly, of no name, logged to 63 ns: issue 12 of the same, events 4 to 26 and 104 to 125 of a
  log whose middle was not to be had. Where the log has seen one rise between two lows, the contact is taken to have
  opened 1 µs before the second.

How long: J. Ganssle, "A Guide to Debouncing" (ganssle.com/debouncing.htm): 16 switches bounced 1.557 ms on the average and
6.2 ms at most, one of the two others 157 ms; and the titles of issues 3, 4, 5, 6, 8, 11, 21 and 23 of
bouncy-button-data, each the longest of many presses of one switch.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

Edges = list[tuple[float, bool]]
"""Seconds from the first contact, and whether it is closed from then on; the last one closes for good."""


def _edges(*microseconds: float) -> Edges:
    return [(at / 1e6, number % 2 == 0) for number, at in enumerate(microseconds)]


def _logged(text: str) -> Edges:
    """Return the edges of a log in nanoseconds: `c` closed, `o` opened, `p` closed, having been open a moment before."""
    found = Edges()
    for event in text.split():
        at = int(event[1:]) / 1e9
        found += [(at - 1e-6, False), (at, True)] if event[0] == "p" else [(at, event[0] == "c")]
    return [(at - found[0][0], closed) for at, closed in found]


MORSE_KEY: Final = _edges(
    0, 74, 80, 108, 266, 372, 378, 585, 737, 855, 866, 1294, 1306, 1328, 1396, 2036, 2188
)  # fmt: skip
PUSH_BUTTON: Final = _edges(0.0, 0.687, 69.812)
SLOW: Final = _logged(
    "c188812 o196062 c421812 p424437 o428125 c431812 o437875 c500937 o507000 c547500 o559500 c635625 o642875 c645375 "
    "o650250 c652750 o671875 c674375 p684125 o696125 c702187 o713000 c716687 "
    "c3961250 p4016125 p4047250 o4081812 c4084312 p4188625 p4306437 p4349437 o4379250 c4387687 p4412875 o4420125 c4422625 "
    "p4437125 o4472875 c4476562 o4485000 c4487500 o4528000 c4532875 o4597125 c4599625"
)

RECORDED: Final = {"Morse key": MORSE_KEY, "push button": PUSH_BUTTON, "slow contact": SLOW}

LONGEST: Final = {
    "push button, metal, 12 mm, new (issue 5)": 0.00032,
    "rocker (issue 8)": 0.0011,
    "push button, metal, 12 mm, badly soldered (issue 4)": 0.0012,
    "16 switches, average (Ganssle)": 0.001557,
    "16 switches, longest (Ganssle)": 0.0062,
    "tactile, 6 mm (issue 11)": 0.0093,
    "tactile, 6 mm, five of them (issue 23)": 0.014,
}
"""Seconds that each bounced at most."""

UNFIT: Final = {
    "one of 18 (Ganssle)": 0.157,
    "emergency stop, its open side (issue 3)": 0.646,
    "stop button of a machine, very old (issue 21)": 0.660,
    "JUDCO 1024-2, unused for eight years (issue 6)": 0.973,
}
"""Seconds, of switches that no debouncing of 20 to 30 ms can serve."""


def opening(edges: Edges) -> Edges:
    """Return the contact opening as it closed: the same moments, the other way round."""
    return [(at, not closed) for at, closed in edges]


def stretched(edges: Edges, seconds: float) -> Edges:
    """Return the same bouncing, drawn out to last so long."""
    return [(at * seconds / edges[-1][0], closed) for at, closed in edges]


def longest_open(edges: Edges) -> float:
    """Return for how many seconds the contact is open at most before it last closes."""
    return max((after - before for (before, closed), (after, _) in pairwise(edges) if not closed), default=0.0)
