"""What operators want said or answered: put to each call until it was answered, and told once what came of it."""

from __future__ import annotations

from device import command as do
from device import phase as p
from device.wishes import Wishes

SAY, ASK = p.SayWished("We close.", 1), p.Written("Where?", 2)


def test_each_is_put_in_its_own_way_and_told_of_once() -> None:
    wishes = Wishes()
    assert list(wishes.put(SAY, "s1")) == [do.Prompt("s1", "We close.", 1)]
    assert list(wishes.put(ASK, "s1")) == [do.Write("s1", "Where?", 2)]
    assert list(wishes.heeded(p.Heeded("s1", 2))) == [do.Settle(2)]
    assert list(wishes.heeded(p.Heeded("s1", 2))) == []
    assert list(wishes.heeded(p.Heeded("s1", 1, "the model gave no answer"))) == [
        do.Settle(1, "the model gave no answer")
    ]
    assert list(wishes.drop("over")) == []


def test_what_was_not_answered_is_put_to_the_next_call_in_the_order_in_which_it_came() -> None:
    wishes = Wishes()
    wishes.keep(SAY)
    list(wishes.put(ASK, "s1"))
    assert list(wishes.put_again("s1")) == [do.Prompt("s1", "We close.", 1), do.Write("s1", "Where?", 2)]
    list(wishes.heeded(p.Heeded("s1", 1)))
    assert list(wishes.put_again("s1")) == [do.Write("s1", "Where?", 2)]


def test_what_is_open_at_the_end_has_failed() -> None:
    wishes = Wishes()
    wishes.keep(SAY)
    list(wishes.put(ASK, "s1"))
    assert list(wishes.drop("the conversation has ended")) == [
        do.Settle(1, "the conversation has ended"),
        do.Settle(2, "the conversation has ended"),
    ]
    assert list(wishes.put_again("s2")) == [], "the next conversation knows nothing of it"
