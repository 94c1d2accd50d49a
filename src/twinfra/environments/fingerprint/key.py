"""The key under which fingerprints hash secrets: random, and made once, when the first secret is to be hashed.

Where a state keeps records it is one of them, sealed as the state is: whoever can read the state has it, and
nobody else. Else it is in the data directory.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeAlias

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends.protocol import NOTHING, Backend, Conflict
from twinfra.state.backends.records import Records, records_of
from twinfra.state.files import file_problem, make_directory, one_writer, replace_file

FILE = "twinfra-fingerprint.key"
RECORD = "fingerprint-key"
LENGTH = 32

Key: TypeAlias = Callable[[], bytes]
"""Gives the key when it is first needed; raises `DiagnosticError` where there is none to be had."""


def new_key() -> Key:
    """A fresh key, kept nowhere."""
    made = secrets.token_bytes(LENGTH)
    return lambda: made


def local_key(data: Path) -> Key:
    """The key in a data directory, made there if there is none yet; readable by its owner only."""
    return cache(lambda: _in_directory(data))


def shared_key(backend: Backend, workspace: str) -> Key:
    """The key beside the state of a workspace, made there if there is none yet.

    Raises `DiagnosticError` where the backend keeps no records.
    """
    records = records_of(backend)
    return cache(lambda: _in_records(records, workspace))


def _in_records(records: Records, workspace: str) -> bytes:
    place = f'the record {RECORD} of the workspace "{workspace}"'
    found = records.read_record(workspace, RECORD)
    if found is None:
        key = secrets.token_bytes(LENGTH)
        try:
            records.write_record(workspace, RECORD, key.hex().encode() + b"\n", NOTHING)
        except Conflict:
            # Somebody else made it just now: theirs is the one that all use.
            found = records.read_record(workspace, RECORD)
        else:
            return key
    if found is None:
        raise _damaged(place)
    return _parsed(found.data.decode("ascii", "replace"), place)


def _in_directory(data: Path) -> bytes:
    path = data / FILE
    found = _read(path)
    if found is not None:
        return found
    try:
        make_directory(data)
        with one_writer(data):
            # Somebody else may have made it just now: theirs is the one that all use.
            key = _read(path)
            if key is None:
                key = secrets.token_bytes(LENGTH)
                replace_file(path, (key.hex().encode() + b"\n",))
            return key
    except OSError as reason:
        raise file_problem(reason, "write", path) from None


def _read(path: Path) -> bytes | None:
    """The key in a file, None where there is no such file."""
    try:
        return _parsed(path.read_text(encoding="ascii"), str(path))
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise _damaged(str(path)) from None
    except OSError as reason:
        raise file_problem(reason, "read", path) from None


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
