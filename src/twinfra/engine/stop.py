"""How a run is asked to end early: from a signal handler or another thread."""

from __future__ import annotations

from collections.abc import Callable

RUN = 0
FINISH = 1
ABANDON = 2


class Stop:
    """A request to stop, in two levels that only ever rise.

    `FINISH`: start nothing new, wait for what is in flight, record it. `ABANDON`: do not wait; record what is
    known and return.
    """

    def __init__(self) -> None:
        self.level = RUN
        self._wakers: list[Callable[[], None]] = []

    def request(self) -> int:
        """Raise the level by one; returns the new one. Safe in a signal handler."""
        self.level = min(self.level + 1, ABANDON)
        for wake in tuple(self._wakers):
            wake()
        return self.level

    def on_request(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` at each request; returns a function that ends that."""
        self._wakers.append(wake)
        return lambda: self._wakers.remove(wake)
