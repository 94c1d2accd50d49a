"""Fields: how one argument or computed attribute is declared, and where the API keeps it.

A declaration is data. What it cannot express is a small function on the field (`read`, `write`) or the
resource.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from twinfra.dataclass import dataclass
from twinfra.providers.aws.comparison import (
    Equal,
    exact,
    ignoring_case,
    ignoring_order,
    same_json,
    same_policy,
)
from twinfra.schema import Nesting
from twinfra.values.types import BOOL, NUMBER, STRING, ListType, MapType, SetType, Type

if TYPE_CHECKING:
    from twinfra.providers.aws.context import Context

Reader: TypeAlias = "Callable[[dict[str, Any], Context], Any]"
"""From the API's object to the attribute's value in plain Python (typed and ordered afterwards)."""

Writer: TypeAlias = Callable[[Any], Mapping[str, Any]]
"""From an attribute's value to request members, merged into the request."""

Check: TypeAlias = Callable[[Any], str]
"""From a known, non-null value to what is wrong with it, as a sentence, or an empty string."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """One argument, computed attribute or nested block (`fields` given) of a resource type.

    Place in the API: `api` is the dotted member path used both in requests and in the object read; `read` and
    `write` replace it for one direction (`read=""` and no `api`: the API never tells, the value applied is
    kept; `write=""`: never sent by the generic calls).

    Meaning: `required`, `optional`, `computed` as in `schema.Attribute`; a field with a `default` is planned
    with it when not given. `force_new`: a change replaces the resource. `equal` tells whether two known
    values mean the same. `follows`: names of fields whose change makes this computed one unknown until
    applied ("*": any change). `clear`: what an update sends when the value was removed (nothing where None).
    `keep`: a value removed from the configuration stays as it is in the cloud, and no change is planned.

    Blocks: `fields` inside, `nesting`, `min_items`, `max_items`; at most one of them is one structure of the
    API, or a list of it where `listed`. `as_attribute`: the schema has an attribute that may be written as
    blocks. `hollow`: one block with nothing in it means the same as none.

    Checks, made before any call: `allowed` values, `checks`, `conflicts`, `requires` (names beside it in the
    same block). `unsupported`: why giving it is an error.
    """

    type: Type
    api: str = ""
    read: str | Reader | None = None
    write: str | Writer | None = None
    required: bool = False
    optional: bool = False
    computed: bool = False
    force_new: bool = False
    sensitive: bool = False
    write_only: bool = False
    keep: bool = False
    default: Any = None
    clear: Any = None
    equal: Equal = exact
    follows: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    conflicts: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    exactly_one: tuple[str, ...] = ()
    at_least_one: tuple[str, ...] = ()
    deprecated: str = ""
    unsupported: str = ""
    about: str = ""
    fields: Mapping[str, Field] | None = None
    nesting: Nesting = Nesting.LIST
    min_items: int = 0
    max_items: int = 0
    as_attribute: bool = False
    listed: bool = False
    hollow: bool = False

    @property
    def settable(self) -> bool:
        """Whether a configuration may give it."""
        return self.required or self.optional or (self.fields is not None and not self.only_computed)

    @property
    def only_computed(self) -> bool:
        """Whether only the provider sets it."""
        return self.computed and not self.optional and not self.required

    @property
    def reads(self) -> str | Reader:
        """Where its value is read; an empty string where the API never tells."""
        return self.api if self.read is None else self.read

    @property
    def writes(self) -> str | Writer:
        """Where its value is sent; an empty string where generic calls never send it."""
        if self.only_computed:
            return ""
        return self.api if self.write is None else self.write

    def reading(self, read: str | Reader) -> Field:
        """The same, read at another place."""
        return replace(self, read=read)


def _field(type: Type, api: str, options: dict[str, Any]) -> Field:
    if not options.get("required"):
        options.setdefault("optional", True)
    if options.get("default") is not None:
        options["computed"] = True
    return Field(type=type, api=api, **options)


def string(api: str = "", **options: Any) -> Field:
    """A string argument; optional unless `required=True`. Options are those of `Field`."""
    return _field(STRING, api, options)


def number(api: str = "", **options: Any) -> Field:
    """A number argument."""
    return _field(NUMBER, api, options)


def boolean(api: str = "", **options: Any) -> Field:
    """A boolean argument."""
    return _field(BOOL, api, options)


def string_list(api: str = "", **options: Any) -> Field:
    """An ordered list of strings."""
    return _field(ListType(STRING), api, options)


def string_set(api: str = "", **options: Any) -> Field:
    """A set of strings; the API has a list whose order means nothing."""
    return _field(SetType(STRING), api, options)


def string_map(api: str = "", **options: Any) -> Field:
    """A map of strings; the API has a structure or a list of Key and Value."""
    return _field(MapType(STRING), api, options)


def json_text(api: str = "", **options: Any) -> Field:
    """A JSON document as a string, compared by meaning."""
    from twinfra.providers.aws.checks import json_document

    return string(api, **{"equal": same_json, "checks": (json_document,), **options})


def policy_text(api: str = "", **options: Any) -> Field:
    """An access policy as a string, compared as the policy language means it."""
    from twinfra.providers.aws.checks import json_document

    return string(api, **{"equal": same_policy, "checks": (json_document,), **options})


def any_case(api: str = "", **options: Any) -> Field:
    """A string in which upper and lower case mean the same."""
    return string(api, **{"equal": ignoring_case, **options})


def unordered_list(api: str = "", **options: Any) -> Field:
    """A list of strings (by its public type) whose order means nothing."""
    return string_list(api, **{"equal": ignoring_order, **options})


def output(type: Type, read: str | Reader, **options: Any) -> Field:
    """An attribute that only the API sets. Options: `follows`, `sensitive`, `deprecated`, `about`."""
    return Field(type=type, read=read, computed=True, **options)


def block(fields: Mapping[str, Field], api: str = "", **options: Any) -> Field:
    """Repeated nested blocks, in order: `api` holds a list of structures.

    Options: `min_items`, `max_items`, `nesting`, `force_new`, `computed` (planned from what exists when not
    given; declared as an attribute that may be written as blocks), `read`, `write`.
    """
    options.setdefault("optional", not options.get("min_items"))
    options.setdefault("required", bool(options.get("min_items")))
    made = Field(type=STRING, api=api, fields=dict(fields), **options)
    return replace(made, as_attribute=True) if made.computed else made


def block_set(fields: Mapping[str, Field], api: str = "", **options: Any) -> Field:
    """Repeated nested blocks whose order means nothing."""
    return block(fields, api, nesting=Nesting.SET, **options)


def one_block(fields: Mapping[str, Field], api: str = "", **options: Any) -> Field:
    """A nested block written at most once: a list of one for expressions, one structure for the API."""
    options.setdefault("max_items", 1)
    if options.pop("required", False):
        options["min_items"] = 1
    return block(fields, api, **options)


def output_block(fields: Mapping[str, Field], api: str, *, single: bool = True, **options: Any) -> Field:
    """A computed list of objects: of one structure (`single`), or of a list of structures."""
    return Field(
        type=STRING,
        api=api,
        fields=dict(fields),
        computed=True,
        as_attribute=True,
        max_items=1 if single else 0,
        **options,
    )


def unsupported(like: Field, why: str) -> Field:
    """An argument of the public provider that is refused here, saying `why`."""
    return replace(
        like,
        api="",
        read="",
        write="",
        required=False,
        optional=True,
        computed=False,
        default=None,
        min_items=0,
        unsupported=why,
    )


TAGS: dict[str, Field] = {
    "tags": Field(
        type=MapType(STRING),
        optional=True,
        about="Tags of this resource; they win over the provider's default tags.",
    ),
    "tags_all": Field(
        type=MapType(STRING),
        optional=True,
        computed=True,
        about="All tags, the provider's default tags included.",
    ),
}
"""The two tag attributes, to be unpacked into `fields`; `Resource.tags` says how the API takes them."""
