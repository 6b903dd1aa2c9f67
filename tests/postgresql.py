"""A real PostgreSQL for tests: a server of its own on a Unix socket; and stores of both kinds, empty for each test.

A conftest.py imports the fixtures: `from tests.postgresql import postgresql, store_template, store_url`. Bringing a database to
its present shape takes longer than most tests: it is done once of each kind.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from provisioning.schema import migrate
from provisioning.tables import metadata

_OPTIONS = (
    "-c listen_addresses='' -c fsync=off -c unix_socket_directories={folder} -c max_connections=40"
    " -c wal_writer_delay=10s"  # so that nothing lasts by chance which nobody waits for
)

THROW_OUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class PostgreSQL:
    """A running server."""

    def __init__(self, folder: Path, programs: Path, owner: pwd.struct_passwd) -> None:
        self._folder, self._programs, self._owner = folder, programs, owner
        self._numbers = itertools.count()
        self._shared = ""

    def new_database(self) -> str:
        """Return the URL of a new, empty database."""
        name = f"kaiwa{next(self._numbers)}"
        self.run("createdb", "-h", str(self._folder), "-U", "kaiwa", name)
        return f"postgresql+psycopg://kaiwa@/{name}?host={self._folder}"

    def emptied_database(self) -> str:
        """Return the URL of the one database that has all tables; whoever had it before is thrown out, with all there was."""
        if not self._shared:
            self._shared = self.new_database()
            _bring_to_shape(self._shared)
        engine = create_engine(self._shared, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(THROW_OUT))
            connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"))
        return self._shared

    def start(self) -> None:
        """Start it; what it had on the disk is there."""
        options, log = _OPTIONS.format(folder=self._folder), str(self._folder / "log")
        self.run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """End it as a crash does: what it has in memory is lost."""
        self.run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")

    def crash(self) -> None:
        """End it so, and start it again."""
        self.stop()
        self.start()

    @contextmanager
    def database_on(self, folder: Path) -> Iterator[str]:
        """Yield the URL of a new database whose tables lie in `folder`, which is made; it is dropped afterwards."""
        space = f"space{next(self._numbers)}"
        folder.mkdir()
        os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        self._tell(f"CREATE TABLESPACE {space} LOCATION '{folder}'")
        self._tell(f"CREATE DATABASE {space} TABLESPACE {space} STRATEGY file_copy")
        try:
            yield f"postgresql+psycopg://kaiwa@/{space}?host={self._folder}"
        finally:
            self._tell(f"DROP DATABASE {space} WITH (FORCE)")
            self._tell(f"DROP TABLESPACE {space}")

    def _tell(self, statement: str) -> None:
        self.run("psql", "-h", str(self._folder), "-U", "kaiwa", "-d", "postgres", "-q", "-c", statement)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs, as the account that owns the server: PostgreSQL refuses to be root's."""
        owner = self._owner
        change = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        subprocess.run(
            [*(change if os.geteuid() == 0 else []), str(self._programs / program), *arguments],
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )


def _programs() -> Path:
    """Return the folder of the newest server's programs; Debian keeps them out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    assert program, "PostgreSQL is missing: `make test` installs it"
    return Path(program).parent


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """Run a server of one's own."""
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path("/tmp") / f"kaiwa-postgresql-{os.getpid()}"  # noqa: S108 - a socket's path must be short, and open to `nobody`
    folder.mkdir(mode=0o700)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    server = PostgreSQL(folder, _programs(), owner)
    try:
        server.run("initdb", "-D", str(folder / "data"), "-U", "kaiwa", "--auth=trust", "--no-sync")
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    with running() as server:
        yield server


def _bring_to_shape(url: str) -> None:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        migrate(connection)


@pytest.fixture(scope="session")
def store_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store of SQLite, to be copied."""
    file = tmp_path_factory.mktemp("store") / "template.sqlite3"
    _bring_to_shape(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, store_template: Path) -> str:
    """The URL of an empty store, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copyfile(store_template, tmp_path / 'store.sqlite3')}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.emptied_database()
