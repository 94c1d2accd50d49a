"""Who acts, and where."""
