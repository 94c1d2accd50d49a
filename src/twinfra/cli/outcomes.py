"""What came of an apply: told to people with the outputs, or to programs as events."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from twinfra.engine import api
from twinfra.state.model import State

if TYPE_CHECKING:
    from twinfra.cli.machine.events import JsonEvents
    from twinfra.cli.running import Run


def finish_apply(run: Run, outcome: api.ApplyResult, destroyed_only: bool = False) -> int:
    """Say what was done, of the command `destroy` only what it destroyed; returns the exit code."""
    counts = outcome.counts
    failed = outcome.diagnostics.has_errors
    run.report(outcome.diagnostics)
    if run.options.json:
        _json_summary(run, outcome, destroyed_only, failed)
    elif not failed and not outcome.stopped:
        style = run.terminal.style
        if destroyed_only:
            text = f"Destroy complete! Resources: {counts.get('destroyed', 0)} destroyed."
        else:
            imported = f"{counts['imported']} imported, " if counts.get("imported") else ""
            forgotten = f", {counts['forgotten']} forgotten" if counts.get("forgotten") else ""
            text = (
                f"Apply complete! Resources: {imported}{counts.get('added', 0)} added, "
                f"{counts.get('changed', 0)} changed, {counts.get('destroyed', 0)} destroyed{forgotten}."
            )
        run.terminal.say("\n" + style(text, "bold", "green"))
        _show_outputs(run, outcome.state)
    elif outcome.stopped:
        run.terminal.say(
            "\nStopped. What was finished is recorded; run the same command again to do the rest."
        )
    return 1 if failed or outcome.stopped else 0


def finish_refresh(run: Run, outcome: api.ApplyResult) -> int:
    """Tell programs which outputs there are after a refresh; returns the exit code."""
    from twinfra.cli.machine.events import JsonEvents

    run.report(outcome.diagnostics)
    if outcome.diagnostics.has_errors or outcome.stopped:
        return 1
    _json_outputs(JsonEvents(sys.stdout), outcome.state)
    return 0


def _json_summary(run: Run, outcome: api.ApplyResult, destroyed_only: bool, failed: bool) -> None:
    from twinfra.cli.machine.events import JsonEvents

    if failed or outcome.stopped:
        return
    events = JsonEvents(sys.stdout)
    counts = outcome.counts
    events.summary(
        {
            "add": counts.get("added", 0),
            "change": counts.get("changed", 0),
            "import": counts.get("imported", 0),
            "remove": counts.get("destroyed", 0),
        },
        "destroy" if destroyed_only else "apply",
    )
    if not destroyed_only:
        _json_outputs(events, outcome.state)


def _json_outputs(events: JsonEvents, state: State) -> None:
    outputs: dict[str, Any] = {}
    for name, output in sorted(state.outputs.items()):
        outputs[name] = {"sensitive": output.sensitive, "type": output.type}
        if not output.sensitive:
            outputs[name]["value"] = output.value
    events.outputs(outputs)


def _show_outputs(run: Run, state: State) -> None:
    if not state.outputs:
        return
    from twinfra.cli.output import outputs_text

    run.terminal.say("\n" + run.terminal.style("Outputs:", "bold", "green") + "\n")
    run.terminal.write(outputs_text(state.outputs))
