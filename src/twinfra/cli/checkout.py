"""Working in a commit: configuration, variables and files are those of a checkout, the state stays today's.

See `environments.checkout`, which says how the two are used together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from twinfra.cli.environment import current, using, variable_options

if TYPE_CHECKING:
    from twinfra.environments.checkout import Checkout


@contextmanager
def working_in(checkout: Checkout) -> Iterator[list[tuple[str, str]]]:
    """Change into the checkout, and into the environment in use as that commit declares its inputs.

    Gives the options `-var` and `-var-file` of the command in their order, files by whole paths: they are named
    from the directory that the command was started in. What needs today's state must be open by now. Raises
    `DiagnosticError`.
    """
    from twinfra.environments.checkout import environment_then

    directory = Path.cwd()
    options = [
        (kind, str(directory / text) if kind == "var-file" else text) for kind, text in variable_options()
    ]
    today = current()
    then = environment_then(checkout, today) if today is not None else None
    with chdir(checkout.directory), using(then):
        yield options
