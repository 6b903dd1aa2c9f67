"""PURE. What is counted for those who watch over a fleet, as Prometheus reads it (text format, version 0.0.4).

Names of robots, words and secrets are in none of it: a label is a code of ours, or nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends of the classes of latency, in seconds; a robot waits for 12."""


class Metrics:
    """What one process has counted since it began."""

    def __init__(self) -> None:
        self._answers: Counter[str] = Counter()
        self._classes = [0] * len(BUCKETS)
        self._seconds = 0.0

    def answered(self, outcome: str, seconds: float) -> None:
        """Count one request for a session: `granted`, the code of its refusal, or `unanswered`, and how long it took."""
        self._answers[outcome] += 1
        self._seconds += seconds
        self._classes = [count + (seconds <= end) for count, end in zip(self._classes, BUCKETS, strict=True)]

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """Return everything, and the present values of `gauges`: name -> what it is, and how much."""
        lines = [*self._counted(), *self._latency()]
        for name, (meaning, value) in gauges.items():
            lines += [*_head(name, meaning, "gauge"), f"{name} {value:g}"]
        return "\n".join(lines) + "\n"

    def _counted(self) -> list[str]:
        name = "kaiwa_mint_requests_total"
        counts = sorted(self._answers.items())
        return [
            *_head(name, "Requests for sessions by what came of them.", "counter"),
            *(f'{name}{{outcome="{outcome}"}} {count}' for outcome, count in counts),
        ]

    def _latency(self) -> list[str]:
        name, total = "kaiwa_mint_seconds", sum(self._answers.values())
        return [
            *_head(name, "From taking up a request to its signed answer.", "histogram"),
            *(f'{name}_bucket{{le="{end:g}"}} {count}' for end, count in zip(BUCKETS, self._classes, strict=True)),
            f'{name}_bucket{{le="+Inf"}} {total}',
            f"{name}_sum {self._seconds:.6f}",
            f"{name}_count {total}",
        ]


def _head(name: str, meaning: str, kind: str) -> list[str]:
    return [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
