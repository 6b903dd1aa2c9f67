"""PURE. How the sound path is doing, in words, from the counters that the robot reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Counters = Mapping[str, float]


def figures(counters: Counters) -> Iterator[tuple[str, str]]:
    """Yield what to call it and how it is, for the parts that there are: a call's figures only while there is one."""
    if "downlink_target_ms" in counters:
        yield "jitter buffer", _jitter(counters)
        yield "lost packets", _losses(counters)
    if "echo_loss_db" in counters:
        mode = "half duplex" if counters.get("echo_half_duplex") else f"{counters['echo_loss_db']:.0f} dB removed"
        yield "echo", mode
    if "blocks" in counters:
        yield "sound card", _card(counters)


def _jitter(counters: Counters) -> str:
    return f"{counters['downlink_waiting_ms']:.0f} ms, aims at {counters['downlink_target_ms']:.0f}"


def _losses(counters: Counters) -> str:
    mended, made_up = counters["downlink_recovered"], counters["downlink_concealed"]
    all_of_them = max(1.0, counters["downlink_decoded"] + mended + made_up)
    return f"{100 * mended / all_of_them:.1f} % mended, {100 * made_up / all_of_them:.1f} % not"


def _card(counters: Counters) -> str:
    """Return how often sound was lost at either edge of the event loop, and how late the loop is."""
    lost = sum(counters.get(name, 0.0) for name in ("input_xruns", "output_xruns", "blocks_dropped"))
    return f"{lost:.0f} xruns, loop {counters.get('loop_lag_p99_ms', 0.0):.1f} ms"
