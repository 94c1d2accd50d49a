"""A transfer between two states, stopped before every call that writes: `python -m tests.state.transfers DIRECTORY`.

Whatever is opened first afterwards, each object is in exactly one of the states, and nothing is left behind.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.state.crashes import in_child
from tests.state.states import BUILTIN, data_object, state_of, thing

from twinfra.state.backends.local import LocalBackend
from twinfra.state.store import Store, current_state, open_store
from twinfra.state.transfer import transfer
from twinfra.state.transferring import carry_out
from twinfra.state.v4 import write_state

SIDES = ("source", "target")
MOVED = {"terraform_data.m", "terraform_data.n"}
STAYED = {"source": {"terraform_data.s"}, "target": set[str]()}


def begin(root: Path) -> None:
    """A source with three objects, two of which depend on each other, and a target that is not there yet."""
    shutil.rmtree(root, ignore_errors=True)
    for side in SIDES:
        (root / side).mkdir(parents=True)
    state = state_of("s", "m", serial=4, lineage="of-the-source")
    state.put(thing("n"), BUILTIN, data_object("id-n", "n", dependencies=("terraform_data.m",)))
    (root / "source" / "terraform.tfstate").write_bytes(b"".join(write_state(state)))


def move(root: Path) -> None:
    """The transfer, as a process does it."""
    directories = [root / side for side in SIDES]
    backends = [LocalBackend(one) for one in directories]
    with (
        open_store(backends[0], "default", "state split", directories[0]) as source,
        open_store(backends[1], "default", "state split", directories[1]) as target,
    ):
        pairs = [(thing(name), thing(name)) for name in ("m", "n")]
        if source.state.get(thing("m")) is not None:
            carry_out(source, target, transfer(source.state, target.state, pairs))


def _names(store: Store) -> set[str]:
    return {str(address) for address in store.state.resources}


def account(root: Path, first: str) -> None:
    """Look at both states, then open them one after the other, `first` first: all objects must be in one of them."""
    second = SIDES[1 - SIDES.index(first)]
    looked = {}
    for side in SIDES:
        state, _ = current_state(LocalBackend(root / side), "default")
        looked[side] = set() if state is None else {str(address) for address in state.resources}
    _check(looked)
    found = {}
    for side in (first, second, first):
        directory = root / side
        with open_store(LocalBackend(directory), "default", "plan", directory) as store:
            found[side] = _names(store)
    _check(found)
    assert found == looked, (looked, found)
    allowed = {"terraform.tfstate", "terraform.tfstate.backup", "terraform.tfstate.history"}
    for side in SIDES:
        left = set(os.listdir(root / side)) - allowed
        assert not left, f"left behind in the {side}: {left}"


def _check(found: dict[str, set[str]]) -> None:
    for side, names in found.items():
        assert names in (STAYED[side], STAYED[side] | MOVED), (side, names)
    assert not found["source"] & found["target"], "in both states"
    assert found["source"] | found["target"] == MOVED | STAYED["source"], "in no state"


def main(root: Path) -> int:
    """Kill it before every call; returns how many moments were tried."""
    points = 0
    for first in SIDES:
        number = 0
        done = False
        while not done:
            begin(root / "work")
            done = in_child(lambda: move(root / "work"), number)
            if number % 3 == 0:
                # Whoever ends it may be killed as well.
                in_child(lambda: _open(root / "work" / first), number % 40)  # noqa: B023
            account(root / "work", first)
            number += 1
        points += number
    return points


def _open(directory: Path) -> None:
    with open_store(LocalBackend(directory), "default", "plan", directory):
        pass


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
