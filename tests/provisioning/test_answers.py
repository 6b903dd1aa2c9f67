from __future__ import annotations

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
