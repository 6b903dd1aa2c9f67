"""What a robot would report, for the tests and the pictures."""

from __future__ import annotations

from device.messages.reports import Caption, DeviceState, Levels, Lifecycle, Metrics, Speaker

SESSION = "9f86d081884c7d659a2feaa0c55ad015"


def card(
    phase: str = "idle",
    *,
    device: str = "hana",
    session: str | None = None,
    on_air: bool = False,
    lifecycle: Lifecycle = Lifecycle.READY,
) -> DeviceState:
    """Return a device's card."""
    return DeviceState(device=device, lifecycle=lifecycle, phase=phase, session=session, on_air=on_air)


def on_air(phase: str = "listening", *, device: str = "hana", session: str = SESSION) -> DeviceState:
    """Return the card of a device in a conversation that is broadcast."""
    return card(phase, device=device, session=session, on_air=True)


def said(
    text: str,
    *,
    caption_id: str = "c1",
    speaker: Speaker = Speaker.ASSISTANT,
    start: float = 100.0,
    end: float | None = None,
    final: bool = True,
    session: str = SESSION,
) -> Caption:
    """Return a caption; what users say is approximate."""
    return Caption(
        session=session,
        id=caption_id,
        speaker=speaker,
        text=text,
        start=start,
        end=start + 2 if end is None else end,
        final=final,
        approximate=speaker is Speaker.USER,
    )


def loud(user: float = -100.0, assistant: float = -100.0) -> Metrics:
    """Return the device's numbers with these levels in dBFS."""
    return Metrics(at=0.0, levels=Levels(user=user, assistant=assistant), counters={"secret_counter": 1.0})
