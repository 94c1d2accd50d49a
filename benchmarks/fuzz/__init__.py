"""Coverage-guided fuzzing of what reads people's files: `make fuzz`, or `python -m benchmarks.fuzz` for one target."""
