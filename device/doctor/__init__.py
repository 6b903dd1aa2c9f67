"""What may be wrong with a board, found by looking and told in words with the fix."""
