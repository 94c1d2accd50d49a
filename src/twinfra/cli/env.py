"""`twinfra env`: which environments there are, and what each of them is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from twinfra.cli.command import Group, UsageProblem, flag

if TYPE_CHECKING:
    from twinfra.config.model import Module
    from twinfra.environments.declaration import Environment

SENSITIVE = "(sensitive)"
_WIDTH = 80


@click.group(cls=Group, name="env")
def env() -> None:
    """The environments that twinfra.toml declares."""


@env.command("list")
@flag("json", "print JSON")
@flag("no-color", "no colour")
def list_(json: bool, no_color: bool) -> None:
    """List the environments; the one that -env or TWINFRA_ENV names has a star."""
    from twinfra.cli.environment import current, project
    from twinfra.cli.render.style import standard_style

    found = project()
    if found is None:
        # Where no environments are declared, stock Terraform's old name of `workspace` can only be meant.
        _as_workspace("list", json=json, no_color=no_color)
        return
    here = current()
    if json:
        from twinfra.cli.machine.text import dumps

        print(dumps(environment_documents(found.environments.values()), indent=2))
        return
    if not found.environments:
        print(f"{found.path.name} declares no environment yet. Write [environments.NAME] in it.")
        return
    style = standard_style(no_color)
    width = max(map(len, found.environments))
    for name, environment in found.environments.items():
        star = "*" if here is not None and here.name == name else " "
        told = [_cloud(environment), *_notes(environment)]
        for number, line in enumerate(_wrapped(told, _WIDTH - width - 4)):
            head = style(name.ljust(width), "bold") if number == 0 else " " * width
            print(f"{star if number == 0 else ' '} {head}  {line}")


def _as_workspace(name: str, /, **options: Any) -> None:
    """Run the subcommand of `workspace` that `env` was the name of in old versions of Terraform, with a warning."""
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.cli.workspaces import workspace
    from twinfra.diagnostics import warning

    print_diagnostics(
        [
            warning(
                "Old name of a command",
                f"`env {name}` is an old name of `workspace {name}`; `env` is about the environments of twinfra.toml.",
                mend=f"Run: twinfra workspace {name}",
            )
        ],
        bool(options.get("no_color")),
    )
    callback = workspace.commands[name].callback
    assert callback is not None
    callback(**options)


def _add_old_names() -> None:
    """The subcommands that only workspaces have, under the old name too."""
    from twinfra.cli.workspaces import workspace

    for name in ("new", "select", "delete"):
        of_workspace = workspace.commands[name]

        def run(_name: str = name, **options: Any) -> None:
            _as_workspace(_name, **options)

        env.add_command(
            type(of_workspace)(
                name,
                params=of_workspace.params,
                callback=run,
                help=f"The old name of `workspace {name}`; deprecated.",
            )
        )


@env.command("show")
@flag("json", "print JSON")
@flag("no-color", "no colour")
@click.argument("name", required=False)
def show(json: bool, no_color: bool, name: str | None) -> None:
    """Show what the environment NAME is, or the one that -env or TWINFRA_ENV names. Secrets are not shown."""
    from twinfra.cli.environment import current, named, refuse_another
    from twinfra.cli.render.style import standard_style

    if name:
        refuse_another([name], f"it is {name} that is shown")
    environment = named(name) if name else current()
    if environment is None:
        raise UsageProblem("Which environment? Give its name: twinfra env show NAME")
    (document,) = environment_documents([environment])
    if json:
        from twinfra.cli.machine.text import dumps

        print(dumps(document, indent=2))
        return
    style = standard_style(no_color)
    lines = list(_facts(environment, document))
    width = max(len(title) for title, _ in lines)
    print(style(environment.name, "bold"))
    for title, text in lines:
        print(f"  {title.ljust(width)}  {text}".rstrip())


def environment_documents(environments: Iterable[Environment]) -> list[dict[str, Any]]:
    """Environments as JSON; what the configuration or the backend calls sensitive is left out."""
    from twinfra.cli.workspace import try_configuration

    found = list(environments)
    asked = any(one.variables or one.backend for one in found)
    configuration = try_configuration()[0] if asked else None
    # Of a configuration that cannot be read nothing is known, and nothing shown.
    root = configuration.root if configuration is not None and configuration.modules else None
    return [_document(one, root) for one in found]


def _document(environment: Environment, root: Module | None) -> dict[str, Any]:
    protection = environment.protection
    return {
        "name": environment.name,
        "twin_of": environment.twin_of or None,
        "cloud": {
            "sandbox": environment.sandbox,
            "accounts": list(environment.accounts),
            "regions": list(environment.regions),
        },
        "workspace": environment.workspace,
        "backend": _backend(environment, root),
        "var_files": [_relative(environment, path) for path in environment.var_files],
        "variables": _variables(environment, root),
        "branch": environment.branch or None,
        "protection": {
            "clean_commit": protection.clean_commit,
            "approval": protection.approval,
            "plan_file": protection.plan_file,
        },
    }


def _relative(environment: Environment, path: Any) -> str:
    import os

    return os.path.relpath(path, environment.directory)


def _variables(environment: Environment, root: Module | None) -> dict[str, Any]:
    """The values of variables in plain Python; only those that the root module declares as not sensitive."""
    from twinfra.values.convert import type_of
    from twinfra.values.encoding import value_to_json

    declared = root.variables if root is not None else {}
    return {
        name: value_to_json(value, type_of(value))
        if name in declared and not declared[name].sensitive
        else SENSITIVE
        for name, value in environment.variables.items()
    }


def _backend(environment: Environment, root: Module | None) -> dict[str, Any]:
    """The settings of the backend; only those that its schema knows as not sensitive."""
    from twinfra.diagnostics import DiagnosticError
    from twinfra.state.backends.registry import backend_schema

    if not environment.backend:
        return {}
    block = root.backend if root is not None else None
    try:
        known = backend_schema(block.type).attributes if block is not None else {}
    except DiagnosticError:
        known = {}
    return {
        name: value if name in known and not known[name].sensitive else SENSITIVE
        for name, value in environment.backend.items()
    }


def _cloud(environment: Environment) -> str:
    if environment.sandbox:
        where = "sandbox"
    elif environment.accounts:
        where = ("accounts " if len(environment.accounts) > 1 else "account ") + ", ".join(
            environment.accounts
        )
    else:
        where = "any account"
    regions = f" in {', '.join(environment.regions)}" if environment.regions else ""
    return where + regions


def _notes(environment: Environment) -> Iterator[str]:
    if environment.twin_of:
        yield f"twin of {environment.twin_of}"
    if environment.branch:
        yield f"branch {environment.branch}"
    yield from _asked(environment)


def _asked(environment: Environment) -> Iterator[str]:
    protection = environment.protection
    if protection.clean_commit:
        yield "clean commit"
    if protection.approval:
        yield "approval"
    if protection.plan_file:
        yield "saved plan"


def _facts(environment: Environment, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from twinfra.cli.machine.text import dumps

    yield "cloud", _cloud(environment)
    yield "workspace", environment.workspace
    for name, value in document["backend"].items():
        yield f"backend {name}", value if isinstance(value, str) else dumps(value)
    for path in document["var_files"]:
        yield "var file", path
    for name, value in document["variables"].items():
        yield f"var.{name}", value if value == SENSITIVE else dumps(value)
    if environment.branch:
        yield "branch", environment.branch
    if environment.twin_of:
        yield "twin of", environment.twin_of
    asked = list(_asked(environment))
    if asked:
        yield "needs", ", ".join(asked)


def _wrapped(parts: list[str], width: int) -> list[str]:
    """Parts joined by commas, in lines that break between parts."""
    lines = [parts[0]]
    for part in parts[1:]:
        joined = f"{lines[-1]}, {part}"
        if len(joined) <= width:
            lines[-1] = joined
        else:
            lines[-1] += ","
            lines.append(part)
    return lines


_add_old_names()
COMMANDS = {"env": env}
