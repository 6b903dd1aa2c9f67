"""`kaiwa-cloud replay`: plays the record of a conversation back in the browser."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli.invocation import Invocation, JsonFlag, tell
from provisioning.one_time import serve_once
from provisioning.replay.reading import Record, read_record
from provisioning.replay.telling import replay_view
from provisioning.replay.web import replay_pages
from provisioning.running import run
from provisioning.spending.prices import PriceSettings


def replay_command(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Folder of a record, copied from a robot.")],
    *,
    json: JsonFlag = False,
) -> None:
    """Play the record of a conversation back on the page that observers know, with its captions in step.

    The address it prints opens once, in one browser on this computer. What the conversation cost is told by the prices
    in the settings, if there are any, else by the documented ones.
    """
    invocation: Invocation = context.obj
    prices = invocation.settings().prices if invocation.config.is_file() else PriceSettings()
    record = read_record(directory)
    with suppress(KeyboardInterrupt):
        run(_play(record, prices, json=json))


async def _play(record: Record, prices: PriceSettings, *, json: bool) -> None:
    def opened(url: str) -> None:
        words = f"{record.folder.name}\n{url}\nopens once, in one browser; Ctrl-C ends"
        tell(words, json=json, record=record.folder.name, link=url)

    await serve_once(replay_pages(record, replay_view(record, prices)), "/", opened)
