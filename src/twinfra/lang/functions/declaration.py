"""How a function is declared: everything about it is data, but for the implementation.

```python
@function(
    "substr",
    "Takes a part of a string, counted in characters.",
    parameter("str", STRING, "the string"),
    parameter("offset", NUMBER, "where to start; from the end when negative"),
    parameter("length", NUMBER, "how many at most; -1 for all"),
    returns=STRING,
)
def substr(text: str, offset: int, length: int) -> str: ...
```

The caller (`call`) does the rest before the implementation runs: converts arguments to the parameter types,
refuses nulls, lets unknown arguments make the result unknown, and moves marks from the arguments to the
result, except where a parameter says that it deals with those itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twinfra.dataclass import dataclass
from twinfra.values.types import DYNAMIC, Type
from twinfra.values.value import Value


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: the argument is converted to `type` first (`DYNAMIC` takes anything)."""

    name: str
    type: Type
    description: str = ""
    allow_null: bool = False
    allow_unknown: bool = False
    allow_marked: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A declared function.

    `returns` is the result type, or computes it from the (converted, unmarked) arguments; it may raise
    `FunctionError`. `implementation` takes the arguments in order, after the `EvaluationContext` when
    `needs_context`. `refine_not_null`: the result is never null, even while unknown.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    variadic: Parameter | None
    returns: Type | Callable[[Sequence[Value]], Type]
    implementation: Callable[..., Value]
    needs_context: bool = False
    refine_not_null: bool = True
    family: str = ""


class FunctionError(Exception):
    """Why a call failed, in words for people. `argument` is the index of the argument to blame, or None."""

    def __init__(self, reason: str, argument: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.argument = argument


REGISTERED: dict[str, Function] = {}


def parameter(
    name: str,
    type: Type = DYNAMIC,
    description: str = "",
    *,
    allow_null: bool = False,
    allow_unknown: bool = False,
    allow_marked: bool = False,
) -> Parameter:
    """Declare a parameter; see `Parameter`."""
    return Parameter(name, type, description, allow_null, allow_unknown, allow_marked)


def function(
    name: str,
    description: str,
    *parameters: Parameter,
    returns: Type | Callable[[Sequence[Value]], Type],
    variadic: Parameter | None = None,
    needs_context: bool = False,
    refine_not_null: bool = True,
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Declare and register the decorated implementation as a function of the language."""

    def register(implementation: Callable[..., Value]) -> Callable[..., Value]:
        family = implementation.__module__.rpartition(".")[2]
        REGISTERED[name] = Function(
            name,
            description,
            parameters,
            variadic,
            returns,
            implementation,
            needs_context,
            refine_not_null,
            family,
        )
        return implementation

    return register
