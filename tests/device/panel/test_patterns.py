from __future__ import annotations

from itertools import combinations, cycle, islice, pairwise, product
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from device.audio.block import RATE
from device.audio.level import rms_dbfs
from device.messages.minting import Refusal
from device.panel.faults import Fault, kind
from device.panel.patterns import IDENTIFYING, LEVEL_SECONDS, PATTERNS, Level, Light, lightness, loudness, of_fault
from device.panel.phrases import Language, spoken
from device.panel.rendering import Kind, channels
from device.phase import HOPELESS, NO_SOUND, STANDSTILL

FRAMES_PER_SECOND = 50
VOICED = round(LEVEL_SECONDS * RATE)

DIFFERENT = 5.0
"""Steps of L* by which two lights must differ on the average: one is just visible where they are side by side."""
DIMMEST = 0.1
STILL_DIFFERENT = 3.0
"""The same where somebody has dimmed the lights as far as it goes."""


def seen(light: Light, level: Level = lambda: None, seconds: float = 12.0) -> NDArray[np.float64]:
    """Return the brightness fifty times a second."""
    shown: list[float] = []
    for step in PATTERNS[light](level):
        shown += [step.brightness] * round(min(step.seconds, seconds) * FRAMES_PER_SECOND)
        if len(shown) >= seconds * FRAMES_PER_SECOND:
            break
    return np.array(shown[: round(seconds * FRAMES_PER_SECOND)])


def test_every_phase_has_a_pattern() -> None:
    assert set(PATTERNS) == set(Light)


@pytest.mark.parametrize("light", Light)
@pytest.mark.parametrize("level", [None, -100.0, -30.0, 0.0])
def test_brightness_stays_in_range_and_no_step_is_a_busy_loop(light: Light, level: float | None) -> None:
    steps = PATTERNS[light](lambda: level)
    for _, step in zip(range(500), steps, strict=False):
        assert 0.0 <= step.brightness <= 1.0
        assert step.seconds >= 0.04


CODES: dict[Fault, list[str]] = {
    Fault.SOUND: [NO_SOUND],
    Fault.NETWORK: ["broker", "media", "timeout"],
    Fault.SERVICE: ["upstream", "call", "server_error", Refusal.UPSTREAM],
    Fault.REFUSED: [Refusal.DENIED, Refusal.REVOKED, Refusal.REPLAY],
    Fault.BUDGET: [Refusal.QUOTA, Refusal.BUDGET, *HOPELESS],
    Fault.CLOCK: ["clock", Refusal.CLOCK_SKEW],
    Fault.BUSY: ["rate_limit_exceeded", Refusal.BUSY],
    Fault.OTHER: [STANDSTILL, "stuck", "a code of tomorrow"],
}


def test_every_kind_of_fault_has_its_light_and_every_code_a_kind() -> None:
    assert len({of_fault(fault) for fault in Fault}) == len(CODES) == len(Fault)
    for fault, codes in CODES.items():
        assert {kind(code) for code in codes} == {fault}
    assert {code for codes in CODES.values() for code in codes} >= set(Refusal)


@pytest.mark.parametrize(("brightness", "different"), [(1.0, DIFFERENT), (DIMMEST, STILL_DIFFERENT)])
@pytest.mark.parametrize("panel", Kind)
def test_every_two_lights_look_different_from_wherever_one_starts_to_look(
    panel: Kind, brightness: float, different: float
) -> None:
    """By the mean distance of lightness (L*) over 12 s, at whatever shift of time they are nearest to each other."""
    looks = {light: looked_at(panel, light, brightness=brightness) for light in Light}
    nearest = {(one, other): distance(looks[one], looks[other]) for one, other in combinations(Light, 2)}
    pair = min(nearest, key=lambda pair: nearest[pair])
    assert nearest[pair] > different, pair


@pytest.mark.parametrize("panel", Kind)
@pytest.mark.parametrize("light", [Light.SPEAKING, Light.SPEAKING_ALONE])
def test_a_real_voice_looks_like_no_other_light(panel: Kind, light: Light) -> None:
    """The lights that follow a level, by that of sentences that are really spoken, one after the other."""
    sound = np.concatenate([spoken(Fault.NETWORK, language) for language in get_args(Language)])
    count = len(sound) // VOICED
    levels = cycle(rms_dbfs(sound[number * VOICED : (number + 1) * VOICED]) for number in range(count))
    voice = looked_at(panel, light, lambda: next(levels))
    for other in Light:
        if other is not light:
            assert distance(voice, looked_at(panel, other)) > DIFFERENT, other


@pytest.mark.parametrize("panel", Kind)
@pytest.mark.parametrize("before", [Light.IDLE, Light.MUTED, Light.CLAIMING, Light.FAULT])
def test_a_robot_that_is_looked_for_looks_like_no_light(panel: Kind, before: Light) -> None:
    blinking = [step.brightness for step in IDENTIFYING for _ in range(round(step.seconds * FRAMES_PER_SECOND))]
    count = 5 * FRAMES_PER_SECOND
    shown = eyes(np.array([[lightness(part) for part in channels(panel, before, value)] for value in blinking[:count]]))
    for light in Light:
        assert distance(shown, looked_at(panel, light)[: len(shown)]) > DIFFERENT, light


def test_no_light_is_dark_for_so_long_that_the_robot_looks_dead() -> None:
    for light in Light:
        dark = [step.seconds for step in islice(PATTERNS[light](lambda: -100.0), 500) if not step.brightness]
        assert max(dark, default=0.0) <= 2.5, light


def looked_at(
    panel: Kind, light: Light, level: Level = lambda: None, *, brightness: float = 1.0
) -> NDArray[np.float64]:
    """Return how light each lamp looks, ten times a second: an eye follows no faster."""
    powers = [channels(panel, light, value) for value in seen(light, level)]
    return eyes(np.array([[lightness(brightness * part) for part in lamps] for lamps in powers]))


def eyes(shown: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what of fifty looks in a second an eye tells apart."""
    seen_by_eyes: NDArray[np.float64] = shown[: len(shown) // 5 * 5].reshape(-1, 5, shown.shape[1]).mean(axis=1)
    return seen_by_eyes


def distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the mean distance of two looks in steps of L*, where they are nearest."""
    moments = np.arange(len(other))
    shifted = other[(moments[:, np.newaxis] + moments) % len(other)]
    return float(np.linalg.norm(one - shifted, axis=2).mean(axis=1).min())


def test_a_light_of_three_colours_says_it_by_colour_too() -> None:
    for listens, does_not in product((Light.LISTENING, Light.SPEAKING), (Light.MUTED, Light.FAULT, Light.OFFLINE)):
        one, other = (np.array(channels(Kind.RGB, light, 1.0)) for light in (listens, does_not))
        assert np.abs(one - other).max() > 0.5
    for light in Light:
        red, green, blue = channels(Kind.RGB, light, 1.0)
        assert max(green, blue) >= 0.4 * red, "red is for the on-air light"


FAULTS = {of_fault(fault) for fault in Fault}
FOR_YOU = {Light.LISTENING, Light.SPEAKING, Light.SPEAKING_ALONE, Light.HOLD_TO_TALK, Light.CLOSING}
IN_THE_WAY = {Light.MUTED, Light.OFFLINE, Light.UPDATING, *FAULTS}
TAKES_A_MOMENT = {Light.STARTING, Light.PREPARING, Light.ANNOUNCING, Light.CLAIMING, Light.TROUBLE}
AT_PEACE = {Light.IDLE, Light.THINKING, Light.ENDING}


def test_of_two_lamps_the_first_is_for_you_and_the_second_for_what_is_in_the_way() -> None:
    lamps = {light: channels(Kind.PAIR, light, 0.75) for light in Light}
    assert {light for light in Light if lamps[light] == (0.75, 0.0)} == FOR_YOU | AT_PEACE
    assert {light for light in Light if lamps[light] == (0.0, 0.75)} == IN_THE_WAY
    assert {light for light in Light if lamps[light] == (0.75, 0.25)} == TAKES_A_MOMENT
    assert channels(Kind.PAIR, None, 0.75) == (0.75, 0.75)


def named(light: Light) -> str:
    """Return what one would call the colour of a light, by its red, green and blue as a corner of their cube."""
    full = channels(Kind.RGB, light, 1.0)
    corner = "".join(str(int(part >= 0.5 * max(full))) for part in full)
    dim = full[1] if corner == "100" else 0.0
    return {"010": "green", "011": "cyan", "001": "blue", "101": "magenta", "111": "white"}.get(
        corner, "amber" if dim > 0.3 else corner
    )


def test_colours_are_those_of_the_page() -> None:
    """docs/panel.md: green and cyan for who is heard and spoken to, blue for thinking, amber, and magenta for faults."""
    assert {named(light) for light in FOR_YOU - {Light.SPEAKING, Light.SPEAKING_ALONE}} == {"green"}
    assert {named(light) for light in (Light.SPEAKING, Light.SPEAKING_ALONE)} == {"cyan"}
    assert named(Light.THINKING) == "blue"
    assert {named(light) for light in (Light.MUTED, Light.OFFLINE, Light.ANNOUNCING)} == {"amber"}
    assert {named(light) for light in FAULTS} == {"magenta"}
    assert {named(light) for light in (Light.IDLE, Light.STARTING, Light.PREPARING)} == {"white"}


@pytest.mark.parametrize("light", [Light.IDLE, Light.THINKING, Light.SPEAKING, Light.STARTING])
def test_what_moves_is_written_no_more_often_than_it_is_seen_to_move(light: Light) -> None:
    steps = list(islice(PATTERNS[light](lambda: -30.0), 200))
    changes = sum(one.brightness != other.brightness for one, other in pairwise(steps))
    seconds = sum(step.seconds for step in steps)
    assert changes / seconds < {Light.IDLE: 6, Light.SPEAKING: 0.1}.get(light, 25)
    if light is not Light.SPEAKING:
        assert all(one.brightness != other.brightness for one, other in pairwise(steps))


@pytest.mark.parametrize("light", [Light.PREPARING, Light.ANNOUNCING, Light.LISTENING, Light.FAULT, Light.ENDING])
def test_what_answers_a_hand_is_bright_at_once(light: Light) -> None:
    assert next(PATTERNS[light](lambda: None)).brightness == 1.0


@pytest.mark.parametrize("light", Light)
def test_nothing_flashes_more_than_three_times_a_second(light: Light) -> None:
    shown = seen(light)
    rises = np.flatnonzero((shown[1:] >= 0.7) & (shown[:-1] < 0.7))
    for start in rises:
        assert np.count_nonzero((rises >= start) & (rises < start + FRAMES_PER_SECOND)) <= 3


def test_speaking_follows_the_level() -> None:
    quiet, loud = seen(Light.SPEAKING, lambda: -45.0, 1.0).mean(), seen(Light.SPEAKING, lambda: -18.0, 1.0).mean()
    assert loud > quiet + 0.3
    assert seen(Light.SPEAKING, seconds=2.0).std() > 0.1


def test_loudness_is_bounded_and_grows() -> None:
    values = [loudness(level) for level in range(-100, 7)]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0.15, 1.0)
