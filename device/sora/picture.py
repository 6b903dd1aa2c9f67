"""The picture of the broadcast as the settings want it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from device.messages.reports import Levels
from device.picture.fonts import letters
from device.picture.skin_folder import load
from device.picture.studio import Studio
from device.sora.settings import BroadcastSettings


def studio(settings: BroadcastSettings, device: str, levels: Callable[[], Levels]) -> Studio | None:
    """Return what shows the picture, None when there is none.

    Args:
        settings: what it is to be.
        device: the robot's name, unless the settings have one.
        levels: returns both voices' levels of this moment.

    Raises:
        SettingsError: skin or font cannot be used.
    """
    if settings.picture == "off" or not settings.enabled:
        return None
    name = settings.picture_name or device
    skin = load(settings.skin, settings.picture)
    return Studio(skin, letters(settings.font), settings.picture, name, levels, Random(device))  # noqa: S311 - blinking
