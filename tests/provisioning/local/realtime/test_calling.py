from provisioning.local.realtime.calling import WISHES, Call, Outcome, calls, told


def test_a_phrase_is_a_call_where_there_is_such_a_tool() -> None:
    assert calls("Turn the volume up!", {"volume"}) == [Call("volume", {"action": "up"})]
    assert calls("Turn the volume up!", {"lamp"}) == []
    assert calls("Hello.", {"volume"}) == []


def test_phrases_joined_by_and_are_calls_one_after_the_other() -> None:
    found = calls("stop the broadcast and goodbye", {"broadcast", "end_conversation"})
    assert [call.name for call in found] == ["broadcast", "end_conversation"]
    assert calls("stop the broadcast and dance", {"broadcast"}) == []


def test_every_wish_is_a_call_of_one_tool() -> None:
    for phrase, call in WISHES.items():
        assert calls(phrase, {call.name}) == [call]


def test_outcomes_are_told_in_words() -> None:
    assert told([Outcome("current_time", '{"ok": true, "result": {"time": "12:00"}}')]) == "It is 12 o'clock."
    assert told([Outcome("recall", '{"ok": true, "result": {"name": "Robin"}}')]) == "Your name is Robin."
    assert told([Outcome("anything", '{"ok": true, "result": "In room three."}')]) == "In room three."
    assert told([Outcome("lamp", '{"ok": true}'), Outcome("fan", '{"ok": true}')]) == "Done."
    assert told([Outcome("lamp", '{"ok": false, "error": "no power"}')]) == "That did not work: no power."
    assert told([Outcome("lamp", "not JSON")]) == "not JSON"
