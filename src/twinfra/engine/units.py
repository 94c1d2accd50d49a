"""What is wrong with the names in a unit: an expression or a body, whatever is evaluated at once.

Like stock Terraform, it first looks at the names alone. One that can stand for nothing whatever the values (no such
resource, no such attribute of its type) is told without looking at the rest of the unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, SourceRange, error, nearest
from twinfra.engine.nodes import CheckNode, CompiledCheck, Node, ResourceNode, ValidationNode
from twinfra.engine.scope import needs_key, no_attribute, no_such_part, outside, undeclared, unwanted_key
from twinfra.engine.tables import Repetition, repetition_of
from twinfra.lang.compiler import Compiled
from twinfra.lang.references import roots
from twinfra.lang.scope import Reference

if TYPE_CHECKING:
    from twinfra.engine.program import ModuleNodes

_OBJECTS = ("resource", "data", "ephemeral")
_PARTS = {"path": ("module", "root", "cwd"), "terraform": ("workspace", "applying")}


@dataclass(frozen=True, slots=True)
class Around:
    """What a unit may refer to besides what is declared: how its block is repeated, and the object that is `self`."""

    repetition: Repetition = Repetition.SINGLE
    self: ResourceNode | None = None


NOTHING = Around()


def unit_problems(nodes: ModuleNodes, references: Iterable[Reference], around: Around) -> list[Diagnostic]:
    """What is wrong with the names in a unit; those of the object it stands in itself are not looked at."""
    static: list[Diagnostic] = []
    missing: list[Diagnostic] = []
    elsewhere: list[Diagnostic] = []
    self_missing: list[Diagnostic] = []
    for reference in references:
        kind = reference.kind
        if kind in _OBJECTS:
            found = nodes.resources.get((kind, reference.type, reference.name))
            static += [undeclared(nodes.module, reference)] if found is None else _of(found, reference)
        elif kind == "module":
            if reference.name not in nodes.calls:
                static.append(undeclared(nodes.module, reference))
        elif kind == "self":
            if around.self is None:
                self_missing.append(_self_missing(reference))
            else:
                static += _attribute(around.self, reference)
        elif kind == "var":
            if reference.name not in nodes.variables:
                missing.append(undeclared(nodes.module, reference))
        elif kind == "local":
            if reference.name not in nodes.locals:
                missing.append(undeclared(nodes.module, reference))
        else:
            elsewhere += _misplaced(reference, around.repetition)
    if static:
        return static
    if self_missing:
        return self_missing[:1]
    # Alone, what is misplaced is told when the unit is evaluated.
    return [*missing, *elsewhere] if missing else []


def order_problems(nodes: ModuleNodes, name: Compiled) -> list[Diagnostic]:
    """What is wrong with a name in `depends_on`, where nothing but names of the module can stand."""
    found = name.problems or unit_problems(nodes, name.references, NOTHING)
    if found:
        return found
    return misplaced(name.references, NOTHING)


def misplaced(references: Iterable[Reference], around: Around) -> list[Diagnostic]:
    """Which names mean nothing where they stand, such as each.key in a block that is not repeated."""
    return [one for reference in references for one in _misplaced(reference, around.repetition)]


def check_problems(
    nodes: ModuleNodes, check: CompiledCheck, around: Around, kind: type[Node]
) -> list[Diagnostic]:
    """What is wrong with the names in a condition and its message, in a block of some kind of node.

    Where one stands for nothing, neither can be evaluated, so that each other name leads nowhere, too. In a resource
    the two are looked at one by one; of an assertion in a check block, only the message would be evaluated, and of a
    validation neither.
    """
    parts: list[tuple[list[Compiled], tuple[Reference, ...]]]
    if kind is ResourceNode:
        parts = [([one], one.references) for one in (check.condition, check.message)]
    else:
        both = tuple(check.references)
        evaluated_first = {CheckNode: [check.message], ValidationNode: []}
        parts = [(evaluated_first.get(kind, [check.message, check.condition]), both)]
    problems: list[Diagnostic] = []
    for evaluated, references in parts:
        found = unit_problems(nodes, references, around)
        problems += found
        if found and not all(_is_value(one, references) for one in found):
            for part in evaluated:
                problems += [_nowhere(name, place) for name, place in roots(part.expression)]
    return problems


def _is_value(problem: Diagnostic, references: Iterable[Reference]) -> bool:
    """Whether a problem is about a single value, which leaves the others as they are."""
    return any(
        one.range == problem.subject and one.kind in ("var", "local", "each", "count", "path", "terraform")
        for one in references
    )


def _nowhere(name: str, place: SourceRange) -> Diagnostic:
    return error(
        "Name leads nowhere",
        f"As long as the names in this condition and its message are not right, {name} has no value here.",
        place,
        mend="Mend what is told about the others first.",
    )


def _of(node: ResourceNode, reference: Reference) -> list[Diagnostic]:
    """What is wrong with how a reference goes into a resource that is there."""
    found: list[Diagnostic] = []
    repetition = repetition_of(node)
    if not reference.fixed:
        # Which instance it is, and whether there is one, only its evaluation tells.
        return found
    if reference.keyed and repetition is Repetition.SINGLE:
        found.append(unwanted_key(reference))
    if reference.attribute and not reference.keyed and repetition is not Repetition.SINGLE:
        found.append(needs_key(reference, repetition))
    return [*found, *_attribute(node, reference)]


def _attribute(node: ResourceNode, reference: Reference) -> list[Diagnostic]:
    name = reference.attribute
    if not name or not hasattr(node, "schema"):
        return []
    block = node.schema.block
    if name in block.attributes or name in block.blocks:
        return []
    known = [*block.attributes, *block.blocks]
    return [
        error(
            "No such attribute",
            f"{node.resource.type} has no attribute or block named {name}.",
            reference.attribute_range,
            mend=nearest(name, known) or "Correct the name.",
        )
    ]


def _self_missing(reference: Reference) -> Diagnostic:
    return outside(reference, "self", "postconditions, provisioners and connections").diagnostics[0]


def _misplaced(reference: Reference, repetition: Repetition) -> list[Diagnostic]:
    kind, name = reference.kind, reference.name
    if kind == "count":
        if name != "index":
            return list(no_such_part(reference, "index").diagnostics)
        if repetition is not Repetition.COUNT:
            return list(outside(reference, "count", "a block that sets count").diagnostics)
    elif kind == "each":
        if repetition is not Repetition.FOR_EACH:
            return list(outside(reference, "each", "a block that sets for_each").diagnostics)
    elif kind in _PARTS and name not in _PARTS[kind]:
        return list(no_attribute(reference, kind, _PARTS[kind]).diagnostics)
    return []
