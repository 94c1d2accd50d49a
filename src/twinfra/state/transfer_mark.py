"""What a state itself says of a move out of it that has begun: for those on other machines, who see no note of it.

Where states lie in a backend, notes of moves lie on the machine that began them. Until the source has let go, it says
so in a field of its own. Stock Terraform leaves that field out of what it writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace

from twinfra.addresses import AbsResource, Instance, parse_address
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state.locks import new_lock
from twinfra.state.model import State

FIELD = "twinfra_moves"
_TEXTS = ("id", "to", "lineage", "who", "directory", "since")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """A move that has begun. `to` is the target's label, `lineage` that of its state; `who` began it, in `directory`,
    at `since`. `moves` are addresses, each with the one that it gets there.
    """

    id: str
    to: str
    lineage: str
    who: str
    directory: str
    since: str
    moves: tuple[tuple[str, str], ...]

    @property
    def instances(self) -> list[tuple[Instance, Instance]]:
        """What moves, and what it becomes."""
        return [(_instance(old), _instance(new)) for old, new in self.moves]


def mark_of(
    id: str, to: str, lineage: str, directory: str, pairs: Iterable[tuple[Instance, Instance]]
) -> Mark:
    """The mark of a move that begins now."""
    lock = new_lock("")
    moves = tuple((str(old), str(new)) for old, new in pairs)
    return Mark(id, to, lineage, lock.who, directory, lock.created, moves)


def marked(state: State, mark: Mark) -> State:
    """The state with a mark, in the place of any other."""
    return replace(state, extra=(*unmarked(state).extra, (FIELD, [asdict(mark)])))


def unmarked(state: State) -> State:
    """The state without marks."""
    if not any(name == FIELD for name, _ in state.extra):
        return state
    return replace(state, extra=tuple(one for one in state.extra if one[0] != FIELD))


def mark_in(state: State) -> Mark | None:
    """The move that a state says has begun; None where it says nothing. Raises `DiagnosticError` for another form."""
    held = dict(state.extra).get(FIELD)
    if held is None:
        return None
    try:
        fields = dict(held[0])
        texts = {name: str(fields.pop(name)) for name in _TEXTS}
        moves = fields.pop("moves")
        mark = Mark(**texts, moves=tuple((str(old), str(new)) for old, new in moves))
        known = len(held) == 1 and not fields and bool(mark.instances)
    except (ValueError, TypeError, LookupError, AttributeError):
        known = False
    if not known:
        raise DiagnosticError(_unknown())
    return mark


def unfinished(state: State, label: str) -> Diagnostic | None:
    """An error where a state says that a move out of it has begun; `label` is the state's."""
    try:
        mark = mark_in(state)
    except DiagnosticError as wrong:
        return wrong.diagnostics[0]
    if mark is None:
        return None
    names = ", ".join(old for old, _ in mark.moves[:_SHOWN])
    more = f" and {len(mark.moves) - _SHOWN} more" if len(mark.moves) > _SHOWN else ""
    return error(
        "A move out of this state is not finished",
        f"{mark.who} began at {mark.since} to move {names}{more} from {label} to {mark.to}. They may be in both states "
        "now, so that nothing is done here.",
        mend=f"Run any command that changes state, such as plan, where that was begun ({mark.directory}): it ends the "
        "move. Where that directory is gone, give the same state split or state merge again, anywhere.",
    )


def _instance(text: str) -> Instance:
    found = parse_address(text)
    if isinstance(found, AbsResource):
        return found.instance()
    if not isinstance(found, Instance):
        raise ValueError(text)
    return found


def _unknown() -> Diagnostic:
    return error(
        "A move out of this state is not finished",
        f"The state's field {FIELD} tells of it, in a form that only a newer Twinfra understands.",
        mend="Install that; or take the field out: twinfra state pull, edit, raise the serial, twinfra state push.",
    )
