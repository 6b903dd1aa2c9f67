"""A pytest plugin for the SDK's own tests: an option that is newer than the SDK which this Python can have is left out."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import sora_sdk


class _OlderSora(sora_sdk.Sora):
    """`Sora` before 2025.5.0, called as later ones are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{name: value for name, value in options.items() if name != "force_i420_conversion"})


if tuple(int(part) for part in version("sora-sdk").split(".")[:2]) < (2025, 5):
    vars(sora_sdk)["Sora"] = _OlderSora
