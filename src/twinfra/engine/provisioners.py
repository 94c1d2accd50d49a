"""Provisioners: `local-exec` is supported; `file` and `remote-exec`, which log in to other machines, are
refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from twinfra.config.model import Provisioner
from twinfra.dataclass import dataclass
from twinfra.decode import prepare
from twinfra.diagnostics import Diagnostic, error
from twinfra.engine.nodes import ProvisionerPart, ResourceNode
from twinfra.schema import Attribute, Block
from twinfra.values.types import BOOL, STRING, ListType, MapType
from twinfra.values.value import Value

LOCAL_EXEC = Block(
    {
        "command": Attribute(STRING, required=True),
        "environment": Attribute(MapType(STRING), optional=True),
        "interpreter": Attribute(ListType(STRING), optional=True),
        "quiet": Attribute(BOOL, optional=True),
        "working_dir": Attribute(STRING, optional=True),
    }
)
"""The arguments of `local-exec` (https://developer.hashicorp.com/terraform/language/resources/provisioners/local-exec)."""

REMOTE = ("file", "remote-exec")
_OUTPUT_KEPT = 8 * 1024


def bind_provisioners(node: ResourceNode) -> None:
    """Bind the provisioners of a block to what their types take, with what is wrong in them."""
    parts, problems = bind_parts(node.config.provisioners, str(node.resource))
    node.provisioners = parts
    node.problems.extend(problems)


def bind_parts(configs: Iterable[Provisioner], owner: str) -> tuple[list[ProvisionerPart], list[Diagnostic]]:
    """The supported ones of some provisioners, and what is wrong with them; `owner` is what they belong
    to.
    """
    parts: list[ProvisionerPart] = []
    problems: list[Diagnostic] = []
    for config in configs:
        if problems:
            # Like stock Terraform, which looks no further.
            break
        if config.type in REMOTE:
            problems.append(
                error(
                    "Provisioner not supported",
                    f"The provisioner {config.type} copies to or runs on other machines, which is not "
                    "supported.",
                    config.range,
                    mend="Use user data, an image or a configuration tool, or a client run by local-exec.",
                )
            )
            continue
        if config.type != "local-exec":
            problems.append(
                error(
                    "No such provisioner",
                    f"{owner} asks for a provisioner {config.type}; there is only local-exec.",
                    mend="Use local-exec, or remove the block.",
                )
            )
            continue
        decoder, found = prepare(config.body, LOCAL_EXEC)
        problems.extend(found)
        parts.append(ProvisionerPart(config, decoder))
    return parts, problems


@dataclass(frozen=True, slots=True)
class LocalExec:
    """A command to run here. `secret`: part of it is sensitive, so neither it nor its output is shown."""

    command: str
    environment: Mapping[str, str]
    interpreter: tuple[str, ...]
    working_dir: str
    quiet: bool
    secret: bool


class ProvisionerFailed(Exception):
    """Why a provisioner failed, as a diagnostic without a place."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.summary)
        self.diagnostic = diagnostic


def local_exec(arguments: Mapping[str, Value], secret: bool) -> LocalExec:
    """The command that decoded, unmarked arguments describe; raises `ProvisionerFailed` where there is
    none.
    """
    command = arguments["command"]
    if not isinstance(command, str) or not command:
        raise ProvisionerFailed(
            error(
                "No command to run",
                "The command of local-exec is empty.",
                mend="Give a command, or remove the block.",
            )
        )
    environment = {
        name: "" if text is None else text for name, text in (arguments["environment"] or {}).items()
    }
    interpreter = tuple(text for text in (arguments["interpreter"] or ()) if text is not None)
    return LocalExec(
        command,
        environment,
        interpreter or (("cmd", "/C") if os.name == "nt" else ("/bin/sh", "-c")),
        arguments["working_dir"] or "",
        bool(arguments["quiet"]),
        secret,
    )


def run_local_exec(what: LocalExec, tell: Callable[[str], None]) -> None:
    """Run a command to its end, telling each line it prints; raises `ProvisionerFailed` where it fails.

    Standard input is empty. The command is a process group of its own, so that an interrupt at the terminal
    reaches us, who let it finish, and not it.
    """
    import subprocess

    if what.secret:
        tell("(the output is not shown: the command or its environment is secret)")
    elif what.quiet:
        tell("local-exec: Executing: Suppressed by quiet=true")
    else:
        words = " ".join(f'"{part}"' for part in (*what.interpreter, what.command))
        tell(f"Executing: [{words}]")
    try:
        process = subprocess.Popen(
            [*what.interpreter, what.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=what.working_dir or None,
            env={**os.environ, **what.environment},
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, ValueError) as refused:
        raise ProvisionerFailed(
            error("Command could not be started", f"{what.interpreter[0]}: {refused}.")
        ) from None
    kept: list[str] = []
    size = 0
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            text = line.rstrip("\r\n")
            if size < _OUTPUT_KEPT:
                kept.append(text)
                size += len(text)
            if not what.secret:
                tell(text)
    status = process.wait()
    if status == 0:
        return
    how = f"exit status {status}" if status > 0 else f"signal {-status}"
    if what.secret:
        detail = (
            f"A local-exec command ended with {how}; it is sensitive, so it and its output are not shown."
        )
    else:
        detail = f"The command {what.command!r} ended with {how}. Its output:\n" + "\n".join(kept)
    raise ProvisionerFailed(error("Provisioner local-exec failed", detail))
