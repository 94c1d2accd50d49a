"""Reading the files of one module, in native and JSON syntax, into a `Module`.

Override files come last and change what the others declare, as
https://developer.hashicorp.com/terraform/language/files/override says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from twinfra.config.hcl_modules import (
    TERRAFORM,
    constraint_of,
    read_module_call,
    read_provider,
    read_terraform,
)
from twinfra.config.hcl_resources import read_resource
from twinfra.config.hcl_statements import (
    check_import_providers,
    read_check,
    read_import,
    read_moved,
    read_removed,
)
from twinfra.config.hcl_values import read_locals, read_output, read_variable
from twinfra.config.model import Module
from twinfra.config.reading import JoinedBody, addresses_of, text_of
from twinfra.config.versions import COMPATIBLE_VERSION, allows, parse_constraint
from twinfra.diagnostics import Diagnostic, Diagnostics, Source, error
from twinfra.lang.json_syntax import parse_json
from twinfra.lang.nodes import Block, BlockShape, Body, BodyShape
from twinfra.lang.parser import parse_config

_Reader: TypeAlias = Callable[[Block, Module, Diagnostics], None]

_READERS: dict[str, tuple[tuple[str, ...], _Reader]] = {
    "provider": (("name",), read_provider),
    "variable": (("name",), read_variable),
    "locals": ((), read_locals),
    "output": (("name",), read_output),
    "module": (("name",), read_module_call),
    "resource": (("type", "name"), read_resource),
    "data": (("type", "name"), read_resource),
    "ephemeral": (("type", "name"), read_resource),
    "moved": ((), read_moved),
    "import": ((), read_import),
    "check": (("name",), read_check),
    "removed": ((), read_removed),
}
"""What may stand in a file besides `terraform` blocks: block type to its labels and who reads it."""

_FILE = BodyShape(
    {}, (BlockShape("terraform"), *(BlockShape(type, labels) for type, (labels, _) in _READERS.items()))
)
_NEVER_OVERRIDDEN = ("moved", "import", "check")
_MERGED = ("variable", "output", "module", "resource", "data", "ephemeral", "provider")
_COMBINED = frozenset(("lifecycle",))


def is_configuration(name: str) -> bool:
    """Whether a file of this name holds configuration."""
    hidden = name.startswith((".", "#")) or name.endswith(("~", "#"))
    return not hidden and name.endswith((".tf", ".tf.json"))


def is_override(name: str) -> bool:
    """Whether a file of configuration overrides what the others declare."""
    base = name.removesuffix(".json").removesuffix(".tf")
    return base == "override" or base.endswith("_override")


def read_module(module: Module, files: Iterable[tuple[str, Body]]) -> tuple[Diagnostics, list[Diagnostic]]:
    """Fill `module` from its files (name and body), given in order; returns what is wrong with them, and errors where
    they are written for other versions of the language.
    """
    found = Diagnostics()
    primary: list[Block] = []
    overriding: list[Block] = []
    for name, body in files:
        content, problems = body.content(_FILE)
        found.extend(problems)
        (overriding if is_override(name) else primary).extend(content.blocks)
    refused = _required_versions(module, [*primary, *overriding], found)
    if overriding:
        primary = _overridden(primary, overriding, found)
    read_terraform((block for block in primary if block.type == "terraform"), module, found)
    for block in primary:
        if block.type != "terraform":
            _READERS[block.type][1](block, module, found)
    check_import_providers(module, found)
    _override_values(overriding, module, found)
    return found, refused


def parse_file(source: Source) -> tuple[Body, list[Diagnostic]]:
    """The body of a file, by its name in native or JSON syntax."""
    return parse_json(source) if source.filename.endswith(".json") else parse_config(source)


def _required_versions(module: Module, blocks: list[Block], found: Diagnostics) -> list[Diagnostic]:
    """Read all `required_version` arguments; returns errors where we do not fit them."""
    refused: list[Diagnostic] = []
    versions = []
    for block in blocks:
        if block.type != "terraform":
            continue
        content, _, _ = block.body.partial(TERRAFORM)
        attribute = content.attributes.get("required_version")
        if attribute is None:
            continue
        constraint = constraint_of(attribute, found)
        if not constraint:
            continue
        versions.append((constraint, attribute.range))
        if any(one.version.prerelease for one in parse_constraint(constraint)):
            found.add(
                error(
                    "Prerelease in required_version",
                    "A constraint on the version of the language cannot name a prerelease.",
                    attribute.range,
                    mend="Name a release, such as >= 1.11.0.",
                )
            )
        elif not allows(constraint, COMPATIBLE_VERSION):
            refused.append(
                error(
                    "Unsupported version of the language",
                    f"This module requires Terraform {constraint}; Twinfra reads the language of "
                    f"{COMPATIBLE_VERSION}.",
                    attribute.range,
                    mend="Widen the constraint if the module does not need another version.",
                )
            )
    module.required_version = tuple(versions)
    return refused


# -- overriding


def _overridden(primary: list[Block], overriding: list[Block], found: Diagnostics) -> list[Block]:
    """The blocks of the normal files, changed by those of override files."""
    places: dict[tuple[str, tuple[str, ...], str], int] = {}
    for at, block in enumerate(primary):
        if block.type in _MERGED:
            places.setdefault(_identity(block), at)
    result = list(primary)
    for block in overriding:
        if block.type in _NEVER_OVERRIDDEN:
            found.add(
                error(
                    f"No {block.type} blocks in override files",
                    f"A {block.type} block changes nothing, so it cannot stand in an override file.",
                    block.range,
                    mend="Move it to another file.",
                )
            )
        elif block.type == "removed":
            result.append(block)
        elif block.type in _MERGED:
            at = places.get(_identity(block), -1)
            if at < 0 and block.type == "provider":
                places[_identity(block)] = len(result)
                result.append(block)
            elif at < 0:
                found.add(_nothing_to_override(block, primary))
            else:
                _refuse_unmergeable(block, found)
                merged = JoinedBody(result[at].body, block.body, _COMBINED)
                result[at] = replace(result[at], body=merged)
    return result


def _identity(block: Block) -> tuple[str, tuple[str, ...], str]:
    alias = ""
    if block.type == "provider":
        content, _, _ = block.body.partial(BodyShape({"alias": False}))
        alias = text_of(content.attributes.get("alias"), Diagnostics())
    return block.type, block.labels, alias


def _nothing_to_override(block: Block, primary: list[Block]) -> Diagnostic:
    from twinfra.diagnostics import nearest

    name = ".".join(block.labels)
    known = [".".join(one.labels) for one in primary if one.type == block.type]
    return error(
        f"No {block.type} to override",
        f"There is no {block.type} {name} in the normal files of this module, so nothing can be overridden.",
        block.range,
        mend=nearest(name, known) or "Declare it in another file.",
    )


def _refuse_unmergeable(block: Block, found: Diagnostics) -> None:
    """Complain about parts of an overriding block that cannot override anything."""
    if block.type in ("variable", "provider"):
        return
    content, _, _ = block.body.partial(BodyShape({"depends_on": False}, (BlockShape("lifecycle"),)))
    depends = addresses_of(content.attributes.get("depends_on"), Diagnostics())
    if depends:
        found.add(
            error(
                "depends_on cannot be overridden",
                f"An override file cannot change what the {block.type} depends on.",
                depends[0].range,
                mend="Write it in the block that is overridden.",
            )
        )
    conditions = (BlockShape("precondition"), BlockShape("postcondition"))
    bodies = [block.body] if block.type == "output" else [one.body for one in content.of("lifecycle")]
    for body in bodies:
        for condition in body.partial(BodyShape({}, conditions))[0].blocks:
            found.add(
                error(
                    "Conditions cannot be overridden",
                    f"An override file cannot have {condition.type} blocks.",
                    condition.type_range,
                    mend="Write it in the block that is overridden.",
                )
            )


def _override_values(overriding: list[Block], module: Module, found: Diagnostics) -> None:
    """Apply the `locals` and `terraform` blocks of override files."""
    changes = Module(module.path, module.directory)
    read_terraform((block for block in overriding if block.type == "terraform"), changes, found)
    module.required_providers.update(changes.required_providers)
    module.backend = changes.backend or module.backend
    for block in overriding:
        if block.type == "locals":
            changes = Module(module.path, module.directory)
            read_locals(block, changes, found)
            for name, local in changes.locals.items():
                if name in module.locals:
                    module.locals[name] = local
                else:
                    found.add(
                        error(
                            "No local value to override",
                            f"There is no local value {name} in the normal files of this module.",
                            local.range,
                            mend="Declare it in another file.",
                        )
                    )
