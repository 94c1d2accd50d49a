"""Files that must survive: written under another name, synced, renamed into place, the directory synced."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twinfra.diagnostics import Diagnostic, DiagnosticError, error

PRIVATE = 0o600
_AT_ONCE = 1 << 20
_SUFFIX = ".new"
_LEFT = re.compile(
    r"(?:(?:lock\.info|journal|backup|journal\.(?:sending|receiving)-[0-9a-f]{16})\.)?[0-9a-f]{12}\.new"
)


def replace_file(path: Path, pieces: Iterable[bytes], *, durable: bool = True) -> None:
    """Make `path` hold exactly `pieces`, readable by its owner only, or as it was before. Raises OSError.

    Without `durable` nobody waits for the disk: for what is of no use after a crash of the machine.
    """
    fresh, descriptor = write_beside(path, pieces, durable=durable)
    try:
        os.replace(fresh, path)
        if durable:
            sync_directory(path.parent)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def write_beside(path: Path, pieces: Iterable[bytes], *, durable: bool = True) -> tuple[Path, int]:
    """Write `pieces` to a new file next to `path`, synced if `durable`; returns its path and open descriptor.

    Nothing is left behind when it fails. Raises `OSError`.
    """
    fresh = path.with_name(f"{_prefix(path)}{os.urandom(6).hex()}{_SUFFIX}")
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    try:
        for piece in pieces:
            write_all(descriptor, piece)
        if durable:
            sync_file(descriptor)
    except BaseException:
        os.close(descriptor)
        fresh.unlink(missing_ok=True)
        raise
    return fresh, descriptor


def _prefix(path: Path) -> str:
    return f".{path.name.removeprefix('.')}."


def remove_leftovers(path: Path, older: float = 0.0) -> None:
    """Remove what a process that was killed while it replaced `path`, or a file that belongs to it, left beside it.

    Under a lock only; without one give an age in seconds, `older`, at which nobody is still writing. Raises `OSError`.
    """
    latest = time.time() - older
    prefix = _prefix(path)
    with os.scandir(path.parent) as entries:
        left = [
            Path(one.path)
            for one in entries
            if one.name.startswith(prefix) and _LEFT.fullmatch(one.name[len(prefix) :])
        ]
    for one in left:
        # Another process may have finished or removed it by now.
        with suppress(FileNotFoundError):
            if not older or one.stat().st_mtime < latest:
                one.unlink()


def remove_all_leftovers(directory: Path) -> None:
    """Remove what processes that were killed while they replaced a file in a directory left there.

    Where nobody else writes in it only. Raises `OSError`.
    """
    for one in directory.glob(f".*{_SUFFIX}"):
        one.unlink(missing_ok=True)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, however many calls that takes."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written : written + _AT_ONCE])


def read_all(descriptor: int) -> bytes:
    """The whole content of an open file, wherever it was read to before."""
    size = os.fstat(descriptor).st_size
    parts = []
    at = 0
    while part := os.pread(descriptor, max(size - at, _AT_ONCE), at):
        parts.append(part)
        at += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def sync_file(descriptor: int) -> None:
    """Make the content of an open file survive a crash of the machine. Raises `OSError`."""
    full: int | None = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        # macOS: there fsync leaves the data in the drive's own memory.
        fcntl.fcntl(descriptor, full)
    else:
        os.fdatasync(descriptor)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a crash of the machine. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as reason:
        # Some network file systems cannot sync a directory; then there is nothing more to be had.
        if reason.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def make_directory(path: Path) -> None:
    """Make a directory and those above it, private to their owner, so that they survive. Raises `OSError`."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
        sync_directory(one.parent)


@contextmanager
def one_writer(directory: Path) -> Iterator[None]:
    """Between looking at a file of a directory and replacing it nobody else does that there. Raises `OSError`."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Some network file systems have no such locks; there the state's own lock alone must do.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def file_problem(reason: OSError, doing: str, path: Path | str) -> DiagnosticError:
    """An error of the operating system in words. `doing` is such as `write the state to`."""
    return DiagnosticError(_in_words(reason, doing, path))


def _in_words(reason: OSError, doing: str, path: Path | str) -> Diagnostic:
    mends = {
        errno.ENOSPC: "Make room on that disk, then run the command again.",
        errno.EDQUOT: "Make room within the quota, then run the command again.",
        errno.EROFS: "That file system is read-only: work in a directory that can be written to.",
        errno.EACCES: "Give yourself permission for that file and its directory, or work elsewhere.",
        errno.EPERM: "Give yourself permission for that file and its directory, or work elsewhere.",
        errno.EISDIR: "Remove the directory of that name, or name another file.",
        errno.ENOTDIR: "A part of that path is a file: name another path.",
        errno.ENOLCK: "That file system has no locks: keep the state elsewhere, or give -lock=false.",
    }
    why = reason.strerror or str(reason)
    return error(
        f"Cannot {doing.split(maxsplit=1)[0]} a file",
        f"Could not {doing} {path}: {why}.",
        mend=mends.get(reason.errno or 0, "Check that path, then run the command again."),
    )
