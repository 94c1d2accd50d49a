"""From each difference back to the inputs that make it.

An input is a cause of a difference where the value has its trace, and, if there are others, where taking that
one input over from the other side (either way) really changes the value. Where one alone makes the whole
difference, it is the only cause. Where none changes it alone, or where the rest changes it together, they are
causes together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twinfra.environments.twins.comparison import Difference, Place
from twinfra.environments.twins.inputs import Cause, Input
from twinfra.environments.twins.settling import ABSENT
from twinfra.environments.twins.variations import Swap, Variations
from twinfra.values.marks import deep_marks

Numbers = frozenset[int]
NONE: Numbers = frozenset()


@dataclass(slots=True)
class Traced:
    """A difference with its causes; `together`: some of these have an effect only with others."""

    difference: Difference
    causes: Numbers
    together: bool = False


def trace(differences: Sequence[Difference], inputs: Sequence[Input], variations: Variations) -> list[Traced]:
    """The causes of each difference, in the order given."""
    everything = frozenset(one.number for one in inputs)
    candidates = [_candidates(one) or everything for one in differences]
    several = [at for at, found in enumerate(candidates) if len(found) > 1]
    changed = _Tests(variations)
    for at in several:
        for one in candidates[at]:
            changed.ask(differences[at].place, frozenset((one,)), candidates[at])
    changed.answer()
    traced: list[Traced] = [Traced(one, found) for one, found in zip(differences, candidates, strict=True)]
    rest: list[tuple[int, Numbers]] = []
    for at in several:
        place, found = differences[at].place, candidates[at]
        whole = [one for one in found if changed.is_enough(place, one, found)]
        if len(whole) == 1:
            traced[at].causes = frozenset(whole)
            continue
        alone = frozenset(one for one in found if changed(place, frozenset((one,)), found))
        if not alone:
            traced[at].together = True
            continue
        traced[at].causes = alone
        if len(found - alone) > 1:
            rest.append((at, found - alone))
            changed.ask(place, found - alone)
    changed.answer()
    for at, others in rest:
        if changed(differences[at].place, others):
            traced[at].causes |= others
            traced[at].together = True
    return traced


def confirm(suspects: Iterable[tuple[Traced, Numbers]], variations: Variations) -> None:
    """Add to the causes of a difference the inputs barred for it, where it changes when these are alike on both sides.

    Each difference comes with the inputs that must have no part in it.
    """
    tests = _Tests(variations)
    pairs = [(one, barred) for one, barred in suspects if barred]
    for one, barred in pairs:
        tests.ask(one.difference.place, barred)
    tests.answer()
    for one, barred in pairs:
        if tests(one.difference.place, barred):
            one.causes |= barred
            one.together = True


class _Tests:
    """Questions whether a place changes when inputs are swapped, collected so that each swap is made once."""

    def __init__(self, variations: Variations) -> None:
        self._variations = variations
        self._open: dict[Swap, dict[tuple[Place, int], None]] = {}
        self._changed: dict[Swap, set[tuple[Place, int]]] = {}

    def ask(self, place: Place, swapped: Numbers, candidates: Numbers = NONE) -> None:
        """Ask whether the place changes when these are swapped, on either side.

        `candidates`: all inputs that have a say in it, where that is known.
        """
        for swap, side in _swaps(swapped, candidates):
            places = self._open.setdefault(swap, {})
            places[place, side] = None
            if len(swapped) == 1:
                places[place, 1 - side] = None

    def answer(self) -> None:
        """Find all answers."""
        for swap, places in self._open.items():
            self._changed.setdefault(swap, set()).update(self._variations.changed(swap, places))
        self._open = {}

    def __call__(self, place: Place, swapped: Numbers, candidates: Numbers = NONE) -> bool:
        return any((place, side) in self._changed[swap] for swap, side in _swaps(swapped, candidates))

    def is_enough(self, place: Place, one: int, candidates: Numbers) -> bool:
        """Whether this input alone, taken over, gives the place the other side's value; for each side."""
        return all(
            (place, 1 - side) not in self._changed[swap]
            for swap, side in _swaps(frozenset((one,)), candidates)
        )


def _swaps(swapped: Numbers, candidates: Numbers) -> tuple[tuple[Swap, int], tuple[Swap, int]]:
    """The swaps that answer a question, and the side whose value is the one to compare with."""
    if len(candidates) == 2 and len(swapped) == 1:
        # The second side with the one as the first has it is the first side with the other as the second has it.
        return (Swap(0, swapped), 0), (Swap(0, candidates - swapped), 1)
    return (Swap(0, swapped), 0), (Swap(1, swapped), 1)


def _candidates(one: Difference) -> Numbers:
    """The inputs whose traces either value has."""
    marks = set(one.traces)
    if one.place.path is not None:
        for value in one.values:
            if value is not ABSENT:
                marks |= deep_marks(value)
    return frozenset(mark.number for mark in marks if isinstance(mark, Cause))
