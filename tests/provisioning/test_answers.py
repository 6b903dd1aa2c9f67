from __future__ import annotations

import pytest

from provisioning.answers import KEPT_SECONDS, Answers


def test_bytes_of_one_device_are_known_for_a_while() -> None:
    answers = Answers()
    assert answers.find("a", b"x", 0.0) is None
    kept = answers.begin("a", b"x", 0.0)
    kept.data = b"answer"
    assert answers.find("a", b"x", KEPT_SECONDS - 1) is kept
    assert answers.find("b", b"x", 1.0) is None
    assert answers.find("a", b"y", 1.0) is None
    assert answers.find("a", b"x", KEPT_SECONDS) is None


def test_what_is_dropped_is_new_again() -> None:
    answers = Answers()
    answers.begin("a", b"x", 0.0)
    answers.drop("a", b"x")
    answers.drop("a", b"x")
    assert answers.find("a", b"x", 0.0) is None


def test_memory_is_freed_in_the_order_of_time() -> None:
    answers = Answers()
    for number in range(100):
        answers.begin("a", str(number).encode(), float(number))
    answers.find("a", b"", 99 + KEPT_SECONDS - 1)
    assert len(answers._kept) == 1


async def given(answers: Answers, request: bytes, answer: bytes, now: float = 0.0) -> bytes | None:
    async def serve() -> bytes:
        return answer

    return await answers.once("a", request, now, serve)


async def test_the_oldest_answers_make_room_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.answers.MOST_BYTES", 100)
    answers = Answers()
    under_way = answers.begin("a", b"under way", 0.0)
    for number in range(5):
        assert await given(answers, b"%d" % number, b"x" * 40) == b"x" * 40
    assert [answers.find("a", b"%d" % number, 1.0) is not None for number in range(5)] == [False] * 3 + [True] * 2
    assert answers.find("a", b"under way", 1.0) is under_way
    assert answers._bytes == 80


async def test_what_is_forgotten_counts_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.answers.MOST_BYTES", 100)
    answers = Answers()

    async def slow() -> bytes:
        answers.find("b", b"", 2 * KEPT_SECONDS)  # takes so long that it is kept no longer
        return b"x" * 90

    assert await answers.once("a", b"slow", 0.0, slow) == b"x" * 90
    assert answers._bytes == 0
    for moment in range(9):
        await given(answers, b"%d" % moment, b"x" * 60, moment * KEPT_SECONDS)
        assert answers._bytes == 60
    answers.drop("a", b"8")
    assert answers._bytes == 0
