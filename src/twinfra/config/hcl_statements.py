"""Reading `moved`, `removed`, `import` and `check` blocks."""

from __future__ import annotations

from dataclasses import replace

from twinfra.addresses import DATA, MANAGED, Resource
from twinfra.config.addressing import Named, parts_of, read_address
from twinfra.config.hcl_resources import read_provisioner, resource_of
from twinfra.config.model import CheckBlock, Import, Module, Moved, Removed, ResourceConfig
from twinfra.config.reading import check_name, declared_twice, flag_of, provider_ref, read_checks, single
from twinfra.diagnostics import Diagnostic, Diagnostics, Severity, error
from twinfra.lang.nodes import Attribute, Block, BlockShape, BodyShape, Expression, Literal
from twinfra.lang.static import as_traversal, is_json, is_quoted, native

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
    modes: list[str] = []
    for name in ("from", "to"):
        attribute = content.attributes.get(name)
        if attribute is None:
            continue
        address, named = _address(attribute, found)
        if named is not None:
            ends.append(address)
            modes.append(named.mode)
    if len(ends) != 2:
        return
    if bool(modes[0]) != bool(modes[1]):
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


def _address(
    attribute: Attribute, found: Diagnostics, fixed: bool = True, plain: bool = False
) -> tuple[Expression, Named | None]:
    """The address that an argument is, and what it names: nothing after complaining. See `read_address`."""
    address = native(attribute.expression)
    place = attribute.expression.range
    named: Named | Diagnostic
    if (fixed and as_traversal(attribute.expression) is None) or is_quoted(attribute.expression):
        named = error(
            "Not an address",
            "An address must stand here: names joined by dots, with literal keys in brackets.",
            place,
            mend="Write it like aws_vpc.main, without quotes, calculations or calls.",
        )
    else:
        named = read_address(address, fixed, plain)
    if isinstance(named, Named):
        return address, named
    found.add(replace(named, subject=place) if is_json(attribute.expression) else named)
    return address, None


def read_removed(block: Block, module: Module, found: Diagnostics) -> None:
    """A `removed` block."""
    content, problems = block.body.content(_REMOVED)
    found.extend(problems)
    destroy = True
    for lifecycle in content.of("lifecycle"):
        inner, problems = lifecycle.body.content(_REMOVED_LIFECYCLE)
        found.extend(problems)
        destroy = flag_of(inner.attributes.get("destroy"), found, destroy)
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
    address, named = _removable(attribute, found)
    if named is not None:
        module.removed.append(Removed(address, destroy, block.range, provisioners))


def _removable(attribute: Attribute, found: Diagnostics) -> tuple[Expression, Named | None]:
    address, named = _address(attribute, found, plain=True)
    if named is None:
        return address, None
    if named.key is not None:
        found.add(
            error(
                "No instance keys here",
                "A removed block is about a whole resource or module call, not about some of its instances.",
                attribute.expression.range if is_json(attribute.expression) else named.key,
                mend="Remove the key.",
            )
        )
        return address, None
    if named.mode == DATA:
        found.add(
            error(
                "Data sources cannot be removed",
                "There is nothing to destroy of a data source, and nothing to forget.",
                attribute.expression.range,
                mend="Remove its data block, and this one too.",
            )
        )
        return address, None
    return address, named


def _has_fixed_keys(address: Expression) -> bool:
    """Whether all keys of an address are literals; also true of what is no address."""
    parts = parts_of(native(address))
    return parts is None or all(part.key is None or isinstance(part.key, Literal) for part in parts)


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
    if to is None or id is None or any(one.severity is Severity.ERROR for one in problems):
        return
    if for_each is None and not _has_fixed_keys(to.expression):
        found.add(
            error(
                "Not an address",
                "Without for_each, the address must be written out: names joined by dots, with literal keys in "
                "brackets.",
                to.expression.range,
                mend="Write the key as it is, or set for_each.",
            )
        )
        found.add(
            error(
                "Not a resource instance",
                f"The import at {block.range} names no instance of a resource.",
                mend="Write an address like aws_vpc.main.",
            )
        )
        return
    address, named = _address(to, found, fixed=False)
    if named is not None and not named.mode:
        found.add(
            error(
                "Module cannot be imported",
                "The address names a module call, and an import is for an instance of a resource.",
                to.expression.range,
                mend="Add the resource and its key to the address.",
            )
        )
    if named is None or named.mode != MANAGED:
        found.add(
            error(
                "Not a managed resource",
                "Only instances of managed resources can be imported.",
                to.range,
                mend="Name an instance of a resource, such as aws_vpc.main.",
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
            provider.range if provider is not None and reference is not None else None,
        )
    )


def check_import_providers(module: Module, found: Diagnostics) -> None:
    """Complain about providers in imports to blocks that say themselves which provider is theirs."""
    for one in module.imports:
        if one.provider_range is None:
            continue
        names = [part.name for part in parts_of(one.to) or () if part.key is None]
        if names[0] == "resource":
            del names[0]
        if names[0] == "module":
            mend = "Remove it; the call of the module says which providers are used there (providers)."
        elif Resource(MANAGED, names[0], names[1]) in module.resources:
            mend = "Remove it; set provider in the resource block."
        else:
            continue
        found.add(
            error(
                "Provider of an import",
                "An import names a provider only where the resource has no block yet.",
                one.provider_range,
                mend=mend,
            )
        )


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
