"""Joining a program: each node to what its expressions name; what nothing declares is its problem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from twinfra.addresses import MANAGED, ModulePath, Resource
from twinfra.config.model import Import
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error
from twinfra.engine.nodes import (
    CallNode,
    CompiledCheck,
    EndNode,
    ImportPart,
    LocalNode,
    Node,
    ProviderNode,
    ResourceNode,
    ValidationNode,
    VariableNode,
)
from twinfra.engine.scope import table_key, undeclared
from twinfra.engine.tables import Repetition, repetition_of
from twinfra.engine.traversals import Step, steps_of
from twinfra.engine.units import NOTHING, Around, check_problems, misplaced, order_problems, unit_problems
from twinfra.lang.compiler import compile_expression, constant
from twinfra.lang.nodes import BodyShape, Expression, Literal
from twinfra.lang.references import References
from twinfra.lang.scope import Reference

if TYPE_CHECKING:
    from twinfra.engine.program import ModuleNodes, Program


class Joiner:
    """Joins the nodes of one program; used once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._configured: dict[ModulePath, list[ProviderNode]] = {}
        for provider in program.providers.values():
            if provider.decoder is not None:
                self._configured.setdefault(provider.config.module, []).append(provider)

    def join(self) -> None:
        """Give every node what it needs."""
        for nodes in tuple(self._program.modules.values()):
            self._join(nodes)
        self._join_imports()

    def _join(self, nodes: ModuleNodes) -> None:
        path = nodes.module.path
        for variable in tuple(nodes.variables.values()):
            self._join_variable(nodes, variable)
        for local in nodes.locals.values():
            if any(one.kind == "local" and one.name == local.name for one in local.compiled.references):
                local.problems.append(_own_local(local))
                continue
            self._unit(nodes, local, local.compiled, local.compiled.references)
        for output in nodes.outputs.values():
            for check in output.checks:
                self._check(nodes, output, check, NOTHING)
            # A value is looked at only once the conditions before it hold.
            told = len(output.problems)
            self._unit(nodes, output, output.compiled, output.compiled.references)
            if told:
                del output.problems[told:]
            self._depend(nodes, output, output.config.depends_on)
        for resource in nodes.resources.values():
            self._join_resource(nodes, resource)
        for check_node in nodes.checks:
            for check in check_node.assertions:
                self._check(nodes, check_node, check, NOTHING)
            if check_node.data is not None:
                check_node.needs[check_node.data] = None
        for call in nodes.calls.values():
            self._join_call(nodes, call)
        if nodes.call is not None:
            own = nodes.call
            for group in (nodes.variables, nodes.locals, nodes.outputs, nodes.resources, nodes.calls):
                for node in group.values():
                    node.needs[own] = None
            for check_node in nodes.checks:
                check_node.needs[own] = None
        for provider in self._configured.get(path, ()):
            assert provider.decoder is not None
            self._unit(nodes, provider, provider.decoder, provider.decoder.references)
            if nodes.call is not None:
                provider.needs[nodes.call] = None

    def _join_variable(self, nodes: ModuleNodes, variable: VariableNode) -> None:
        for check in variable.checks:
            if any(one.kind != "var" or one.name != variable.name for one in check.references):
                validation = ValidationNode(variable)
                validation.needs[variable] = None
                self._program.nodes.append(validation)
                for each in variable.checks:
                    self._check(nodes, validation, each, NOTHING)
                return

    def _join_call(self, nodes: ModuleNodes, call: CallNode) -> None:
        for compiled in (call.count, call.for_each):
            if compiled is not None:
                self._unit(nodes, call, compiled, compiled.references)
        before = set(call.needs)
        self._depend(nodes, call, call.config.depends_on)
        call.depends = [one for one in call.needs if one not in before]
        inner = self._program.modules[(*nodes.module.path, call.name)]
        shape = BodyShape({name: not one.config.has_default for name, one in inner.variables.items()})
        content, problems = call.config.body.content(shape)
        call.problems.extend(problems)
        for name, attribute in content.attributes.items():
            variable = inner.variables[name]
            variable.argument = compile_expression(attribute.expression)
            variable.argument_range = attribute.expression.range
            around = Around(repetition_of(call))
            self._unit(nodes, variable, variable.argument, variable.argument.references, around)

    def _join_resource(self, nodes: ModuleNodes, node: ResourceNode) -> None:
        node.needs[node.provider] = None
        for compiled in (node.count, node.for_each):
            if compiled is not None:
                self._unit(nodes, node, compiled, compiled.references)
        around = Around(repetition_of(node))
        if hasattr(node, "decoder"):
            before = len(node.problems)
            certain = node.decoder.certain_references
            self._note(node, node.decoder, unit_problems(nodes, certain, around))
            self._need(nodes, node, node.decoder.references, told=True)
            if node.shape_problems and len(node.problems) == before and not misplaced(certain, around):
                # Names that stand for nothing come first: the rest may follow from them.
                node.problems.extend(node.shape_problems)
        within = replace(around, self=node)
        for check in node.preconditions:
            self._check(nodes, node, check, around)
        for check in node.postconditions:
            self._check(nodes, node, check, within)
        for part in node.provisioners:
            self._unit(nodes, node, part.decoder, part.decoder.references, within)
        for trigger in node.triggers:
            self._need(nodes, node, (trigger.reference,), ordering=True)
        known = set(node.needs)
        self._depend(nodes, node, node.config.depends_on)
        node.depends = [one for one in node.needs if one not in known]

    def _join_imports(self) -> None:
        root = self._program.modules[()]
        first: dict[str, Import] = {}
        for config in root.module.imports:
            try:
                path, resource, fixed = _import_target(config)
            except DiagnosticError as refused:
                self._program.problems.extend(refused.at(config.to.range).diagnostics)
                continue
            node = self._program.resource(path, table_key(resource.mode, resource.type, resource.name))
            if node is None:
                self._program.look_up_provider(path, config.provider, resource)
                self._program.unplannable.add(
                    error(
                        "Nothing configured to import to",
                        f"The configuration has no block for {config.to.range.text}.",
                        config.to.range,
                        mend=f'Write resource "{resource.type}" "{resource.name}" first.',
                    )
                )
                continue
            wrong = [
                one for step in steps_of(config.to) if step.key is not None for one in _wrong_key(step.key)
            ]
            if wrong:
                self._program.problems.extend(wrong)
                continue
            other = first.setdefault(config.to.range.text, config) if fixed else config
            if other is not config:
                self._program.problems.add(
                    error(
                        "Imported twice",
                        f"There is another import block for {config.to.range.text}, at {other.to.range}.",
                        config.to.range,
                        mend="Keep one of them.",
                    )
                )
                continue
            problem = _key_problem(node, config)
            if problem is not None:
                node.problems.append(problem)
            part = ImportPart(config, resource)
            node.imports.append(part)
            around = Around(Repetition.FOR_EACH if part.for_each is not None else Repetition.SINGLE)
            self._unit(root, node, part.id, part.id.references, around, once=True)
            if part.for_each is not None:
                self._unit(root, node, part.for_each, part.for_each.references)

    def _depend(self, nodes: ModuleNodes, node: Node, depends_on: Iterable[Expression]) -> None:
        for expression in depends_on:
            try:
                beyond = _beyond_the_object(steps_of(expression))
            except DiagnosticError as refused:
                node.problems.extend(refused.at(expression.range).diagnostics)
                continue
            compiled = compile_expression(expression)
            problems = compiled.problems if beyond is not None else order_problems(nodes, compiled)
            if problems:
                node.problems.extend(problems)
                continue
            if beyond is not None:
                node.problems.append(
                    error(
                        "depends_on takes whole objects",
                        f"{expression.range.text} is a part of an object; what is needed is all of it.",
                        beyond,
                        mend="Name the resource or module only.",
                    )
                )
                continue
            for reference in compiled.references:
                if reference.kind == "module" and not reference.attribute:
                    node.needs[self._end((*nodes.module.path, reference.name))] = None
                else:
                    self._need(nodes, node, (reference,), ordering=True)

    def _end(self, path: ModulePath) -> EndNode:
        """The end of a module: waits for all that is declared in it and in the modules it calls."""
        nodes = self._program.modules[path]
        if nodes.end is None:
            end = nodes.end = EndNode(nodes.module)
            self._program.nodes.append(end)
            assert nodes.call is not None
            end.needs[nodes.call] = None
            for group in (nodes.variables, nodes.locals, nodes.outputs, nodes.resources):
                for node in group.values():
                    end.needs[node] = None
            for name in nodes.calls:
                end.needs[self._end((*path, name))] = None
        return nodes.end

    def _unit(
        self,
        nodes: ModuleNodes,
        node: Node,
        unit: object,
        references: Sequence[Reference],
        around: Around = NOTHING,
        once: bool = False,
    ) -> None:
        """Make a node wait for what one of its units names; what is wrong with the names is its problem."""
        self._note(node, unit, unit_problems(nodes, references, around))
        self._need(nodes, node, references, told=True, once=once)

    def _check(self, nodes: ModuleNodes, node: Node, check: CompiledCheck, around: Around) -> None:
        self._note(node, check, check_problems(nodes, check, around, type(node)))
        self._need(nodes, node, check.references, told=True)

    def _note(self, node: Node, unit: object, problems: Sequence[Diagnostic]) -> None:
        if problems:
            node.problems.extend(problems)
            node.faulty.add(id(unit))

    def _need(
        self,
        nodes: ModuleNodes,
        node: Node,
        references: Iterable[Reference],
        ordering: bool = False,
        told: bool = False,
        once: bool = False,
    ) -> None:
        """Make a node wait for what its references name; a name that nothing declares is its problem, unless it was
        `told`.

        `ordering`: they only say what comes first (`depends_on`), so that naming itself means nothing. `once`: that is
        told of the instance alone, and not of the resource too.
        """
        needs = node.needs
        for reference in references:
            kind = reference.kind
            found: Node | None
            if kind == "var":
                found = nodes.variables.get(reference.name)
            elif kind == "local":
                found = nodes.locals.get(reference.name)
            elif kind == "resource" or kind == "data" or kind == "ephemeral":
                found = nodes.resources.get((kind, reference.type, reference.name))
                if found is node and not ordering:
                    own = _own_resource(found, reference)
                    node.problems.extend(own[:1] if once else own)
                    continue
            elif kind == "module":
                call = nodes.calls.get(reference.name)
                if call is not None:
                    needs[call] = None
                    self._need_outputs((*nodes.module.path, reference.name), reference, needs)
                    continue
                found = None
            else:
                continue
            if found is None:
                if not told:
                    node.problems.append(undeclared(nodes.module, reference))
            elif found is not node:
                needs[found] = None

    def _need_outputs(self, path: ModulePath, reference: Reference, needs: dict[Node, None]) -> None:
        outputs = self._program.modules[path].outputs
        if reference.attribute:
            one = outputs.get(reference.attribute)
            if one is not None:
                needs[one] = None
                return
        # Also where the name is wrong: what is wrong in the module is told first, and alone.
        for output in outputs.values():
            needs[output] = None


def _beyond_the_object(steps: Sequence[Step]) -> SourceRange | None:
    """The part of a traversal that goes into the object it names; None where it names the object itself."""
    size = {"data": 3, "ephemeral": 3, "resource": 3, "self": 1}.get(steps[0].name, 2)
    rest = steps[size:]
    if rest and rest[0].key is not None:
        rest = rest[1:]
    if steps[0].name == "module":
        # An output can be named; its parts cannot.
        rest = rest[1:]
    if not rest:
        return None
    first = rest[0].own
    return SourceRange(first.source, first.start, rest[-1].own.end)


def _import_target(config: Import) -> tuple[ModulePath, Resource, bool]:
    """The configured resource that an import is for, and whether its keys are written out."""
    steps = steps_of(config.to)
    names = [step.name for step in steps if step.key is None]
    path: list[str] = []
    while len(names) >= 2 and names[0] == "module":
        path.append(names[1])
        names = names[2:]
    if names and names[0] == "resource":
        names = names[1:]
    if len(names) != 2:
        raise DiagnosticError(
            error("Not a resource instance", "An import must name an instance of a managed resource.")
        )
    fixed = all(step.key is None or isinstance(step.key, Literal) for step in steps)
    return tuple(path), Resource(MANAGED, *names), fixed


def _wrong_key(key: Expression) -> list[Diagnostic]:
    """What cannot stand in a key of the address of an import, where there is nothing but each.key and each.value."""
    names = References(key)
    mend = "Put the key into for_each, and write each.key here."
    found = list(names.problems)
    found += [
        error(
            "Not available in an import's address",
            f"The keys of the address are made of each.key and each.value; {reference} cannot be used.",
            reference.range,
            mend=mend,
        )
        for reference in names.found
        if reference.kind != "each"
    ]
    found += [
        error(
            "Not available in an import's address",
            f"Functions such as {call.name} cannot be called here.",
            call.range,
            mend=mend,
        )
        for call in names.calls
    ]
    return found


def _key_problem(node: ResourceNode, config: Import) -> Diagnostic | None:
    """What is wrong with how an import says which instance it means."""
    key = steps_of(config.to)[-1].key
    by_number = False
    if key is not None and not References(key).found:
        value = constant(key)
        by_number = not isinstance(value, str)
    repetition = repetition_of(node)
    if key is None:
        wanted = {Repetition.COUNT: "a number", Repetition.FOR_EACH: "a string"}.get(repetition)
        if wanted is None:
            return None
        reason, mend = f"sets {repetition}", f"Say which instance, by {wanted} in brackets."
    elif by_number:
        if repetition is Repetition.COUNT:
            return None
        reason, mend = "does not set count", "Import to an instance that the block makes."
    else:
        if repetition is Repetition.FOR_EACH or not _is_text(key):
            return None
        reason, mend = "does not set for_each", "Import to an instance that the block makes."
    return error(
        "Not an instance", f"{config.to.range.text} cannot be: {node} {reason}.", config.to.range, mend=mend
    )


def _is_text(key: Expression) -> bool:
    """Whether a key is a string whatever the values."""
    return isinstance(key, Literal) or key.range.text == "each.key"


def _own_local(local: LocalNode) -> Diagnostic:
    return error(
        "Local value refers to itself",
        f"local.{local.name} cannot be part of its own expression.",
        local.config.expression.range,
        mend="Use another value in it.",
    )


def _own_resource(node: ResourceNode, reference: Reference) -> list[Diagnostic]:
    found = error(
        "Block refers to itself",
        f"{node.resource} cannot use its own attributes: they are known only when it exists.",
        reference.range,
        mend="Use self in postconditions and provisioners; elsewhere, use another value.",
    )
    # An object that is not repeated is its own instance and its own resource, and stock tells of both.
    return [found] if node.count is not None or node.for_each is not None else [found, found]
