"""Everything in the robot's program that could grow, and what keeps it from growing for months.

`found` reads the code, `KEPT` says why each is bounded; a test compares the two, so that nothing new is overlooked.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

DEVICE: Final = Path(__file__).parents[2] / "device"

MAKERS: Final = frozenset(
    {
        "deque",
        "list",
        "dict",
        "set",
        "bytearray",
        "Queue",
        "SimpleQueue",
        "PriorityQueue",
        "Counter",
        "OrderedDict",
        "defaultdict",
    }
)

NAMES: Final = "one for each of a fixed set of names"
CALL: Final = "one call, which is over after 60 minutes at the latest"
SESSION: Final = "one session, which the cloud ends at its limit"
ORDERS: Final = "operators' wishes in one session; a mandate allows some in a minute, and each has failed after 55 s"
CONNECTION: Final = "one connection of the broadcast"
COMMAND: Final = "one run of a command, which has an end"
BENCH: Final = "the simulated room of tests and demo only"
DRAINED: Final = "taken out at once by a task that waits for nothing else"
ONCE: Final = "made once"

KEPT: Final[Mapping[str, str]] = {
    "agent.py: Inbox._queue": DRAINED,
    "asking.py: Asking._waiting": "a request leaves with its answer or its time-out",
    "audio/delay.py: PlayoutDelay._arrivals": "the last minutes of arrivals, one for each 0.2 s",
    "audio/delay.py: PlayoutDelay._clock": "50",
    "audio/doubletalk.py: DoubleTalk._voiced": "some blocks",
    "audio/fade.py: @cache _rise": "8",
    "audio/jitter.py: JitterBuffer._packets": "its capacity; the oldest is skipped",
    "audio/ladder.py: EchoLadder._losses": "some windows",
    "audio/loudness.py: @cache _weights": ONCE,
    "audio/loudness.py: Leveller._moment": "some blocks",
    "audio/playout.py: PlayedClock._parts": "what is in the speaker's ring",
    "audio/prebuffer.py: Prebuffer._kept": "its capacity",
    "audio/prebuffer.py: Prebuffer._passed": "some blocks",
    "audio/timescale.py: @cache _places": "8",
    "broadcast/delay.py: DelayLine._held": "10 s of blocks",
    "broadcast/pace.py: Pace._waiting": "words that are not final, for a quarter of a second",
    "broadcast/words.py: HeldCaptions._cuts": SESSION,
    "broadcast/words.py: HeldCaptions._held": "captions that are not out yet",
    "broadcast/words.py: _Held.versions": "the seconds of the delay",
    "calibrate/perform.py: Performer._blocks": COMMAND,
    "calibrate/stimulus.py: @cache chirp": ONCE,
    "calls.py: Calls._used": NAMES,
    "calls.py: Calls._written": ORDERS,
    "claiming.py: Claims._tried": "the wait for a claim, five minutes",
    "doctor/findings.py: Finding.japanese": COMMAND,
    "doctor/findings.py: Finding.values": COMMAND,
    "doctor/gather/button.py: Edges.kept": COMMAND,
    "doctor/gather/sound.py: _Ear._blocks": COMMAND,
    "heartbeat.py: Heartbeat._seen": NAMES,
    "holdings.py: Held.marks": NAMES,
    "holdings.py: Held.tasks": SESSION,
    "holdings.py: Holdings._held": "sessions that are not released yet: two at most",
    "holdings.py: Holdings._orders": "each leaves when its tool is done or has timed out",
    "mail.py: Mail._ordered": "16; more are dropped",
    "messages/knowledge.py: Library._known": "words of texts whose length is bounded by the grant",
    "mqtt.py: Broker._outbox": "256; the oldest is dropped",
    "mqtt.py: Broker._retained": "one for each topic that is retained, which is one",
    "orders.py: Pace._times": "orders of the last minute, a number of which each mandate allows",
    "panel/earcons.py: @cache sound": NAMES,
    "panel/lamps.py: Lamps._given": NAMES,
    "panel/lamps.py: Lamps._lamps": NAMES,
    "panel/phrases.py: @cache spoken": NAMES,
    "picture/subtitles.py: Subtitles._kept": "8",
    "realtime/captions.py: AssistantCaptions._lines": CALL,
    "realtime/captions.py: UserCaptions._guesses": CALL,
    "realtime/conversation.py: Conversation.usage": NAMES,
    "realtime/floor.py: Floor._calls": CALL,
    "realtime/floor.py: Floor._heard": ORDERS,
    "realtime/floor.py: Floor._unknown": CALL,
    "realtime/floor.py: Floor._wishes": ORDERS,
    "realtime/history.py: History._lines": "a budget of tokens",
    "realtime/live/delegations.py: Delegations._answers": CALL,
    "realtime/live/delegations.py: Delegations.usage": NAMES,
    "realtime/live/delegations.py: _Answer.calls": CALL,
    "realtime/live/rehearsal.py: LiveRehearsal._told": CALL,
    "realtime/live/rehearsal.py: LiveRehearsal._waiting": CALL,
    "realtime/live/talk.py: LiveTalk._spoken_of": ORDERS,
    "realtime/live/talk.py: LiveTalk._wishes": ORDERS,
    "realtime/rehearsal.py: Rehearsal._added": CALL,
    "realtime/rehearsal.py: Rehearsal._told": CALL,
    "realtime/rehearsal.py: Rehearsal._unacknowledged": CALL,
    "record/recorder.py: Recorder._queue": "500 blocks and 2000 events; more are dropped",
    "record/talk.py: Talk.tools": SESSION,
    "rtc/flow.py: Flow._counts": NAMES,
    "rtc/pictures.py: _PictureTrack._unsent": "its longest queue; all of it is dropped",
    "rtc/sending.py: OpusSender._gathered": "the blocks of one packet",
    "rtc/sending.py: OpusSender._unsent": "its longest queue; the oldest is dropped",
    "sora/description.py: Negotiation._first": CONNECTION,
    "sora/description.py: Negotiation._offered": CONNECTION,
    "sora/description.py: Negotiation._seen": CONNECTION,
    "sora/media.py: Media._channels": CONNECTION,
    "sora/publisher.py: Publisher._inbox": DRAINED,
    "sora/signaling.py: Signaling._connect": CONNECTION,
    "sora/signaling.py: Signaling._urls": CONNECTION,
    "soundcard/duplex.py: Duplex._waiting": "blocks that wait for the speaker: no more than may be pending",
    "soundcard/lag.py: LoopLag._lags": "a minute of blocks",
    "soundcard/lasting.py: LastingCard._before": NAMES,
    "soundcard/pyaudio_card.py: PyAudioCard._streams": NAMES,
    "soundcard/room_card.py: RoomCard._notes": BENCH,
    "soundcard/talker.py: Talker._waiting": BENCH,
    "soundcard/tap.py: Tap._first": "as many blocks as it takes to settle",
    "tools/built_in.py: BuiltIn._memory": "some things of some letters, until the session ends",
    "tools/docstring.py: Docstring.arguments": ONCE,
    "tools/outputs.py: Outputs._devices": NAMES,
    "tools/built_in.py: BuiltIn._wishes": "so many; more are refused",
    "turns.py: TurnTimer.turns": "200",
    "wishes.py: Wishes._open": ORDERS,
}


def found() -> set[str]:
    """Return every attribute and every cache in the device's code that is made to be grown."""
    names = set[str]()
    for path in DEVICE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        place = path.relative_to(DEVICE).as_posix()
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        names |= {f"{place}: {owner.name}.{name}" for owner in classes for name in _growing(owner)}
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        names |= {f"{place}: @cache {function.name}" for function in functions if _cached(function)}
    return names


def _growing(owner: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(owner):
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            if node in owner.body and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Call):
                yield from [node.target.id] if _made(node.value) else []
            else:
                yield from _attribute(node.target, node.value)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _attribute(target, node.value)


def _attribute(target: ast.expr, value: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=True):
            yield from _attribute(one, its)
    elif isinstance(target, ast.Attribute) and _name(target.value) == "self" and _made(value):
        yield target.attr


def _made(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call):
        return isinstance(value, ast.List | ast.Dict | ast.Set)
    maker = value.func.value if isinstance(value.func, ast.Subscript) else value.func
    if _name(maker) == "field":
        return any(given.arg == "default_factory" and _name(given.value) in MAKERS for given in value.keywords)
    return _name(maker) in MAKERS


def _cached(function: ast.FunctionDef) -> bool:
    decorators = (node.func if isinstance(node, ast.Call) else node for node in function.decorator_list)
    return any(_name(node) in {"cache", "lru_cache"} for node in decorators)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
