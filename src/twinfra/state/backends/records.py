"""Records: small named contents that a backend keeps beside the state of a workspace, written only if unchanged.

`state.ledger` keeps its segments so. Records are deleted with their workspace. An optional interface: a backend
that only knows one URL has nowhere to put them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends.protocol import DEFAULT_WORKSPACE, Backend, Content, innermost

AT_ONCE = 16
"""Records that are read at a time where each is a request of its own."""

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@runtime_checkable
class Records(Protocol):
    """A backend that keeps records. Names are of `a-z`, `0-9` and `-`. Methods raise `DiagnosticError`."""

    def list_records(self, workspace: str) -> list[str]:
        """The names of a workspace's records, sorted."""

    def read_record(self, workspace: str, name: str) -> Content | None:
        """A record as it is now, or None where there is none."""

    def read_records(self, workspace: str, names: Sequence[str]) -> list[Content | None]:
        """Several at once, in the order of `names`, in as few round trips as the backend can."""

    def write_record(self, workspace: str, name: str, data: bytes, expected: str | None) -> str:
        """Replace a record as a whole; returns its new version. A crash leaves the old one or the new one.

        `expected` is as in `Backend.write`: `NOTHING` only makes it, None replaces any. Raises `Conflict`.
        """


def records_of(backend: Backend) -> Records:
    """The backend as one that keeps records. Raises `DiagnosticError` where it does not."""
    if isinstance(backend, Records) and keeps_records(backend):
        return backend
    raise DiagnosticError(
        error(
            "A backend without history",
            f"The backend of {backend.label(DEFAULT_WORKSPACE)} keeps one state and nothing beside it: there is "
            "no place for receipts, releases and the audit log.",
            mend="Keep the state in the local, s3, gcs or pg backend to have them: change the backend block, "
            "then run twinfra init -migrate-state.",
        )
    )


def keeps_records(backend: Backend) -> bool:
    """Whether `records_of` gives something: whether there is a place for records, also behind encryption."""
    return isinstance(innermost(backend), Records)


def at_once(read: Callable[[_Asked], _Found], asked: Sequence[_Asked]) -> list[_Found]:
    """What `read` finds for each that is asked for, in order, `AT_ONCE` at a time. Raises what it raises first."""
    from concurrent.futures import ThreadPoolExecutor

    # The first alone: it opens what all then share, and refuses for all what is refused.
    found = [read(one) for one in asked[:1]]
    if len(asked) > 1:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found += pool.map(read, asked[1:])
    return found


def check_record_name(name: str) -> None:
    """Raise `ValueError` for a name that no record can have."""
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"a record cannot be named {name!r}")
