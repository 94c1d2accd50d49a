"""State: the model, the public version 4 file format, journal, locks, encryption where all that is kept."""
