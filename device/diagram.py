"""PURE. The session machine's diagrams, drawn from its tables, so that the pictures cannot tell another story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from device.handover import HANDOVER, Stage
from device.phase import Phase
from device.session import TABLE
from device.transition import Row, S

_HEAD: Final = """\
# The session machine

Drawn from `TABLE` in `device/session.py` by `make docs`; a test holds the two together. Events that change no
phase are left out, and an event that is not in the table changes nothing.

"""

_CALLS: Final = """
## One call after another

The calls of one session have a table of their own, `HANDOVER` in `device/handover.py`: a call ends with its service's
limit, or with the network under it, and the session goes on with another. `Elapsed` is due 55 minutes after a call began in
*single*, after a pause of 1.5 s in *ready*, at the end of the last call in *last*, and 3 s after a failed try in *cut*.
While the calls are *cut* the session is *reconnecting*; all else happens within *listening*, *thinking* and *speaking*, and
the visitor sees nothing of it. How it all goes together stands in [architecture.md](architecture.md).

"""


def mermaid() -> str:
    """Return the state diagram as Mermaid text; events that change no phase are left out."""
    return _drawn(TABLE, Phase.STARTING, Phase.STOPPED)


def calls_mermaid() -> str:
    """Return the diagram of the calls of one session as Mermaid text."""
    return _drawn(HANDOVER, Stage.SINGLE, Stage.OVER)


def document() -> str:
    """Return docs/session.md: the diagrams with a few sentences before each."""
    return f"{_HEAD}```mermaid\n{mermaid()}\n```\n{_CALLS}```mermaid\n{calls_mermaid()}\n```\n"


def _drawn(table: Mapping[tuple[S, type], Row[S]], first: S, last: S) -> str:
    edges: dict[tuple[S, S], list[str]] = defaultdict(list)
    for (state, event), row in table.items():
        for target in row.leads_to - {state}:
            edges[state, target].append(event.__name__)
    lines = [
        f"    {source} --> {target}: {', '.join(sorted(names))}" for (source, target), names in sorted(edges.items())
    ]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {first}", *lines, f"    {last} --> [*]"])
