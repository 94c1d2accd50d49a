"""`twinfra functions`, and `metadata functions` as Terraform has it: the functions of the language."""

from __future__ import annotations

from typing import Any

import click

from twinfra.cli.command import Group, UsageProblem, command, flag


@command("functions")
@flag("json", "print JSON, as `terraform metadata functions -json` does")
def functions(json: bool) -> None:
    """List the functions of the language."""
    document = _metadata()
    if json:
        _print(document)
        return
    for name, signature in sorted(document["function_signatures"].items()):
        parameters = [one["name"] for one in signature.get("parameters", ())]
        if "variadic_parameter" in signature:
            parameters.append(signature["variadic_parameter"]["name"] + "...")
        print(f"{name}({', '.join(parameters)})")


@click.group("metadata", cls=Group)
def metadata() -> None:
    """Describe the language, for programs: the same as Terraform's command of that name."""


@metadata.command("functions")
@flag("json", "print JSON (must be given)")
def metadata_functions(json: bool) -> None:
    """Print the signatures of the functions of the language."""
    if not json:
        raise UsageProblem("metadata functions prints JSON only: give -json. For people: twinfra functions.")
    _print(_metadata())


def _metadata() -> dict[str, Any]:
    from twinfra.lang.functions.document import metadata as document

    return document()


def _print(document: dict[str, Any]) -> None:
    from json import dumps

    print(dumps(document))


COMMANDS = {"functions": functions, "metadata": metadata}
