"""The cloud of the virtual board, as a process of its own: Mosquitto, `kaiwa-cloud serve` and the stand-ins for both services.

`python -m tests.board.serve FOLDER ADDRESS` keeps its state in FOLDER, listens at ADDRESS, and writes there what the robots
tell, a line of JSON each, into `told.jsonl`; `cloud.toml` lets `kaiwa-cloud` reach it. What lies in `downloads` is served over
HTTPS, by a server with a certificate of the fleet's own. Prints a line when all is up.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TextIO

import msgspec
from aiohttp import web
from msgspec.structs import replace

from device.messages.reports import DeviceState, Event
from provisioning.app import running
from provisioning.channels import ChannelOptions
from provisioning.imageflux import Channel
from provisioning.listener import PartialListener
from provisioning.listening import listening
from provisioning.local.cloud import INSTRUCTIONS, LIMITS
from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.local.imageflux.settings import StandInSettings as ImageFluxStandInSettings
from provisioning.local.realtime import RealtimeStandIn, StandInSettings
from provisioning.settings import (
    BrokerSettings,
    CloudSettings,
    EnrolSettings,
    ImageFluxSettings,
    OpenAISettings,
    WebSettings,
)

ENROL_PORT = 8443
BROKER_PORT = 8883
DOWNLOAD_PORT = 8444
DOWNLOADS = "downloads"
SILENT_SECONDS = 60.0


class Written(PartialListener):
    """Writes down what is told."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def on_state(self, state: DeviceState) -> None:
        """Take a robot's card."""
        self._write("state", msgspec.to_builtins(state))

    def on_event(self, device: str, event: Event) -> None:
        """Take what happened at a robot."""
        self._write("event", msgspec.to_builtins(event) | {"device": device})

    def on_watch(self, device: str, session: str, channel: Channel | None) -> None:
        """Take whether a broadcast goes on."""
        del session
        self._write("watch", {"device": device, "on": channel is not None})

    def _write(self, kind: str, what: dict[str, object]) -> None:
        self._file.write(msgspec.json.encode({"kind": kind} | what).decode() + "\n")
        self._file.flush()


def settings(folder: Path, address: str, openai: RealtimeStandIn, imageflux: ImageFluxStandIn) -> CloudSettings:
    """Return the settings of the cloud at `address`."""
    return CloudSettings(
        state_dir=str(folder / "state"),
        enrol=EnrolSettings(host=address, port=ENROL_PORT),
        web=WebSettings(host=address, port=0, media_origins=(imageflux.api_url.rstrip("/"),)),
        broker=BrokerSettings(host=address, port=BROKER_PORT, spawn=True),
        openai=OpenAISettings(base_url=openai.base_url, api_key=openai.settings.api_key, instructions=INSTRUCTIONS),
        imageflux=ImageFluxSettings(
            url=imageflux.api_url, token=imageflux.settings.token, channel=ChannelOptions(low_delay=True)
        ),
        limits=replace(LIMITS, silent_seconds=SILENT_SECONDS, grace_seconds=15.0),
    )


def downloads(folder: Path) -> web.Application:
    """Return what serves the files in `folder`, which is made."""
    folder.mkdir(exist_ok=True)
    app = web.Application()
    app.add_routes([web.static("/", folder)])
    return app


async def serve(folder: Path, address: str) -> None:
    """Run everything until told to end."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    async with AsyncExitStack() as owned:
        openai = await owned.enter_async_context(RealtimeStandIn(StandInSettings(host=address)))
        imageflux = await owned.enter_async_context(ImageFluxStandIn(ImageFluxStandInSettings(host=address)))
        told = owned.enter_context((folder / "told.jsonl").open("a", encoding="utf-8"))
        cloud = await owned.enter_async_context(running(settings(folder, address, openai, imageflux), [Written(told)]))
        tls = cloud.authority.server_context()
        await owned.enter_async_context(listening(downloads(folder / DOWNLOADS), address, DOWNLOAD_PORT, tls))
        (folder / "cloud.toml").write_text(
            f'state_dir = "{folder}/state"\n[broker]\nhost = "{address}"\nport = {cloud.broker.port}\n'
            f'[enrol]\nhost = "{address}"\nport = {ENROL_PORT}\n',
            encoding="utf-8",
        )
        await cloud.connected.wait()
        sys.stdout.write("up\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> int:
    """Run it."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
    except asyncio.CancelledError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
