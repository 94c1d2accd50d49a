"""`twinfra state secrets`: which values in a state are sensitive, and why, without any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinfra.cli.command import command, flag, value

if TYPE_CHECKING:
    from twinfra.cli.state_sensitivity import Secret


@command("secrets")
@value("state", "read this state file")
@flag("json", "print JSON")
def secrets(state: str | None, json: bool) -> int:
    """List which values in the state are sensitive and where each came from, showing none of them."""
    from twinfra.cli.state import existing_state
    from twinfra.cli.state_sensitivity import secrets_of
    from twinfra.cli.workspace import try_configuration

    configuration, _ = try_configuration()
    found = list(secrets_of(existing_state(state), configuration))
    if json:
        from twinfra.cli.machine.text import dumps

        print(dumps([_entry(one) for one in found]))
        return 0
    for one in found:
        where = f"{one.address} (deposed {one.deposed})" if one.deposed else one.address
        print(f"{where}: {f'{one.path}, ' if one.path else ''}{_reason(one)}")
    if not found:
        print("No value in the state is marked as sensitive.")
    return 0


def _reason(secret: Secret) -> str:
    words = {
        "schema": "sensitive by its schema",
        "variable": "from a sensitive variable",
        "configuration": "made sensitive in the configuration",
        "output": "declared sensitive",
        "state": "marked in the state",
        "copy": "says what is sensitive elsewhere in it",
    }
    sources = f" ({', '.join(secret.sources)})" if secret.sources else ""
    return words[secret.origin] + sources


def _entry(secret: Secret) -> dict[str, object]:
    return {
        "address": secret.address,
        "path": secret.path,
        "origin": secret.origin,
        "sources": list(secret.sources),
        **({"deposed_key": secret.deposed} if secret.deposed else {}),
    }
