"""The dataclasses of this project: as the standard library's, but quick to declare and quick to make.

A command imports some two hundred classes and makes a hundred thousand objects. The standard library compiles six
methods for each class as it is declared, most of which a command never calls, and a frozen object assigns each
field through `object.__setattr__`. Here methods are compiled when they are first called, and `frozen` is a promise
that the type checker holds: nothing enforces it at run time, so that fields are assigned plainly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses
    from collections.abc import Callable

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        eq: bool = True,
        order: bool = False,
        kw_only: bool = False,
    ) -> Any:
        """As `dataclasses.dataclass`, whose `fields`, `replace` and `asdict` work on what this declares.

        `frozen` gives objects a hash by their fields, and the type checker refuses to assign those.
        """

        def declare(cls: type) -> type:
            own = cls.__dict__
            hashed = "__hash__" in own and own["__hash__"] is not None
            made = dataclasses.dataclass(
                init=False, repr=False, eq=False, order=False, slots=slots, kw_only=kw_only
            )(cls)
            own = made.__dict__
            if "__init__" not in own:
                _compiled_when_called(made, "__init__", _init)
            if "__repr__" not in own:
                made.__repr__ = _repr
            if eq:
                if "__eq__" not in own:
                    _compiled_when_called(made, "__eq__", _eq)
                if frozen and not hashed:
                    _compiled_when_called(made, "__hash__", _hash)
                elif not hashed:
                    made.__hash__ = None
            if order:
                for name, sign in (("__lt__", "<"), ("__le__", "<="), ("__gt__", ">"), ("__ge__", ">=")):
                    _compiled_when_called(made, name, _ordering(name, sign))
            return made

        return declare if cls is None else declare(cls)

    def _compiled_when_called(cls: type, name: str, compile: Callable[[type], Callable[..., Any]]) -> None:
        def method(self: Any, *args: Any, **named: Any) -> Any:
            compiled = compile(cls)
            compiled.__qualname__ = f"{cls.__qualname__}.{name}"
            setattr(cls, name, compiled)
            return compiled(self, *args, **named)

        setattr(cls, name, method)

    def _function(cls: type, text: str, known: dict[str, Any]) -> Callable[..., Any]:
        found: dict[str, Any] = {}
        exec(text, known | {"__name__": cls.__module__}, found)  # noqa: S102
        (made,) = found.values()
        return made

    def _init(cls: type) -> Callable[..., None]:
        # A field may be named `self`.
        positional, named, lines = ["_made"], [], []
        known: dict[str, Any] = {"_MISSING": dataclasses.MISSING}
        for one in dataclasses.fields(cls):
            default = ""
            value = one.name
            if one.default is not dataclasses.MISSING:
                known[f"_default_{one.name}"] = one.default
                default = f"=_default_{one.name}"
                if not one.init:
                    value = f"_default_{one.name}"
            elif one.default_factory is not dataclasses.MISSING:
                known[f"_make_{one.name}"] = one.default_factory
                default = "=_MISSING"
                value = f"_make_{one.name}()"
                if one.init:
                    value += f" if {one.name} is _MISSING else {one.name}"
            elif not one.init:
                continue
            if one.init:
                (named if one.kw_only else positional).append(one.name + default)
            lines.append(f" _made.{one.name} = {value}")
        if hasattr(cls, "__post_init__"):
            lines.append(" _made.__post_init__()")
        if named:
            positional += ["*", *named]
        return _function(
            cls, f"def __init__({', '.join(positional)}):\n" + "\n".join(lines or [" pass"]), known
        )

    def _compared(cls: type, owner: str) -> str:
        return "".join(f"{owner}.{one.name}," for one in dataclasses.fields(cls) if one.compare)

    def _eq(cls: type) -> Callable[..., bool]:
        return _comparison(cls, "__eq__", "==")

    def _ordering(name: str, sign: str) -> Callable[[type], Callable[..., bool]]:
        return lambda cls: _comparison(cls, name, sign)

    def _comparison(cls: type, name: str, sign: str) -> Callable[..., bool]:
        return _function(
            cls,
            f"def {name}(self, other):\n"
            " if other.__class__ is not self.__class__: return NotImplemented\n"
            f" return ({_compared(cls, 'self')}) {sign} ({_compared(cls, 'other')})",
            {},
        )

    def _hash(cls: type) -> Callable[..., int]:
        return _function(cls, f"def __hash__(self): return hash(({_compared(cls, 'self')}))", {})

    def _repr(self: Any) -> str:
        shown = (f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"


__all__ = ["dataclass"]
