"""What the environment says about how commands are called: the variables that Terraform knows for that.

https://developer.hashicorp.com/terraform/cli/config/environment-variables
"""

from __future__ import annotations

import os
from collections.abc import Sequence

ARGUMENTS = "TF_CLI_ARGS"


def with_arguments(words: Sequence[str], given: Sequence[str]) -> list[str]:
    """The arguments of a command with those that the environment adds, which come before what was given.

    `words`: the command, with its subcommand where there is one. TF_CLI_ARGS is for every command,
    TF_CLI_ARGS_state_list for one; that of the command comes first. Raises `ValueError`, with the name of the
    variable, for quotes that do not match.
    """
    found: list[str] = []
    for name in (_of_command(words), ARGUMENTS):
        text = os.environ.get(name, "")
        if text:
            found += _split(name, text)
    return [*found, *given]


def adds_to(*words: str) -> bool:
    """Whether the environment adds arguments to this command."""
    return bool(os.environ.get(ARGUMENTS) or os.environ.get(_of_command(words)))


def _of_command(words: Sequence[str]) -> str:
    return "_".join([ARGUMENTS, *words]).replace("-", "_")


def _split(name: str, text: str) -> list[str]:
    import shlex

    try:
        return shlex.split(text)
    except ValueError as problem:
        raise ValueError(f"{name} cannot be taken apart: {str(problem).lower()}.") from None


def may_ask() -> bool:
    """Whether TF_INPUT lets commands ask: anything but a no does."""
    return os.environ.get("TF_INPUT", "").lower() not in ("0", "f", "false")


def is_automated() -> bool:
    """Whether TF_IN_AUTOMATION says that no person reads along, who could be told what to type next."""
    return bool(os.environ.get("TF_IN_AUTOMATION"))
