"""`twinfra version`: the version, for people and as JSON. Loads nothing else."""

from __future__ import annotations

import sys

COMPATIBLE_VERSION = "1.11.4"
"""The Terraform version whose language and formats we keep to."""


def platform_name() -> str:
    """Operating system and processor as Terraform names them."""
    import os

    machine = os.uname().machine
    return f"{sys.platform}_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }".replace(
        " ", ""
    )


def print_version() -> None:
    """The version as people read it."""
    from twinfra import __version__

    print(
        f"Twinfra v{__version__} on {platform_name()}\nSpeaks the language of Terraform {COMPATIBLE_VERSION}"
    )


def _command() -> object:
    from twinfra.cli.command import command, flag

    @command("version")
    @flag("json", "print JSON")
    def version(json: bool) -> None:
        """Show the version of Twinfra, and which Terraform it keeps to."""
        if not json:
            print_version()
            return
        from json import dumps

        from twinfra import __version__

        document = {
            "terraform_version": COMPATIBLE_VERSION,
            "twinfra_version": __version__,
            "platform": platform_name(),
            "provider_selections": {},
            "terraform_outdated": False,
        }
        print(dumps(document, indent=2))

    return version


def __getattr__(name: str) -> object:
    if name == "COMMANDS":
        return {"version": _command()}
    raise AttributeError(name)
