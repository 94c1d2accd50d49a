"""What refreshing found, and nothing was done about, is recorded as it was: so it goes on being told as drift."""

from __future__ import annotations

from collections.abc import Iterable

from twinfra.addresses import Instance
from twinfra.state.model import State


def keep_recorded(state: State, addresses: Iterable[Instance], refreshed: State, recorded: State) -> None:
    """Put back into `state` what was recorded of those addresses at which it only has what was found.

    `state` is what an apply left that began with `refreshed`, which came of `recorded`. What the apply changed itself
    stays as it is.
    """
    for address in addresses:
        before, found, now = recorded.current(address), refreshed.current(address), state.current(address)
        if before is None or (now is None) != (found is None):
            continue
        if now is None or found is None or (now.attributes, now.tainted) == (found.attributes, found.tainted):
            state.put(address, recorded.resources[address.of].provider, before)
