"""Reading `resource`, `data` and `ephemeral` blocks, with their `lifecycle` and provisioners."""

from __future__ import annotations

from dataclasses import replace

from twinfra.addresses import DATA, EPHEMERAL_MODE, MANAGED, Resource
from twinfra.config.model import Lifecycle, Module, Provisioner, ResourceConfig
from twinfra.config.reading import (
    address_of,
    addresses_of,
    check_name,
    declared_twice,
    flag_of,
    keyword_of,
    list_of,
    provider_ref,
    read_checks,
    reserved,
    single,
    unescaped,
)
from twinfra.diagnostics import Diagnostic, Diagnostics, error
from twinfra.lang.compiler import compile_expression
from twinfra.lang.nodes import Attribute, Block, BlockShape, Body, BodyContent, BodyShape, Expression, Literal
from twinfra.lang.static import as_keyword, native_problems
from twinfra.values.value import Value

_META = dict.fromkeys(("count", "for_each", "provider", "depends_on"), False)
_MANAGED = BodyShape(
    _META,
    (
        BlockShape("lifecycle"),
        BlockShape("locals"),
        BlockShape("connection"),
        BlockShape("provisioner", ("type",)),
        BlockShape("_"),
    ),
)
_OTHER = BodyShape(_META, (BlockShape("lifecycle"), BlockShape("locals"), BlockShape("_")))
_MANAGED_LIFECYCLE = ("create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by")
_LIFECYCLE = BodyShape(
    dict.fromkeys(_MANAGED_LIFECYCLE, False),
    (BlockShape("precondition"), BlockShape("postcondition")),
)
_PROVISIONER = BodyShape(
    {"when": False, "on_failure": False},
    (BlockShape("connection"), BlockShape("lifecycle"), BlockShape("_")),
)
_MODES = {"resource": MANAGED, "data": DATA, "ephemeral": EPHEMERAL_MODE}
_AT_THE_END = {"self": "", "path": "", "terraform": "", "count": "index", "each": "key"}
"""The kinds of references, and which names of them, that still lead somewhere when an object is destroyed."""
_REMOVED_PROVISIONERS = ("chef", "habitat", "puppet", "salt-masterless")


def read_resource(block: Block, module: Module, found: Diagnostics) -> None:
    """A `resource`, `data` or `ephemeral` block of a module."""
    resource = resource_of(block, found)
    address = resource.address
    other = module.resources.get(address)
    if other is not None:
        what = {DATA: "data source", EPHEMERAL_MODE: "ephemeral resource"}.get(address.mode, "resource")
        found.add(declared_twice(what, f"{address.type}.{address.name}", block.range, other.range))
    else:
        module.resources[address] = resource


def resource_of(block: Block, found: Diagnostics, nested: bool = False) -> ResourceConfig:
    """What a block declares; `nested`: it stands in a `check` block."""
    mode = _MODES[block.type]
    type, name = block.labels
    check_name(type, block.label_ranges[0], "resource type", found)
    check_name(name, block.label_ranges[1], "resource", found)
    content, rest, problems = block.body.partial(_MANAGED if mode == MANAGED else _OTHER)
    found.extend(problems)
    attributes = content.attributes
    count, for_each = attributes.get("count"), attributes.get("for_each")
    if nested:
        _not_nested(count, found)
        _not_nested(for_each, found)
    elif count is not None and for_each is not None:
        found.add(count_and_for_each(for_each))
    provider = attributes.get("provider")
    made = ResourceConfig(
        Resource(mode, type, name),
        rest,
        block.range,
        count.expression if count is not None else None,
        for_each.expression if for_each is not None else None,
        provider_ref(provider.expression, found) if provider is not None else None,
        addresses_of(attributes.get("depends_on"), found),
    )
    return _with_blocks(made, content, nested, found) if content.blocks else made


def _with_blocks(
    made: ResourceConfig, content: BodyContent, nested: bool, found: Diagnostics
) -> ResourceConfig:
    """The same resource with what its meta-argument blocks say."""
    for other in content.of("locals"):
        found.add(reserved(made.address.mode, "locals", other.type_range))
    lifecycle = made.lifecycle
    inner = single(content.of("lifecycle"), "resource", found)
    if inner is not None:
        lifecycle = _lifecycle(inner, made.address.mode, found)
        if nested:
            found.add(
                error(
                    "No lifecycle block here",
                    "The data source of a check block cannot have a lifecycle block.",
                    inner.range,
                    mend="Use assert blocks of the check.",
                )
            )
    connection = single(content.of("connection"), "resource", found)
    provisioners = tuple(read_provisioner(one, found) for one in content.of("provisioner"))
    if connection is not None and any(one.when == "destroy" for one in provisioners):
        _refuse_foreign(connection.body, found)
    return replace(
        made,
        body=unescaped(made.body, content.of("_"), "resource", found),
        lifecycle=lifecycle,
        connection=connection.body if connection is not None else None,
        provisioners=provisioners,
    )


def count_and_for_each(for_each: Attribute) -> Diagnostic:
    """Says that a block cannot have both."""
    return error(
        "Both count and for_each",
        "A block is repeated either by count or by for_each, not by both.",
        for_each.name_range,
        mend="Remove one of the two.",
    )


def _not_nested(attribute: Attribute | None, found: Diagnostics) -> None:
    if attribute is not None:
        found.add(
            error(
                f"No {attribute.name} here",
                "The data source of a check block is read once: count and for_each cannot be used on it.",
                attribute.name_range,
                mend="Remove it, or declare the data source outside of the check.",
            )
        )


def _lifecycle(block: Block, mode: str, found: Diagnostics) -> Lifecycle:
    content, problems = block.body.content(_LIFECYCLE)
    found.extend(problems)
    attributes = content.attributes
    preconditions = tuple(read_checks(content.of("precondition"), "precondition", found))
    postconditions = tuple(read_checks(content.of("postcondition"), "postcondition", found))
    if mode != MANAGED:
        for attribute in attributes.values():
            found.add(
                error(
                    "Argument of managed resources only",
                    f"Only resource blocks have {attribute.name} in their lifecycle.",
                    attribute.name_range,
                    mend="Remove it; conditions can stay.",
                )
            )
        return Lifecycle(preconditions=preconditions, postconditions=postconditions)
    first = attributes.get("create_before_destroy")
    prevent = attributes.get("prevent_destroy")
    ignored, everything = _ignore_changes(attributes.get("ignore_changes"), found)
    return Lifecycle(
        flag_of(first, found) if first is not None else None,
        flag_of(prevent, found),
        prevent.range if prevent is not None else None,
        ignored,
        everything,
        _triggers(attributes.get("replace_triggered_by"), found),
        preconditions,
        postconditions,
    )


def _ignore_changes(attribute: Attribute | None, found: Diagnostics) -> tuple[tuple[Expression, ...], bool]:
    if attribute is None:
        return (), False
    if as_keyword(attribute.expression) == "all":
        return (), True
    paths: list[Expression] = []
    for one in list_of(attribute.expression, found):
        if isinstance(one, Literal) and one.value == "*":
            found.add(
                error(
                    "No wildcard in ignore_changes",
                    'The form ["*"] of old configurations does not exist any more.',
                    attribute.expression.range,
                    mend="Write ignore_changes = all.",
                )
            )
            continue
        path = address_of(one, found)
        if path is not None:
            paths.append(path)
    return tuple(paths), False


def _triggers(attribute: Attribute | None, found: Diagnostics) -> tuple[Expression, ...]:
    """The entries of `replace_triggered_by`: their keys may be expressions, so the engine reads them."""
    if attribute is None:
        return ()
    triggers: list[Expression] = []
    for written in list_of(attribute.expression, found):
        one, problems = native_problems(written)
        problems = problems or _trigger_problems(one)
        found.extend(problems)
        if problems:
            break
        triggers.append(one)
    return tuple(triggers)


def _trigger_problems(trigger: Expression) -> list[Diagnostic]:
    """What is wrong with the names in an entry of `replace_triggered_by`."""
    compiled = compile_expression(trigger)
    if compiled.problems:
        return [replace(one, subject=trigger.range) for one in compiled.problems]
    found: list[Diagnostic] = []
    resources = 0
    for reference in compiled.references:
        if reference.kind in ("resource", "data", "ephemeral"):
            resources += 1
        elif (reference.kind, reference.name) not in (("count", "index"), ("each", "key")):
            found.append(
                error(
                    "Unsuitable reference in replace_triggered_by",
                    "An entry may use managed resources of this module, count.index and each.key, but not "
                    f"{reference}.",
                    trigger.range,
                    mend="Name a resource; a terraform_data resource can stand for any other value.",
                )
            )
    if resources != 1:
        found.append(
            error(
                "No resource in replace_triggered_by" if not resources else "Several resources in one entry",
                "An entry must name a resource, an instance or an attribute of one, and no other.",
                trigger.range,
                mend="Name one resource in each entry; a terraform_data resource can stand for any other value.",
            )
        )
    return found


def read_provisioner(block: Block, found: Diagnostics) -> Provisioner:
    """A `provisioner` block."""
    type = block.labels[0]
    if type in _REMOVED_PROVISIONERS:
        found.add(
            error(
                "Provisioner does not exist any more",
                f"The provisioner {type} was taken out of the language long ago.",
                block.label_ranges[0],
                mend="Use an image, user data, or the tool itself run by local-exec.",
            )
        )
    content, rest, problems = block.body.partial(_PROVISIONER)
    found.extend(problems)
    when = _word(content.attributes.get("when"), ("create", "destroy"), found)
    on_failure = _word(content.attributes.get("on_failure"), ("fail", "continue"), found)
    for other in content.of("lifecycle"):
        found.add(reserved("provisioner", "lifecycle", other.type_range))
    connection = single(content.of("connection"), "provisioner", found)
    body: Body = unescaped(rest, content.of("_"), "provisioner", found)
    if when == "destroy":
        _refuse_foreign(body, found)
        if connection is not None:
            _refuse_foreign(connection.body, found)
    return Provisioner(
        type, body, connection.body if connection is not None else None, when, on_failure, block.range
    )


def _refuse_foreign(body: Body, found: Diagnostics) -> None:
    """Complain about each reference that may lead nowhere once its object is destroyed."""
    for attribute in body.just_attributes()[0].values():
        for reference in compile_expression(attribute.expression).references:
            known = _AT_THE_END.get(reference.kind)
            if known is None or (known and reference.name != known):
                found.add(
                    error(
                        "A provisioner at destroy time can use only its own object",
                        f"When the object is destroyed, {reference} may be gone already; there are self, count.index "
                        "and each.key.",
                        attribute.expression.range,
                        mend="Keep the value in the object (input of terraform_data) and read it from self.",
                    )
                )


def _word(attribute: Attribute | None, words: tuple[Value, ...], found: Diagnostics) -> str:
    """One of some keywords; the first where nothing or anything else is written."""
    if attribute is None:
        return str(words[0])
    word = keyword_of(attribute, found)
    if word in words:
        return word
    found.add(
        error(
            "Unknown keyword",
            f"{attribute.name} is either {' or '.join(map(str, words))}.",
            attribute.expression.range,
            mend=f"Write {attribute.name} = {words[0]} or {words[1]}, without quotes.",
        )
    )
    return str(words[0])
