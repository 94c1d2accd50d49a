"""Types written as expressions: `list(string)`, `object({ a = optional(number, 1) })`, and their defaults."""

from __future__ import annotations

from dataclasses import field

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error, nearest
from twinfra.lang.nodes import Call, Expression, Literal, ObjectExpression, TupleExpression
from twinfra.lang.static import as_call, as_keyword
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.marks import mark, unmark
from twinfra.values.sets import make_set
from twinfra.values.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
)
from twinfra.values.unify import unify
from twinfra.values.unknowns import definitely_not_null, not_null
from twinfra.values.value import List, Map, Set, Unknown, Value, is_null, read_element, stored_element

_PRIMITIVE: dict[str, Type] = {"string": STRING, "number": NUMBER, "bool": BOOL}
_COLLECTIONS: dict[str, type[ListType | SetType | MapType]] = {
    "list": ListType,
    "set": SetType,
    "map": MapType,
}
_FORMS = (
    "Types are string, number, bool, any, list(T), set(T), map(T), tuple([T, ...]) and object({ name = T })."
)
_NAMES = (*_PRIMITIVE, *_COLLECTIONS, "any", "object", "tuple")


@dataclass(frozen=True, slots=True)
class Defaults:
    """Default values of optional attributes anywhere in a type, which is `type`.

    `values`: by attribute, where `type` is an object. `children`: the defaults of its parts, by attribute
    name or (as text) position; of a collection's elements under the empty string.
    """

    type: Type
    values: dict[str, Value] = field(default_factory=dict)
    children: dict[str, Defaults] = field(default_factory=dict)


def parse_type(
    expression: Expression, allow_optional: bool = True
) -> tuple[Type, Defaults | None, list[Diagnostic]]:
    """The type constraint that an expression writes, the defaults in it if any, and what is wrong with it.

    `any` stands for `DYNAMIC`. With `allow_optional`, attributes of objects may be `optional(T)` or
    `optional(T, default)`.
    """
    word = as_keyword(expression)
    if word in ("list", "map"):
        # As configurations of old have it.
        return _COLLECTIONS[word](DYNAMIC), None, []
    reader = _Reader(allow_optional)
    type, defaults = reader.type(expression)
    return type, defaults, reader.diagnostics


class _Reader:
    """Reads one type expression."""

    def __init__(self, allow_optional: bool) -> None:
        self.allow_optional = allow_optional
        self.diagnostics: list[Diagnostic] = []

    def fail(self, detail: str, place: SourceRange, mend: str = _FORMS) -> tuple[Type, None]:
        """Note an error; what to go on with."""
        self.diagnostics.append(error("Invalid type", detail, place, mend=mend))
        return DYNAMIC, None

    def type(self, expression: Expression) -> tuple[Type, Defaults | None]:
        """The type and its defaults."""
        word = as_keyword(expression)
        if word in _PRIMITIVE:
            return _PRIMITIVE[word], None
        if word == "any":
            return DYNAMIC, None
        if word in _COLLECTIONS:
            return self.fail(
                f"{word} needs the type of its elements.", expression.range, f"Write {word}(any)."
            )
        if word == "object":
            return self.fail(
                "object needs its attributes.", expression.range, "Write object({ name = string })."
            )
        if word == "tuple":
            return self.fail("tuple needs its elements.", expression.range, "Write tuple([string, number]).")
        if word:
            return self.fail(f"There is no type {word}.", expression.range, nearest(word, _NAMES) or _FORMS)
        call = as_call(expression)
        if call is None:
            return self.fail("This is no type.", expression.range)
        return self._call(call, expression.range)

    def _call(self, call: Call, place: SourceRange) -> tuple[Type, Defaults | None]:
        name = call.name
        if name in _PRIMITIVE or name == "any":
            return self.fail(f"{name} takes no arguments.", _arguments_range(call), f"Write {name}.")
        if len(call.arguments) != 1:
            where = _arguments_range(call)
            if len(call.arguments) > 1:
                where = call.arguments[1].range.to(call.arguments[-1].range)
            if name in _COLLECTIONS or name in ("object", "tuple"):
                return self.fail(f"{name} takes one argument.", where)
        if name in _COLLECTIONS:
            element, defaults = self.type(call.arguments[0])
            made = _COLLECTIONS[name](element)
            return made, Defaults(made, {}, {"": defaults}) if defaults is not None else None
        if name == "object":
            return self._object(call.arguments[0])
        if name == "tuple":
            return self._tuple(call.arguments[0])
        if name == "optional":
            return self.fail(
                "optional(...) is for attributes of an object only.",
                call.name_range,
                "Write object({ name = optional(T) }).",
            )
        return self.fail(f"There is no type {name}(...).", place, nearest(name, _NAMES) or _FORMS)

    def _tuple(self, argument: Expression) -> tuple[Type, Defaults | None]:
        if not isinstance(argument, TupleExpression):
            return self.fail("tuple takes a list of types.", argument.range, "Write tuple([string, number]).")
        types: list[Type] = []
        children: dict[str, Defaults] = {}
        for at, element in enumerate(argument.elements):
            type, defaults = self.type(element)
            types.append(type)
            if defaults is not None:
                children[str(at)] = defaults
        made = TupleType(tuple(types))
        return made, Defaults(made, {}, children) if children else None

    def _object(self, argument: Expression) -> tuple[Type, Defaults | None]:
        if not isinstance(argument, ObjectExpression):
            return self.fail(
                "object takes attributes in braces.", argument.range, "Write object({ name = string })."
            )
        types: dict[str, Type] = {}
        optional: set[str] = set()
        values: dict[str, Value] = {}
        children: dict[str, Defaults] = {}
        for item in argument.items:
            name = item.key.value if item.bare and isinstance(item.key, Literal) else as_keyword(item.key)
            if not name:
                self.fail("The attributes of an object type must be plain names.", item.key.range)
                continue
            if name in types:
                self.fail(f"The attribute {name} is there twice.", item.key.range, "Keep one of the two.")
                continue
            expression, default = item.value, None
            call = as_call(item.value)
            if call is not None and call.name == "optional":
                if not call.arguments:
                    self.fail("optional(...) needs the type of the attribute.", _arguments_range(call))
                    continue
                expression = call.arguments[0]
                default = self._optional(name, call, optional, values)
            types[name], inner = self.type(expression)
            if name in values and default is not None:
                self._convert_default(name, types[name], values, default)
            if inner is not None:
                children[name] = inner
        made = ObjectType(types, frozenset(optional))
        return made, Defaults(made, values, children) if values or children else None

    def _optional(
        self, name: str, call: Call, optional: set[str], values: dict[str, Value]
    ) -> Expression | None:
        """Note what `optional(...)` says of an attribute; its default, if it has one."""
        place = _arguments_range(call)
        if not self.allow_optional:
            self.fail("optional(...) cannot be used here.", call.name_range, "Write the type alone.")
            return None
        if len(call.arguments) > 2:
            self.fail("optional(...) takes a type and a default, no more.", place)
            return None
        if len(call.arguments) == 1:
            optional.add(name)
            return None
        default = call.arguments[1]
        from twinfra.lang.compiler import constant

        try:
            values[name] = constant(default)
        except DiagnosticError as failed:
            self.diagnostics.extend(failed.at(default.range).diagnostics)
            return None
        optional.add(name)
        return default

    def _convert_default(self, name: str, type: Type, values: dict[str, Value], default: Expression) -> None:
        try:
            values[name] = convert(values[name], type)
        except ConversionError as failed:
            del values[name]
            self.diagnostics.append(
                error(
                    "Invalid default value",
                    f"The default of {name} does not fit its type: {failed.reason}.",
                    default.range,
                    mend="Correct the default or the type.",
                )
            )


def _arguments_range(call: Call) -> SourceRange:
    return SourceRange(call.range.source, call.name_range.end, call.range.end)


def apply_defaults(defaults: Defaults | None, value: Value) -> Value:
    """The value with defaults put in for attributes that are missing or null, at any depth.

    The result may be of another type than the value, and is to be converted to the type constraint after
    this.
    """
    if defaults is None:
        return value
    bare, marks = unmark(value)
    if is_null(bare) or isinstance(bare, Unknown):
        return value
    kind = type(bare)
    if kind is tuple or kind is List or kind is Set:
        return mark(_apply_to_sequence(defaults, bare), marks)
    if kind is dict or kind is Map:
        return mark(_apply_to_mapping(defaults, bare), marks)
    return value


def _child(defaults: Defaults, key: int | str) -> Defaults | None:
    if isinstance(key, int):
        if isinstance(defaults.type, TupleType):
            return defaults.children.get(str(key))
    elif isinstance(defaults.type, ObjectType):
        return defaults.children.get(key)
    return defaults.children.get("")


def _apply_to_sequence(defaults: Defaults, value: Value) -> Value:
    kind = type(value)
    items = value if kind is tuple else [read_element(one, value.element) for one in value]
    made = [apply_defaults(_child(defaults, at), item) for at, item in enumerate(items)]
    if kind is tuple:
        return tuple(made)
    if not made:
        return value
    converted = _unified(made)
    if converted is None:
        return tuple(made)
    element = type_of(unmark(converted[0])[0])
    if kind is Set:
        return make_set(converted, element)
    return List(map(stored_element, converted), element)


def _apply_to_mapping(defaults: Defaults, value: Value) -> Value:
    kind = type(value)
    made: dict[str, Value] = {}
    for name, item in value.items():
        item = read_element(item, value.element) if kind is Map else item
        made[name] = apply_defaults(_child(defaults, name), item)
    for name, default in defaults.values.items():
        if name not in made or is_null(unmark(made[name])[0]):
            made[name] = apply_defaults(defaults.children.get(name), default)
        elif definitely_not_null(unmark(default)[0]):
            made[name] = not_null(made[name])
    if kind is dict:
        return made
    if not made:
        return value
    names = sorted(made)
    converted = _unified([made[name] for name in names])
    if converted is None:
        return made
    element = type_of(unmark(converted[0])[0])
    return Map({name: stored_element(one) for name, one in zip(names, converted, strict=True)}, element)


def _unified(values: list[Value]) -> list[Value] | None:
    """The values converted to the one type they can all have; None where there is none."""
    target = unify([type_of(unmark(value)[0]) for value in values])
    if target is None:
        return None
    try:
        return [convert(value, target) for value in values]
    except ConversionError:
        return None
