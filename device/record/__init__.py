"""The record of one conversation: what is kept of it on this robot, when those who talk have agreed."""
