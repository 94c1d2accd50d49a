"""`twinfra output`: the outputs of the root module, as recorded in the state."""

from __future__ import annotations

from typing import Any

import click

from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.diagnostics import DiagnosticError, error, nearest


def output_document(outputs: dict[str, Any]) -> dict[str, Any]:
    """All outputs in the public JSON form, values of sensitive ones included."""
    return {
        name: {"sensitive": output.sensitive, "type": output.type, "value": output.value}
        for name, output in sorted(outputs.items())
    }


def outputs_text(outputs: dict[str, Any]) -> str:
    """All outputs as people read them; sensitive ones are not shown."""
    from twinfra.cli.render.values import output_text
    from twinfra.engine.outputs import decode_output

    lines = []
    for name, output in sorted(outputs.items()):
        text = "<sensitive>" if output.sensitive else output_text(decode_output(output))
        lines.append(f"{name} = {text}\n")
    return "".join(lines)


@command("output")
@flag("json", "print JSON, sensitive values included")
@flag("raw", "print one string, number or bool as it is, without quotes or line end")
@flag("no-color", "no colour")
@value("state", "read this state file")
@flag("sandbox", "accepted; outputs are read from the state")
@click.argument("name", required=False)
def output(json: bool, raw: bool, no_color: bool, state: str | None, sandbox: bool, name: str | None) -> int:
    """Show the outputs of the root module, or one of them."""
    from twinfra.cli.machine.text import dumps
    from twinfra.cli.workspace import read_state

    if json and raw:
        raise UsageProblem("-json and -raw exclude each other.")
    if raw and not name:
        raise UsageProblem("-raw needs the name of an output.")
    outputs = read_state(state).outputs
    if not name:
        if json:
            print(dumps(output_document(outputs), indent=2))
        elif outputs:
            print(outputs_text(outputs), end="")
        else:
            _tell_none(no_color)
        return 0
    if not outputs and not json:
        _tell_none(no_color)
        return 0
    if name not in outputs:
        raise DiagnosticError(
            error(
                "Output not found",
                f'The state has no output "{name}".',
                mend=nearest(name, outputs)
                or "An output declared since the last apply appears after the next.",
            )
        )
    found = outputs[name]
    if json:
        print(dumps(found.value))
    elif raw:
        print(_raw(name, found.value), end="")
    else:
        from twinfra.cli.render.values import output_text
        from twinfra.engine.outputs import decode_output

        print(output_text(decode_output(found)))
    return 0


def _tell_none(no_color: bool) -> None:
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.diagnostics import warning

    message = "The state holds no outputs: none is declared, or nothing was applied yet."
    print_diagnostics(
        [warning("No outputs found", message, mend="Declare one, then run: twinfra apply")], no_color
    )


def _raw(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, list | dict):
        raise DiagnosticError(
            error(
                "Unsupported value for raw output",
                f'The output "{name}" is {"null" if value is None else "a collection"}; -raw prints only '
                "a string, number or bool.",
                mend="Use -json instead.",
            )
        )
    return str(value)


COMMANDS = {"output": output}
