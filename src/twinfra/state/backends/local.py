"""The `local` backend: a state file in the working directory, locked so that stock Terraform keeps out too.

Stock Terraform locks the state file itself (fcntl, exclusive) and writes who it is into `.NAME.lock.info`. It
writes in place; we put a new file into its place, and so must hold the lock on the new file before it
appears. A process that still waits for the lock of the replaced file would afterwards read and write a file
that no longer has a name: so that file is overwritten with a text that no reader takes for a state.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twinfra.diagnostics import DiagnosticError, error
from twinfra.schema import Attribute, Block
from twinfra.state.backends._file_records import FileRecords
from twinfra.state.backends.protocol import (
    DEFAULT_WORKSPACE,
    NOTHING,
    Backend,
    Conflict,
    Content,
    Locked,
    Place,
)
from twinfra.state.files import (
    file_problem,
    make_directory,
    one_writer,
    read_all,
    remove_leftovers,
    replace_file,
    sync_directory,
    write_all,
    write_beside,
)
from twinfra.state.history import FileHistory, Version, as_it_is
from twinfra.state.locks import LockInfo
from twinfra.values.types import STRING

SCHEMA = Block(
    {
        "path": Attribute(STRING, optional=True, description="The state file; terraform.tfstate by default."),
        "workspace_dir": Attribute(
            STRING,
            optional=True,
            description="The directory for states of other workspaces; terraform.tfstate.d by default.",
        ),
    }
)

_WORKSPACE = re.compile(r"[A-Za-z0-9\-_.~$&+=:@]+")
_REPLACED = (
    b"This state file was replaced while another process waited for its lock. Run the command again.\n"
)
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


def connect(config: Mapping[str, Any], place: Place) -> Backend:
    """The backend of a `backend "local"` block, or without one."""
    return LocalBackend(
        place.directory,
        config.get("path") or "terraform.tfstate",
        config.get("workspace_dir") or "terraform.tfstate.d",
    )


class LocalBackend:
    """States in files.

    `path` and `workspace_directory` are relative to `directory` or absolute. `out`: write the state there
    instead of where it was read (`-state-out`). `backup`: where the state that is replaced is kept
    (`-backup`); beside it, named `.backup`, where empty; nowhere, not even in the history, where it is `-`.
    """

    def __init__(
        self,
        directory: Path,
        path: str = "terraform.tfstate",
        workspace_directory: str = "terraform.tfstate.d",
        *,
        out: str = "",
        backup: str = "",
    ) -> None:
        self._directory = directory
        self._path = path
        self._workspaces = directory / workspace_directory
        self._out = out
        self._backup = backup
        self.kept: Callable[[bytes], bytes] = as_it_is
        """How a copy of what is replaced is kept: see `state.history.KeepsCopies`."""
        self._held: dict[str, _Lock] = {}
        self._written: set[str] = set()

    def label(self, workspace: str) -> str:
        path = self._target(workspace)
        return str(path.relative_to(self._directory) if path.is_relative_to(self._directory) else path)

    def workspaces(self) -> list[str]:
        try:
            found = [entry.name for entry in os.scandir(self._workspaces) if entry.is_dir()]
        except FileNotFoundError:
            found = []
        except OSError as reason:
            raise file_problem(reason, "list the workspaces in", self._workspaces) from None
        return [DEFAULT_WORKSPACE, *sorted(set(found) - {DEFAULT_WORKSPACE})]

    def create(self, workspace: str) -> None:
        directory = self._target(workspace).parent
        try:
            make_directory(directory)
        except OSError as reason:
            raise file_problem(reason, "make the directory", directory) from None

    def read(self, workspace: str) -> Content | None:
        lock = self._held.get(workspace)
        path = self._target(workspace) if workspace in self._written else self._source(workspace)
        try:
            if lock is not None and lock.descriptor >= 0 and path == self._target(workspace):
                return _content(lock.descriptor)
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                return _content(descriptor)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            return None
        except OSError as reason:
            raise file_problem(reason, "read the state from", path) from None

    def redirected(self, workspace: str) -> bool:
        """Whether the state is written to another file than it is read from."""
        return self._target(workspace) != self._source(workspace)

    def write(self, workspace: str, pieces: Iterable[bytes], expected: str | None) -> str:
        path = self._target(workspace)
        try:
            self._keep_out_of_links(path)
            # What a link points to is replaced, not the link.
            real = Path(os.path.realpath(path))
            make_directory(real.parent)
            with one_writer(real.parent):
                now = _version_of(real)
                if expected is not None and self._source(workspace) == path and now != expected:
                    raise Conflict
                return self._replace(workspace, real, now, pieces)
        except OSError as reason:
            raise file_problem(reason, "write the state to", path) from None

    def delete(self, workspace: str) -> None:
        import shutil

        if workspace == DEFAULT_WORKSPACE:
            raise ValueError("the default workspace cannot be deleted")
        path = self._target(workspace)
        try:
            for one in (path, self._backup_of(path), self.journal_path(workspace), _info_path(path)):
                if one is not None:
                    one.unlink(missing_ok=True)
            _history_of(path).remove()
            _records_of(path).remove()
            shutil.rmtree(self.journal_path(workspace).with_suffix(".receipts"), ignore_errors=True)
            path.parent.rmdir()
            sync_directory(path.parent.parent)
        except FileNotFoundError:
            pass
        except OSError as reason:
            raise file_problem(reason, "remove the workspace in", path.parent) from None

    def lock(self, workspace: str, lock: LockInfo) -> None:
        path = self._target(workspace)
        try:
            self._keep_out_of_links(path)
            real = Path(os.path.realpath(path))
            make_directory(real.parent)
            self._held[workspace] = _take(real, lock)
        except OSError as reason:
            raise file_problem(reason, "lock the state file", path) from None

    def unlock(self, workspace: str, id: str) -> None:
        held = self._held.get(workspace)
        path = Path(os.path.realpath(self._target(workspace)))
        if held is None:
            try:
                _clear(path, id)
            except OSError as reason:
                raise file_problem(reason, "remove the lock of", path) from None
            return
        if held.id != id:
            raise Locked(_holder(path))
        del self._held[workspace]
        _release(path, held)

    def holder(self, workspace: str) -> LockInfo | None:
        return _holder(Path(os.path.realpath(self._target(workspace))))

    def journal_path(self, workspace: str) -> Path:
        path = self._target(workspace)
        return path.with_name(f".{path.name.lstrip('.')}.journal")

    def history(self, workspace: str) -> list[Version]:
        return _history_of(self._target(workspace)).versions()

    def read_version(self, workspace: str, id: str) -> bytes | None:
        return _history_of(self._target(workspace)).read(id)

    def list_records(self, workspace: str) -> list[str]:
        return _records_of(self._target(workspace)).names()

    def read_record(self, workspace: str, name: str) -> Content | None:
        return _records_of(self._target(workspace)).read(name)

    def read_records(self, workspace: str, names: Sequence[str]) -> list[Content | None]:
        return _records_of(self._target(workspace)).read_all(names)

    def write_record(self, workspace: str, name: str, data: bytes, expected: str | None) -> str:
        return _records_of(self._target(workspace)).write(name, data, expected)

    def close(self) -> None:
        for workspace, held in list(self._held.items()):
            self.unlock(workspace, held.id)

    # -- where files are

    def _source(self, workspace: str) -> Path:
        if workspace == DEFAULT_WORKSPACE:
            return self._directory / self._path
        check_workspace_name(workspace)
        return self._workspaces / workspace / "terraform.tfstate"

    def _target(self, workspace: str) -> Path:
        return self._directory / self._out if self._out else self._source(workspace)

    def _backup_of(self, path: Path) -> Path | None:
        if self._backup == "-":
            return None
        return self._directory / self._backup if self._backup else path.with_name(path.name + ".backup")

    def _keep_out_of_links(self, path: Path) -> None:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))

    def _replace(self, workspace: str, path: Path, now: str, pieces: Iterable[bytes]) -> str:
        fresh, descriptor = write_beside(path, pieces)
        held = self._held.get(workspace)
        keep = False
        try:
            if now != NOTHING:
                _keep_mode(path, descriptor)
                self._back_up(workspace, path)
            if held is not None and held.descriptor >= 0:
                if not _try_lock(descriptor):
                    raise OSError(errno.ENOLCK, "the lock of the new file was refused")
                keep = True
            os.replace(fresh, path)
            sync_directory(path.parent)
        except BaseException:
            fresh.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        version = _version(os.fstat(descriptor))
        self._written.add(workspace)
        if keep and held is not None:
            _abandon(held.descriptor)
            held.descriptor = descriptor
        else:
            os.close(descriptor)
        return version

    def _back_up(self, workspace: str, path: Path) -> None:
        """Keep what is replaced in the history; what a command found before its first write also as the backup,
        as stock Terraform does.
        """
        content = path.read_bytes()
        if not content or self._backup == "-":
            return
        # A history that cannot be written, such as on a full disk, must not keep the state from being saved.
        with suppress(OSError):
            _history_of(self._target(workspace)).keep(content, self.kept)
        backup = self._backup_of(self._target(workspace))
        if workspace not in self._written and backup is not None:
            replace_file(backup, (self.kept(content),))


def check_workspace_name(name: str) -> None:
    """Raise `DiagnosticError` for a name that no workspace can have (the rule is stock Terraform's)."""
    if not _WORKSPACE.fullmatch(name) or name in (".", ".."):
        raise DiagnosticError(
            error(
                "Wrong name for a workspace",
                f'A workspace cannot be named "{name}".',
                mend="Use letters, digits, and any of -_.~$&+=:@ only.",
            )
        )


# -- contents and versions


def _history_of(path: Path) -> FileHistory:
    return FileHistory(path.with_name(f"{path.name}.history"))


def _records_of(path: Path) -> FileRecords:
    return FileRecords(path.with_name(f"{path.name}.records"))


def _content(descriptor: int) -> Content | None:
    before = os.fstat(descriptor)
    if before.st_size == 0:
        return None
    data = read_all(descriptor)
    return Content(data, _version(before))


def _version(status: os.stat_result) -> str:
    # An empty file is what a lock leaves behind: no state yet.
    if status.st_size == 0:
        return NOTHING
    return f"{status.st_dev}:{status.st_ino}:{status.st_mtime_ns}:{status.st_size}"


def _version_of(path: Path) -> str:
    try:
        return _version(path.stat())
    except FileNotFoundError:
        return NOTHING


def _keep_mode(path: Path, descriptor: int) -> None:
    """Leave to owner and group what the replaced file left them; to others nothing."""
    status = path.stat()
    os.fchmod(descriptor, status.st_mode & 0o660)
    mine = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (mine.st_uid, mine.st_gid):
        try:
            os.fchown(descriptor, status.st_uid, status.st_gid)
        except PermissionError:
            # Only the superuser gives files away; the content is what counts.
            os.fchmod(descriptor, 0o600)


# -- locks


class _Lock:
    """A lock that is held: the open state file."""

    def __init__(self, id: str, descriptor: int) -> None:
        self.id = id
        self.descriptor = descriptor


def _info_path(path: Path) -> Path:
    return path.with_name(f".{path.name.removeprefix('.')}.lock.info")


def _holder(path: Path) -> LockInfo | None:
    try:
        return LockInfo.from_json(_info_path(path).read_bytes())
    except OSError:
        return None


def _open(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None


def _take(path: Path, lock: LockInfo) -> _Lock:
    while True:
        descriptor = _open(path)
        if descriptor is None:
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except FileExistsError:
                continue
        try:
            if not _try_lock(descriptor):
                raise Locked(_holder(path))
            if _is_at(descriptor, path):
                remove_leftovers(path)
                replace_file(_info_path(path), (lock.to_json(),), durable=False)
                return _Lock(lock.id, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        # It was replaced between opening and locking.
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def _try_lock(descriptor: int) -> bool:
    """Lock the whole file exclusively for this descriptor; False when somebody else has it.

    Locks of open file descriptions exclude stock Terraform's process locks and the other way round, yet do
    not end when something else in this process opens and closes the file.
    """
    try:
        if hasattr(fcntl, "F_OFD_SETLK"):
            # struct flock of 64-bit Linux: type, whence, start, length, pid.
            whole = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, whole)
        else:
            # Elsewhere: stock Terraform's own kind, which tells processes apart and nothing finer.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as reason:
        if reason.errno in (errno.EAGAIN, errno.EACCES):
            return False
        if reason.errno in _NO_LOCKS:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK)) from None
        raise
    return True


def _clear(path: Path, id: str) -> None:
    """Remove what a process that has ended left of its lock: the information. The lock itself ended with it."""
    probe = _open(path)
    try:
        if probe is not None and not _try_lock(probe):
            raise Locked(_holder(path))
        holder = _holder(path)
        if holder is not None and holder.id != id:
            raise Locked(holder)
        _info_path(path).unlink(missing_ok=True)
    finally:
        if probe is not None:
            os.close(probe)


def _abandon(descriptor: int) -> None:
    """Close a replaced file; where nobody can reach it by a name, leave no state in it for those who wait."""
    if os.fstat(descriptor).st_nlink == 0:
        os.ftruncate(descriptor, 0)
        write_all_at_start(descriptor, _REPLACED)
    os.close(descriptor)


def write_all_at_start(descriptor: int, data: bytes) -> None:
    """Write from the beginning of the file, wherever it was read to."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all(descriptor, data)


def _release(path: Path, held: _Lock) -> None:
    _info_path(path).unlink(missing_ok=True)
    # An empty file is what a lock made, this one or that of a process that was killed.
    if os.fstat(held.descriptor).st_size == 0 and _is_at(held.descriptor, path):
        path.unlink()
    _abandon(held.descriptor)
