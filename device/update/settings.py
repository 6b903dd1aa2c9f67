"""Where a robot's versions lie, and whose releases it trusts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from device.messages.settings import Settings
from device.update.guard import Places


class UpdateSettings(Settings, frozen=True):
    """Folders and files of updates; the package's own units and its guard know the same."""

    home: str = "/opt/kaiwa-device"
    """Folder of the versions."""
    keys: str = "/etc/kaiwa/release-keys"
    """Folder of the public keys that sign releases, one PEM file each; only root may write there."""
    well_seconds: Annotated[float, Meta(gt=0, le=240)] = 20.0
    """How long nothing may be lacking until a version on trial is kept; as long as systemd's watchdog waits."""
    look_seconds: Annotated[float, Meta(ge=0.05, le=60)] = 2.0
    """Between two looks at whether a version waits, is on trial, or has been one."""
    progress: str = "/run/kaiwa-device-update/progress"
    """File in which root's unit tells how far it is."""

    def places(self, state_dir: str) -> Places:
        """Return where the guard finds everything."""
        return Places(Path(self.home), Path(state_dir) / "update" / "healthy")
