"""Signed plans on the command line: `twinfra key`, and which keys a command signs and verifies with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinfra.cli.command import Group, command, flag
from twinfra.diagnostics import DiagnosticError, error

if TYPE_CHECKING:
    from twinfra.engine.plan_signature import Signer, Verifier

VERIFY = "TWINFRA_VERIFY_KEY"
"""Files of public keys, as in a search path: with it, only a plan that one of them has signed is applied."""


def signer_of(path: str | None) -> Signer | None:
    """What `-sign` names. Raises `DiagnosticError`."""
    if path is None:
        return None
    from twinfra.engine.plan_signature import read_signer

    return read_signer(Path(path))


def verifier_of(paths: tuple[str, ...]) -> Verifier | None:
    """The keys of which one must have signed a plan: those of `-verify-key` options, else of the environment.

    None where no signature is demanded. Raises `DiagnosticError`.
    """
    chosen = paths or tuple(one for one in os.environ.get(VERIFY, "").split(os.pathsep) if one)
    if not chosen:
        return None
    from twinfra.engine.plan_signature import read_verifier

    return read_verifier([Path(one) for one in chosen])


def refuse_unsigned(paths: tuple[str, ...]) -> None:
    """Raise `DiagnosticError` where a signature is demanded, for a command that would apply without a saved plan."""
    if paths or os.environ.get(VERIFY):
        raise DiagnosticError(
            error(
                "A signed plan is demanded",
                f"{'-verify-key' if paths else VERIFY} asks for a plan that was signed, and this would plan and apply "
                "at once.",
                mend="Save and sign a plan (twinfra plan -out=FILE -sign=KEY), then: twinfra apply FILE",
            )
        )


@click.group(cls=Group, name="key")
def key() -> None:
    """Keys that sign saved plans, and verify them."""


@command("new")
@flag("json", "print JSON")
@click.argument("name")
def new(json: bool, name: str) -> int:
    """Make a pair of keys: NAME.key signs plans and stays secret, NAME.pub verifies them.

    Both are Ed25519 keys in PEM form. With TWINFRA_SIGNING_PASSPHRASE the private one is encrypted; the same variable
    gives the passphrase to `plan -sign`.
    """
    from twinfra.engine.plan_signature import PASSPHRASE, make_keys

    private, public = Path(f"{name}.key"), Path(f"{name}.pub")
    print_of = make_keys(private, public, os.environ.get(PASSPHRASE, ""))
    if json:
        from twinfra.cli.machine.text import dumps

        print(dumps({"private": str(private), "public": str(public), "fingerprint": print_of}))
        return 0
    print(f"{private} signs plans: keep it secret. {public} verifies them.\nFingerprint: {print_of}")
    return 0


key.add_command(new)

COMMANDS = {"key": key}
