"""`twinfra show`: a state or a saved plan, for people or in the public JSON form."""

from __future__ import annotations

from pathlib import Path

import click

from twinfra.cli.command import command, flag


@command("show")
@flag("json", "print JSON")
@flag("no-color", "no colour")
@flag("sandbox", "accepted; nothing is read from a cloud")
@click.argument("path", required=False)
def show(json: bool, no_color: bool, sandbox: bool, path: str | None) -> int:
    """Show the current state, or the state file or saved plan at PATH."""
    from twinfra.cli.workspace import read_state
    from twinfra.engine.planfile import is_plan_file

    if path is not None and is_plan_file(Path(path)):
        return _show_plan(Path(path), json, no_color)
    state = read_state(path)
    from twinfra.cli.shown import decode_state

    if json:
        from twinfra.cli.machine.state import state_json
        from twinfra.cli.machine.text import dumps

        print(dumps(state_json(state, decode_state)))
        return 0
    from twinfra.cli.render.state import render_state
    from twinfra.cli.render.style import standard_style

    text = render_state(state, decode_state(state), standard_style(no_color))
    print(text or "The state is empty.", end="" if text else "\n")
    return 0


def _show_plan(path: Path, json: bool, no_color: bool) -> int:
    from twinfra.cli.encryption import saved_plan_codec
    from twinfra.cli.shown import SchemaReader, plan_document
    from twinfra.engine.planfile import read_plan_file

    saved = read_plan_file(path, codec=saved_plan_codec())
    if json:
        from twinfra.cli.machine.text import dumps

        print(dumps(plan_document(saved.plan, saved.configuration, saved.state)))
        return 0
    import sys

    from twinfra.cli.render.plan import render_plan
    from twinfra.cli.render.style import standard_style

    if saved.plan.errored:
        print("Not all could be planned, so this cannot be applied. This much could:")
    for part in render_plan(saved.plan, SchemaReader().of_change, standard_style(no_color)):
        sys.stdout.write(part)
    if saved.signed_by:
        print(f"\nIt says it is signed by the key {saved.signed_by}; apply -verify-key=FILE makes sure.")
    return 0


COMMANDS = {"show": show}
