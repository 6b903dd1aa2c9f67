"""Watches the button while somebody presses it."""

from __future__ import annotations

import asyncio
from typing import Final

from gpiozero.pins.mock import MockFactory

from device.doctor.checks.button import ButtonFacts
from device.panel.bounces import Edge
from device.panel.contact import Contact
from device.panel.pins import open_pins
from device.panel.settings import PanelSettings

MOST_EDGES: Final = 10_000


class Edges:
    """A `Meaning` of a contact that keeps what it is told, and tells nothing."""

    def __init__(self) -> None:
        self.kept: list[Edge] = []

    @property
    def deadline(self) -> None:
        """Nothing becomes true by waiting."""

    def handle(self, closed: bool, at: float) -> list[None]:
        """Take one edge; beyond the first 10 000 they are not kept."""
        if len(self.kept) < MOST_EDGES:
            self.kept.append((at, closed))
        return []

    def due(self, now: float) -> list[None]:  # noqa: ARG002 - the protocol's shape
        """Return nothing."""
        return []


async def gather(settings: PanelSettings, seconds: float) -> ButtonFacts | None:
    """Watch the button for so many seconds; None where there are no pins.

    Raises:
        PanelError: the pins cannot be used.
    """
    factory, edges = open_pins(settings.factory), Edges()
    try:
        if isinstance(factory, MockFactory) and settings.factory == "auto":
            return None
        with Contact(factory, settings.button, edges, lambda *_: None):
            await asyncio.sleep(seconds)
    finally:
        factory.close()
    return ButtonFacts(settings.button, seconds, tuple(edges.kept))
