"""Records in files: a directory beside the state file, one file each, replaced one writer at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from twinfra.state.backends.protocol import NOTHING, Conflict, Content
from twinfra.state.backends.records import check_record_name
from twinfra.state.files import (
    file_problem,
    make_directory,
    one_writer,
    remove_all_leftovers,
    replace_file,
    sync_directory,
)

_SUFFIX = ".json"


class FileRecords:
    """The records of one workspace. A version is a digest of the content. Methods raise `DiagnosticError`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def names(self) -> list[str]:
        """All names, sorted."""
        try:
            found = [one.name for one in self.directory.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as reason:
            raise file_problem(reason, "list what is in", self.directory) from None
        return sorted(one.removesuffix(_SUFFIX) for one in found if _is_record(one))

    def read(self, name: str) -> Content | None:
        """One of them; None where there is none."""
        path = self._path(name)
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as reason:
            raise file_problem(reason, "read the record", path) from None
        return Content(data, _version(data))

    def read_all(self, names: Sequence[str]) -> list[Content | None]:
        """Several, in the order of `names`."""
        return [self.read(name) for name in names]

    def write(self, name: str, data: bytes, expected: str | None) -> str:
        """Replace one; see `Records.write_record`."""
        path = self._path(name)
        try:
            make_directory(self.directory)
            with one_writer(self.directory):
                remove_all_leftovers(self.directory)
                if expected is not None:
                    now = self.read(name)
                    if (NOTHING if now is None else now.version) != expected:
                        raise Conflict
                replace_file(path, (data,))
        except OSError as reason:
            raise file_problem(reason, "write the record", path) from None
        return _version(data)

    def remove(self) -> None:
        """Remove all of them. Raises `OSError`."""
        if not self.directory.is_dir():
            return
        remove_all_leftovers(self.directory)
        for name in self.names():
            self._path(name).unlink(missing_ok=True)
        if not any(self.directory.iterdir()):
            self.directory.rmdir()
            sync_directory(self.directory.parent)

    def _path(self, name: str) -> Path:
        check_record_name(name)
        return self.directory / f"{name}{_SUFFIX}"


def _is_record(name: str) -> bool:
    return name.endswith(_SUFFIX) and not name.startswith(".")


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
