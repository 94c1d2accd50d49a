"""Lock information: who holds a state's lock, for what and since when, in stock Terraform's JSON form."""

from __future__ import annotations

import json
import os
import re
import uuid
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from twinfra import __version__
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, error

_OPERATIONS = {"plan": "Plan", "apply": "Apply", "destroy": "Apply", "refresh": "Refresh"}
_PROCESS = re.compile(r"process (\d+) since (\d+) of (\S+)")
_SESSION = re.compile(r"session (\d+)")
"""What is told of the holder of a lock that is one of a database session."""


@dataclass(frozen=True, slots=True)
class LockInfo:
    """A lock and its holder. `who` is user@host, `created` RFC 3339 in UTC, `path` the state's name.

    `info` is free text; of ours it tells the process (see `is_abandoned`).
    """

    id: str
    operation: str = ""
    info: str = ""
    who: str = ""
    version: str = ""
    created: str = ""
    path: str = ""

    def to_json(self) -> bytes:
        """The one line that stock Terraform writes."""
        fields = {
            "ID": self.id,
            "Operation": self.operation,
            "Info": self.info,
            "Who": self.who,
            "Version": self.version,
            "Created": self.created,
            "Path": self.path,
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    @staticmethod
    def from_json(content: bytes | str) -> LockInfo | None:
        """What a lock says; None where it cannot be read."""
        try:
            fields = json.loads(content)
        except (ValueError, RecursionError):
            return None
        if not isinstance(fields, dict):
            return None

        def text(name: str) -> str:
            value: Any = fields.get(name)
            return value if isinstance(value, str) else ""

        return LockInfo(
            text("ID"),
            text("Operation"),
            text("Info"),
            text("Who"),
            text("Version"),
            text("Created"),
            text("Path"),
        )


def new_lock(operation: str, path: str = "") -> LockInfo:
    """A lock for this process. `operation` is the command's name, such as `apply`."""
    known = _OPERATIONS.get(operation)
    created = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return LockInfo(
        id=str(uuid.uuid4()),
        operation=f"OperationType{known}" if known else operation,
        info=_this_process(),
        who=f"{_user()}@{os.uname().nodename}",
        version=f"Twinfra {__version__}",
        created=created,
        path=path,
    )


def is_abandoned(lock: LockInfo) -> bool:
    """Whether the holder was a process of this very machine that runs no more. In doubt it is not."""
    return _still_runs(lock) is False


def holder_process(lock: LockInfo) -> str:
    """What is known of the process that holds a lock, as a part of a sentence."""
    session = _SESSION.fullmatch(lock.info)
    if session is not None:
        return f"its session {session[1]} is still connected, and the lock ends with that"
    found = _PROCESS.search(lock.info)
    pid = f"process {found[1]}" if found is not None else "its process"
    running = _still_runs(lock)
    if running is None:
        where = f" on {machine}" if (machine := lock.who.rpartition("@")[2]) else ""
        return f"whether {pid}{where} still runs cannot be told from here"
    return f"{pid} of this machine {'still runs' if running else 'has ended'}"


def _still_runs(lock: LockInfo) -> bool | None:
    """Whether the holder runs; None where it was not of ours, not of this machine, or before it was started anew."""
    found = _PROCESS.search(lock.info)
    if found is None or lock.who.rpartition("@")[2] != os.uname().nodename:
        return None
    pid, since, machine = found.groups()
    if machine != _machine():
        return None
    return _started(int(pid)) == since


def is_running_elsewhere(lock: LockInfo) -> bool:
    """Whether the holder is another process of this very machine, and still runs. In doubt it is not."""
    return lock.info != _this_process() and _still_runs(lock) is True


def held_by_another(lock: LockInfo | None, place: str, waited: float = 0.0) -> Diagnostic:
    """Says who holds the lock and what can be done. `place` is the state's name, `waited` is in seconds."""
    after = f" after {waited:g} s" if waited else ""
    if lock is None:
        return error(
            "State is locked",
            f"Another process holds the lock of {place}{after}, and did not say who it is.",
            mend="Wait until it has finished, or give -lock-timeout=60s to wait for it.",
        )
    purpose = lock.operation.removeprefix("OperationType").lower() or "an operation"
    facts = f"{lock.who or 'Somebody'} holds the lock of {place}{after}"
    facts += f", for {purpose}" + (f", since {lock.created}" if lock.created else "")
    facts += f" (lock ID {lock.id}" + (f", {lock.version}" if lock.version else "") + ")."
    if is_abandoned(lock):
        return error(
            "State is locked by a process that is gone",
            f"{facts} That process ran on this machine and has ended without letting go.",
            mend=f"Nobody works on it any more: twinfra force-unlock {lock.id}",
        )
    return error(
        "State is locked",
        facts,
        mend="Wait until it has finished, or give -lock-timeout=60s to wait for it. Only when it certainly "
        f"runs no more: twinfra force-unlock {lock.id}",
    )


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _this_process() -> str:
    pid = os.getpid()
    return f"process {pid} since {_started(pid)} of {_machine()}"


@cache
def _machine() -> str:
    """Tells one running machine (and container) from another, as far as process numbers go."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return "unknown"
    return f"{boot}/{re.sub('[^0-9]', '', space)}"


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty when there is no such process."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = status.rpartition(")")[2].split()
    # A process that has ended but was not waited for yet counts as gone.
    return "" if fields[0] in ("Z", "X") else fields[19]
