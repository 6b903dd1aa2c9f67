"""PURE. What is said in one call, by whatever events the service tells of it: one interface, two implementations.

`turn_talk.py` reads the events of the Realtime API, `live/talk.py` those of Live sessions. Every method returns what is
to be done, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from device.realtime.conversation import CallEvent, Turn
from device.realtime.floor import Send
from device.realtime.history import Line

Deed = CallEvent | Send
"""What follows for the rest of the device, or is sent to the service."""


class Talk(Protocol):
    """The state of one call; times are seconds on one monotonic clock.

    `played` is how many seconds of the assistant's voice the speaker had taken.
    """

    @property
    def session(self) -> str:
        """What the service calls its session; empty until it is in force."""

    @property
    def turn(self) -> Turn:
        """Whose turn it is."""

    @property
    def utterances(self) -> int:
        """How often somebody in the room began to speak."""

    @property
    def usage(self) -> dict[str, int]:
        """What the call has used so far, by kind."""

    @property
    def counters(self) -> dict[str, float]:
        """How many events were malformed or unknown."""

    @property
    def due(self) -> float | None:
        """When `tick` wants to be called, if nothing else happens before."""

    @property
    def closed(self) -> bool:
        """Whether the service has said that the session is over and reckoned up."""

    def receive(self, data: str | bytes, now: float, played: float) -> list[Deed]:
        """Take one message of the data channel."""

    def tick(self, now: float, played: float) -> list[Deed]:
        """Take that time has passed."""

    def prompt(self, text: str, wish: int) -> list[Deed]:
        """Have the model say something, as soon as nobody else does; `Heeded` follows for a `wish` with a number."""

    def write(self, text: str, wish: int) -> list[Deed]:
        """Put a question in writing, as if a visitor had asked it; `Heeded` as above."""

    def interrupt(self, now: float, played: float) -> list[Deed]:
        """Somebody wants silence now."""

    def take_floor(self, now: float, played: float, *, fresh: bool) -> list[Deed]:
        """By push-to-talk: somebody is heard from now on."""

    def give_floor(self, *, answer: bool) -> list[Deed]:
        """By push-to-talk: they have been heard to their end."""

    def outcome(self, call_id: str, output: str, *, follow: bool) -> list[Deed]:
        """Take what came of a `ToolCalled`."""

    def end(self, now: float, played: float) -> list[Deed]:
        """Close what is open; nothing more counts."""

    def goodbye(self) -> list[Send]:
        """Ask the service to close the session, where its API has a word for that; `closed` follows."""

    # A call before it is used

    @property
    def step(self) -> str:
        """How far the rehearsal is."""

    @property
    def proven(self) -> bool:
        """Whether the call can be used."""

    @property
    def refused(self) -> str | None:
        """Why it cannot, once that is known."""

    def rehearse(self, before: Callable[[], Sequence[Line]]) -> None:
        """Until `use`, what the service says means nothing but whether this call works; `before` is what it is told."""

    def ask(self) -> list[Deed]:
        """Ask for a proof, unless that is asked or known; come again a moment later."""

    def use(self) -> None:
        """The rehearsal is over."""

    def tell(self, lines: Iterable[Line]) -> list[Deed]:
        """Tell what was said before, as far as it was not told yet."""
