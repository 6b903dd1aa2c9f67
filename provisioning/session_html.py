"""PURE. Past sessions as HTML: the table of a day, and the page of one. Whatever a robot has said is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from typing import Final

from device.messages.reports import TurnFigures
from provisioning.past import Past, Spread, report
from provisioning.session_words import WORDS, Language, cause
from provisioning.spending.prices import told

_PARTS: Final = ("network", "model", "device")


def day_page(day: date, past: Sequence[Past], currency: str, language: Language) -> str:
    """Return what stands on the page of a day, without the frame of the page."""
    words = WORDS[language]
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    links = [
        f'<a href="/day/{before}?lang={language}">← {escape(words["day.before"])}</a>',
        f'<a href="/day/{after}?lang={language}">{escape(words["day.after"])} →</a>',
    ]
    head = f'<h1>{escape(words["title"])} · {day}</h1><nav class="days">{" ".join(links)}</nav>'
    if not past:
        return f'{head}<p class="none">{escape(words["none"])}</p>'
    return f"{head}{_report(past, currency, language)}{_table(past, currency, language)}"


def session_page(past: Past, currency: str, language: Language) -> str:
    """Return what stands on the page of one session."""
    words = WORDS[language]
    rows = "".join(
        f"<dt>{escape(words[key])}</dt><dd>{escape(value)}</dd>" for key, value in _facts(past, currency, words)
    )
    day = datetime.fromtimestamp(past.began_at, UTC).date()
    back = f'<nav class="days"><a href="/day/{day}?lang={language}">← {escape(words["title"])} · {day}</a></nav>'
    head = f'<h1>{escape(past.device)}</h1>{back}<section class="sheet"><dl class="facts">{rows}</dl></section>'
    return head + (f'<section class="sheet">{_turns(past.turns, words)}</section>' if past.turns else "")


def _facts(past: Past, currency: str, words: dict[str, str]) -> Iterator[tuple[str, str]]:
    yield "session", past.id
    yield "group", past.group or "-"
    yield "began", datetime.fromtimestamp(past.began_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    yield "reason", cause(past.reason, words)
    yield "lasted", _length(past.lasted)
    yield "talked", _length(past.talked)
    yield "ended", cause(past.end_reason, words) if past.end_reason else words["going"]
    yield "cost", "-" if past.cost is None else f"{told(past.cost)} {currency}"
    yield "reserved", f"{told(past.reserved)} {currency}"
    yield "broadcast", words["yes" if past.broadcast else "no"]
    yield "recorded", {True: words["recorded.yes"], False: words["no"], None: "-"}[past.recorded]
    yield "tools", "-" if past.tools is None else str(past.tools)
    yield "start", _milliseconds(past.listening)
    yield "on_air", _milliseconds(past.on_air)


def _report(past: Sequence[Past], currency: str, language: Language) -> str:
    words, figures = WORDS[language], report(past)
    spreads: list[tuple[str, Spread | None]] = [
        (name, getattr(figures, name)) for name in ("start", "on_air", "turn", *_PARTS)
    ]
    longest = max([1, *(each.p95 for _, each in spreads if each is not None)])
    rows = "".join(_spread(name, each, longest, words) for name, each in spreads if each is not None)
    total = f"{escape(words['sessions'])}: {figures.sessions} · {escape(words['cost'])}: {told(figures.cost)} {escape(currency)}"
    return f'<p class="total">{total}</p>' + (f'<ul class="sheet spreads">{rows}</ul>' if rows else "")


def _spread(name: str, spread: Spread, longest: int, words: dict[str, str]) -> str:
    """Return one line of the report: the middle one as a bar, to the slowest of twenty as a lighter one."""
    p50, p95 = (100 * value / longest for value in (spread.p50, spread.p95))
    bar = (
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="p95" width="{p95:.2f}" height="10"/><rect class="p50" width="{p50:.2f}" height="10"/></svg>'
    )
    return (
        f'<li{" class=part" if name in _PARTS else ""}><span class="name">{escape(words[name])}</span>{bar}'
        f"<span><b>{spread.p50} ms</b> p50</span><span><b>{spread.p95} ms</b> p95</span>"
        f'<span class="count">{spread.count} {escape(words["measured"])}</span></li>'
    )


def _table(past: Sequence[Past], currency: str, language: Language) -> str:
    words = WORDS[language]
    columns = ("began", "robot", "lasted", "turns", "answer", "ended", "cost")
    head = "".join(f'<th scope="col">{escape(words[column])}</th>' for column in columns)
    rows = "".join(_row(each, currency, language) for each in past)
    return f'<div class="sheet wide"><table class="sessions"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(past: Past, currency: str, language: Language) -> str:
    began = datetime.fromtimestamp(past.began_at, UTC).strftime("%H:%M:%S")
    words, answer = WORDS[language], report([past]).turn
    cells = (
        past.device,
        _length(past.lasted),
        str(len(past.turns)),
        _milliseconds(None if answer is None else answer.p50),
        cause(past.end_reason, words) if past.end_reason else words["going"],
        "-" if past.cost is None else f"{told(past.cost)} {currency}",
    )
    link = f'<a href="/session/{escape(past.id)}?lang={language}">{began}</a>'
    return f"<tr><td>{link}</td>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _turns(turns: Sequence[TurnFigures], words: dict[str, str]) -> str:
    """Return the answers as bars, each in its parts; the longest fills the line."""
    longest = max(1, *(turn.total for turn in turns))
    bars = "".join(f"<li>{_bar(turn, longest)}<span>{turn.total} ms</span></li>" for turn in turns)
    key = "".join(f'<li class="{name}">{escape(words[name])}</li>' for name in _PARTS)
    return f'<h2>{escape(words["turn"])}</h2><ul class="key">{key}</ul><ol class="turns">{bars}</ol>'


def _bar(turn: TurnFigures, longest: int) -> str:
    parts = [(name, getattr(turn, name) or 0) for name in _PARTS]
    at, drawn = 0.0, [f'<rect class="whole" width="{100 * turn.total / longest:.2f}" height="10"/>']
    for name, value in parts:
        width = 100 * value / longest
        drawn.append(f'<rect class="{name}" x="{at:.2f}" width="{width:.2f}" height="10"/>')
        at += width
    return f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{"".join(drawn)}</svg>'


def _length(seconds: float | None) -> str:
    return "-" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _milliseconds(value: int | None) -> str:
    return "-" if value is None else f"{value} ms"
