"""`dataclass` as in the standard library, for a tenth of what it costs to make one.

The standard library writes and compiles five functions for every class when it is defined, which was a third of
the time that a short command took. Here each is compiled when it is first called: most never are. Two things
differ: `frozen` is checked by mypy and not while running (which also makes objects in half the time), and a class
with options or bases that are not known here is left to the standard library.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, **options):
        """See `dataclasses.dataclass`."""
        return _made(cls, options) if cls is not None else lambda cls: _made(cls, options)


__all__ = ["dataclass"]

_KNOWN = frozenset(("frozen", "slots", "eq", "kw_only"))
_MISSING: Any = object()


def _made(cls: type[Any], options: dict[str, bool]) -> type[Any]:
    names = cls.__dict__.get("__annotations__")  # noqa: RUF063, since inspect takes long to load
    if not names or not _KNOWN.issuperset(options) or _is_special(cls, names):
        import dataclasses

        return dataclasses.dataclass(**options)(cls)
    space = dict(cls.__dict__)
    defaults = {name: space.pop(name) for name in names if name in space}
    shape = _Shape(
        cls.__name__, tuple(names), defaults, options.get("kw_only", False), "__post_init__" in space
    )
    space["__match_args__"] = () if shape.keyword_only else shape.names
    # What the standard library's own functions (`replace`, `asdict`, `fields`) know a dataclass by.
    for name in ("__dataclass_fields__", "__dataclass_params__"):
        space[name] = _Lazy(name, partial(_of_twin, shape, names, options, name))
    space["__signature__"] = _Lazy("__signature__", lambda: _signature(shape.twin(names, options)))
    functions = ["__init__", "__repr__"]
    if options.get("eq", True):
        functions.append("__eq__")
        unhashable = space.get("__hash__") is None
        if unhashable and not options.get("frozen"):
            space["__hash__"] = None
        elif unhashable and ("__hash__" not in space or "__eq__" in space):
            space.pop("__hash__", None)
            functions.append("__hash__")
    for function in functions:
        if function not in space:
            space[function] = _first_call(shape, function)
    shape.owner = _with_slots(cls, space) if options.get("slots") else _in_place(cls, space, defaults)
    return shape.owner


def _with_slots(cls: type[Any], space: dict[str, Any]) -> type[Any]:
    """The class anew, since slots cannot be added to one that is there."""
    for name in ("__dict__", "__weakref__"):
        space.pop(name, None)
    space["__slots__"] = tuple(cls.__annotations__)
    meta: Callable[..., type[Any]] = type(cls)
    made = meta(cls.__name__, cls.__bases__, space)
    made.__qualname__ = cls.__qualname__
    return made


def _in_place(cls: type[Any], space: dict[str, Any], defaults: dict[str, Any]) -> type[Any]:
    for name, value in space.items():
        if name not in cls.__dict__ or cls.__dict__[name] is not value:
            setattr(cls, name, value)
    for name, value in defaults.items():
        if _is_field(value):
            delattr(cls, name)
    return cls


def _is_special(cls: type[Any], names: dict[str, Any]) -> bool:
    """Whether it has something that only the standard library knows to handle."""
    if (
        any("__dataclass_fields__" in base.__dict__ for base in cls.__mro__[1:])
        or "__slots__" in cls.__dict__
    ):
        return True
    kinds = (str(kind).partition("[")[0].rpartition(".")[2] for kind in names.values())
    if any(kind in ("ClassVar", "InitVar", "KW_ONLY") for kind in kinds):
        return True
    values = (cls.__dict__[name] for name in names if name in cls.__dict__)
    return any(_is_field(value) and not value.init for value in values) or any(
        type(value).__hash__ is None for value in (cls.__dict__.get(name) for name in names)
    )


def _is_field(value: object) -> bool:
    dataclasses = sys.modules.get("dataclasses")
    return dataclasses is not None and isinstance(value, dataclasses.Field)


def _of_twin(shape: _Shape, annotations: dict[str, Any], options: dict[str, bool], name: str) -> Any:
    return getattr(shape.twin(annotations, options), name)


def _signature(cls: type[Any]) -> Any:
    import inspect

    return inspect.signature(cls)


class _Lazy:
    """An attribute of a class that is worked out when somebody asks for it."""

    __slots__ = ("make", "name")

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self.name = name
        self.make = make

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        value = self.make()
        setattr(owner, self.name, value)
        return value


class _Shape:
    """The fields of a class, out of which its functions are written."""

    __slots__ = ("defaults", "keyword_only", "name", "names", "owner", "post")

    def __init__(
        self, name: str, names: tuple[str, ...], defaults: dict[str, Any], keyword_only: bool, post: bool
    ) -> None:
        self.name = name
        self.names = names
        self.defaults = defaults
        self.keyword_only = keyword_only
        self.post = post
        self.owner: type[Any]

    def twin(self, annotations: dict[str, Any], options: dict[str, bool]) -> Any:
        """The same class made by the standard library."""
        import dataclasses

        space = {"__annotations__": annotations, "__module__": self.owner.__module__, **self.defaults}
        return dataclasses.dataclass(**options)(type(self.name, (), space))

    def function(self, name: str) -> Callable[..., Any]:
        """One of the functions of the class, compiled."""
        space: dict[str, Any] = {"_MISSING": _MISSING}
        text = {"__init__": self._init, "__repr__": self._repr, "__eq__": self._eq, "__hash__": self._hash}[
            name
        ](space)
        # The text consists of the names of attributes and nothing else.
        exec(text, space)  # noqa: S102
        function: Callable[..., Any] = space[name]
        function.__qualname__ = f"{self.name}.{name}"
        return function

    def _init(self, space: dict[str, Any]) -> str:
        parameters, lines = ["self"], []
        if self.keyword_only:
            parameters.append("*")
        for name in self.names:
            parameter, value = name, name
            if name in self.defaults:
                default = self.defaults[name]
                space[f"_of_{name}"] = default
                parameter = f"{name}=_of_{name}"
                if _is_field(default):
                    space[f"_of_{name}"] = default.default
                    if callable(default.default_factory):
                        space[f"_make_{name}"] = default.default_factory
                        parameter = f"{name}=_MISSING"
                        value = f"_make_{name}() if {name} is _MISSING else {name}"
                    elif default.default is default.default_factory:
                        parameter = name
            parameters.append(parameter)
            lines.append(f" self.{name} = {value}")
        if self.post:
            lines.append(" self.__post_init__()")
        return f"def __init__({', '.join(parameters)}):\n" + ("\n".join(lines) or " pass")

    def _compared(self, of: str) -> str:
        names = [
            name
            for name in self.names
            if not _is_field(self.defaults.get(name)) or self.defaults[name].compare
        ]
        return f"({''.join(f'{of}.{name}, ' for name in names)})"

    def _repr(self, space: dict[str, Any]) -> str:
        names = [
            name for name in self.names if not _is_field(self.defaults.get(name)) or self.defaults[name].repr
        ]
        parts = ", ".join(f"{name}={{self.{name}!r}}" for name in names)
        return f'def __repr__(self):\n return f"{{self.__class__.__qualname__}}({parts})"'

    def _eq(self, space: dict[str, Any]) -> str:
        return (
            "def __eq__(self, other):\n"
            " if other.__class__ is self.__class__:\n"
            f"  return {self._compared('self')} == {self._compared('other')}\n"
            " return NotImplemented"
        )

    def _hash(self, space: dict[str, Any]) -> str:
        return f"def __hash__(self):\n return hash({self._compared('self')})"


def _first_call(shape: _Shape, name: str) -> Callable[..., Any]:
    """Stands for a function until it is first called."""

    def first(*arguments: Any, **named: Any) -> Any:
        function = shape.function(name)
        setattr(shape.owner, name, function)
        return function(*arguments, **named)

    return first
