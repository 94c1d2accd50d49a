"""`try` and `can`: what to do where an expression may fail.

The compiler gives them their special meaning, since they must see their arguments fail; what is here says how
they look, and what they are once every argument has a value.
"""

from __future__ import annotations

from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.values.types import BOOL, DYNAMIC
from twinfra.values.value import Value


@function(
    "can",
    "Whether an expression can be evaluated without an error.",
    parameter(
        "expression", DYNAMIC, "the expression", allow_null=True, allow_unknown=True, allow_marked=True
    ),
    returns=BOOL,
)
def can(_: Value) -> bool:
    """True: the argument has a value."""
    return True


@function(
    "try",
    "The value of the first expression that can be evaluated without an error.",
    variadic=parameter(
        "expressions",
        DYNAMIC,
        "expressions to try in turn",
        allow_null=True,
        allow_unknown=True,
        allow_marked=True,
    ),
    returns=DYNAMIC,
    refine_not_null=False,
)
def try_(*values: Value) -> Value:
    """The first argument: it has a value."""
    if not values:
        raise FunctionError("at least one expression is required")
    return values[0]
