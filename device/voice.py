"""The path of one block: microphone, echo control, uplink, programme; assistant, playout, speaker.

The sound card calls `on_block` once per 20 ms of its microphone, and `feed` whenever its speaker needs more, so each
direction is driven by the clock of its device; nothing waits and nothing has a clock of its own. What is broadcast is
what the room heard: the voice in the room, and the samples that were really handed to the speaker, earcons and volume
included.
"""

from __future__ import annotations

from typing import Final, Protocol

from device.audio.block import SILENCE, Block, BlockSink, BlockSource, Samples
from device.audio.doubletalk import DoubleTalk, Duck
from device.audio.echo import EchoControl, EchoMeter, EchoMode
from device.audio.ladder import guarded
from device.audio.level import NOTHING, Energies, Meter, energy, is_clipped, is_sound
from device.audio.playout import Playout, SpeakerPort
from device.audio.prebuffer import Prebuffer
from device.audio.programme import Programme
from device.messages.reports import Levels

__all__ = ["SpeakerPort", "VoicePath", "VoiceSource"]


ROOM_BLOCKS: Final = 25
"""Blocks for which echo control goes on after the last sound while idle: 0.5 s, more than rooms and cards go on.
What earcons teach it of the room spares the first session its own echo."""


LIVELY_BLOCKS: Final = 3
"""Blocks in the interval of what moves with a voice: 60 ms, less than a syllable."""


class VoiceSource(BlockSource, Protocol):
    """A voice that can be cut."""

    def flush(self) -> None:
        """Drop what waits to be pulled."""


class Witness(Protocol):
    """Who follows what passes along the path."""

    def block(self, at: float, near: Samples, played: Samples, mixed: Samples) -> None:
        """Take 20 ms of room, loudspeaker and programme, the last sample captured at monotonic `at`; never waits or fails."""


class VoicePath:
    """Everything one block passes through; owned by the agent, driven by the sound card.

    The assistant is lowered by `duck_db` while somebody in the room speaks over it.
    """

    def __init__(self, echo: EchoControl, speaker: SpeakerPort, duck_db: float = 0.0) -> None:
        self.echo = guarded(echo)
        """May be replaced between two blocks; a canceller is watched and the microphone closed when it fails."""
        self.uplink: BlockSink | None = None
        """Where the voice in the room goes: the call, once there is one."""
        self.spare: BlockSink | None = None
        """Where silence goes: a second call that has to prove that it hears."""
        self.programme: BlockSink | None = None
        """Where both voices go: the broadcast, once there is one; gets a block for every block captured."""
        self.source: VoiceSource | None = None
        """Where the assistant's voice comes from: the call, once there is one."""
        self.witness: Witness | None = None
        """Who follows each block, while a conversation goes on or not."""
        self.muted = False
        """Whether silence stands for the voice in the room, in the call and in the programme."""
        self.waiting = False
        """Whether it does so because nobody holds the button of a conversation by push-to-talk."""
        self._playout = Playout(speaker)
        self._prebuffer = Prebuffer()
        self._echo_meter, self._double_talk, self._duck = EchoMeter(), DoubleTalk(), Duck(duck_db)
        self._user, self._assistant, self._programme = Meter(), Meter(), Meter()
        self._lively_user, self._lively_assistant = Meter(LIVELY_BLOCKS), Meter(LIVELY_BLOCKS)
        self._mix = Programme()
        self._blocks = self._clipped = 0
        self._heard_for = 0

    def on_block(self, block: Block) -> None:
        """Carry one block of the microphone, and what was played meanwhile, to the call and the broadcast."""
        near, measured = self._near(block)
        for samples in self._prebuffer.push(near):
            if self.uplink:
                self.uplink.push(samples)
        if self.spare:
            self.spare.push(SILENCE)
        programme = self._mix.mix(near if self.uplink else SILENCE, block.played, measured.cleaned, measured.far)
        if self.programme:
            self.programme.push(programme)
        if self.witness:
            self.witness.block(block.at, near, block.played, programme)
        self._measure(measured.cleaned, energy(programme))
        self._clipped += is_clipped(near)
        self._blocks += 1  # last, so that a path that fails stands still for the watchdog

    def feed(self) -> None:
        """Hand the speaker what comes next of the assistant's voice and of earcons: 20 ms mostly, never less than 10."""
        voice = self.source.pull() if self.source else SILENCE
        self._playout.play(self._duck.apply(voice, down=self._double_talk.active))
        level = energy(voice)
        self._assistant.add(level)
        if self.programme:
            self._lively_assistant.add(level)

    def keep(self) -> None:
        """Keep what is said from now on, at the press, until `release_kept`; 10 s at most."""
        self._prebuffer.keep()

    def release_kept(self) -> None:
        """Send what was kept to `uplink`, two blocks per block until caught up, because the call listens now."""
        self._prebuffer.release()

    def hold(self) -> None:
        """Keep what is said, and what was said last, because the call is gone; the programme goes on meanwhile."""
        self._prebuffer.hold()

    def hand_over(self, uplink: BlockSink, source: VoiceSource) -> None:
        """Let another call take over between two blocks; it is sent what was kept or, if nothing was, what was said last."""
        if not self._prebuffer.keeping:
            self._prebuffer.repeat()
        self._prebuffer.release()
        self.uplink, self.source = uplink, source

    @property
    def behind(self) -> int:
        """Blocks that were kept and are still to be sent."""
        return self._prebuffer.behind

    def discard_kept(self) -> None:
        """Forget what was kept, because there will be no call or it is over."""
        self._prebuffer.discard()

    def earcon(self, samples: Samples) -> None:
        """Play `samples`, int16 at 48 kHz of any length, over whatever is played."""
        self._playout.earcon(samples)

    def say_after(self, samples: Samples) -> None:
        """Play `samples` once the earcon that sounds is over; the next earcon cuts it short."""
        self._playout.then(samples)

    def fall_silent(self) -> None:
        """Drop what sounds of an earcon, and the words after it."""
        self._playout.earcon(SILENCE[:0])

    def flush(self) -> None:
        """Stop the assistant's voice at once: what waits in the jitter buffer and in the speaker's ring is dropped."""
        if self.source:
            self.source.flush()
        self._playout.flush()

    def interrupt(self) -> None:
        """Do so because somebody speaks over it: an earcon ends at the same sample; words that the robot has to say do not."""
        self._playout.cut_earcon()
        self.flush()

    @property
    def volume(self) -> float:
        """Gain of what is played, 0 to 1."""
        return self._playout.volume

    @volume.setter
    def volume(self, gain: float) -> None:
        """Set the gain of what is played; what is beyond 0 to 1 is brought there."""
        self._playout.volume = min(1.0, max(0.0, gain))

    @property
    def played_seconds(self) -> float:
        """Seconds of the assistant's voice that the hardware has taken, since this path was made."""
        return self._playout.played_seconds

    def levels(self) -> Levels:
        """Return the RMS levels of the last 200 ms."""
        return Levels(user=self._user.rms, assistant=self._assistant.rms, programme=self._programme.rms)

    def lively_levels(self) -> Levels:
        """Return the RMS levels of the last 60 ms, as of the last block broadcast: for a mouth that moves with them."""
        return Levels(user=self._lively_user.rms, assistant=self._lively_assistant.rms)

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow, and the echo loss in dB; those of the call and the broadcast while there are."""
        ends = (("uplink", self.uplink), ("downlink", self.source), ("broadcast", self.programme))
        theirs = {f"{name}_{key}": value for name, end in ends if end for key, value in end.counters().items()}
        return {
            **theirs,
            "blocks": self._blocks,
            **self._mix.counters(),
            "kept_behind": self._prebuffer.behind,
            "kept_dropped": self._prebuffer.dropped,
            "clipped": self._clipped,
            "echo_loss_db": self._echo_meter.loss_db,
            "double_talk_blocks": self._double_talk.blocks,
            "echo_half_duplex": self.echo.mode is EchoMode.HALF_DUPLEX,
        }

    def _near(self, block: Block) -> tuple[Samples, Energies]:
        """Return the voice in the room, and the energies of what was returned and of what it was made of."""
        self._heard_for = self._heard_for - 1 if not is_sound(block.played) else ROOM_BLOCKS
        if not (self.uplink or self.programme or self._prebuffer.keeping or self._heard_for > 0):
            return SILENCE, NOTHING  # nobody listens and nothing is played: no echo control while idle
        near = self.echo.process(block.captured, block.played)
        measured = self.echo.measured
        self._echo_meter.add(measured)
        if self.echo.mode is EchoMode.AEC3:
            self._double_talk.add(measured)
        return (SILENCE, measured._replace(cleaned=0.0)) if self.muted or self.waiting else (near, measured)

    def _measure(self, user: float, programme: float) -> None:
        self._user.add(user)
        self._programme.add(programme)
        if self.programme:
            self._lively_user.add(user)
