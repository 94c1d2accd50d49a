"""Coverage-guided fuzzing of what reads people's files. Run it: `make fuzz`, or see `python -m benchmarks.fuzz -help`."""
