"""The whole chain, with the real device program, a real broker and the stand-ins."""
