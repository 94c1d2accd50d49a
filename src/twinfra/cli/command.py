"""Commands on click, with the flags people know from Terraform: one dash or two, `-json`, `-input=false`.

Click does types, help and usage; this module only brings arguments into the form click takes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from twinfra.cli.automation import with_arguments
from twinfra.diagnostics import Diagnostic, DiagnosticError, error, nearest

ORDER = "twinfra.arguments"
"""Where a click context keeps the arguments in their order on the command line."""

ENVIRONMENT = "twinfra.environment"
"""Where a click context keeps the name that `-env` gives."""


class UsageProblem(Exception):
    """Wrong usage of the command line, in words for people."""


class SilentFailure(Exception):
    """A failure that was told already; only the exit code is left to give."""


class Command(click.Command):
    """A command whose long options take one dash, and whose flags take `=true` and `=false`.

    `events`: with `-json` it tells events, and mistakes are events too.
    """

    events = False

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        """Normalise, then let click parse."""
        arguments = normalise(arguments, self, context.command_path)
        arguments = _take_environment(arguments, context, self)
        context.meta[ORDER] = tuple(arguments)
        return super().parse_args(context, arguments)

    def invoke(self, context: click.Context) -> Any:
        """Run it in the environment that was asked for."""
        from twinfra.cli.environment import chosen

        try:
            with chosen(context.meta.get(ENVIRONMENT, "")):
                return super().invoke(context)
        except DiagnosticError as failure:
            if not (self.events and context.params.get("json")):
                raise
            from twinfra.cli.terminal import Terminal

            Terminal(json=True).diagnostics(failure.diagnostics)
            raise SilentFailure from None

    def get_help_option_names(self, context: click.Context) -> list[str]:
        """Help is asked for with one dash."""
        return ["-help"]

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Tell of the option that every command takes, and none declares."""
        formatter.write_paragraph()
        formatter.write_text("Every command also takes -env NAME: work in an environment of twinfra.toml.")


class Group(click.Group):
    """A command with subcommands."""

    command_class = Command

    def get_help_option_names(self, context: click.Context) -> list[str]:
        """Help is asked for with one dash."""
        return ["-help"]

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        """Take `--help` and `-h` as `-help`, and `-env` also before the subcommand."""
        while arguments and arguments[0].lstrip("-").partition("=")[0] == "env" and arguments[0][0] == "-":
            taken = arguments[:1] if "=" in arguments[0] else arguments[:2]
            arguments = arguments[len(taken) :]
            _take_environment(normalise(taken, self), context, self)
        if arguments and arguments[0] in ("--help", "-h"):
            arguments = ["-help", *arguments[1:]]
        return super().parse_args(context, arguments)

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest subcommand when there is none of that name."""
        if arguments and self.get_command(context, arguments[0]) is None:
            known = self.list_commands(context)
            raise UsageProblem(
                f'There is no command "{context.command_path} {arguments[0]}". '
                f"{nearest(arguments[0], known) or 'There are: ' + ', '.join(known) + '.'}"
            )
        return super().resolve_command(context, arguments)


def flag_names(command: click.Command) -> tuple[set[str], set[str]]:
    """The names of a command's options: those that are flags, and those that take a value."""
    flags: set[str] = {"-help"}
    valued: set[str] = set()
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            kind = flags if isinstance(parameter.type, click.types.BoolParamType) else valued
            kind.update(parameter.opts)
    return flags, valued


def normalise(arguments: Iterable[str], command: click.Command, path: str = "") -> list[str]:
    """Arguments as click takes them: one dash, and every flag with its value (`-json` becomes `-json=true`).

    `path`: how the command is called in full.
    """
    flags, valued = flag_names(command)
    result: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            result += ["--", *remaining]
            break
        if not argument.startswith("-") or argument == "-":
            result.append(argument)
            continue
        name, equals, value = argument.partition("=")
        name = "-" + name.lstrip("-")
        name = "-help" if name == "-h" else name
        if name == "-help":
            result.append("-help")
        elif name in flags:
            value = value.lower() if equals else "true"
            if value not in ("true", "false", "1", "0", "t", "f"):
                raise UsageProblem(f"{name} is either true or false, not {value!r}.")
            result.append(f"{name}={value}")
        elif name == "-sandbox":
            continue  # every command takes it; one that declares nothing of it calls no cloud
        elif name in valued or name == "-env":  # every command works in an environment
            given = value if equals else next(remaining, None)
            if given is None:
                raise UsageProblem(f"{name} needs a value.")
            # Of a single letter, click would take the sign for a part of the value.
            result += [name, given] if len(name) == 2 else [f"{name}={given}"]
        else:
            hint = nearest(name, flags | valued)
            raise UsageProblem(
                f'"{command.name}" has no option {name}. {hint}'.rstrip()
                + f'\nSee "{path or f"twinfra {command.name}"} -help".'
            )
    return result


def _take_environment(arguments: Sequence[str], context: click.Context, command: click.Command) -> list[str]:
    """Note what `-env` names, and take it out unless the command declares it itself."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    names = [one.partition("=")[2] for one in arguments[:end] if one.startswith("-env=")]
    for name in names:
        if not name:
            raise UsageProblem("-env needs the name of an environment: -env NAME.")
        if context.meta.setdefault(ENVIRONMENT, name) != name:
            raise UsageProblem(f"-env is given twice: {context.meta[ENVIRONMENT]} and {name}.")
    if any("-env" in one.opts for one in command.params):
        return list(arguments)
    return [*(one for one in arguments[:end] if not one.startswith("-env=")), *arguments[end:]]


def given_order(*names: str) -> list[tuple[str, str]]:
    """The options of these names in the order they were given, each with its value."""
    context = click.get_current_context(silent=True)
    found: list[tuple[str, str]] = []
    for argument in context.meta.get(ORDER, ()) if context is not None else ():
        if argument == "--":
            break
        name, _, given = argument.partition("=")
        if name.startswith("-") and name[1:] in names:
            found.append((name[1:], given))
    return found


def flag(name: str, help: str, default: bool = False) -> Callable[..., Any]:
    """A flag `-name`, also `-name=false`. Its parameter is `name` with underscores."""
    return click.option(f"-{name}", name.replace("-", "_"), type=bool, default=default, help=help)


def value(
    name: str,
    help: str,
    *,
    multiple: bool = False,
    default: Any = None,
    type: Any = None,
    parameter: str = "",
) -> Callable[..., Any]:
    """An option `-name VALUE` or `-name=VALUE`; `multiple` collects a tuple."""
    return click.option(
        f"-{name}",
        parameter or name.replace("-", "_"),
        type=type or str,
        default=() if multiple and default is None else default,
        multiple=multiple,
        help=help,
    )


def command(name: str, help: str = "", *, events: bool = False) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command; it returns the exit code (None is 0). `events`: see `Command`."""

    def decorate(function: Callable[..., Any]) -> Command:
        made = click.command(name=name, cls=Command, help=help or function.__doc__)(function)
        made.events = events
        return made

    return decorate


OVERVIEW = """Usage: twinfra [-chdir=DIR] [-env NAME] [--sandbox] COMMAND [options]

Infrastructure as Code for machine-learning teams: declare, plan, apply, repair.

Commands:
{commands}

Everywhere:
  -chdir=DIR   work in another directory
  -env NAME    work in an environment of twinfra.toml (or set TWINFRA_ENV)
  --sandbox    run against the embedded cloud instead of a real account
  -help        this text, or that of a command
  -version     the version
"""


def overview(commands: dict[str, tuple[str, str]]) -> str:
    """The help text of the program."""
    width = max(map(len, commands))
    listed = "\n".join(f"  {name.ljust(width)}  {help}" for name, (_, help) in commands.items())
    return OVERVIEW.format(commands=listed)


def execute(arguments: list[str], commands: dict[str, tuple[str, str]]) -> int:
    """Take the options that stand before the command, load the command's module, and run it."""
    arguments, sandbox, environment = _global_options(arguments)
    if not arguments or arguments[0] in ("-help", "--help", "-h", "help"):
        if len(arguments) > 1 and arguments[1] in commands:
            arguments = [arguments[1], "-help"]
        else:
            print(overview(commands), end="")
            return 0 if arguments else 1
    name = arguments[0]
    if name not in commands:
        raise UsageProblem(
            f'There is no command "{name}". {nearest(name, commands)}'.rstrip()
            + '\nSee "twinfra -help" for all commands.'
        )
    module = import_module(commands[name][0])
    found: click.Command = module.COMMANDS[name]
    rest = _from_environment(found, name, arguments[1:])
    if sandbox and any("-sandbox" in one.opts for one in found.params):
        rest = ["-sandbox", *rest]
    if environment:
        rest = [f"-env={environment}", *rest]
    try:
        code = _invoke(found, name, rest)
    except UsageProblem as problem:
        if not (isinstance(found, Command) and found.events and _wants_json(rest)):
            raise
        _refuse_in_json(problem)
    return int(code or 0)


def _invoke(found: click.Command, name: str, arguments: list[str]) -> Any:
    try:
        with found.make_context(f"twinfra {name}", arguments) as context:
            return found.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.UsageError as wrong:
        _refuse(wrong)
    except click.Abort:
        raise KeyboardInterrupt from None


def _wants_json(arguments: list[str]) -> bool:
    """Whether arguments that may be wrong ask for JSON."""
    given = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return any(one.lstrip("-").lower() in ("json", "json=true", "json=1", "json=t") for one in given)


def _refuse_in_json(problem: UsageProblem) -> NoReturn:
    """Tell wrong usage to a program that reads events; nothing was told before."""
    import sys

    from twinfra.cli.machine.events import JsonEvents

    events = JsonEvents(sys.stdout)
    events.version()
    events.diagnostic(usage_diagnostic(problem))
    raise SilentFailure from None


def usage_diagnostic(problem: UsageProblem) -> Diagnostic:
    """Wrong usage as a diagnostic."""
    return error("Wrong use of the command line", str(problem))


def _from_environment(found: click.Command, name: str, rest: list[str]) -> list[str]:
    """The arguments with those that TF_CLI_ARGS adds: after the command, or after its subcommand."""
    at = 0
    words = [name]
    while isinstance(found, click.Group):
        at = next((place for place in range(at, len(rest)) if rest[place] in found.commands), len(rest))
        if at == len(rest):
            return rest
        words.append(rest[at])
        found = found.commands[rest[at]]
        at += 1
    try:
        return [*rest[:at], *with_arguments(words, rest[at:])]
    except ValueError as problem:
        raise UsageProblem(str(problem)) from None


def _refuse(wrong: click.UsageError) -> NoReturn:
    usage = wrong.ctx.command_path if wrong.ctx else "twinfra"
    raise UsageProblem(f'{wrong.format_message()}\nSee "{usage} -help".') from None


def _global_options(arguments: list[str]) -> tuple[list[str], bool, str]:
    """Act on `-chdir`, and note `--sandbox` and `-env`; returns what is left, and these two."""
    sandbox = False
    environment = ""
    position = 0
    while position < len(arguments) and arguments[position].startswith("-"):
        name, equals, given = arguments[position].partition("=")
        name = "-" + name.lstrip("-")
        if name == "-chdir":
            if not equals:
                raise UsageProblem("-chdir needs a directory: -chdir=DIR.")
            try:
                os.chdir(given)
            except OSError as reason:
                raise UsageProblem(f"Cannot work in {given}: {reason.strerror}.") from None
        elif name == "-sandbox":
            sandbox = given != "false"
        elif name == "-env":
            if not equals and position + 1 < len(arguments):
                position += 1
                given = arguments[position]
            if not given:
                raise UsageProblem("-env needs the name of an environment: -env NAME.")
            environment = given
        elif name in ("-help", "-h"):
            return ["-help"], sandbox, ""
        elif name in ("-version", "-v"):
            return ["version"], sandbox, ""
        else:
            raise UsageProblem(f'{name} is not an option of twinfra itself. See "twinfra -help".')
        position += 1
    return arguments[position:], sandbox, environment
