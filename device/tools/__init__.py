"""What the model may call on this robot. A maker's own file needs one name of it: `from device.tools import tool`."""

from device.tools.tool import tool

__all__ = ["tool"]
