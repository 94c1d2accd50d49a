"""Addresses written as expressions, in `moved`, `removed`, `import` and `replace_triggered_by`: taking
them apart.
"""

from __future__ import annotations

from twinfra.addresses import DATA, MANAGED, AbsResource, Instance, Key, ModuleInstance, ModulePath, Resource
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, SourceRange, error
from twinfra.lang.nodes import Expression, GetAttr, Index, Literal, Parentheses, TemplateWrap, Variable


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a traversal: a name, or (where `key` is given) a key in brackets.

    `range`: from the root name to this step. `own`: the step alone, with its dot or brackets.
    """

    name: str
    key: Expression | None
    range: SourceRange
    own: SourceRange


def steps_of(expression: Expression) -> list[Step]:
    """The steps of a traversal from its root name; raises `DiagnosticError` for any other expression."""
    found: list[Step] = []
    node = expression
    while True:
        if isinstance(node, GetAttr):
            found.append(Step(node.name, None, node.range, _after(node.source, node)))
            node = node.source
        elif isinstance(node, Index):
            found.append(Step("", node.key, node.range, _after(node.source, node)))
            node = node.source
        elif isinstance(node, Variable):
            found.append(Step(node.name, None, node.range, node.range))
            return found[::-1]
        elif isinstance(node, TemplateWrap | Parentheses):
            node = node.inner
        else:
            raise DiagnosticError(
                error("Not an address", "An address is needed here: names joined by dots.", expression.range)
            )


def _after(source: Expression, whole: Expression) -> SourceRange:
    return SourceRange(whole.range.source, source.range.end, whole.range.end)


@dataclass(frozen=True, slots=True)
class Target:
    """What a written address names, relative to the module it stands in.

    `steps`: module calls with their keys (None: not written). `resource` is None for a module. `keyed`:
    whether
    the last part has a key.
    """

    steps: tuple[tuple[str, Key], ...]
    resource: Resource | None
    key: Key = None

    @property
    def module_path(self) -> ModulePath:
        """The modules it goes through, without keys."""
        return tuple(name for name, _ in self.steps)

    def __str__(self) -> str:
        module = ModuleInstance(self.steps)
        if self.resource is None:
            return str(module)
        return str(Instance(module, self.resource, self.key))


def target_of(expression: Expression) -> Target:
    """The address that an expression spells out with literal keys; raises `DiagnosticError` for any other."""
    modules: list[tuple[str, Key]] = []
    steps = steps_of(expression)
    at = 0
    while at < len(steps) and steps[at].name == "module" and steps[at].key is None:
        if at + 1 >= len(steps) or steps[at + 1].key is not None:
            raise _bad(expression, "module must be followed by the name of a module call.")
        name = steps[at + 1].name
        at += 2
        key: Key = None
        if at < len(steps) and steps[at].key is not None:
            key = _literal_key(steps[at])
            at += 1
        modules.append((name, key))
    if at == len(steps):
        return Target(tuple(modules), None)
    mode = MANAGED
    if steps[at].name == DATA:
        mode = DATA
        at += 1
    elif steps[at].name == "resource" and at + 2 < len(steps) and steps[at + 2].key is None:
        at += 1
    if at + 1 >= len(steps) or steps[at].key is not None or steps[at + 1].key is not None:
        raise _bad(expression, "A resource is named by its type and its name.")
    resource = Resource(mode, steps[at].name, steps[at + 1].name)
    at += 2
    key = None
    if at < len(steps) and steps[at].key is not None:
        key = _literal_key(steps[at])
        at += 1
    if at != len(steps):
        raise _bad(expression, "The address must end with the resource or its instance key.")
    return Target(tuple(modules), resource, key)


def _literal_key(step: Step) -> Key:
    node = step.key
    if isinstance(node, Literal) and (isinstance(node.value, str) or type(node.value) is int):
        value: Key = node.value
        return value
    raise DiagnosticError(
        error(
            "Instance key is not fixed",
            "An instance key here must be a number or a string as such.",
            step.range,
        )
    )


def _bad(expression: Expression, reason: str) -> DiagnosticError:
    return DiagnosticError(error("Not an address", reason, expression.range))


def contains(target: Target, base: ModuleInstance, address: Instance) -> bool:
    """Whether the target, written in module instance `base`, names this instance or something around it."""
    steps = (*base.steps, *target.steps)
    own = address.module.steps
    if len(own) < len(steps):
        return False
    for (name, key), (own_name, own_key) in zip(steps, own, strict=False):
        if name != own_name or (key is not None and key != own_key):
            return False
    if target.resource is None:
        return True
    if len(own) != len(steps) or target.resource != address.resource:
        return False
    return target.key is None or target.key == address.key


def absolute(target: Target, base: ModuleInstance) -> ModuleInstance | AbsResource | Instance:
    """The target as an address of its own; keys that were not written stand for "no key"."""
    module = ModuleInstance((*base.steps, *target.steps))
    if target.resource is None:
        return module
    resource = AbsResource(module, target.resource)
    return resource if target.key is None else resource.instance(target.key)
