"""Where a sandbox keeps its files, and the care they need: private to their owner, replaced as a whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class SandboxFiles:
    """The files of one sandbox. `directory` is absolute, `<working directory>/.twinfra/sandbox`."""

    directory: Path

    @classmethod
    def of(cls, root: Path) -> SandboxFiles:
        """The files of the sandbox that belongs to the working directory `root`."""
        return cls(Path(os.path.abspath(root)) / ".twinfra" / "sandbox")

    @property
    def starting(self) -> Path:
        """Locked while somebody starts, stops or resets the server."""
        return self.directory / "start.lock"

    @property
    def running(self) -> Path:
        """Locked by the server for as long as it lives."""
        return self.directory / "server.lock"

    @property
    def server(self) -> Path:
        """Where the server listens, as JSON; true only while `running` is locked."""
        return self.directory / "server.json"

    @property
    def identity(self) -> Path:
        """Who this sandbox is, as JSON."""
        return self.directory / "identity.json"

    @property
    def journal(self) -> Path:
        """Every request that changed something."""
        return self.directory / "journal"

    @property
    def snapshot(self) -> Path:
        """What the cloud was at some place in the journal."""
        return self.directory / "snapshot"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.directory / "sandbox.log"

    def prepare(self) -> None:
        """Make the directory, private to its owner. Raises DiagnosticError where that fails."""
        try:
            self.directory.parent.mkdir(exist_ok=True)
            self.directory.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
            os.chmod(self.directory, PRIVATE_DIRECTORY)
            self._keep_out_of_git()
        except OSError as reason:
            raise DiagnosticError(
                error(
                    "The sandbox has no place to live",
                    f"The directory {self.directory} cannot be made: {reason.strerror}.",
                    mend="Work in a directory that you may write to.",
                )
            ) from None

    def _keep_out_of_git(self) -> None:
        """What the cloud remembers is of this machine: `git add` passes it over."""
        try:
            descriptor = open_private(self.directory / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"*\n")


def open_private(path: Path, flags: int) -> int:
    """Open a file that only its owner may read; follows no link. Returns the descriptor."""
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)


def replace_private(path: Path, content: bytes) -> None:
    """Write a file as a whole: a reader sees the old content or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def is_private(path: Path) -> bool:
    """Whether a file is a regular one, our own, and closed to everybody else."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
