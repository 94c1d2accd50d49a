"""`twinfra providers`: which providers the configuration needs, by module, and what of them is part of Twinfra."""

from __future__ import annotations

from collections.abc import Iterable

import click

from twinfra.addresses import ProviderAddress
from twinfra.cli.command import UsageProblem, command, flag
from twinfra.config.model import Configuration
from twinfra.config.provider_resolution import resolve_providers
from twinfra.diagnostics import Diagnostics


def needed_providers(configuration: Configuration) -> tuple[dict[str, set[ProviderAddress]], Diagnostics]:
    """The providers that each module's resources need, by module (empty for the root), and what is wrong."""
    resolution = resolve_providers(configuration)
    found: dict[str, set[ProviderAddress]] = {}
    for path, module in configuration.modules.items():
        name = ".".join(f"module.{step}" for step in path)
        found[name] = {resolution.of(path, resource).provider for resource in module.resources.values()}
    return found, resolution.diagnostics


def refuse_unserved(addresses: Iterable[ProviderAddress]) -> Diagnostics:
    """An error for each provider that is not part of Twinfra."""
    from twinfra.diagnostics import DiagnosticError
    from twinfra.providers.registry import create, is_served

    found = Diagnostics()
    for address in sorted(addresses, key=str):
        if not is_served(address):
            try:
                create(address)
            except DiagnosticError as refused:
                found.extend(refused.diagnostics)
    return found


@command("providers")
@flag("json", "with schema: print JSON, as `terraform providers schema -json` does")
@flag("no-color", "accepted; there is no colour here")
@flag("sandbox", "accepted; nothing is read from a cloud")
@click.argument("what", required=False)
def providers(json: bool, no_color: bool, sandbox: bool, what: str | None) -> int:
    """Show which providers each module of the configuration needs; with WHAT = schema, the schemas of these."""
    if what is not None or json:
        return _about(what, json, no_color)
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.cli.workspace import load_configuration

    needed, problems = needed_providers(load_configuration(misfits=False))
    print_diagnostics(problems, no_color)
    for module, addresses in sorted(needed.items()):
        print(module or "root module")
        print("".join(_lines(addresses)) or "  none", end="" if addresses else "\n")
    return 1 if problems.has_errors else 0


def _about(what: str | None, json: bool, no_color: bool) -> int:
    """The subcommands of stock Terraform: `schema`, and those that have nothing to do here."""
    if what in ("lock", "mirror"):
        raise UsageProblem(
            f"providers {what} is not supported: providers are part of Twinfra, none is downloaded."
        )
    if what != "schema":
        raise UsageProblem(
            "-json goes with providers schema."
            if what is None
            else f'There is no "providers {what}", only schema.'
        )
    if not json:
        raise UsageProblem("providers schema prints JSON only: give -json.")
    from json import dumps

    from twinfra.cli.machine.schemas import schemas_json
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.cli.workspace import load_configuration

    needed, problems = needed_providers(load_configuration(misfits=False))
    addresses = set().union(*needed.values())
    problems.extend(refuse_unserved(addresses))
    print_diagnostics(problems, no_color)
    if problems.has_errors:
        return 1
    print(dumps(schemas_json(addresses)))
    return 0


def _lines(addresses: Iterable[ProviderAddress]) -> Iterable[str]:
    from twinfra.providers.registry import is_served

    for address in sorted(addresses, key=str):
        yield f"  {address}{'' if is_served(address) else '  (not part of this version)'}\n"


COMMANDS = {"providers": providers}
