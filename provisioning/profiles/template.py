"""PURE. What a new profile begins with, in the language of its robot."""

from __future__ import annotations

from typing import Final

_TEMPLATE: Final = '''# The profile {name}. Every key is optional; what is commented out is the default. Unknown keys are an error.
# Saving makes a new version; robots have it from their next conversation on.

language = "{language}"                     # of the captions and the page: "en", "ja", ...
instructions = """
{instructions}
"""
greeting = "{greeting}"
#idle_warning = "..."                  # asked for when nobody has said anything for idle_seconds
farewell = "{farewell}"
#limit_warning = "..."                 # asked for limit_warning_seconds before session_seconds are over; {{seconds}} is put in
#limit_warning_seconds = 30.0          # 0: no warning; none either in a session shorter than four times as long

#model = "gpt-realtime-2.1"            # or "gpt-realtime-2.1-mini", at a third of the price
#voice = "marin"                       # or "cedar", "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse"
#speed = 1.0                           # 0.25 to 1.5
#reasoning_effort = ""                 # "minimal", "low", "medium", "high", "xhigh": longer thought, later answers

#vad = "semantic_vad"                  # or "server_vad", by loudness alone; "push_to_talk", while the button is held
#eagerness = "auto"                    # how soon a visitor is taken to have finished: "low", "medium", "high"
#noise_reduction = "far_field"         # or "near_field", "off"
#transcription_model = "gpt-transcribe"   # "": no captions of what visitors say
words = []                            # names and words that come up here, such as {words}
#hidden_words = []                     # what it must never say; masked in captions if it is said, by whomever

#tools = ["volume", "light", "mute", "broadcast", "end_conversation", "current_time", "remember", "recall", "tell_operator", "keep_record"]
#single_turn = false                   # true: one question and its answer
#session_seconds = 1800.0              # no longer than the settings allow
#idle_seconds = 60.0

history_tokens = 8000                 # how much of the talk the model remembers and is billed for again; 0: all it can
#history_kept = 0.3                    # how much of that is kept when it is full
#opening = "secret"                    # or, experimental, "exchanged": the cloud opens the calls; "live": as Live sessions
#backend_model = "gpt-5.6-luna"        # what calls the tools in a Live session, whose model is "gpt-live-1"
#answer_tokens = 0                     # the longest answer; 0: no limit
#knowledge_tokens = 2000               # how much of its texts is in the instructions; the rest is looked up

# An MCP server whose tools the service calls by itself, each of them named here.
#[[mcp]]
#label = "events"
#url = "https://mcp.example.com/mcp"
#allowed_tools = ["search_events"]
#authorization = "events"              # the name of one of the settings' [[mcp_secrets]], if it needs one
'''

_WORDS: Final = {
    "en": {
        "instructions": "You are a friendly robot at the entrance of a museum. Answer in one or two short sentences.",
        "greeting": "Greet the visitor in one short sentence.",
        "farewell": "Nobody has answered. Say goodbye in one short sentence.",
        "words": '"Tyrannosaurus"',
    },
    "ja": {
        "instructions": "あなたは博物館の入口にいる、親しみやすいロボットです。一文か二文で、短く、日本語で答えてください。",
        "greeting": "来館者に、短い一文であいさつしてください。",
        "farewell": "返事がありません。短い一文でお別れを言ってください。",
        "words": '"ティラノサウルス"',
    },
}

LANGUAGES: Final = tuple(_WORDS)


def template(name: str, language: str) -> str:
    """Return the TOML that a profile of this name begins with; in English where there is none in `language`."""
    return _TEMPLATE.format(name=name, language=language, **_WORDS.get(language, _WORDS["en"]))
