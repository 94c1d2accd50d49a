"""`twinfra state`: looking at what the state holds; the group takes in the commands that change it, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from twinfra.cli.command import Group, flag, value
from twinfra.cli.state_change import move, remove, replace_provider, taint, untaint
from twinfra.cli.state_exchange import pull, push
from twinfra.cli.state_history import diff, history, restore
from twinfra.cli.state_lock import force_unlock
from twinfra.cli.state_secrets import secrets
from twinfra.cli.state_transfer import merge, split
from twinfra.diagnostics import DiagnosticError, error

if TYPE_CHECKING:
    from twinfra.addresses import Instance
    from twinfra.state.model import State


@click.group(cls=Group, name="state")
def state() -> None:
    """What the state holds, and changes to it."""


@state.command("list")
@value("state", "read this state file")
@value("id", "only instances whose attribute id is this")
@flag("json", "print a JSON list")
@flag("no-color", "accepted; there is no colour here")
@click.argument("addresses", nargs=-1)
def list_(state: str | None, id: str | None, json: bool, no_color: bool, addresses: tuple[str, ...]) -> int:
    """List the instances in the state, or those that ADDRESSES name.

    An address is that of a module, a resource or an instance; `*` in it stands for any text.
    """
    from twinfra.cli.state_addresses import instances, select

    held = existing_state(state)
    found = select(held, addresses) if addresses else instances(held)
    if id is not None:
        found = [one for one in found if _has_id(held, one, id)]
    if json:
        from twinfra.cli.machine.text import dumps

        print(dumps([str(one) for one in found]))
    elif found:
        print("\n".join(map(str, found)))
    return 0


@state.command("show")
@value("state", "read this state file")
@flag("json", "print JSON, sensitive values included")
@flag("no-color", "no colour")
@click.argument("address")
def show(state: str | None, json: bool, no_color: bool, address: str) -> int:
    """Show the attributes of the instance at ADDRESS, and of objects that it deposed."""
    from twinfra.cli.shown import decode_state
    from twinfra.cli.state_addresses import select_one
    from twinfra.state.model import ResourceState, State

    held = existing_state(state)
    wanted = select_one(held, address)
    record = held.resources[wanted.of]
    only = ResourceState(record.provider, {wanted.key: record.instances[wanted.key]})
    shown = decode_state(State(resources={wanted.of: only}))
    if json:
        from twinfra.cli.machine.state import resource_json
        from twinfra.cli.machine.text import dumps

        documents = [resource_json(one) for one in shown]
        print(dumps(documents[0] if len(documents) == 1 else documents, indent=2))
        return 0
    from twinfra.cli.render.state import render_state
    from twinfra.cli.render.style import standard_style

    print(render_state(State(), shown, standard_style(no_color)), end="")
    return 0


def existing_state(path: str | None) -> State:
    """The state to look at: of the file at `path`, else of the workspace in use. Raises where there is none."""
    from twinfra.cli.workspace import read_state

    found = read_state(path)
    if not found.lineage and not found.serial and not found.resources:
        raise DiagnosticError(
            error(
                "No state",
                f"{path} is empty." if path else "There is no state here: nothing was applied yet.",
                mend="Work in the directory of the configuration, or name a state file with -state=FILE.",
            )
        )
    return found


def _has_id(held: State, address: Instance, id: str) -> bool:
    there = held.get(address)
    if there is None:
        return False
    objects = [*([there.current] if there.current is not None else []), *there.deposed.values()]
    return any(one.attributes.get("id") == id for one in objects)


for _one in (move, remove, pull, push, replace_provider, history, diff, restore, secrets, split, merge):
    state.add_command(_one)

COMMANDS = {"state": state, "force-unlock": force_unlock, "taint": taint, "untaint": untaint}
