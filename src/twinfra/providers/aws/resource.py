"""What a resource type or data source is: its fields and the calls that create, read, change and delete it.

Everything here is data; `lifecycle` runs it. A slot takes a `Call` where a mapping says it all, or a small
function where not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from twinfra.dataclass import dataclass
from twinfra.providers.aws.fields import Field, output
from twinfra.values.types import STRING

if TYPE_CHECKING:
    from twinfra.providers.aws.context import Context
    from twinfra.providers.aws.planning import Draft

Attributes: TypeAlias = dict[str, Any]
"""Attributes of an instance by name; in functions given to a resource, what is unknown yet is None."""

Api: TypeAlias = dict[str, Any]
"""A structure of the API, as botocore gives it."""


@dataclass(frozen=True, slots=True)
class Const:
    """A constant request member, where a plain string would be the name of an attribute."""

    value: Any


Source: TypeAlias = "str | Const | list[Source] | dict[str, Source] | Callable[[Attributes], Any]"
"""Where a request member comes from: the attribute of that name, a constant, a list or structure of such, or
a function of the attributes. A member whose source is null is left out."""


@dataclass(frozen=True, slots=True)
class Retry:
    """An error of the API that passes by itself, such as a role not seen everywhere yet.

    `code`: the error's code. `contains`: a part of its message, where the code alone says too little.
    `seconds`: for how long to try again.
    """

    code: str
    contains: str = ""
    seconds: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One API call.

    `operation`: botocore's method name, such as `create_vpc`. `args`: request members beside the mapped
    fields. `result`: dotted path in the response to the object that fields read from; empty for the whole
    response. `token`: the request member that takes an idempotency token. `service`: where it is not the
    resource's own.
    """

    operation: str
    args: Mapping[str, Source] = field(default_factory=dict)
    result: str = ""
    token: str = ""
    service: str = ""
    retry: tuple[Retry, ...] = ()


def call(
    operation: str,
    result: str = "",
    *,
    token: str = "",
    service: str = "",
    retry: tuple[Retry, ...] = (),
    **args: Source,
) -> Call:
    """A `Call` in short: `call("get_role", "Role", RoleName="name")`."""
    return Call(operation=operation, args=args, result=result, token=token, service=service, retry=retry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe:
    """A list call that serves one instance and many: up to `chunk` of them with one request and its pages.

    `items`: dotted path to the list in a page (`a[].b` for a list in each element of `a`). `key`: member of
    an item that equals `attribute` of the instance. Narrowed by an EC2 `filter` name, or by `ids`, a request
    member with a list (where one that is gone fails the call, halves are asked then); by neither,
    everything is listed and picked from.
    """

    operation: str
    items: str
    key: str
    attribute: str = "id"
    filter: str = ""
    ids: str = ""
    chunk: int = 200
    args: Mapping[str, Source] = field(default_factory=dict)
    gone: Callable[[Api], bool] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What an update function is told: attributes before and after, and the names of those that differ."""

    prior: Attributes
    planned: Attributes
    changed: frozenset[str]


CreateFunction: TypeAlias = "Callable[[Context, Attributes], Api]"
"""Creates it and returns the API's object (enough of it for the id)."""

ReadFunction: TypeAlias = "Callable[[Context, Attributes], Api | None]"
"""Reads one instance; None when it is gone."""

ReadManyFunction: TypeAlias = "Callable[[Context, Sequence[Attributes]], Sequence[Api | None]]"

ExtendFunction: TypeAlias = "Callable[[Context, Attributes, Api], Api]"
"""Adds to the object what other calls tell (returns it)."""

UpdateFunction: TypeAlias = "Callable[[Context, Change], None]"

DeleteFunction: TypeAlias = "Callable[[Context, Attributes], None]"

TagFunction: TypeAlias = "Callable[[Context, Attributes, dict[str, str], list[str], dict[str, str]], None]"
"""Brings tags to what they should be: (context, attributes, to set, keys to remove, all that should be)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """How some fields change: when any of `fields` differs, `call` is made with its `args` and those fields
    mapped.

    `whole`: all of `fields` are sent, not only those that differ. `after_create`: the creating call does not
    take them, so this is called then too, for those that are given. `wait`: whether to wait until done.
    """

    fields: tuple[str, ...]
    call: Call | UpdateFunction
    whole: bool = True
    after_create: bool = False
    wait: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagging:
    """How the API takes tags.

    `at_create`: the creating call's member that takes them, empty where tagging is a call of its own.
    `shape`: `list` of Key and Value, `map`, or an EC2 resource type for a tag specification. `read`: dotted
    path in the object read. `change`: brings the tags of an existing one to what they should be. `trace`: the
    creating call also writes the operation's token as a temporary tag (see `recovery`).
    """

    at_create: str = "Tags"
    shape: str = "list"
    read: str = "Tags"
    change: TagFunction
    trace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Waiting for a state: `status` is the dotted path to it in the object read (or a function of the
    object).

    Ends at a status in `target`, fails at one in `failed` (told with what `reason` leads to), goes on
    otherwise, also while the object is not found yet. For deletion the target is that it is gone, or a status
    in `target`. `interval`: the longest pause between two looks, in seconds. `minutes`: for how long, where
    no `timeouts` block says.
    """

    status: str | Callable[[Api], Any] = ""
    target: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    reason: str | Callable[[Api], str] = ""
    interval: float = 10.0
    minutes: float = 20.0
    noun: str = ""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource type.

    `name`, `service` (botocore's), `about` (a sentence for its page). `id`: dotted path in the API's object,
    or a format of attributes such as "{role}:{name}", or a function of them. `import_id`: a format that an
    import id is read by, or several of which the first that fits counts.
    `read`: reads one (or many, with `Describe`); `extend` adds per instance what other calls tell.
    `complete_create`: what `create` returns is as good as a read, when no wait nor later call follows.
    `not_found`: error codes that say it is gone. `exists`: codes that say the name is taken.
    `regional`: has a `region` argument. `timeouts`: which operations a `timeouts` block may limit.
    `plan`: adjusts what is planned; `planned_from`: from which arguments it makes attributes that are not written
    (see `protocol.Explaining.sources`). `recover`: finds what an interrupted create made (see `recovery`);
    `confirm`: removes the trace by which it would be found. `upgrade`: adapts attributes stored by others.
    `retry_delete`: errors of a delete that pass when dependents are gone. `identifiers`, `volatile`: see
    `schema.ResourceSchema`.
    """

    name: str
    service: str
    about: str
    fields: Mapping[str, Field]
    create: Call | CreateFunction
    read: Call | Describe | ReadFunction
    delete: Call | DeleteFunction
    id: str | Callable[[Attributes], str]
    import_id: str | tuple[str, ...] = "{id}"
    id_about: str = ""
    read_many: ReadManyFunction | None = None
    extend: ExtendFunction | None = None
    updates: tuple[Update, ...] = ()
    tags: Tagging | None = None
    created: Wait | None = None
    updated: Wait | None = None
    deleted: Wait | None = None
    complete_create: bool = False
    complete_update: bool = True
    not_found: tuple[str, ...] = ()
    exists: tuple[str, ...] = ()
    retry_create: tuple[Retry, ...] = ()
    retry_delete: tuple[Retry, ...] = ()
    regional: bool = True
    version: int = 0
    timeouts: tuple[str, ...] = ()
    plan: Callable[[Draft], None] | None = None
    planned_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recover: Callable[[Context, Attributes, str], Api | None] | None = None
    confirm: Callable[[Context, Attributes, str], None] | None = None
    upgrade: Callable[[int, Attributes], Attributes] | None = None
    imported: Callable[[Context, Attributes], Attributes] | None = None
    deprecated: str = ""
    notes: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()

    def all_fields(self) -> dict[str, Field]:
        """Its fields with those that every type has: `id`, `region`."""
        return self._all_fields

    @cached_property
    def _all_fields(self) -> dict[str, Field]:
        found: dict[str, Field] = dict(self.fields)
        found.setdefault("id", output(STRING, "", about=self.id_about or "The identifier of this resource."))
        if self.regional:
            found.setdefault("region", _REGION)
        return found


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A data source: `read` takes the configuration and returns all attributes (missing ones become null)."""

    name: str
    service: str
    about: str
    fields: Mapping[str, Field]
    read: Callable[[Context, Attributes], Attributes]
    timeouts: tuple[str, ...] = ()
    regional: bool = True
    offline: bool = False
    notes: tuple[str, ...] = ()

    def all_fields(self) -> dict[str, Field]:
        """Its fields with those that every data source has: `id`, `region`."""
        found: dict[str, Field] = dict(self.fields)
        found.setdefault("id", output(STRING, "", about="An identifier of what was read."))
        if self.regional:
            found.setdefault("region", replace(_REGION, force_new=False))
        return found


_REGION = Field(
    type=STRING,
    optional=True,
    computed=True,
    force_new=True,
    read="",
    write="",
    about="Region in which it lies; the provider's own where not given.",
)
