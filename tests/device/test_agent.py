"""What the light tells of how the machine stands."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from device import command as do
from device import phase as p
from device.agent import Agent, Inbox, earcon, light
from device.audio.echo import EchoMode
from device.config import DeviceSettings
from device.messages.minting import Grant, Limits, OpenAIGrant, Prompts
from device.messages.secret import Secret
from device.panel.board import Panel
from device.panel.earcons import Earcon, sound
from device.panel.faults import Fault, Remark
from device.panel.patterns import Light
from device.panel.phrases import spoken
from device.panel.settings import PanelSettings
from device.patience import Patience
from device.phase import Chime, Phase
from device.session import Session
from device.soundcard.settings import SoundSettings
from device.update.settings import UpdateSettings
from device.voice_card import voice_card
from tests.device.test_holdings import bench

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


def standings() -> Iterator[tuple[Session, EchoMode]]:
    """Yield the machine as it may stand, in every phase, whatever else is so."""
    faults = (None, "broker", "upstream", "DENIED", "BUDGET", "clock", "BUSY", "stuck", "sound")
    flags = tuple(itertools.product((False, True), repeat=5))
    for phase, fault, (deaf, muted, off, waits, closing), trouble, echo in itertools.product(
        Phase, faults, flags, (None, "x"), (EchoMode.AEC3, EchoMode.HALF_DUPLEX)
    ):
        if phase is Phase.STOPPED:
            continue  # then the panel shows what it has shown, until it is dark
        session = Session(lambda: "s1")
        session.phase, session.fault, session.deaf, session.muted = phase, fault, deaf, muted
        session.switched_off, session.hand.push_to_talk, session.trouble = off, waits, trouble
        session._patience = Patience(Limits(longest=100, idle=20), Prompts(), 0.0)
        session._patience.closing = 90.0 if closing else None
        yield session, echo


def test_every_light_is_seen_and_each_phase_has_lights_of_its_own() -> None:
    seen = {(light(session, echo), session.phase) for session, echo in standings()}
    elsewhere = {Light.CLAIMING, Light.UPDATING}
    assert {shown for shown, _ in seen} | elsewhere == set(Light)
    of_phase = {
        phase: {light(session) for session, _ in standings() if session.phase is phase and not session.deaf}
        - {Light.MUTED}
        for phase in set(Phase) - {Phase.STOPPED, Phase.RECONNECTING}  # that only takes a moment, like preparing
    }
    for one, other in itertools.combinations(of_phase, 2):
        assert not of_phase[one] & of_phase[other], (one, other)


def test_whoever_cannot_be_heard_never_sees_that_they_are() -> None:
    hears = {Light.LISTENING, Light.TROUBLE, Light.CLOSING}
    for session, echo in standings():
        if session.deaf or session.muted or session.hand.closed:
            assert light(session, echo) not in hears


async def test_microphone_and_red_light_are_as_the_machine_says(session: Session) -> None:
    session._broadcasting = True
    async with bench() as ready, Panel(PanelSettings(factory="mock"), lambda *_: None) as panel:
        outlet = ready.holdings._with.outlet
        agent = Agent(session, Inbox(), panel, ready.voice, outlet, ready.holdings, asyncio.Event())
        for event, muted, red in (
            (p.MuteSwitched(True), True, 0),
            (p.OnAir("s1"), True, 1),
            (p.MuteSwitched(False), False, 1),
            (p.MuteWished(on=True), True, 1),
            (p.OffAir("s1", "lost"), True, 0),
            (p.Pressed(), False, 0),
        ):
            for command in session.handle(event, 1.0):
                if isinstance(command, do.Show):
                    agent._carry_out(command)
            assert (ready.voice.muted, panel.pins.pin(25).state) == (muted, red), event


async def test_a_fault_that_follows_another_is_said_in_its_place(session: Session) -> None:
    session.handle(p.CallLost("s1", "media", "silent"), 0.0)
    session.handle(p.Released("s1"), 0.0)
    assert (session.phase, session.fault) == (Phase.FAULT, "media")
    inbox = Inbox()
    async with bench() as ready, Panel(PanelSettings(factory="mock"), lambda *_: None) as panel:
        outlet = ready.holdings._with.outlet
        agent = Agent(session, inbox, panel, ready.voice, outlet, ready.holdings, asyncio.Event())
        ready.voice.say_after(spoken(Fault.NETWORK, "en"))
        for event in (p.Stalled("nothing is sent any more"), p.BrokerUp(), p.Quit()):
            inbox.post(event)
        await agent.run()
        assert np.array_equal(ready.voice._playout._earcon, sound(Earcon.ERROR))
        assert np.array_equal(ready.voice._playout._words, spoken(Fault.OTHER, "en"))


async def test_a_robot_that_leaves_for_another_version_shows_it_until_it_is_gone() -> None:
    async with bench() as ready, Panel(PanelSettings(factory="mock"), lambda *_: None) as panel:
        session, inbox, outlet = Session(lambda: "s1"), Inbox(), ready.holdings._with.outlet
        agent = Agent(session, inbox, panel, ready.voice, outlet, ready.holdings, asyncio.Event())
        for event in (p.Ready(), p.UpdateStaged("2.0")):
            inbox.post(event)
        assert (await agent.run()).update
        assert panel._shown is Light.UPDATING


@pytest.mark.parametrize("on_trial", [True, False])
async def test_a_version_on_trial_comes_up_as_an_update_and_any_other_as_a_start(
    tmp_path: Path, on_trial: bool
) -> None:
    settings = DeviceSettings(sound=SoundSettings(card="room"), update=UpdateSettings(home=str(tmp_path)))
    if on_trial:
        settings.update.places(settings.state_dir).trial.touch()
    async with (
        Panel(PanelSettings(factory="mock"), lambda *_: None) as panel,
        voice_card(settings, panel, lambda _: None, None),
    ):
        assert panel._shown is (Light.UPDATING if on_trial else Light.STARTING)


def test_a_robot_that_hears_nobody_while_it_speaks_shows_so(session: Session) -> None:
    assert light(session, EchoMode.HALF_DUPLEX) is Light.LISTENING
    session.handle(p.Turn("s1", Phase.SPEAKING), 1.0)
    assert light(session, EchoMode.HALF_DUPLEX) is Light.SPEAKING_ALONE
    assert light(session, EchoMode.NONE) is Light.SPEAKING
    session.handle(p.MuteWished(on=True), 2.0)
    assert light(session, EchoMode.HALF_DUPLEX) is Light.MUTED


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
    assert light(session) is Light.TROUBLE
    assert earcon(session, Chime.ERROR) is Earcon.FAULT_BUSY
    session.handle(p.Speech("s1", began=True), 2.0)
    assert light(session) is Light.LISTENING


def test_a_conversation_that_ends_soon_for_its_length_shows_it_while_the_robot_listens() -> None:
    session, grant = Session(lambda: "s1"), replace(GRANT, limits=Limits(longest=200, idle=500))
    for event in (p.Ready(), p.Pressed(), p.Granted("s1", grant), p.CallUp("s1")):
        session.handle(event, 0.0)
    assert light(session) is Light.LISTENING
    session.handle(p.Elapsed(), 170.0)
    assert light(session) is Light.CLOSING
    session.handle(p.Turn("s1", Phase.SPEAKING), 171.0)
    assert light(session) is Light.SPEAKING


def test_a_robot_without_a_sound_card_looks_out_of_order_whatever_it_does(session: Session) -> None:
    session.handle(p.MuteWished(on=True), 1.0)
    session.handle(p.SoundLost("unplugged"), 2.0)
    assert light(session) is Light.FAULT_SOUND
    session.handle(p.SoundBack(), 3.0)
    assert light(session) is Light.MUTED


async def test_what_is_wrong_is_said_after_its_earcon_and_a_press_cuts_it_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("device.holdings.RECONNECT_SECONDS", 0.0)
    ids = itertools.count()
    session, inbox = Session(lambda: f"{next(ids):032x}"), Inbox()
    async with (
        bench() as ready,
        Panel(PanelSettings(factory="mock"), lambda *_: None) as panel,
        asyncio.TaskGroup() as tasks,
    ):
        agent = Agent(
            session, inbox, panel, ready.voice, ready.holdings._with.outlet, ready.holdings, asyncio.Event(), "ja"
        )
        running = tasks.create_task(agent.run())
        for event in (p.Ready(), p.Pressed()):
            inbox.post(event)
        inbox.post(await ready.until(p.Refused))
        inbox.post(await ready.until(p.Released))
        while session.phase is not Phase.FAULT:
            await asyncio.sleep(0)
        agent._carry_out(do.Excuse("content_filter", "en"))
        agent._carry_out(do.Excuse("max_output_tokens", "en"))
        agent._carry_out(do.Excuse("server_error", "fr"))
        sounds = (sound(Earcon.FAULT_NETWORK), spoken(Fault.NETWORK, "ja"))
        excuses = (spoken(Remark.FILTERED, "en"), spoken(Remark.FAILED, "ja"))
        playout = ready.voice._playout
        assert np.array_equal(np.concatenate([playout._earcon, playout._words]), np.concatenate([*sounds, *excuses]))
        agent._carry_out(do.FallSilent())
        assert not playout._earcon.size + playout._words.size
        inbox.post(p.Pressed())
        while session.phase is Phase.FAULT:
            await asyncio.sleep(0)
        assert np.array_equal(ready.voice._playout._earcon, sound(Earcon.START))
        inbox.post(await ready.until(p.Refused))
        inbox.post(p.Quit())
        inbox.post(await ready.until(p.Released))
        assert await running == do.Exit()
