"""Whoever releases versions for the virtual board, and an operator who orders them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

from tests.board.cloud import ADDRESS, DEVICE, Cloud
from tests.board.serve import DOWNLOAD_PORT, DOWNLOADS
from tests.board.versions import Kind, package

LONGEST: Final = 1_200.0
"""Seconds that an operator waits; under emulation the package takes its time, and a trial may last five minutes."""


@dataclass(frozen=True, slots=True)
class Releases:
    """Signs with `key` what lies in `newer`, and orders it at `cloud`."""

    cloud: Cloud
    newer: Path
    key: Path

    def order(self, kind: Kind) -> CompletedProcess[str]:
        """Sign a version, put it on the server, order it, and wait for how that ends."""
        downloads = self.cloud.folder / DOWNLOADS
        offered = Path(shutil.copy(package(kind, self.newer), downloads))
        self.cloud.order("release", "sign", str(offered), "--key", str(self.key))
        url = f"https://{ADDRESS}:{DOWNLOAD_PORT}/{offered.name}"
        release = f"{offered}.release"
        return self.cloud.tried("update", DEVICE, "--release", release, "--from", url, seconds=LONGEST)

    @contextmanager
    def ordered(self, kind: Kind) -> Iterator[Future[CompletedProcess[str]]]:
        """Order a version, and do something else meanwhile."""
        with ThreadPoolExecutor(1) as operator:
            yield operator.submit(self.order, kind)
