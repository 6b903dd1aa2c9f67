"""A package over HTTPS, from servers that break off, lie, or never end."""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from device.errors import UpdateError
from device.messages.releases import Release
from device.update import fetching
from device.update.fetching import PAUSES, Intake, Remote, fetched
from provisioning.authority import Authority

DATA = bytes(range(256)) * 2_000
RELEASE = Release(
    product="kaiwa-device",
    version="0.2.0",
    architecture="arm64",
    python="3.11",
    size=len(DATA),
    unpacked=1,
    sha256=hashlib.sha256(DATA).hexdigest(),
    released_at=0.0,
)


class Handler(BaseHTTPRequestHandler):
    """Serves `DATA` at paths that say what is wrong with it."""

    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.asked.append(asked)
        at = int(asked.removeprefix("bytes=").rstrip("-") or 0)
        match self.path:
            case "/good" | "/breaks" | "/wrong":
                self._piece(at, len(DATA) if self.path != "/breaks" else at + 200_000)
            case "/forgets":  # what was asked for, and breaks off the first time
                self._piece(0, len(DATA) if len(self.server.asked) > 1 else 200_000)
            case "/dies":
                self._piece(0, 200_000)
            case "/endless":
                self._piece(0, len(DATA), DATA * 2)
            case "/elsewhere" | "/plain":
                self.send_response(302)
                self.send_header("Location", "/good" if self.path == "/elsewhere" else "http://127.0.0.1:1/good")
                self.end_headers()
            case "/silent":
                self.server.released.wait(10)
            case "/busy" if len(self.server.asked) > 1:
                self._piece(0, len(DATA))
            case path:
                self.send_error(503 if path == "/busy" else 404)

    def _piece(self, start: int, end: int, data: bytes = DATA) -> None:
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        piece = data[start : max(end, len(data) if data is not DATA else 0)]
        self.wfile.write(bytes(len(piece)) if self.path == "/wrong" else piece)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class Server(HTTPServer):
    """An HTTPS server, and the ranges that it was asked for."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.released = threading.Event()
        self._tls = tls

    def get_request(self) -> tuple[ssl.SSLSocket, tuple[str, int]]:
        plain, address = self.socket.accept()
        return self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, *_arguments: object) -> None:
        """Clients may hang up."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.open(tmp_path_factory.mktemp("authority"), ("127.0.0.1",), time.time())


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(authority.server_context()) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Fetch:
    """One download, with the pauses that it made."""

    def __init__(self, server: Server, authority: Authority, folder: Path) -> None:
        self.server, self.path = server, folder / "package"
        self.tls = ssl.create_default_context(cadata=authority.root_pem)
        self.pauses: list[float] = []

    def url(self, what: str) -> str:
        return f"https://127.0.0.1:{self.server.server_port}/{what}"

    def __call__(self, what: str, tls: ssl.SSLContext | None = None) -> bytes:
        intake = Intake(self.path, RELEASE, lambda _: None)
        try:
            Remote(self.url(what), tls or self.tls, self.pauses.append).bring(intake)
            intake.check()
        finally:
            intake.close()
        return self.path.read_bytes()


@pytest.fixture
def fetch(server: Server, authority: Authority, tmp_path: Path) -> Fetch:
    return Fetch(server, authority, tmp_path)


@pytest.mark.parametrize("what", ["good", "elsewhere"])
def test_it_comes_whole(fetch: Fetch, what: str) -> None:
    assert fetch(what) == DATA
    assert fetch.pauses == []


def test_where_it_broke_off_it_goes_on(fetch: Fetch) -> None:
    assert fetch("breaks") == DATA
    assert fetch.server.asked == ["", "bytes=200000-", "bytes=400000-"]
    assert fetch.pauses == [PAUSES[0]] * 2


def test_a_server_that_says_nothing_is_not_waited_for(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SILENCE", 0.05)
    monkeypatch.setattr(fetching, "PAUSES", ())
    with pytest.raises(UpdateError, match="timed out"):
        fetch("silent")
    with pytest.raises(UpdateError, match="timed out"):
        fetched(fetch.url("silent"), fetch.tls, 1000)
    fetch.server.released.set()


def test_a_server_that_cannot_go_on_begins_anew(fetch: Fetch) -> None:
    assert fetch("forgets") == DATA


def test_a_server_that_always_breaks_off_is_given_up(fetch: Fetch) -> None:
    with pytest.raises(UpdateError, match="it ended after 200000 bytes"):
        fetch("dies")
    assert fetch.pauses == [*PAUSES]


def test_a_server_that_is_busy_is_asked_again(fetch: Fetch) -> None:
    assert fetch("busy") == DATA


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("wrong", "its hash is another"),
        ("endless", "larger than the 512000 bytes"),
        ("nothing", "HTTP Error 404"),
        ("plain", "unknown url type: http"),
    ],
)
def test_what_is_wrong_is_named_at_once(fetch: Fetch, what: str, why: str) -> None:
    with pytest.raises(UpdateError, match=why):
        fetch(what)
    assert fetch.pauses == []


def test_a_server_that_nobody_knows_gets_no_second_question(fetch: Fetch) -> None:
    with pytest.raises(UpdateError, match="certificate"):
        fetch("good", ssl.create_default_context())
    assert (fetch.pauses, fetch.server.asked) == ([], [])


@pytest.mark.parametrize("url", ["https://[", "https://127.0.0.1:99999/", "https://a..b/"])
def test_an_address_that_is_none_is_named(tmp_path: Path, url: str) -> None:
    intake = Intake(tmp_path / "package", RELEASE, lambda _: None)
    with pytest.raises(UpdateError):
        Remote(url, ssl.create_default_context(), lambda _: None).bring(intake)
    intake.close()


def test_a_release_is_fetched_only_if_it_is_small(fetch: Fetch) -> None:
    assert fetched(fetch.url("good"), fetch.tls, len(DATA)) == DATA
    with pytest.raises(UpdateError, match="more than 4096 bytes"):
        fetched(fetch.url("good"), fetch.tls, 4096)
    with pytest.raises(UpdateError, match="404"):
        fetched(fetch.url("nothing"), fetch.tls, 4096)
    with pytest.raises(UpdateError, match="unknown url type"):
        fetched("http://127.0.0.1:1/", fetch.tls, 4096)
