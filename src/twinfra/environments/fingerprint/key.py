"""The key under which fingerprints hash secrets: random, made once for a state, kept beside it or in the data
directory. Whoever can read the state can read it, and nobody else.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.files import file_problem, make_directory

FILE = "twinfra-fingerprint.key"
LENGTH = 32


def new_key() -> bytes:
    """A fresh key."""
    return secrets.token_bytes(LENGTH)


def local_key(data: Path) -> bytes:
    """The key in a data directory, made there if there is none yet; readable by its owner only.

    Raises `DiagnosticError` where it cannot be read, written, or is damaged.
    """
    path = data / FILE
    try:
        return _parsed(path.read_text(encoding="ascii"), str(path))
    except FileNotFoundError:
        pass
    except UnicodeDecodeError:
        raise _damaged(str(path)) from None
    except OSError as reason:
        raise file_problem(reason, "read", path) from None
    key = new_key()
    try:
        make_directory(data)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return local_key(data)
    except OSError as reason:
        raise file_problem(reason, "write", path) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
    return key


def _parsed(text: str, place: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != LENGTH:
        raise _damaged(place)
    return key


def _damaged(place: str) -> DiagnosticError:
    return DiagnosticError(
        error(
            "Damaged key of the fingerprints",
            f"{place} does not hold the {LENGTH * 2} hexadecimal digits of a key.",
            mend="Restore it from a copy. Or remove it: a new one is made, and hashes of secrets are other ones "
            "from then on.",
        )
    )
