"""Whether a state from elsewhere may take the place of the one that is stored. Reads and writes nothing."""

from __future__ import annotations

from dataclasses import replace

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.model import State


def successor(now: State, state: State, place: str) -> State:
    """The state as it may be stored in the place of another one. `place` is how people know that.

    As with stock Terraform, an empty one makes way for any. Raises `DiagnosticError` where something would be lost.
    """
    if not (now.resources or now.outputs):
        # Serials never go back.
        serial = max(state.serial, now.serial + 1) if state.lineage == now.lineage else state.serial
        return replace(state, serial=serial)
    if state.lineage != now.lineage:
        raise DiagnosticError(
            error(
                "State of another lineage",
                f"{place} has the lineage {now.lineage}, but this state has {state.lineage}: they were "
                "never the same state.",
                mend="Work in the directory or workspace that it belongs to; or give -force to lose what is there.",
            )
        )
    if state.serial <= now.serial:
        kind = "another one of the same serial" if state.serial == now.serial else "older"
        raise DiagnosticError(
            error(
                "State is not newer",
                f"{place} has the serial {now.serial}, and this state the serial {state.serial}: it is {kind}.",
                mend="Take over from `twinfra state pull` what was done meanwhile; or give -force to lose that.",
            )
        )
    return state
