from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from device.messages.reports import Speaker
from device.realtime.captions import Captioned
from device.realtime.conversation import (
    CallEvent,
    Complained,
    Conversation,
    Flush,
    ResponseFailed,
    SessionOver,
    Speech,
    Spoken,
    Turn,
    TurnChanged,
)
from device.realtime.events import (
    CachedDetails,
    ErrorDetail,
    InputCommitted,
    InputDetails,
    Item,
    ItemAdded,
    OutputDetails,
    PlaybackCleared,
    PlaybackStarted,
    PlaybackStopped,
    Response,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    ServiceError,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    StatusDetails,
    TranscriptDelta,
    TranscriptDone,
    Usage,
    UserTranscriptDelta,
    UserTranscriptDone,
    UserTranscriptFailed,
)

QUESTION: list[ServerEvent] = [SpeechStarted("item_q"), SpeechStopped("item_q"), InputCommitted("item_q")]
ANSWER: list[ServerEvent] = [
    ResponseCreated(Response("resp", "in_progress")),
    PlaybackStarted("resp"),
    TranscriptDelta("resp", "item_a", "It is "),
    TranscriptDelta("resp", "item_a", "noon."),
    TranscriptDone("resp", "item_a", "It is noon."),
    ResponseDone(Response("resp", "completed")),
]


def played(conversation: Conversation, events: Sequence[ServerEvent], start: float = 0.0) -> list[CallEvent]:
    """Feed one event each tenth of a second."""
    return [out for index, event in enumerate(events) for out in conversation.handle(event, start + index / 10)]


def turns(outputs: list[CallEvent]) -> list[Turn]:
    return [out.turn for out in outputs if isinstance(out, TurnChanged)]


def test_a_turn_is_listening_thinking_speaking_listening() -> None:
    conversation = Conversation()
    outputs = played(conversation, [*QUESTION, *ANSWER])
    assert turns(outputs) == [Turn.THINKING, Turn.SPEAKING]
    assert turns(conversation.handle(PlaybackStopped("resp"), 9.0)) == [Turn.LISTENING]


def test_generation_being_done_ends_neither_the_turn_nor_the_caption() -> None:
    outputs = played(Conversation(), [*QUESTION, *ANSWER])
    assert not any(isinstance(out, Captioned) and out.final for out in outputs)


def test_talking_over_the_assistant_flushes_at_once_and_again_when_the_service_cleared() -> None:
    conversation = Conversation()
    played(conversation, [*QUESTION, *ANSWER])
    begun = [Flush(), TurnChanged(Turn.LISTENING), Speech(began=True)]
    assert conversation.handle(SpeechStarted("item_2"), 1.0) == begun
    outputs = conversation.handle(PlaybackCleared("resp"), 1.4)
    assert outputs[0] == Flush()
    assert [out.text for out in outputs if isinstance(out, Captioned)] == ["It is noon."]


def test_a_caption_is_cut_to_what_was_played() -> None:
    conversation = Conversation()
    words = "one two three four five six seven eight nine ten"
    conversation.handle(PlaybackStarted("resp"), 0.0)
    conversation.handle(TranscriptDone("resp", "item_a", words), 0.2)
    [_, caption, _] = conversation.handle(PlaybackCleared("resp"), 1.0)
    assert isinstance(caption, Captioned)
    assert (caption.text, caption.start, caption.end, caption.final) == ("one two three", 0.0, 1.0, True)


def test_what_was_flushed_and_what_the_service_says_later_do_not_lengthen_the_caption() -> None:
    conversation = Conversation()
    words = "one two three four five six seven eight nine ten"
    conversation.handle(PlaybackStarted("resp"), 10.0, played=5.0)
    conversation.handle(TranscriptDone("resp", "item_a", words), 10.2, played=5.1)
    conversation.handle(SpeechStarted("item_2"), 11.1, played=6.0)  # the device falls silent here
    [_, caption] = conversation.handle(PlaybackCleared("resp"), 12.0, played=6.0)
    assert isinstance(caption, Captioned)
    assert caption.text == "one two three", "one second of it was played"


def test_the_users_words_are_shown_whenever_they_come() -> None:
    for events in (
        [*QUESTION, UserTranscriptDone("item_q", "What time is it?"), *ANSWER],
        [*QUESTION, *ANSWER, UserTranscriptDone("item_q", "What time is it?")],
    ):
        outputs = played(Conversation(), events)
        [caption] = [out for out in outputs if isinstance(out, Captioned) and out.speaker is Speaker.USER]
        assert (caption.start, caption.end, caption.final, caption.approximate) == (0.0, 0.1, True, True)


def test_a_failed_response_says_why_and_gives_the_turn_back() -> None:
    error = ErrorDetail(code="insufficient_quota", message="You exceeded your current quota.")
    failed = ResponseDone(Response("resp", "failed", StatusDetails(error=error)))
    outputs = played(Conversation(), [*QUESTION, ResponseCreated(Response("resp")), failed])
    assert ResponseFailed("insufficient_quota", "You exceeded your current quota.") in outputs
    assert turns(outputs) == [Turn.THINKING, Turn.LISTENING]


def test_a_response_cut_short_by_its_limit_says_why() -> None:
    done = ResponseDone(Response("resp", "incomplete", StatusDetails(reason="max_output_tokens")))
    assert ResponseFailed("max_output_tokens", "") in Conversation().handle(done, 0.0)


def test_cached_tokens_are_told_apart_where_the_service_does() -> None:
    details = InputDetails(40, 60, 30, CachedDetails(10, 20))
    conversation = Conversation()
    conversation.handle(ResponseDone(Response("resp", "completed", usage=Usage(100, 100, 0, details))), 0.0)
    assert (conversation.usage["cached_text_tokens"], conversation.usage["cached_audio_tokens"]) == (10, 20)


def test_usage_adds_up_over_responses() -> None:
    usage = Usage(150, 100, 50, InputDetails(40, 60, 30), OutputDetails(10, 40))
    conversation = Conversation()
    for _ in range(2):
        conversation.handle(ResponseDone(Response("resp", "completed", usage=usage)), 0.0)
    conversation.handle(ResponseDone(Response("resp", "cancelled")), 0.0)
    assert conversation.usage == {
        "responses": 2,
        "total_tokens": 300,
        "input_tokens": 200,
        "output_tokens": 100,
        "input_text_tokens": 80,
        "input_audio_tokens": 120,
        "cached_tokens": 60,
        "output_text_tokens": 20,
        "output_audio_tokens": 80,
    }


def test_expiry_ends_the_session_and_other_errors_do_not() -> None:
    conversation = Conversation()
    assert conversation.handle(ServiceError(ErrorDetail("invalid_value", "no")), 0.0) == [
        Complained("invalid_value", "no")
    ]
    for harmless in ("response_cancel_not_active", "conversation_already_has_active_response"):
        assert conversation.handle(ServiceError(ErrorDetail(harmless)), 0.0) == []
    assert conversation.over is None
    assert conversation.handle(ServiceError(ErrorDetail("session_expired")), 0.0) == [SessionOver("session_expired")]
    assert conversation.over == "session_expired"


def test_an_answer_that_only_calls_tools_goes_on_when_they_have_done_their_work() -> None:
    call = Item("function_call", "completed", call_id="call_1", name="lamp", arguments="{}")
    conversation = Conversation()
    outputs = played(conversation, [*QUESTION, ResponseCreated(Response("resp"))])
    outputs += conversation.handle(ResponseDone(Response("resp", "completed", output=(call,))), 1.0)
    assert turns(outputs) == [Turn.THINKING]
    assert turns(played(conversation, ANSWER, 2.0)) == [Turn.SPEAKING]


def test_an_answer_that_was_cancelled_gives_the_turn_back_whatever_it_called() -> None:
    call = Item("function_call", "incomplete", call_id="call_1", name="lamp", arguments="{")
    cancelled = ResponseDone(Response("resp", "cancelled", output=(call,)))
    outputs = played(Conversation(), [*QUESTION, ResponseCreated(Response("resp")), cancelled])
    assert turns(outputs) == [Turn.THINKING, Turn.LISTENING]


def test_only_what_was_played_to_its_end_counts_as_spoken() -> None:
    conversation = Conversation()
    played(conversation, [*QUESTION, *ANSWER])
    assert Spoken() not in conversation.handle(PlaybackCleared("resp"), 1.0)
    played(conversation, ANSWER, 2.0)
    assert conversation.handle(PlaybackStopped("resp"), 3.0)[-1] == Spoken()


def test_interrupting_is_nothing_unless_somebody_speaks() -> None:
    conversation = Conversation()
    assert conversation.interrupt() == []
    conversation.handle(PlaybackStarted("resp"), 0.0)
    assert conversation.interrupt() == [Flush(), TurnChanged(Turn.LISTENING)]


IDS = st.sampled_from(["a", "b", ""])
RESPONSES = st.builds(Response, IDS | st.none(), st.sampled_from(["completed", "failed", "cancelled", None]))
WORDS = st.text(max_size=30)
EVENTS = st.one_of(
    st.builds(SessionCreated),
    st.builds(SessionUpdated),
    st.builds(SpeechStarted, IDS),
    st.builds(SpeechStopped, IDS),
    st.builds(InputCommitted, IDS),
    st.builds(PlaybackStarted, IDS),
    st.builds(PlaybackStopped, IDS),
    st.builds(PlaybackCleared, IDS),
    st.builds(ResponseCreated, RESPONSES),
    st.builds(ResponseDone, RESPONSES),
    st.builds(TranscriptDelta, IDS, IDS, WORDS),
    st.builds(TranscriptDone, IDS, IDS, WORDS),
    st.builds(UserTranscriptDelta, IDS, WORDS | st.none()),
    st.builds(UserTranscriptDone, IDS, WORDS),
    st.builds(UserTranscriptFailed, IDS),
    st.builds(ServiceError),
    st.builds(ItemAdded),
)


@given(st.lists(st.tuples(EVENTS, st.floats(-1, 5)), max_size=25))
def test_whatever_comes_turns_close_and_captions_never_go_back(steps: list[tuple[ServerEvent, float]]) -> None:
    conversation, now, outputs = Conversation(), 100.0, []
    for event, pause in steps:
        now += pause
        outputs += conversation.handle(event, now)
    outputs += conversation.end(now)

    assert conversation.turn is Turn.LISTENING
    spoken = turns(outputs)
    assert all(before is not after for before, after in zip([Turn.LISTENING, *spoken], spoken, strict=False))
    shown: dict[tuple[Speaker, str, float], Captioned] = {}
    for caption in (out for out in outputs if isinstance(out, Captioned)):
        before = shown.get((caption.speaker, caption.id, caption.start))
        assert caption.start <= caption.end
        assert before is None or not before.final
        shown[caption.speaker, caption.id, caption.start] = caption
    assert all(caption.final for caption in shown.values())
