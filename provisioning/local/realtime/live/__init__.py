"""The stand-in's Live sessions: `POST /v1/live/sessions`, a conversation without turns, its hang-up and its sideband.

Shapes after `openai.types.live` (openai-python 3.54, MIT), which judge every event in the tests. How the real service
behaves beyond its types was not seen by anybody here.
"""
