"""PURE. The picture of the broadcast: what it shows by what goes on, and how that is drawn."""
