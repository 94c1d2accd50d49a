"""From each difference back to the inputs that make it.

An input is a cause of a difference where the value has its trace, and, if there are others, where taking that
one input over from the other side (either way) really changes the value. Where one alone makes the whole
difference, it is the only cause. Where none changes it alone, or where the rest changes it together, they are
causes together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twinfra.dataclass import dataclass
from twinfra.environments.twins.comparison import Difference, Place
from twinfra.environments.twins.inputs import Cause, Input
from twinfra.environments.twins.settling import ABSENT
from twinfra.environments.twins.variations import Answer, Swap, Variations
from twinfra.values.marks import deep_marks

Numbers = frozenset[int]
NONE: Numbers = frozenset()


@dataclass(slots=True)
class Traced:
    """A difference with its causes; `together`: some of these have an effect only with others.

    `candidates` are all inputs whose traces the values have. No swap of others alone can change them: which values
    are looked at is decided by values, and those leave their traces.
    """

    difference: Difference
    causes: Numbers
    together: bool = False
    candidates: Numbers = NONE


def trace(differences: Sequence[Difference], inputs: Sequence[Input], variations: Variations) -> list[Traced]:
    """The causes of each difference, in the order given."""
    everything = frozenset(one.number for one in inputs)
    candidates = [_candidates(one) or everything for one in differences]
    traced = [Traced(one, found, False, found) for one, found in zip(differences, candidates, strict=True)]
    several = [one for one in traced if len(one.causes) > 1]
    tests = _Tests(variations)
    for one in several:
        for number in one.causes:
            tests.ask(one, 0, frozenset((number,)))
    tests.answer()
    for one in several:
        # Where each changes the first side, and none makes it the second, there is nothing left to ask.
        if any(not tests.changes(one, 0, number) or tests.equals(one, 0, number) for number in one.causes):
            for number in one.causes:
                tests.ask(one, 1, frozenset((number,)))
    tests.answer()
    rest: list[tuple[Traced, Numbers]] = []
    for one in several:
        whole = [number for number in one.causes if tests.is_enough(one, number)]
        alone = frozenset(number for number in one.causes if tests.changes(one, None, number))
        if len(whole) == 1:
            one.causes = frozenset(whole)
        elif not alone:
            one.together = True
        elif alone != one.causes:
            one.causes = alone
            rest.append((one, everything - alone))
            for side in (0, 1):
                tests.ask(one, side, everything - alone)
    tests.answer()
    for one, others in rest:
        joint = tests.parts(one, others)
        if joint:
            one.causes |= joint
            one.together = True
    return traced


def confirm(suspects: Iterable[tuple[Traced, Numbers]], variations: Variations) -> None:
    """Add to the causes of a difference the inputs barred for it, where it changes when these are alike on both sides.

    Each difference comes with the inputs that must have no part in it.
    """
    tests = _Tests(variations)
    pairs = [(one, barred) for one, barred in suspects if not barred.isdisjoint(one.candidates)]
    for one, barred in pairs:
        for side in (0, 1):
            tests.ask(one, side, barred)
    tests.answer()
    for one, barred in pairs:
        joint = tests.parts(one, barred)
        if joint:
            one.causes |= joint
            one.together = True


class _Tests:
    """Questions what becomes of a place when inputs are swapped, collected so that each swap is made once."""

    def __init__(self, variations: Variations) -> None:
        self._variations = variations
        self._open: dict[Swap, dict[Place, None]] = {}
        self._answers: dict[Swap, dict[Place, Answer]] = {}

    def ask(self, one: Traced, side: int, swapped: Numbers) -> None:
        """Ask what becomes of the place on this side when these are swapped."""
        self._open.setdefault(Swap(side, swapped), {})[one.difference.place] = None

    def answer(self) -> None:
        """Find all answers."""
        for swap, places in self._open.items():
            self._answers.setdefault(swap, {}).update(self._variations.answers(swap, places))
        self._open = {}

    def _of(self, one: Traced, side: int, swapped: Numbers) -> Answer | None:
        return self._answers.get(Swap(side, swapped), {}).get(one.difference.place)

    def changes(self, one: Traced, side: int | None, number: int) -> bool:
        """Whether the place is another one on a side (None: on either) with this input swapped."""
        for own in (0, 1) if side is None else (side,):
            found = self._of(one, own, frozenset((number,)))
            if found is not None and found.changed:
                return True
        return False

    def equals(self, one: Traced, side: int, number: int) -> bool:
        """Whether the place is as on the other side with this input swapped."""
        found = self._of(one, side, frozenset((number,)))
        return found is not None and found.equal

    def is_enough(self, one: Traced, number: int) -> bool:
        """Whether this input alone makes the whole difference, for each side."""
        return self.equals(one, 0, number) and self.equals(one, 1, number)

    def parts(self, one: Traced, swapped: Numbers) -> Numbers:
        """Which of these inputs are in the value of the place where swapping all of them makes it another one."""
        found: Numbers = NONE
        for side in (0, 1):
            answer = self._of(one, side, swapped)
            if answer is not None and answer.changed:
                found |= answer.parts or swapped
        return found


def _candidates(one: Difference) -> Numbers:
    """The inputs whose traces either value has."""
    marks = set(one.traces)
    if one.place.path is not None:
        for value in one.values:
            if value is not ABSENT:
                marks |= deep_marks(value)
    return frozenset(mark.number for mark in marks if isinstance(mark, Cause))
