"""The files of the page, read once: addressed by what they contain, so that browsers may keep them for ever."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"

_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_WORTH_GZIP: Final = 1_000


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is and compressed."""

    body: bytes
    gzipped: bytes | None
    content_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their path, and the digest that stands for their contents in addresses."""

    files: Mapping[str, Asset]
    digest: str

    def page(self, name: str, values: Mapping[str, str]) -> str:
        """Return the HTML file `name` with each `{{key}}` replaced; values must be fit for HTML already.

        A key that is the name of another HTML file stands for what is in that.
        """
        text = self.files[name].body.decode()
        for part in (path for path in self.files if path.endswith(".html")):
            text = text.replace("{{" + part + "}}", self.files[part].body.decode())
        for key, value in {**values, "static": f"/static/{self.digest}"}.items():
            text = text.replace("{{" + key + "}}", value)
        return text


def load_assets(folder: Path = STATIC) -> Assets:
    """Read every file below `folder` of a known type (see `_TYPES`)."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES)
    files = {path.relative_to(folder).as_posix(): _asset(path) for path in paths}
    whole = sha256()
    for name, asset in files.items():
        whole.update(name.encode() + b"\0" + sha256(asset.body).digest())
    return Assets(files, whole.hexdigest()[:16])


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    compress = len(body) > _WORTH_GZIP and path.suffix != ".woff2"
    return Asset(body, gzip.compress(body, 9, mtime=0) if compress else None, _TYPES[path.suffix])
