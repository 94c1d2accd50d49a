"""Drift: what really exists and is not as the state recorded it, told so that people can act on it.

`detection.detect` makes a `Report` of a plan; `rules` leaves out what was declared as noise; `accepting` writes what
is there into the configuration. Nothing here changes a cloud or a state.
"""
