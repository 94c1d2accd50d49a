"""Which attributes of which resources what changes was made from: where drift may have had a part.

Followed through locals, module arguments and module outputs, in the notation of the public plan format
(`relevant_attributes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from twinfra.addresses import AbsResource, Key, ModuleInstance, Resource
from twinfra.engine.nodes import LocalNode, Node, OutputNode, ResourceNode, VariableNode
from twinfra.engine.program import ModuleNodes, Program
from twinfra.lang.scope import Reference
from twinfra.values.value import GetAttr

_ROOT = re.compile(r"[^\W\d][\w-]*")
_STEP = re.compile(r'\.([^\W\d][\w-]*)|\[\s*(\d+)\s*\]|\["((?:[^"\\$%]|\\.)*)"\]')
_MODES = {"resource": "managed"}

Steps = tuple[str | int, ...]


def steps_after(reference: Reference) -> Steps:
    """The literal steps written behind what a reference names, up to the first that is not."""
    text = reference.range.text
    root = _ROOT.match(text)
    at = root.end() if root is not None else len(text)
    steps: list[str | int] = []
    while (found := _STEP.match(text, at)) is not None:
        name, number, key = found.groups()
        steps.append(name if name is not None else int(number) if number is not None else key)
        at = found.end()
    named = 2 if root is not None and root.group() in ("data", "ephemeral", "resource") else 1
    return tuple(steps[named:])


class Contributions:
    """Collects what contributed to some changed objects and outputs."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._found: set[tuple[str, Steps]] = set()
        self._seen: set[tuple[Any, ...]] = set()

    def add(self, node: Node, module: ModuleInstance) -> None:
        """Take in a changed resource block or output of one module instance."""
        if isinstance(node, ResourceNode):
            for compiled in (node.count, node.for_each):
                if compiled is not None:
                    self._follow(compiled.references, module)
            self._follow(node.decoder.references, module)
        elif isinstance(node, OutputNode):
            self._follow(node.compiled.references, module)

    def all(self) -> list[tuple[str, Steps]]:
        """All that was found, in order."""
        return sorted(self._found, key=lambda one: (one[0], tuple(map(str, one[1]))))

    def _follow(self, references: Iterable[Reference], module: ModuleInstance) -> None:
        nodes = self._program.modules.get(module.path)
        if nodes is None:
            return
        for reference in references:
            kind = reference.kind
            if kind == "local":
                self._through(nodes.locals.get(reference.name), module)
            elif kind == "var" and module.steps:
                self._through(nodes.variables.get(reference.name), module)
            elif kind == "module":
                self._module(reference, nodes, module)
            elif kind in ("resource", "data"):
                self._resource(reference, nodes, module)

    def _through(self, node: LocalNode | VariableNode | OutputNode | None, module: ModuleInstance) -> None:
        if node is None or (node, module) in self._seen:
            return
        self._seen.add((node, module))
        if isinstance(node, VariableNode):
            if node.argument is not None:
                self._follow(node.argument.references, ModuleInstance(module.steps[:-1]))
        else:
            self._follow(node.compiled.references, module)

    def _module(self, reference: Reference, nodes: ModuleNodes, module: ModuleInstance) -> None:
        call = nodes.calls.get(reference.name)
        if call is None:
            return
        steps = steps_after(reference)
        key: Key = None
        if steps and (call.count is not None or call.for_each is not None):
            key, steps = steps[0], steps[1:]
        outputs = self._program.modules[(*module.path, reference.name)].outputs
        child = module.child(reference.name, key)
        name = steps[0] if steps else None
        wanted = [outputs[name]] if isinstance(name, str) and name in outputs else outputs.values()
        for output in wanted:
            self._through(output, child)

    def _resource(self, reference: Reference, nodes: ModuleNodes, module: ModuleInstance) -> None:
        node = nodes.resources.get((reference.kind, reference.type, reference.name))
        if node is None:
            return
        steps = steps_after(reference)
        resource = Resource(_MODES.get(reference.kind, reference.kind), reference.type, reference.name)
        key: Key = None
        if steps and (node.count is not None or node.for_each is not None):
            key, steps = steps[0], steps[1:]
        base = AbsResource(module, resource)
        found = (str(base if key is None else base.instance(key)), steps)
        if found in self._seen:
            return
        self._seen.add(found)
        self._found.add(found)
        if steps:
            self._follow(_written(node, str(steps[0])), module)


def _written(node: ResourceNode, name: str) -> Iterator[Reference]:
    """The references in what is written for one argument of a block."""
    place = node.decoder.range_of((GetAttr(name),))
    if place is None:
        return
    for reference in node.decoder.references:
        if place.covers(reference.range):
            yield reference
