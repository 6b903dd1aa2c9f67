"""A profile spoken to in writing, over the stand-in; every event of it judged by the vendor's types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from device.errors import UpstreamError
from device.messages.minting import Limits, OpenAIGrant
from device.messages.secret import Secret
from provisioning.cli.rehearsing import rehearsed
from provisioning.local.realtime import RealtimeStandIn, StandInSettings
from provisioning.openai import OpenAI
from provisioning.profile_versions import Editor, add_version
from provisioning.profiles.choosing import Chooser, Chosen, ProfileError
from provisioning.profiles.drafts import Draft
from provisioning.profiles.persona import Persona
from provisioning.profiles.registry import Version
from provisioning.rehearsal import LOOK_UP_TOOL, Rehearsal, counted
from provisioning.settings import CloudSettings, OpenAISettings
from provisioning.store import Store
from tests.provisioning.local.realtime.reference import judge

EXHIBITS = "The owl is in the tower.\n\nティラノサウルスは入口の左にいます。"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand_in() -> AsyncIterator[RealtimeStandIn]:
    async with RealtimeStandIn(StandInSettings(thinking_seconds=0.0)) as service:
        yield service


def museum() -> Chosen:
    version = Version("museum", 1, "knowledge_tokens = 0", {"exhibits.txt": EXHIBITS}, 0.0, "admin")
    return Chooser(Persona(), Limits()).prepared(version)


async def grant(stand_in: RealtimeStandIn, chosen: Chosen) -> OpenAIGrant:
    async with OpenAI(OpenAISettings(base_url=stand_in.base_url, api_key=stand_in.settings.api_key)) as openai:
        return await openai.grant(chosen.session(chosen.tools([LOOK_UP_TOOL])))


@pytest.mark.asyncio(loop_scope="module")
async def test_a_profile_answers_in_writing_looks_things_up_and_tells_what_it_used(stand_in: RealtimeStandIn) -> None:
    chosen = museum()
    async with (
        aiohttp.ClientSession() as http,
        Rehearsal(http, await grant(stand_in, chosen), chosen) as rehearsal,
    ):
        assert (await rehearsal.prompt("Greet.")).text == "Hello! I am listening."
        assert (await rehearsal.ask("What is your name?")).text.startswith("My name is Kaiwa.")
        owl = await rehearsal.ask("Look up owl.")
        assert (owl.text, owl.looked_up) == ("exhibits.txt: " + EXHIBITS.replace("\n\n", "\n"), ["owl"])
        assert owl.usage["responses"] == 2
        assert "左にいます" in (await rehearsal.ask("Look up ティラノサウルス")).text
        lost = await rehearsal.ask("Look up helicopter")
        assert lost.text.startswith("That did not work: nothing is written down")
        assert rehearsal.usage["responses"] == 8
        assert rehearsal.usage["input_tokens"] == rehearsal.usage["input_text_tokens"] > 0


@pytest.mark.asyncio(loop_scope="module")
async def test_every_event_is_one_that_the_vendor_knows(stand_in: RealtimeStandIn) -> None:
    secret = (await grant(stand_in, museum())).secret.reveal()
    headers, events = {"Authorization": f"Bearer {secret}"}, list[dict[str, Any]]()
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{stand_in.base_url}/realtime", headers=headers) as socket,
    ):

        async def until(kind: str) -> dict[str, Any]:
            while True:
                events.append(msgspec.json.decode(await socket.receive_str(timeout=5)))
                if events[-1]["type"] == kind:
                    return events[-1]

        async def send(**event: Any) -> None:
            await socket.send_json(event)

        created = await until("session.created")
        assert created["session"]["output_modalities"] == ["audio"]
        await send(type="response.create", event_id="e1")
        assert (await until("error"))["error"]["event_id"] == "e1"
        await send(type="response.cancel")
        assert (await until("error"))["error"]["code"] == "response_cancel_not_active"
        await send(type="session.update", session={"type": "realtime", "output_modalities": ["text"]})
        await until("session.updated")
        output = {"type": "function_call_output", "call_id": "call_none", "output": "{}"}
        await send(type="conversation.item.create", item=output)
        assert (await until("error"))["error"]["code"] == "invalid_tool_call_id"
        question = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Look up owl"}]}
        await send(type="conversation.item.create", item=question)
        await send(type="response.create")
        called = (await until("response.done"))["response"]["output"][0]
        await send(type="conversation.item.create", item=output | {"call_id": called["call_id"]})
        await send(type="response.create")
        assert (await until("response.done"))["response"]["output_modalities"] == ["text"]
        await socket.send_str("no JSON")
        await until("error")
    for event in events:
        judge(event)
    assert {"response.output_text.delta", "response.output_text.done"} <= {event["type"] for event in events}


@pytest.mark.asyncio(loop_scope="module")
async def test_programs_are_told_each_answer_and_what_it_cost(stand_in: RealtimeStandIn, tmp_path: Path) -> None:
    service = OpenAISettings(base_url=stand_in.base_url, api_key=stand_in.settings.api_key)
    settings = CloudSettings(state_dir=str(tmp_path), openai=service)
    async with Store(settings.store_url) as store:
        draft = Draft('greeting = "Greet."\nknowledge_tokens = 0', {"exhibits.txt": EXHIBITS})
        await add_version(store, "museum", draft, 0, Editor("admin", 0.0), {}, "museum")
    found = await rehearsed(settings, "museum@1", ["What is your name?", "Look up owl"], stand_in=False, quiet=True)
    assert [turn["said"] for turn in found["turns"]] == ["", "What is your name?", "Look up owl"]
    assert [turn["looked_up"] for turn in found["turns"]] == [[], [], ["owl"]]
    assert (found["profile"], found["currency"]) == ("museum@1", "USD")
    assert found["micros"] == pytest.approx(sum(turn["micros"] for turn in found["turns"]), abs=3)
    assert all(turn["micros"] > 0 for turn in found["turns"])


@pytest.mark.asyncio(loop_scope="module")
async def test_a_profile_of_live_sessions_cannot_be_tried_in_writing(tmp_path: Path) -> None:
    settings = CloudSettings(state_dir=str(tmp_path))
    async with Store(settings.store_url) as store:
        draft = Draft('opening = "live"\nmodel = "gpt-live-1"')
        await add_version(store, "museum", draft, 0, Editor("admin", 0.0), {}, "museum")
    with pytest.raises(ProfileError, match="is spoken"):
        await rehearsed(settings, "museum", ["Hello"], stand_in=True, quiet=True)


@pytest.mark.asyncio(loop_scope="module")
async def test_what_the_service_refuses_is_told(stand_in: RealtimeStandIn) -> None:
    chosen = museum()
    async with aiohttp.ClientSession() as http:
        bad = OpenAIGrant(base_url=stand_in.base_url, secret=Secret("ek_no"), expires_at=0.0, model="m")
        with pytest.raises(UpstreamError, match="401"):
            await Rehearsal(http, bad, chosen).__aenter__()
        nowhere = OpenAIGrant(base_url="http://127.0.0.1:9", secret=Secret("ek_no"), expires_at=0.0, model="m")
        with pytest.raises(UpstreamError, match="unreachable"):
            await Rehearsal(http, nowhere, chosen).__aenter__()
        stand_in.faults.responses = "insufficient_quota"
        try:
            async with Rehearsal(http, await grant(stand_in, chosen), chosen) as rehearsal:
                with pytest.raises(UpstreamError, match="insufficient_quota"):
                    await rehearsal.ask("Hello")
        finally:
            stand_in.faults.responses = None


def test_cached_tokens_count_by_kind_where_the_service_tells_it() -> None:
    usage: dict[str, Any] = {"input_tokens": 9, "input_token_details": {"text_tokens": 9, "cached_tokens": 4}}
    assert counted(usage) == {"responses": 1, "input_tokens": 9, "input_text_tokens": 9, "cached_tokens": 4}
    usage["input_token_details"]["cached_tokens_details"] = {"text_tokens": 4, "audio_tokens": 0}
    assert counted(usage)["cached_text_tokens"] == 4
    assert counted({}) == {"responses": 1}
