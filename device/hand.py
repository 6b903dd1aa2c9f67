"""PURE. What a hand at the button means, by how the conversation takes turns.

Ordinarily the service hears whose turn it is, and a press ends the conversation. By push-to-talk nobody is heard but who
holds the button: pressing takes the floor, also from the robot, letting go gives it back, and a tap while the robot
listens ends the conversation. Whoever still holds the button that began it is being heard already.
"""

from __future__ import annotations

from collections.abc import Iterator

from device import command as do
from device.command import Command
from device.phase import Phase


class Hand:
    """The button of one session, and what is said while it is down."""

    def __init__(self, tap: float) -> None:
        self._tap = tap
        self.push_to_talk = False
        self.down = self._said = self._tap_ends = False
        self.talking = False
        """Whether somebody is heard who holds the button."""

    @property
    def closed(self) -> bool:
        """Whether the robot waits for the button, and hears nobody."""
        return self.push_to_talk and not self.talking

    def begin(self, *, down: bool) -> None:
        """A session begins: by the button, which may still be down, or from afar."""
        self.over()
        self.down = down

    def over(self) -> None:
        """The conversation is over, whatever the button does."""
        self.push_to_talk = self.talking = self._said = False

    def up(self, session: str, *, push_to_talk: bool) -> Iterator[Command]:
        """The call is up: what was said since the press was kept, and is being sent."""
        self.push_to_talk = push_to_talk
        if not push_to_talk:
            return
        self.talking, self._tap_ends = self.down, False
        if self.down or self._said:
            yield do.TakeFloor(session, fresh=False)
        if not self.down:
            yield do.GiveFloor(session, answer=self._said)

    def press(self, session: str, phase: Phase) -> Iterator[Command]:
        """The button goes down in a conversation."""
        self.talking = self.down = True
        self._tap_ends = phase is Phase.LISTENING
        yield do.TakeFloor(session)

    def let_go(self, session: str, seconds: float) -> tuple[list[Command], bool]:
        """The button comes up; return what to do, and whether that was a tap which ends the conversation."""
        self.down, said = False, seconds >= self._tap
        if not self.talking:
            self._said = said
            return [], False
        self.talking = False
        return [do.GiveFloor(session, answer=said)], self._tap_ends and not said
