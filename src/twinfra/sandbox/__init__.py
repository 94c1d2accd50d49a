"""The sandbox cloud: an emulated AWS on loopback that belongs to one directory and remembers what was
made in it.

`server` starts, finds and stops it; `process` is what runs; `faults` makes it fail on purpose, for tests.
"""
