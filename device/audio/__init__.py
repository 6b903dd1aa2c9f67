"""PURE. Sound as numpy arrays: echo, playout, concealment, mixing, levels; time is an argument."""
