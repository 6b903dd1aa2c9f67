"""In which order `make test` does what there is to do, and where: two workers on two processors.

What plays sound in real time needs most of a processor while it does: all of it is done by one worker, one after the other,
and first, so that no two are ever heard at once and none is left over at the end, when the other worker has nothing to do.
"""

from __future__ import annotations

import gc
from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

REAL_TIME: Final = (
    "tests/whole/",
    "tests/provisioning/local/test_commands.py",
    "tests/device/calibrate/test_command.py",
    "tests/device/doctor/test_gather.py",
    "tests/device/soundcard/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what is in real time first; the rest stays in its order."""
    items.sort(key=lambda item: not item.nodeid.startswith(REAL_TIME))


def pytest_collection_finish() -> None:
    """Leave what five thousand tests are made of out of every search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Distribute files as `--dist loadfile` does, but those in real time as if they were one file."""
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return OneAfterTheOther(config, log)


class OneAfterTheOther(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file is a unit of work, and so are all those in real time together."""

    def _split_scope(self, nodeid: str) -> str:
        return "real time" if nodeid.startswith(REAL_TIME) else nodeid.split("::", 1)[0]
