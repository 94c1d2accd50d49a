"""`twinfra console`: evaluate expressions against the configuration, its inputs and the state."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress

from twinfra.cli.command import command, flag, value
from twinfra.cli.terminal import print_diagnostics
from twinfra.diagnostics import Source


@command("console")
@value("state", "the state file (of the local backend)")
@value("var", "a variable: NAME=VALUE", multiple=True)
@value("var-file", "a file of variables", multiple=True)
@flag("sandbox", "work on the embedded cloud")
@flag("no-color", "no colour")
def console(
    state: str | None, var: tuple[str, ...], var_file: tuple[str, ...], sandbox: bool, no_color: bool
) -> int:
    """Evaluate expressions, one a line (more while brackets are open); `exit` or Ctrl-D ends."""
    from twinfra.cli.workspace import (
        make_providers,
        read_state,
        root_inputs,
        try_configuration,
        workspace_name,
    )
    from twinfra.engine import api
    from twinfra.lang.parser import parse_expression
    from twinfra.values.console import render

    configuration, diagnostics = try_configuration()
    print_diagnostics(diagnostics, no_color)
    if diagnostics.has_errors:
        return 1
    inputs, found = root_inputs(configuration, var, var_file, ask=False, partial=True)
    print_diagnostics(found, no_color)
    providers = make_providers(sandbox, configuration)
    failed = False
    try:
        opened = api.console(configuration, read_state(state), inputs, providers, workspace_name())
        print_diagnostics(opened.diagnostics, no_color)
        interactive = sys.stdin.isatty()
        answer: str | None = None
        for text in _statements(interactive):
            if text == "exit":
                answer = None
                break
            expression, problems = parse_expression(Source("<console-input>", text))
            if not problems:
                values, problems_found = api.evaluate(opened.scope, [expression])
                if values and not problems_found.has_errors:
                    answer = render(values[0])
                    if interactive:
                        print(answer)
                    continue
                problems = list(problems_found)
            print_diagnostics(problems, no_color)
            failed = True
            if not interactive:
                return 1
        if answer is not None and not interactive:
            print(answer)
    finally:
        providers.close()
    return 1 if failed and not sys.stdin.isatty() else 0


def _statements(interactive: bool) -> Iterator[str]:
    return _interactive() if interactive else _piped()


def _piped() -> Iterator[str]:
    pending = ""
    for line in sys.stdin:
        pending += line
        if _open_brackets(pending):
            continue
        text, pending = pending.strip(), ""
        if text:
            yield text
    if pending.strip():
        yield pending.strip()


def _interactive() -> Iterator[str]:
    with suppress(ImportError):
        import readline  # noqa: F401  (line editing and history for input())
    pending = ""
    while True:
        try:
            line = input("> " if not pending else "  ")
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            pending = ""
            continue
        pending += line + "\n"
        if _open_brackets(pending):
            continue
        text, pending = pending.strip(), ""
        if text:
            yield text


def _open_brackets(text: str) -> bool:
    """Whether brackets are still open, strings and comments not counted exactly: the parser has the last word."""
    from twinfra.lang.tokens import bracket_depth

    return bracket_depth(text) > 0


COMMANDS = {"console": console}
