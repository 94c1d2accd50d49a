"""The page of all commands, from their declarations: what they do, their arguments and options."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

from twinfra.cli.main import COMMANDS

INTRODUCTION = """# Commands

Made from the commands' declarations by `make docs`. Options take one dash or two, and flags also `-flag=false`.

Before the command stand the options of the program itself: `-chdir=DIR` works in another directory, `-env NAME` in an
environment of `twinfra.toml`, and `--sandbox` runs against the embedded cloud instead of a real account
([the sandbox](sandbox.md)). The last two may stand after any command, too.

Exit codes: 0 done, 1 error, 3 from `fmt -check` when a file is not in the canonical format, and 2

- from `plan` and `promote` with `-detailed-exitcode` when there is something to change;
- from `drift` when there is some, or some is left, `twins` when they are none, `prove` when it is not proven;
- from `audit verify` when something is not as it was written, `release verify` when a release does not hold any more,
  `which -model` when the model never ran;
- from `ci github -check` and its like when the file would be generated differently, `ci prepare` when somebody must
  approve;
- from `fmt` when a file is no configuration, or cannot be read or written.

A command ended by Ctrl-C exits with 1 after it has recorded what was done, or 130 where there was nothing to
record.
"""


def commands_page() -> str:
    """The whole page, in Markdown."""
    parts = [INTRODUCTION]
    for name, (module, _) in COMMANDS.items():
        command: click.Command = import_module(module).COMMANDS[name]
        parts.extend(_sections(f"twinfra {name}", command, 2))
    return "\n".join(parts)


def write_commands(path: Path) -> None:
    """Write the page."""
    path.write_text(commands_page(), encoding="utf-8")


def _sections(name: str, command: click.Command, level: int) -> Iterator[str]:
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    options = [one for one in command.params if isinstance(one, click.Option)]
    usage = " ".join([name, *(["[options]"] if options else []), *map(_placeholder, arguments)])
    yield f"{'#' * level} {name}\n"
    if isinstance(command, click.Group):
        yield f"{_sentence(command)}\n"
        for inner, one in command.commands.items():
            yield from _sections(f"{name} {inner}", one, level + 1)
        return
    yield f"```\n{usage}\n```\n\n{_sentence(command)}\n"
    if options:
        yield "| option | |\n|---|---|"
        yield from map(_row, options)
        yield ""


def _sentence(command: click.Command) -> str:
    return "\n".join(line.strip() for line in (command.help or "").strip().splitlines())


def _placeholder(argument: click.Argument) -> str:
    shown = (argument.name or "").upper() + ("..." if argument.nargs == -1 else "")
    return shown if argument.required else f"[{shown}]"


def _row(option: click.Option) -> str:
    flag = isinstance(option.type, click.types.BoolParamType)
    name = option.opts[0] + ("" if flag else "=…")
    notes = [option.help or ""]
    if option.multiple:
        notes.append("may be given several times")
    default = option.default
    if flag and default is True:
        notes.append("on by default")
    elif not flag and isinstance(default, str) and default:
        notes.append(f"default: `{default}`")
    text = "; ".join(note for note in notes if note)
    return f"| `{name}` | {text.replace('|', chr(92) + '|')} |"
