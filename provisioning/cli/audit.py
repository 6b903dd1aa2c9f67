"""Commands about the audit: is it what was written, and the whole of it for others to keep."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Final

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from device.errors import SettingsError
from provisioning.audit import Chain, Entry
from provisioning.cli.invocation import ExitCode, Invocation, JsonFlag, err, out, print_json
from provisioning.running import run
from provisioning.settings import CloudSettings
from provisioning.store import Store

audit = typer.Typer(help="The audit: who did what and when, in rows that are chained by hash.", no_args_is_help=True)

_NOTED: Final = re.compile(r"(\d+):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of verifying: the last row that is whole, its hash, and what is wrong after it, if anything."""

    rows: int
    head: str
    broken_at: int | None
    why: str = ""


@audit.command("verify")
def verify_command(
    context: typer.Context,
    noted: Annotated[
        str, typer.Option(help="SEQ:HASH of an earlier run: also show that nothing before it was cut off or rewritten.")
    ] = "",
    *,
    json: JsonFlag = False,
) -> None:
    """Look at every row of the audit, from the first to the last.

    Prints the last row as SEQ:HASH. Keep it somewhere else and give it to the next run: a chain cannot show by itself
    that its end is missing. Exit codes: 0 whole; 5 a row was altered, dropped or put in between; 1 the store cannot be
    read; 2 wrong usage.
    """
    invocation: Invocation = context.obj
    verdict = run(_verify(invocation.settings(), _parsed(noted)))
    if json:
        print_json(verdict)
    elif verdict.broken_at is None:
        out.print(f"{verdict.rows} rows, whole; the last is {verdict.rows}:{verdict.head}", soft_wrap=True)
    else:
        out.print(f"row {verdict.broken_at}: {verdict.why}; the {verdict.rows} before it are whole", soft_wrap=True)
    if verdict.broken_at is not None:
        raise typer.Exit(ExitCode.BROKEN)


def _parsed(noted: str) -> tuple[int, str] | None:
    match = _NOTED.fullmatch(noted)
    if noted and match is None:
        raise typer.BadParameter(f"{noted!r} is not SEQ:HASH as an earlier run has printed it", param_hint="--noted")
    return (int(match[1]), match[2]) if match else None


async def _verify(settings: CloudSettings, noted: tuple[int, str] | None) -> Verdict:
    chain = Chain()
    async with aclosing(_rows(settings, 0)) as rows:
        async for entry in rows:
            if not chain.follows(entry):
                return Verdict(chain.seq, chain.head, entry.seq, "it does not follow from the one before")
            if noted is not None and noted[0] == chain.seq and noted[1] != chain.head:
                return Verdict(chain.seq - 1, entry.previous, chain.seq, "it is not the one that was noted")
    if noted is not None and noted[0] > chain.seq:
        return Verdict(chain.seq, chain.head, chain.seq + 1, f"it is missing, for row {noted[0]} was noted")
    return Verdict(chain.seq, chain.head, None)


@audit.command("export")
def export_command(
    context: typer.Context,
    path: Annotated[
        Path | None, typer.Option("--out", help="Write it here, readable by you only, instead of to standard output.")
    ] = None,
    after: Annotated[int, typer.Option(min=0, help="Begin after the row with this number.")] = 0,
) -> None:
    """Print the rows as JSON lines, oldest first: seq, at, actor, action, subject, detail, previous, hash.

    `detail` is the text that the hash covers, itself JSON. No secret and no word of a conversation is in it.
    Exit codes: 0 all rows were written; 1 the store cannot be read; 2 wrong usage, or the file cannot be written.
    """
    invocation: Invocation = context.obj
    with _target(path) as file:
        rows = run(_export(invocation.settings(), file, after))
    err.print(f"{rows} rows")


@contextmanager
def _target(path: Path | None) -> Iterator[IO[bytes]]:
    if path is None:
        yield typer.get_binary_stream("stdout")
        return
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)  # it may have been there before
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise SettingsError("--out", f"{path} cannot be written: {error.strerror}") from None


async def _export(settings: CloudSettings, file: IO[bytes], after: int) -> int:
    count = 0
    async with aclosing(_rows(settings, after)) as rows:
        async for entry in rows:
            file.write(msgspec.json.encode(entry) + b"\n")
            count += 1
    return count


async def _rows(settings: CloudSettings, after: int) -> AsyncGenerator[Entry, None]:
    """Every row there was when this began, page by page, with a bar where somebody watches."""
    async with Store(settings.store_url) as store:
        async with store.transaction() as t:
            last = await t.audit.last()
        with _progress() as progress:
            task = progress.add_task("audit", total=max(0, last - after))
            while after < last:
                async with store.transaction() as t:
                    page = await t.audit.after(after)
                for entry in page:
                    yield entry
                after = _advance(progress, task, page, last)


def _advance(progress: Progress, task: TaskID, page: list[Entry], last: int) -> int:
    progress.advance(task, len(page))
    return page[-1].seq if page else last


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
