"""What is to be remembered of a state, beside it: an append-only log whose entries are chained by their hashes."""
