"""The doctor's hands: each gathers the facts of one check from the world, and judges nothing."""
