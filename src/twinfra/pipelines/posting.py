"""Puts the one comment on a pull request: changes the one that is there, and removes what a race left twice."""

from __future__ import annotations

from collections.abc import Callable

from twinfra.dataclass import dataclass
from twinfra.pipelines.forge.protocol import Comment, Forge

_REFUSED = 3
"""So many comments that others made with our mark are passed over."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Which comment says it now. `new`: it was not there before."""

    number: int
    id: int
    new: bool


def post(forge: Forge, number: int, text: Callable[[str], str], mark: str) -> Posted:
    """Say it on a pull request: `text` makes the comment out of the one so far, which is empty where there is none.
    It begins with `mark`.

    Raises `DiagnosticError`.
    """
    for one in _ours(forge, number, mark)[:_REFUSED]:
        if forge.change(number, one.id, text(one.body)):
            return Posted(number, one.id, False)
    made = forge.comment(number, text(""))
    # Another job may have done the same at the same moment: the older comment stays.
    earlier = [one for one in _ours(forge, number, mark) if one.id < made]
    for one in earlier[:_REFUSED]:
        if forge.change(number, one.id, text(one.body)):
            forge.remove(number, made)
            return Posted(number, one.id, False)
    return Posted(number, made, True)


def _ours(forge: Forge, number: int, mark: str) -> list[Comment]:
    return [one for one in forge.comments(number) if one.body.lstrip().startswith(mark)]
