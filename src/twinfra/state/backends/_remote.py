"""What backends share that keep states elsewhere: settings from the environment, journals, messages."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends.protocol import Place

_TRUE = ("1", "t", "true")
_FALSE = ("0", "f", "false")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def journal_path(place: Place, label: str, workspace: str) -> Path:
    """Where the journal of a state that lies elsewhere is kept: in the data directory.

    `label` is the state's; two states never share a journal, and a workspace's name is kept readable.
    """
    digest = hashlib.sha256(f"{label}\n{workspace}".encode()).hexdigest()[:16]
    return place.data_directory / "journals" / f"{_UNSAFE.sub('_', workspace)[:64]}.{digest}.journal"


def join(pieces: Iterable[bytes]) -> bytes:
    """The pieces as one."""
    return b"".join(pieces)


def text_setting(config: Mapping[str, Any], name: str, *variables: str) -> str:
    """A setting, or the first of these environment variables that is set; empty where neither is."""
    value = config.get(name)
    if value is not None:
        return str(value)
    return next((os.environ[one] for one in variables if os.environ.get(one)), "")


def flag_setting(config: Mapping[str, Any], name: str, variable: str = "") -> bool:
    """A setting that is true or false, by default what an environment variable says, else false."""
    value = config.get(name)
    if value is not None:
        return bool(value)
    given = os.environ.get(variable, "") if variable else ""
    if given.lower() in _TRUE:
        return True
    if given and given.lower() not in _FALSE:
        raise wrong(name, f"The environment variable {variable} must be true or false.")
    return False


def wrong(name: str, why: str, mend: str = "") -> DiagnosticError:
    """A setting that cannot be used. `why` never quotes a value that may be secret."""
    return DiagnosticError(
        error("Wrong setting of a backend", why, mend=mend or f"Correct {name}.", path=(name,))
    )


def missing(kind: str, name: str, variable: str) -> DiagnosticError:
    """A setting that is needed but given neither in the block nor in the environment."""
    return DiagnosticError(
        error(
            "Missing setting of a backend",
            f'The "{kind}" backend needs the setting "{name}".',
            mend=f"Set {name} in the backend block, give -backend-config={name}=VALUE to init, "
            f"or set {variable}.",
        )
    )


def needs_package(kind: str, package: str) -> DiagnosticError:
    """A backend whose client library is not installed."""
    return DiagnosticError(
        error(
            "Backend not installed",
            f'The "{kind}" backend needs the package {package}, which is not installed.',
            mend=f'Install it: pip install "twinfra[{kind}]"',
        )
    )


def without_secrets(url: str) -> str:
    """A URL for people: without user, password, query and fragment, where tokens may be."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        return "(unreadable URL)"
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"
