"""The tools that every robot has: its own volume, light, microphone, broadcast, clock and memory, and its last word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Annotated, Final, Literal, Protocol

from msgspec import Meta

from device import phase as p
from device.audio.block import Samples
from device.messages.console import LONGEST_LEASE
from device.messages.knowledge import Library, unpacked
from device.panel.earcons import Earcon, sound
from device.tools.tool import Tool, made

SECONDS: Final = 1.0

LOOK_UP_SECONDS: Final = 5.0
"""In a thread of its own: the first search of a session makes the index, in some 0.1 s on a slow board."""

WISH_SECONDS: Final = 55.0
"""How long what an operator wants said or answered may take: somebody talks, or another call is waited for (30 s). Operators
wait 60 s for the next step of an order."""

MOST_WISHES: Final = 8
"""That may be open at a time."""

STEP: Final = 0.2
"""By how much `up` and `down` change the volume."""

QUIETEST: Final = 0.1
"""The lowest gain that can be asked for: below it nobody would hear the robot say that it is louder again."""

MOST_REMEMBERED: Final = 50

LONGEST_TEXT: Final = 500
"""Characters of what is remembered, or handed over."""

ASKED: Final = "The people who look after you ask you to say this now, in these words and no others: {text}"
"""What the model is told when an operator wants something said."""

FOR_OPERATORS: Final = ("unmute", "hush", "say", "ask", "cut", "identify", "console")
"""The tools that every robot has besides those for the model (`device.messages.tools.BUILT_IN`)."""

Lease = Annotated[int, Meta(ge=0, le=LONGEST_LEASE)]
Percent = Annotated[int, Meta(ge=0, le=100)]


class Loudspeaker(Protocol):
    """The part of the voice path that is needed here."""

    volume: float

    def earcon(self, samples: Samples) -> None:
        """Play a short sound over whatever is played."""


class Lamp(Protocol):
    """The part of the panel that is needed here."""

    brightness: float

    def identify(self) -> None:
        """Blink so that the robot is found."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What the built-in tools get at; all of it in the event loop."""

    loudspeaker: Loudspeaker
    lamp: Lamp
    post: Callable[[p.Event], None]
    note: Callable[[str, str], None]
    """Takes a session's id and a message, and hands it to the operator."""
    now: Callable[[], datetime]
    """The time in the robot's own time zone."""
    cut: Callable[[], float]
    """Drops what a delayed broadcast holds, and returns how many seconds that were; raises LookupError for nothing."""
    watch: Callable[[float], None]
    """Shows an operator's console what happens, for so many seconds."""


class BuiltIn:
    """The built-in tools, and what they keep from `begin` to `end` of one session."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._session: str | None = None
        self._talking = False
        self._memory: dict[str, str] = {}
        self._knowledge = b""
        self._library: Library | None = None
        self._wishes: dict[int, asyncio.Future[None]] = {}
        self._numbers = count(1)
        self._before = (reach.loudspeaker.volume, reach.lamp.brightness)

    def begin(self, session: str) -> None:
        """A session begins, with nothing remembered."""
        self._session = session
        self._memory.clear()
        self._before = (self._reach.loudspeaker.volume, self._reach.lamp.brightness)

    def inform(self, knowledge: bytes) -> None:
        """Take the texts of the place that came with the grant; they are unpacked when they are first wanted."""
        self._knowledge, self._library = knowledge, None

    def talk(self) -> None:
        """The model hears and speaks from now on."""
        self._talking = True

    def end(self) -> None:
        """A session is over: what was said in it is forgotten, and the next visitor finds volume and light as they were."""
        self._session, self._talking = None, False
        for wish in list(self._wishes):
            self.settle(wish, "the conversation has ended")
        self._memory.clear()
        self.inform(b"")
        self._reach.loudspeaker.volume, self._reach.lamp.brightness = self._before

    def settle(self, wish: int, why_not: str = "") -> None:
        """Tell the operator what came of a wish; of one that is not waited for any more, nothing."""
        future = self._wishes.pop(wish, None)
        if future is None or future.done():
            return
        if why_not:
            future.set_exception(RuntimeError(why_not))
        else:
            future.set_result(None)

    def tools(self) -> Sequence[Tool]:
        """Return all of them, those for operators only last."""
        for_all = (self.volume, self.light, self.mute, self.broadcast, self.current_time, self.remember, self.recall)
        for_operators = (self.unmute, self.hush, self.cut, self.identify, self.console)
        wishes = [made(function, seconds=SECONDS, in_loop=True, user_only=True) for function in (self.say, self.ask)]
        return [
            *(made(function, seconds=SECONDS, in_loop=True) for function in (*for_all, self.tell_operator)),
            made(self.end_conversation, seconds=SECONDS, in_loop=True, parting=True),
            made(self.look_up, seconds=LOOK_UP_SECONDS),
            *(made(function, seconds=SECONDS, in_loop=True, user_only=True) for function in for_operators),
            *(replace(wish, seconds=WISH_SECONDS) for wish in wishes),
        ]

    def volume(self, action: Literal["up", "down", "set"], percent: Percent | None = None) -> dict[str, int]:
        """Change how loud your own voice is in the room, when somebody asks for it.

        Args:
            action: "up" or "down" by a step, or "set" to a percentage.
            percent: for "set" only.
        """
        wanted = {
            "up": self._reach.loudspeaker.volume + STEP,
            "down": self._reach.loudspeaker.volume - STEP,
            "set": None if percent is None else percent / 100,
        }[action]
        if wanted is None:
            raise ValueError("which percentage?")
        self._reach.loudspeaker.volume = min(1.0, max(QUIETEST, wanted))
        return {"percent": round(100 * self._reach.loudspeaker.volume)}

    def light(self, percent: Percent) -> None:
        """Change how bright the light on your own body is, when somebody asks for it.

        Args:
            percent: 100 is as bright as it gets; it never goes out, because it shows whether you listen.
        """
        self._reach.lamp.brightness = percent / 100

    def mute(self) -> str:
        """Close your microphone, when somebody asks you to stop listening. Only the button on you opens it again."""
        self._wish(p.MuteWished(on=True))
        return "The microphone is closed. Tell them that a press of the button opens it again."

    def unmute(self) -> None:
        """Open the microphone again."""
        self._wish(p.MuteWished(on=False))

    def hush(self) -> None:
        """Stop what the robot is saying."""
        self._wish(p.Hushed())

    def say(self, text: str) -> asyncio.Future[None]:
        """Say something in the conversation that goes on, as soon as nobody else speaks.

        Args:
            text: what to say, in at most 500 characters.
        """
        return self._wished(p.SayWished, ASKED.format(text=self._talked_in(text)))

    def ask(self, text: str) -> asyncio.Future[None]:
        """Put a question to the model in writing, as a visitor would put it aloud; it answers aloud.

        Args:
            text: the question, in at most 500 characters.
        """
        return self._wished(p.Written, self._talked_in(text))

    def _wished(self, kind: type[p.SayWished | p.Written], text: str) -> asyncio.Future[None]:
        """Hand a wish to the machine, and return what comes of it."""
        self._wishes = {wish: future for wish, future in self._wishes.items() if not future.done()}
        if len(self._wishes) >= MOST_WISHES:
            raise RuntimeError(f"{MOST_WISHES} are waiting to be said or answered")
        wish = next(self._numbers)
        self._wishes[wish] = asyncio.get_running_loop().create_future()
        self._reach.post(kind(text, wish))
        return self._wishes[wish]

    def cut(self) -> dict[str, float]:
        """Drop the sound and the captions that a delayed broadcast still holds, so that nobody outside gets them."""
        self._in_session()
        return {"seconds": round(self._reach.cut(), 2)}

    def identify(self) -> None:
        """Blink and chime, so that somebody who looks for this robot finds it."""
        self._reach.lamp.identify()
        self._reach.loudspeaker.earcon(sound(Earcon.IDENTIFY))

    def console(self, seconds: Lease) -> None:
        """Show an operator's console the events of conversations and their words.

        Args:
            seconds: for how long from now; 0 ends it.
        """
        self._reach.watch(seconds)

    def broadcast(self, *, on: bool) -> str:
        """Stop the public broadcast of this conversation, or start it again, when somebody in the room asks for it.

        Args:
            on: false so that nobody outside hears you both any more.
        """
        self._wish(p.BroadcastWished(on))
        return "It will begin in a moment, if this robot may broadcast." if on else "Nobody outside hears you any more."

    def end_conversation(self) -> str:
        """End the conversation, when somebody says goodbye or asks you to stop for good."""
        return "It ends when you have said goodbye, in one short sentence."

    def current_time(self) -> dict[str, str]:
        """Tell the time and the date where you are."""
        now = self._reach.now()
        return {
            "time": now.strftime("%H:%M"),
            "date": now.strftime("%Y-%m-%d"),
            "weekday": now.strftime("%A"),
            "time_zone": now.tzname() or "",
        }

    def remember(self, what: str, value: str) -> None:
        """Remember something for the rest of this conversation, such as a name.

        Args:
            what: what it is, in a few words.
            value: what to remember.
        """
        if what not in self._memory and len(self._memory) >= MOST_REMEMBERED:
            raise ValueError(f"{MOST_REMEMBERED} things are remembered already")
        if len(what) + len(value) > LONGEST_TEXT:
            raise ValueError(f"too long; {LONGEST_TEXT} characters at most")
        self._memory[what] = value

    def recall(self, what: str | None = None) -> dict[str, str]:
        """Recall what was remembered in this conversation.

        Args:
            what: one thing; everything when left out.
        """
        if what is None:
            return dict(self._memory)
        if what not in self._memory:
            raise LookupError(f"nothing is remembered as {what!r}; there is: {', '.join(self._memory) or 'nothing'}")
        return {what: self._memory[what]}

    def look_up(self, query: str) -> str:
        """Look something up in what this place has written down for you, before you say that you do not know it.

        Args:
            query: a few words that the answer will contain, in the language of the texts.
        """
        library = self._library
        if library is None:
            library = self._library = Library(unpacked(self._knowledge))
        found = library.search(query)
        if not found:
            raise LookupError("nothing is written down about that; other words may find it")
        return "\n\n".join(f"{passage.title}: {passage.text}" for passage in found)

    def tell_operator(self, message: str) -> str:
        """Hand a message to the people who look after you, when somebody asks you to or something is broken.

        Args:
            message: what they should know, in your own words, in at most 500 characters.
        """
        if not 0 < len(message) <= LONGEST_TEXT:
            raise ValueError(f"1 to {LONGEST_TEXT} characters, please")
        self._reach.note(self._in_session(), message)
        return "Handed over. Perhaps nobody is there to see it now."

    def _wish(self, event: p.Event) -> None:
        """Leave to the machine what concerns the conversation that goes on."""
        self._in_session()
        self._reach.post(event)

    def _talked_in(self, text: str) -> str:
        """Return a text that can be put into the conversation that goes on."""
        if not 0 < len(text) <= LONGEST_TEXT:
            raise ValueError(f"1 to {LONGEST_TEXT} characters, please")
        self._in_session()
        if not self._talking:
            raise LookupError("the conversation has not begun yet")
        return text

    def _in_session(self) -> str:
        if self._session is None:
            raise LookupError("there is no conversation")
        return self._session
