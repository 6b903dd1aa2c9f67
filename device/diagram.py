"""PURE. The session machine's diagram, drawn from its table, so that the picture cannot tell another story."""

from __future__ import annotations

from collections import defaultdict

from device.phase import Phase
from device.session import TABLE


def mermaid() -> str:
    """Return the state diagram as Mermaid text; events that change no phase are left out."""
    edges: dict[tuple[Phase, Phase], list[str]] = defaultdict(list)
    for (phase, event), row in TABLE.items():
        for target in row.leads_to - {phase}:
            edges[phase, target].append(event.__name__)
    lines = [
        f"    {source} --> {target}: {', '.join(sorted(names))}" for (source, target), names in sorted(edges.items())
    ]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {Phase.STARTING}", *lines, f"    {Phase.STOPPED} --> [*]"])


def document() -> str:
    """Return docs/session.md: the diagram with a sentence before it."""
    return (
        "# The session machine\n\n"
        "Drawn from `TABLE` in `device/session.py` by `make docs`; a test holds the two together. Events that change no\n"
        "phase are left out, and an event that is not in the table changes nothing.\n\n"
        f"```mermaid\n{mermaid()}\n```\n"
    )
