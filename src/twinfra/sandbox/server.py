"""Start, find and stop the sandbox server of a directory. Never loads the emulator: that happens in its
process.

The server holds a lock on a file for as long as it lives, so that finding a running one costs two small
file reads and no request, and a killed one is never taken for alive.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.sandbox.files import SandboxFiles, open_private, replace_private

ACCOUNT = "123456789012"
"""The account every sandbox has: a number that no customer has."""
REGION = "us-east-1"
"""The region a client gets that names none. All regions exist."""
ACCESS_KEY = "TWINFRASANDBOX000000"
SECRET_KEY = "not-a-secret"

UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
"""Variables of a real account that must not stand beside those of `environment`."""

START_SECONDS = 60.0
"""How long a server may take to answer; a slow machine with much to restore needs some of it."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: where it answers, and who it is.

    `identity` stays the same for the life of the directory: state made in one sandbox belongs to no other.
    """

    endpoint: str
    account: str
    region: str
    pid: int
    identity: str = ""


def ensure_running(root: Path, ahead: float = 0.0, owner: int = 0) -> Sandbox:
    """The sandbox of the working directory `root`, started if need be; it answers when this returns.

    `ahead`: by how many seconds the clock of a new one is ahead, for its whole life. `owner`: the number of a process
    with which a new one ends. Safe to call from many processes at once. Raises DiagnosticError when it cannot start.
    """
    files = SandboxFiles.of(root)
    found = _find(files)
    if found is not None:
        return found
    files.prepare()
    with _only_one(files):
        if (ahead or owner) and not files.identity.exists():
            made = {"id": str(uuid.uuid4()), "ahead": ahead, "owner": owner}
            replace_private(files.identity, json.dumps(made).encode())
        return _find(files) or _start(files)


def status(root: Path) -> Sandbox | None:
    """The sandbox of the working directory `root` if it runs."""
    return _find(SandboxFiles.of(root))


def status_document(root: Path) -> dict[str, Any]:
    """What `twinfra sandbox status -json` prints; endpoint and pid are null when it does not run."""
    found = status(root)
    return {
        "running": found is not None,
        "endpoint": found.endpoint if found else None,
        "account": found.account if found else ACCOUNT,
        "region": found.region if found else REGION,
        "pid": found.pid if found else None,
    }


def stop(root: Path) -> bool:
    """Stop the sandbox of `root`; it saves itself first. Returns whether it ran."""
    files = SandboxFiles.of(root)
    if not files.directory.is_dir():
        return False
    with _only_one(files):
        return _stop(files)


def reset(root: Path) -> Sandbox | None:
    """Forget everything that was made in the sandbox of `root`; one that runs is started afresh and
    returned.
    """
    files = SandboxFiles.of(root)
    if not files.directory.is_dir():
        return None
    with _only_one(files):
        ran = _stop(files)
        for path in (files.snapshot, files.journal):
            path.unlink(missing_ok=True)
        return _start(files) if ran else None


def environment(sandbox: Sandbox) -> dict[str, str]:
    """The variables with which the SDKs and the aws command talk to `sandbox`, and to nothing else.

    Variables of a real account that would still speak up are in `UNSET`: leave those out beside these.
    """
    return {
        "AWS_ENDPOINT_URL": sandbox.endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": sandbox.region,
        "AWS_REGION": sandbox.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "TWINFRA_SANDBOX": sandbox.identity,
    }


def _find(files: SandboxFiles) -> Sandbox | None:
    if not _is_locked(files.running):
        return None
    try:
        return Sandbox(**json.loads(files.server.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None  # it is just starting or stopping: the caller waits for its turn and looks again


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as reason:
        return reason.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _only_one(files: SandboxFiles) -> Iterator[None]:
    """Take turns with other processes that start or stop the same sandbox."""
    try:
        descriptor = open_private(files.starting, os.O_RDWR | os.O_CREAT)
    except OSError as reason:
        raise DiagnosticError(
            error(
                "The sandbox's directory is not writable",
                f"{files.starting} cannot be opened: {reason.strerror}.",
                mend="Work in a directory that you may write to.",
            )
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _start(files: SandboxFiles) -> Sandbox:
    """Start a server and wait, on a pipe, for its first word: empty when it answers, else why it does not."""
    import select
    import subprocess

    _require_emulator()
    _wait_until_unlocked(files)
    files.server.unlink(missing_ok=True)  # what a killed server left must not be taken for the new one's
    reading, writing = os.pipe()
    try:
        with open(open_private(files.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab") as log:
            # The process forks once more and this one ends at once: a server is nobody's child. -P keeps
            # modules that happen to lie in the working directory out of it.
            subprocess.run(
                [sys.executable, "-P", "-m", "twinfra.sandbox.process", str(files.directory), str(writing)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(writing,),
                env=_process_environment(),
                cwd=files.directory,
                check=False,
            )
        os.close(writing)
        writing = -1
        ready, _, _ = select.select([reading], [], [], START_SECONDS)
        word = os.read(reading, 65536).decode("utf-8", "replace") if ready else "It did not answer in time."
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)
    found = _find(files)
    if word != "ready" or found is None:
        raise DiagnosticError(
            error(
                "The sandbox does not start",
                word if word and word != "ready" else "Its process ended before it could answer.",
                mend=f"Its log says more: {files.log}. To begin with an empty one: twinfra sandbox reset.",
            )
        )
    return found


def _process_environment() -> dict[str, str]:
    """What the server's process may see: nothing of a person's accounts and no settings meant for the
    emulator.
    """
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("AWS_", "MOTO_", "BOTO_", "TF_", "TWINFRA_", "PYTEST_", "S3_"))
    }
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "MOTO_DISABLE_GLOBAL_CORS": "true",
        "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
        "MOTO_ALLOW_NONEXISTENT_REGION": "false",
    }


def _require_emulator() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("moto", "flask", "flask_cors") if find_spec(name) is None]
    if missing:
        raise DiagnosticError(
            error(
                "The sandbox is not installed",
                f"It needs packages that are not here: {', '.join(missing)}.",
                mend="Install them: pip install 'twinfra[sandbox]'.",
            )
        )


def _stop(files: SandboxFiles) -> bool:
    import signal

    found = _find(files)
    if found is None:
        return False
    # The lock is held, so this is the server's own number and not that of a later process.
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    _wait_until_unlocked(files)
    return True


def _wait_until_unlocked(files: SandboxFiles) -> None:
    """Wait for a server that is on its way out: it lets go of its lock with its last breath."""
    try:
        descriptor = os.open(files.running, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)
