"""Reading `moved`, `removed`, `import` and `check` blocks."""

from __future__ import annotations

from twinfra.addresses import DATA
from twinfra.config.hcl_resources import read_provisioner, resource_of
from twinfra.config.model import CheckBlock, Import, Module, Moved, Removed, ResourceConfig
from twinfra.config.reading import (
    address_of,
    check_name,
    declared_twice,
    flag_of,
    provider_ref,
    read_checks,
    single,
)
from twinfra.diagnostics import Diagnostics, SourceRange, error
from twinfra.lang.nodes import (
    Block,
    BlockShape,
    BodyShape,
    Expression,
    GetAttr,
    Index,
    Parentheses,
    TemplateWrap,
    Variable,
)
from twinfra.lang.static import native

_MOVED = BodyShape({"from": True, "to": True})
_REMOVED = BodyShape(
    {"from": True},
    (BlockShape("lifecycle"), BlockShape("connection"), BlockShape("provisioner", ("type",))),
)
_REMOVED_LIFECYCLE = BodyShape({"destroy": False})
_IMPORT = BodyShape({"to": True, "id": True, "provider": False, "for_each": False})
_CHECK = BodyShape({}, (BlockShape("data", ("type", "name")), BlockShape("assert")))


def read_moved(block: Block, module: Module, found: Diagnostics) -> None:
    """A `moved` block."""
    content, problems = block.body.content(_MOVED)
    found.extend(problems)
    ends: list[Expression] = []
    for name in ("from", "to"):
        attribute = content.attributes.get(name)
        if attribute is None:
            continue
        address = address_of(attribute.expression, found)
        if address is not None and _names_something(address, found):
            ends.append(address)
    if len(ends) != 2:
        return
    if _names_module(ends[0]) != _names_module(ends[1]):
        found.add(
            error(
                "Ends of a move do not match",
                "One of from and to names a module, and the other a resource.",
                block.range,
                mend="Name two resources, or two module calls.",
            )
        )
        return
    module.moved.append(Moved(ends[0], ends[1], block.range))


def _names(address: Expression) -> list[str]:
    """The names of an address from its root, without keys."""
    names: list[str] = []
    node = address
    while True:
        if isinstance(node, GetAttr):
            names.append(node.name)
            node = node.source
        elif isinstance(node, Index):
            node = node.source
        elif isinstance(node, TemplateWrap | Parentheses):
            node = node.inner
        else:
            if isinstance(node, Variable):
                names.append(node.name)
            return names[::-1]


def _inside(names: list[str]) -> list[str]:
    """What of an address comes after the modules in it."""
    at = 0
    while names[at : at + 1] == ["module"] and len(names) >= at + 2:
        at += 2
    return names[at:]


def _names_module(address: Expression) -> bool:
    return not _inside(_names(address))


def _names_something(address: Expression, found: Diagnostics) -> bool:
    """Whether an address names a module or resource; complains where it does not."""
    rest = _inside(_names(address))
    mode = rest[0] if rest and rest[0] in ("data", "resource", "ephemeral") else ""
    wanted = 3 if mode else 2
    if not rest or len(rest) == wanted:
        return True
    found.add(
        error(
            "Not an address",
            "An address here names a module call (module.name), or a resource by its type and name.",
            address.range,
            mend="Write it like aws_vpc.main or module.network.",
        )
    )
    return False


def read_removed(block: Block, module: Module, found: Diagnostics) -> None:
    """A `removed` block."""
    content, problems = block.body.content(_REMOVED)
    found.extend(problems)
    destroy = True
    lifecycle = single(content.of("lifecycle"), "removed block", found)
    if lifecycle is not None:
        inner, problems = lifecycle.body.content(_REMOVED_LIFECYCLE)
        found.extend(problems)
        destroy = flag_of(inner.attributes.get("destroy"), found, True)
    provisioners = tuple(read_provisioner(one, found) for one in content.of("provisioner"))
    for provisioner in provisioners:
        if provisioner.when != "destroy":
            found.add(
                error(
                    "Provisioner is never run",
                    "What is removed is only destroyed, so its provisioners must be for that.",
                    provisioner.range,
                    mend="Write when = destroy in it.",
                )
            )
    connection = single(content.of("connection"), "removed block", found)
    if connection is not None and not provisioners:
        connection.body.just_attributes()
    attribute = content.attributes.get("from")
    if attribute is None:
        return
    address = address_of(attribute.expression, found)
    if address is None or not _names_something(address, found) or not _removable(address, found):
        return
    module.removed.append(Removed(address, destroy, block.range, provisioners))


def _removable(address: Expression, found: Diagnostics) -> bool:
    key = _any_key(address)
    names = _inside(_names(address))
    if key is not None:
        found.add(
            error(
                "No instance keys here",
                "A removed block is about a whole resource or module call, not about some of its instances.",
                key,
                mend="Remove the key.",
            )
        )
        return False
    if names and names[0] == DATA:
        found.add(
            error(
                "Data sources cannot be removed",
                "There is nothing to destroy of a data source, and nothing to forget.",
                address.range,
                mend="Remove its data block, and this one too.",
            )
        )
        return False
    return True


def _any_key(address: Expression) -> SourceRange | None:
    node = address
    while isinstance(node, GetAttr | Index):
        if isinstance(node, Index):
            return node.key_range
        node = node.source
    return None


def read_import(block: Block, module: Module, found: Diagnostics) -> None:
    """An `import` block."""
    content, problems = block.body.content(_IMPORT)
    found.extend(problems)
    attributes = content.attributes
    to, id, for_each = attributes.get("to"), attributes.get("id"), attributes.get("for_each")
    provider = attributes.get("provider")
    reference = provider_ref(provider.expression, found) if provider is not None else None
    if module.path:
        found.add(
            error(
                "Import in a module",
                "Only the root module can have import blocks.",
                block.range,
                mend=f"Move it to the root module, with module.{module.path[-1]} before the address.",
            )
        )
        return
    if to is None or id is None:
        return
    address = native(to.expression)
    names = _inside(_names(address))
    if not _is_path(address) or not _names_something(address, found):
        if not _is_path(address):
            address_of(to.expression, found)
        return
    if not names or names[0] in (DATA, "ephemeral"):
        found.add(
            error(
                "Not a managed resource",
                "Only instances of managed resources can be imported.",
                to.range,
                mend="Name a resource, such as aws_vpc.main.",
            )
        )
        return
    module.imports.append(
        Import(
            address,
            id.expression,
            block.range,
            reference,
            for_each.expression if for_each is not None else None,
        )
    )


def _is_path(address: Expression) -> bool:
    """Whether an expression is made of names and keys; the keys may be any expressions."""
    node = address
    while isinstance(node, GetAttr | Index):
        node = node.source
    return isinstance(node, Variable)


def read_check(block: Block, module: Module, found: Diagnostics) -> None:
    """A `check` block."""
    name = block.labels[0]
    content, problems = block.body.content(_CHECK)
    found.extend(problems)
    check_name(name, block.label_ranges[0], "check", found)
    assertions = tuple(read_checks(content.of("assert"), "assertion", found))
    data: ResourceConfig | None = None
    source = single(content.of("data"), "check", found)
    if source is not None:
        data = resource_of(source, found, nested=True)
        other = module.resources.get(data.address)
        if other is not None:
            what = f"{data.address.type}.{data.address.name}"
            found.add(declared_twice("data source", what, data.range, other.range))
    if not assertions:
        found.add(
            error(
                "Check without assertion",
                f"The check {name} asserts nothing.",
                block.range,
                mend="Write an assert block in it, with a condition and an error_message.",
            )
        )
    first = module.checks.get(name)
    if first is not None:
        found.add(declared_twice("check", name, block.range, first.range))
    else:
        module.checks[name] = CheckBlock(name, assertions, block.range, data)
