"""The way out to observers: the programme to the publisher, captions to the cloud and the picture, all equally late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from device.audio.block import SILENCE, BlockSink, Samples
from device.broadcast.delay import DelayLine, Moment, Stance
from device.broadcast.pace import Pace
from device.broadcast.words import HeldCaptions
from device.messages.reports import Caption, Levels
from device.messages.word_filter import WordFilter
from device.outlet import Outlet
from device.picture.studio import Studio
from device.realtime.captions import Captioned
from device.voice import VoicePath

CAPTION_BLOCKS: Final = 5
"""Blocks between two looks at the captions that are held: 100 ms."""

SLACK: Final = 1.0
"""Seconds that a broadcast may take longer to run dry than it is late: for a sound card that has stopped."""

Picture = Callable[[Callable[[], Levels]], Studio | None]
"""Makes what shows the picture, which asks for both voices' levels."""


class Airing:
    """One stretch on air, `seconds` late; a `BlockSink`. What it holds when it is let go is never heard."""

    def __init__(
        self,
        publisher: BlockSink,
        seconds: float,
        source: Callable[[Samples], Moment],
        out: Callable[[Captioned], None],
        clock: Callable[[], float],
    ) -> None:
        self._publisher, self._source, self._out, self._clock = publisher, source, out, clock
        self._line, self._captions = DelayLine(seconds), HeldCaptions(seconds)
        self._blocks = 0
        self._last = -1
        self.shown = Moment(SILENCE, Levels(), Stance())
        """What goes out now."""
        self.dry = asyncio.Event()
        """Set when all that was pushed before `end` is out."""

    def push(self, samples: Samples) -> None:
        """Take one block and send the one whose time has come, with the captions that belong to it."""
        self.shown = self._line.push(self._source(samples))
        self._publisher.push(self.shown.samples)
        self._blocks += 1
        if self._blocks % CAPTION_BLOCKS == 0:
            self._let_out(self._captions.due(self._clock()))
        if self._blocks == self._last:
            self.dry.set()

    def caption(self, caption: Captioned) -> None:
        """Take one caption, to let it out when its sound is."""
        self._captions.put(caption, self._clock())

    def cut(self) -> float:
        """Drop all that is held, and return how many seconds of it there were."""
        self._let_out(self._captions.cut(self._clock()))
        return self._line.cut()

    def end(self) -> None:
        """Nothing of interest is pushed any more."""
        self._last = self._blocks + self._line.length + CAPTION_BLOCKS

    def counters(self) -> dict[str, float]:
        """Return the publisher's counters."""
        return self._publisher.counters()

    def _let_out(self, captions: list[Captioned]) -> None:
        for caption in captions:
            self._out(caption)


class Air:
    """Everything that leaves for observers.

    Args:
        voice: gives the programme.
        outlet: takes captions for the cloud.
        seconds: by which the broadcast is late, 0 to 10; with 0 nothing is held and nothing can be cut.
        picture: makes what shows the picture.
        clock: monotonic seconds, that of the captions.
    """

    def __init__(
        self,
        voice: VoicePath,
        outlet: Outlet,
        seconds: float,
        picture: Picture,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._voice, self._outlet, self._seconds, self._clock = voice, outlet, seconds, clock
        self._stance, self._session, self._words = Stance(), "", WordFilter()
        self._pace = Pace()
        self._airing: Airing | None = None
        self._hurried = asyncio.Event()
        self._studio = picture(self._levels)

    @property
    def studio(self) -> Studio | None:
        """What shows the picture of the broadcast, if it has one."""
        return self._studio

    def begin(self, session: str) -> None:
        """Another session begins: its words are in no picture yet."""
        self._session, self._words, self._pace = session, WordFilter(), Pace()
        self._hurried.clear()
        if self._studio:
            self._studio.scene.clear()

    def hide(self, words: Sequence[str]) -> None:
        """Mask these words in the captions of this session."""
        self._words = WordFilter(words)

    def stand(self, stance: Stance) -> None:
        """The session machine stands so from now on; seen outside when its sound is heard there."""
        self._stance = stance
        if self._airing is None:
            self._show(stance)

    def caption(self, caption: Captioned) -> None:
        """Take one caption. While nothing is on air the cloud shows it to nobody, so it may have it at once."""
        caption = replace(caption, text=self._words(caption.text))
        if self._airing is not None:
            self._airing.caption(caption)
        elif not self._seconds or not self._stance.on_air:
            self._let_out(caption)

    def rise(self, publisher: BlockSink) -> None:
        """The programme goes out by `publisher` from now on."""
        if not self._seconds:
            self._voice.programme = publisher
            return
        self._airing = Airing(publisher, self._seconds, self._moment, self._let_out, self._clock)
        self._voice.programme = self._airing

    def fall(self) -> None:
        """Nothing goes out any more; what is held is dropped."""
        self._voice.programme = None
        if self._airing is not None:
            self._airing.dry.set()
            self._airing = None
            self._show(self._stance)

    def cut(self) -> float:
        """Drop sound and captions that nobody outside has heard yet; return how many seconds of them there were.

        Raises:
            LookupError: nothing is held; the text says why.
        """
        if not self._seconds:
            raise LookupError("the broadcast is not delayed, so nothing is held back; set broadcast.delay_s")
        if self._airing is None:
            raise LookupError("nothing is on air")
        return self._airing.cut()

    async def run_dry(self) -> None:
        """Wait until what is held is out; not once `hurry` was called."""
        airing = self._airing
        if airing is None or self._hurried.is_set():
            return
        airing.end()
        waits = [asyncio.ensure_future(event.wait()) for event in (airing.dry, self._hurried)]
        try:
            await asyncio.wait(waits, timeout=self._seconds + SLACK, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def hurry(self) -> None:
        """Wait for nothing that is held until the next session."""
        self._hurried.set()

    def _moment(self, samples: Samples) -> Moment:
        """Return what is made now, and show in the picture what goes out."""
        if self._airing is not None:
            self._show(self._airing.shown.stance)
        return Moment(samples, self._voice.lively_levels(), self._stance)

    def _levels(self) -> Levels:
        return self._voice.lively_levels() if self._airing is None else self._airing.shown.levels

    def _show(self, stance: Stance) -> None:
        if self._studio:
            self._studio.scene.stand(stance.phase, on_air=stance.on_air, muted=stance.muted)

    def _let_out(self, caption: Captioned) -> None:
        now = self._clock()
        if self._studio:
            self._studio.scene.caption(caption, now)
        first = not self._pace.waiting
        if (told := self._pace.take(caption, now)) is not None:
            self._tell(told)
        elif first:
            asyncio.get_running_loop().call_later(self._pace.seconds(now), self._catch_up, self._pace)

    def _catch_up(self, pace: Pace) -> None:
        if pace is self._pace:
            for told in pace.release(self._clock()):
                self._tell(told)

    def _tell(self, caption: Captioned) -> None:
        start, end = self._outlet.wall(caption.start), self._outlet.wall(caption.end)
        self._outlet.event(
            Caption(
                session=self._session,
                id=caption.id,
                speaker=caption.speaker,
                text=caption.text,
                start=start,
                end=end,
                final=caption.final,
                approximate=caption.approximate,
            )
        )
