"""What the light tells of how the machine stands."""

from __future__ import annotations

import pytest

from device import phase as p
from device.agent import light
from device.messages.minting import Grant, OpenAIGrant
from device.messages.secret import Secret
from device.panel.patterns import Light
from device.phase import Phase
from device.session import Session

GRANT = Grant(
    session="s1", openai=OpenAIGrant(base_url="http://localhost/v1", secret=Secret("ek_x"), expires_at=1e10, model="m")
)


@pytest.fixture
def session() -> Session:
    """A machine in a conversation."""
    session = Session(lambda: "s1")
    for event in (p.Ready(), p.Pressed(), p.Granted("s1", GRANT), p.CallUp("s1")):
        session.handle(event, 0.0)
    assert session.phase is Phase.LISTENING
    return session


def test_the_light_is_that_of_the_phase(session: Session) -> None:
    assert light(session) is Light.LISTENING
    session.handle(p.Turn("s1", Phase.SPEAKING), 1.0)
    assert light(session) is Light.SPEAKING


def test_a_closed_microphone_shows_whatever_else_goes_on(session: Session) -> None:
    session.handle(p.MuteWished(on=True), 1.0)
    assert light(session) is Light.MUTED
    session.handle(p.Turn("s1", Phase.SPEAKING), 2.0)
    assert light(session) is Light.MUTED
    session.handle(p.Pressed(), 3.0)
    assert light(session) is Light.SPEAKING


def test_a_robot_that_connects_again_shows_that_it_takes_a_moment(session: Session) -> None:
    session.handle(p.CallLost("s1", "media", "no sound", renewable=True), 1.0)
    assert light(session) is Light.PREPARING
    session.handle(p.SpareReady("s1", 1), 2.0)
    assert light(session) is Light.LISTENING


def test_an_answer_that_failed_shows_until_somebody_speaks(session: Session) -> None:
    session.handle(p.AnswerFailed("s1", "rate_limit_exceeded", ""), 1.0)
    assert light(session) is Light.FAULT
    session.handle(p.Speech("s1", began=True), 2.0)
    assert light(session) is Light.LISTENING


def test_a_robot_without_a_sound_card_looks_out_of_order_whatever_it_does(session: Session) -> None:
    session.handle(p.MuteWished(on=True), 1.0)
    session.handle(p.SoundLost("unplugged"), 2.0)
    assert light(session) is Light.FAULT
    session.handle(p.SoundBack(), 3.0)
    assert light(session) is Light.MUTED
