"""`twinfra sandbox`: the embedded cloud, started, stopped and looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twinfra.cli.command import Group, flag


def _status_text(status: dict[str, Any]) -> str:
    if not status["running"]:
        return "The sandbox is not running. Start it with: twinfra sandbox start"
    return (
        f"The sandbox is running at {status['endpoint']} (process {status['pid']}): "
        f"account {status['account']}, region {status['region']}."
    )


def _show(json: bool) -> None:
    from twinfra.sandbox import server

    status = server.status_document(Path.cwd())
    if json:
        from json import dumps

        print(dumps(status))
    else:
        print(_status_text(status))


@click.group(cls=Group, name="sandbox", help=__doc__)
def sandbox() -> None:
    """The embedded cloud."""


@sandbox.command("start")
@flag("json", "print JSON")
def start(json: bool) -> None:
    """Start it, if it does not run already."""
    from twinfra.sandbox import server

    server.ensure_running(Path.cwd())
    _show(json)


@sandbox.command("stop")
@flag("json", "print JSON")
def stop(json: bool) -> None:
    """Stop it; what was made in it is kept for the next start."""
    from twinfra.sandbox import server

    was_running = server.stop(Path.cwd())
    if json:
        _show(json)
    elif was_running:
        print("Stopped. What was made in the sandbox is there again when it starts.")
    else:
        print("The sandbox was not running.")


@sandbox.command("status")
@flag("json", "print JSON")
def status(json: bool) -> None:
    """Tell whether it runs, and where."""
    _show(json)


@sandbox.command("reset")
@flag("json", "print JSON")
def reset(json: bool) -> None:
    """Delete everything in it and start afresh. The state files of working directories stay as they are."""
    from twinfra.sandbox import server

    server.reset(Path.cwd())
    _show(json)


@sandbox.command("env")
@flag("json", "print the variables as a JSON object; those that must not be set are null")
def env(json: bool) -> None:
    """Print the variables with which the aws command or boto3 talk to it."""
    import shlex

    from twinfra.sandbox import server

    running = server.ensure_running(Path.cwd())
    if json:
        from json import dumps

        print(dumps({**dict.fromkeys(server.UNSET), **server.environment(running)}))
        return
    print(f"unset {' '.join(server.UNSET)}")
    for name, text in server.environment(running).items():
        print(f"export {name}={shlex.quote(text)}")


COMMANDS = {"sandbox": sandbox}
