"""How extensions reach into the emulator: methods grafted onto its own classes, so that what it keeps
stays its own.
"""

from __future__ import annotations

from types import FunctionType


def graft(target: type, source: type) -> None:
    """Give `target` the methods and properties that `source` defines, in place of those it has under
    these names.
    """
    for name, member in vars(source).items():
        if isinstance(member, (FunctionType, property, staticmethod, classmethod)):
            setattr(target, name, member)
