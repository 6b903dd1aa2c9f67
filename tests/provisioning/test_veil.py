"""What a profile hides gets out by no robot, whether that has masked it or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from device.errors import StoreError
from device.messages.reports import Caption, Event, Levels, Metrics, SessionEnded, SessionStarted, Speaker
from provisioning.imageflux import Channel
from provisioning.listener import PartialListener
from provisioning.observer.feed import Feed
from provisioning.profiles.registry import Version
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.store import Store
from provisioning.veil import MOST_WAITING, Veil
from tests.eventually import eventually
from tests.provisioning.observer.talk import SESSION, on_air

NOON = 1_800_000_000.0
DEVICE = "hana"
HIDING = 'hidden_words = ["drat", "ちくしょう"]\n'


def caption(text: str, session: str = SESSION, name: str = "a", *, final: bool = False) -> Caption:
    return Caption(
        session=session, id=name, speaker=Speaker.ASSISTANT, text=text, start=NOON, end=NOON + 1, final=final
    )


class Public(PartialListener):
    """Whoever is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Event | str]] = []

    def on_event(self, device: str, event: Event) -> None:
        """Note it."""
        self.told.append((device, event))

    def on_playlist(self, device: str, session: str, url: str | None) -> None:
        """Note it."""
        self.told.append((device, f"{session} {url}"))

    def on_watch(self, device: str, session: str, channel: Channel | None) -> None:
        """Note it."""
        self.told.append((device, f"{session} {channel}"))

    def on_metrics(self, device: str, metrics: Metrics) -> None:
        """Note it."""
        self.told.append((device, f"{metrics.levels.user}"))

    @property
    def words(self) -> list[str]:
        return [event.text for _, event in self.told if isinstance(event, Caption)]


async def prepare(store: Store, text: str = HIDING) -> None:
    """Enter a robot with a session of a profile, and one of the settings'."""
    async with store.transaction() as t:
        await t.devices.enrol("", Certificate("01", DEVICE, "key", NOON, NOON + 1))
        await t.profiles.add(Version("museum", 1, text, {}, NOON, "ann"))
        await t.sessions.add(Session(SESSION, DEVICE, "button", NOON, NOON + 9, profile="museum", profile_version=1))
        await t.sessions.add(Session("ef" * 16, DEVICE, "button", NOON, NOON + 9))


@asynccontextmanager
async def veiled(store: Store) -> AsyncIterator[tuple[Veil, Public]]:
    public = Public()
    veil = Veil(store, ["gosh"], [public])
    working = asyncio.create_task(veil.run())
    try:
        yield veil, public
    finally:
        working.cancel()


async def count(public: Public, captions: int) -> None:
    async def come() -> bool:
        return len(public.words) >= captions

    await eventually(come)


async def test_what_the_profile_of_a_session_hides_is_masked(store_url: str) -> None:
    async with Store(store_url) as store:
        await prepare(store)
        async with veiled(store) as (veil, public):
            veil.on_event(DEVICE, caption("Oh drat"))
            veil.on_event(DEVICE, caption("Oh drat, ちくしょう! Gosh.", final=True))
            assert public.words == [], "nobody knows yet what is hidden in it"
            await count(public, 2)
            veil.on_event(DEVICE, caption("Drat.", name="b"))
            veil.on_event(DEVICE, caption("Drat. Gosh.", "ef" * 16))
            await count(public, 4)
    assert public.words == ["Oh ●●●●", "Oh ●●●●, ●●●●●! Gosh.", "●●●●.", "Drat. ●●●●."]


async def test_captions_of_a_session_that_is_not_there_or_another_s_are_told_to_nobody(
    store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with Store(store_url) as store:
        await prepare(store)
        async with veiled(store) as (veil, public):
            veil.on_event(DEVICE, caption("unheard", "nowhere"))
            veil.on_event("other", caption("unheard"))
            veil.on_event(DEVICE, caption("heard"))
            await count(public, 1)
            veil.on_event("other", caption("unheard"))
            veil.on_event(DEVICE, caption("heard again"))
    assert public.words == ["heard", "heard again"]
    assert caplog.text.count("nobody is told") == 2, "once each, and the store is not asked again"


async def test_a_store_that_does_not_answer_lets_nothing_out_and_the_next_caption_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store(f"sqlite:///{tmp_path / 'store'}") as store:
        await prepare(store)
        async with veiled(store) as (veil, public):
            asked = asyncio.Event()

            def fails() -> None:
                asked.set()
                raise StoreError("the disk is full")

            monkeypatch.setattr(store, "transaction", fails)
            for number in range(MOST_WAITING + 3):
                veil.on_event(DEVICE, caption(f"drat {number}"))
            await asked.wait()
            monkeypatch.undo()
            assert public.told == []
            veil.on_event(DEVICE, caption("drat again"))
            await count(public, MOST_WAITING)
    assert public.words[0] == "●●●● 4", "the oldest were dropped"
    assert public.words[-1] == "●●●● again"


async def test_a_profile_that_this_version_cannot_read_lets_nothing_out(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path / 'store'}") as store:
        await prepare(store, "of_a_later_version = 1\n")
        async with veiled(store) as (veil, public):
            veil.on_event(DEVICE, caption("drat"))
            veil.on_event(DEVICE, caption("fine", "ef" * 16))
            await count(public, 1)
    assert public.words == ["fine"]


async def test_all_else_goes_by_at_once(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path / 'store'}") as store:
        public, seen = Public(), Feed()
        veil = Veil(store, (), [public, seen])
        began = SessionStarted(session=SESSION, at=NOON, reason="button")
        veil.on_state(on_air())
        veil.on_event(DEVICE, began)
        veil.on_playlist(DEVICE, SESSION, "https://media.example/a")
        veil.on_watch(DEVICE, SESSION, None)
        veil.on_metrics(DEVICE, Metrics(at=NOON, levels=Levels(user=-20.0)))
    said = (began, f"{SESSION} https://media.example/a", f"{SESSION} None", "-20.0")
    assert public.told == [(DEVICE, each) for each in said]
    assert [robot.device for robot in seen.robots()] == [DEVICE]


async def test_a_session_that_is_over_is_forgotten_and_words_that_come_late_are_masked_all_the_same(
    tmp_path: Path,
) -> None:
    ended = SessionEnded(session=SESSION, at=NOON + 5, reason="button", seconds=5.0)
    async with Store(f"sqlite:///{tmp_path / 'store'}") as store:
        await prepare(store)
        async with veiled(store) as (veil, public):
            veil.on_event(DEVICE, caption("drat"))
            veil.on_event(DEVICE, ended)
            await count(public, 1)  # what waits is told all the same
            veil.on_event(DEVICE, ended)
            assert not veil._talks
            veil.on_event(DEVICE, caption("oh, drat"))
            await count(public, 2)
    assert public.words == ["●●●●", "oh, ●●●●"]
