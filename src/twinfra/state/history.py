"""What a state was before: the optional interface of backends that keep it, and files that do where they do not.

A backend that is `Versioned` tells of the versions that the present one replaced. That of files keeps each in a
directory beside the state, compressed, and drops the oldest.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends.protocol import Backend
from twinfra.state.encryption.envelope import identity_in, is_envelope
from twinfra.state.files import file_problem, make_directory, remove_all_leftovers, replace_file

MOST = 20
"""How many predecessors are kept in files, and how many are told of elsewhere."""


@dataclass(frozen=True, slots=True)
class Version:
    """A state that was replaced. `id` is the backend's name for it; `time` is when it was kept or written.

    `serial` is -1 where it cannot be told.
    """

    id: str
    time: datetime
    serial: int


@runtime_checkable
class Versioned(Protocol):
    """A backend that keeps what it replaces. Methods raise `DiagnosticError`."""

    def history(self, workspace: str) -> list[Version]:
        """The versions before the present one, the newest first, at most `MOST`."""

    def read_version(self, workspace: str, id: str) -> bytes | None:
        """One of them; None where it is gone."""


@runtime_checkable
class KeepsCopies(Protocol):
    """A backend that copies what it replaces to other places, each copy by way of `kept`."""

    kept: Callable[[bytes], bytes]


def as_it_is(content: bytes) -> bytes:
    """The content itself: how copies are kept where nothing is encrypted."""
    return content


def versioned(backend: Backend) -> Versioned:
    """The backend as one that keeps versions. Raises `DiagnosticError` where it does not."""
    if isinstance(backend, Versioned):
        return backend
    raise DiagnosticError(
        error(
            "No history of this state",
            "This backend keeps no earlier versions of states.",
            mend="Keep the state in the local, s3 (with a versioned bucket) or gcs backend to have a history.",
        )
    )


def serial_of(start: bytes) -> int:
    """The serial of a state of which at least the first bytes are given; -1 where it cannot be told."""
    found = identity_in((start,))
    return -1 if found is None else found[0]


# -- in files

_NAME = re.compile(r"(\d{8}T\d{12})Z-(\d+|x)\.(plain|sealed)\.gz")
_GZIP = 31
_TIME = "%Y%m%dT%H%M%S%f"


class FileHistory:
    """Predecessors of one state, in a directory of their own."""

    def __init__(self, directory: Path, most: int = MOST) -> None:
        self.directory = directory
        self._most = most

    def keep(self, content: bytes, kept: Callable[[bytes], bytes] = as_it_is) -> None:
        """Keep a state that is about to be replaced, by way of `kept`. Raises `OSError`.

        Where that encrypts, those that were kept in the clear before are encrypted now.
        """
        copy = kept(content)
        make_directory(self.directory)
        names = self._names()
        if is_envelope(copy):
            names = [self._sealed(name, kept) for name in names]
        now = datetime.now(UTC).strftime(_TIME)
        if names and names[-1][: len(now)] >= now:
            # The clock went back, or has not moved: order is what counts.
            last = datetime.strptime(names[-1][: len(now)], _TIME)
            now = (last + timedelta(microseconds=1)).strftime(_TIME)
        # Whoever keeps something holds the state's lock.
        remove_all_leftovers(self.directory)
        serial = serial_of(copy)
        self._write(f"{now}Z-{serial if serial >= 0 else 'x'}.", copy)
        for name in names[: max(0, len(names) + 1 - self._most)]:
            (self.directory / name).unlink(missing_ok=True)

    def versions(self) -> list[Version]:
        """All that are kept, the newest first. Raises `DiagnosticError`."""
        try:
            names = self._names()
        except OSError as reason:
            raise file_problem(reason, "list what is in", self.directory) from None
        found = []
        for name in reversed(names):
            match = _NAME.fullmatch(name)
            assert match is not None
            time = datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
            found.append(Version(name, time, -1 if match[2] == "x" else int(match[2])))
        return found

    def read(self, id: str) -> bytes | None:
        """One of them; None where it is gone. Raises `DiagnosticError`, also where it is damaged."""
        path = self.directory / id
        if _NAME.fullmatch(id) is None:
            return None
        try:
            return zlib.decompress(path.read_bytes(), _GZIP)
        except FileNotFoundError:
            return None
        except OSError as reason:
            raise file_problem(reason, "read the earlier state", path) from None
        except zlib.error:
            raise DiagnosticError(
                error(
                    "Earlier state is damaged",
                    f"{path} cannot be decompressed.",
                    mend="Use another version: twinfra state history lists them.",
                )
            ) from None

    def remove(self) -> None:
        """Remove all of them. Raises `OSError`."""
        for name in self._names():
            (self.directory / name).unlink(missing_ok=True)
        if self.directory.is_dir() and not any(self.directory.iterdir()):
            self.directory.rmdir()

    def _names(self) -> list[str]:
        try:
            return sorted(one.name for one in self.directory.iterdir() if _NAME.fullmatch(one.name))
        except FileNotFoundError:
            return []

    def _sealed(self, name: str, kept: Callable[[bytes], bytes]) -> str:
        start, _, rest = name.partition(".")
        if not rest.startswith("plain"):
            return name
        try:
            content = zlib.decompress((self.directory / name).read_bytes(), _GZIP)
        except zlib.error:
            content = b""
        new = self._write(f"{start}.", kept(content)) if content else ""
        (self.directory / name).unlink(missing_ok=True)
        return new or name

    def _write(self, start: str, content: bytes) -> str:
        name = f"{start}{'sealed' if is_envelope(content) else 'plain'}.gz"
        packing = zlib.compressobj(1, wbits=_GZIP)
        replace_file(self.directory / name, (packing.compress(content), packing.flush()))
        return name
