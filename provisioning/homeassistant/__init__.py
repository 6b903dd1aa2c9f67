"""The bridge to Home Assistant: robots as devices there, and its buttons as signed orders here."""
