"""`twinfra import`: takes an object that exists already into the state, under an address of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twinfra.addresses import DATA, AbsResource, Instance
from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.cli.options import shared, take_shared
from twinfra.diagnostics import DiagnosticError, error


@command("import", events=True)
@shared
@value("config", "the directory of the configuration; the working directory where not given")
@value("backup", "where to keep the previous state (of the local backend)")
@value("state-out", "write the state to this file instead")
@flag("ignore-remote-version", "accepted; no version of Terraform runs elsewhere")
@click.argument("address")
@click.argument("id")
def import_(
    address: str,
    id: str,
    config: str | None,
    backup: str | None,
    state_out: str | None,
    ignore_remote_version: bool,
    **options: Any,
) -> int:
    """Take the existing object with this ID into the state, under ADDRESS.

    The configuration must have a block for ADDRESS, which says which provider looks for it. Nothing but the
    state is changed. Which ID a type wants stands in its page of the documentation.
    """
    from twinfra.cli.receipts import audited
    from twinfra.cli.running import listening, work
    from twinfra.engine import api

    common = take_shared(options)
    if config is not None and Path(config).resolve() != Path.cwd():
        raise UsageProblem(
            f"-config: work in that directory instead, with: twinfra -chdir={config} import ..."
        )
    target = _target(address)
    with work(common, "import", state_out=state_out, backup=backup) as run:
        with listening(run) as listener:
            outcome = api.import_resource(
                run.configuration,
                run.workspace.state,
                run.inputs,
                run.providers,
                target,
                id,
                api.ApplyOptions(run.parallelism, run.workspace.name),
                listener,
            )
        if outcome.diagnostics.has_errors:
            run.report(outcome.diagnostics)
            return 1
        with audited(run.workspace, "import", objects=[str(target)], import_id=id):
            run.workspace.save(outcome.state)
        run.report(outcome.diagnostics)
        done = run.terminal.style(f"{target} is imported.", "green", "bold")
        run.terminal.say(f'{done} Run "twinfra plan" to see where its configuration differs.')
    return 0


def _target(text: str) -> Instance:
    from twinfra.cli.state_addresses import parse

    address = parse(text)
    if isinstance(address, AbsResource):
        address = address.instance()
    if not isinstance(address, Instance):
        raise DiagnosticError(
            error(
                "Not an instance",
                f"{text} is the address of a module.",
                mend='Name one resource instance, such as aws_s3_bucket.data or aws_subnet.private["a"].',
            )
        )
    if address.resource.mode == DATA:
        raise DiagnosticError(
            error(
                "Data cannot be imported",
                f"{text} is a data source: it is read, and never made or destroyed.",
                mend="Import to a resource block.",
            )
        )
    return address


COMMANDS = {"import": import_}
