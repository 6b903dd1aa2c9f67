"""The conversation with OpenAI Realtime: events, turns, captions, and the call itself."""
