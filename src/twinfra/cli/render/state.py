"""A state as people read it: each object with its attributes, then the outputs."""

from __future__ import annotations

from collections.abc import Iterable

from twinfra.addresses import DATA
from twinfra.cli.machine.state import ShownResource
from twinfra.cli.render.style import Style
from twinfra.cli.render.values import output_text, value_lines
from twinfra.state.model import State
from twinfra.values.secrets import hide, secrets_in
from twinfra.values.value import Null


def render_state(state: State, shown: Iterable[ShownResource], style: Style) -> str:
    """The whole state; an empty string when there is nothing in it."""
    parts = []
    for one in shown:
        remark = " (tainted)" if one.tainted else f" (deposed {one.deposed})" if one.deposed else ""
        parts.append(f"{style(f'# {one.address}:{remark}', 'bold')}\n{render_resource(one)}\n")
    if state.outputs:
        from twinfra.engine.outputs import decode_output

        lines = ["", "Outputs:", ""]
        for name, output in sorted(state.outputs.items()):
            text = "<sensitive>" if output.sensitive else output_text(decode_output(output))
            lines.append(f"{name} = {text}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def render_resource(one: ShownResource) -> str:
    """One object in the notation of the language, null attributes left out."""
    resource = one.address.resource
    kind = "data" if resource.mode == DATA else "resource"
    values = {
        name: inner
        for name, inner in sorted(hide(one.values, secrets_in(one.values)).items())
        if inner is not None and type(inner) is not Null
    }
    width = max(map(len, values), default=0)
    lines = [f'{kind} "{resource.type}" "{resource.name}" {{']
    for name, inner in values.items():
        text = value_lines(inner, 4, 4)
        lines.append(f"    {name.ljust(width)} = {text[0]}")
        lines.extend(text[1:])
    return "\n".join([*lines, "}"])
