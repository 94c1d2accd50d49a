"""What validate, plan and apply have in common: evaluating variables, locals, outputs and module calls.

A walk visits nodes; for each it works through the module instances that exist by then. What fails is
remembered,
and what needs it is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from twinfra.addresses import ROOT, Key, ModulePath, key_order
from twinfra.diagnostics import (
    Diagnostic,
    DiagnosticError,
    Diagnostics,
    Severity,
    as_warnings,
    error,
    warning,
)
from twinfra.engine.conditions import FAIL, UNKNOWN, Outcome, Results, check, telling_values, validate
from twinfra.engine.expand import Expansion, any_instance, expand
from twinfra.engine.nodes import (
    CallNode,
    CheckNode,
    CompiledCheck,
    LocalNode,
    Node,
    OutputNode,
    ValidationNode,
    VariableNode,
)
from twinfra.engine.program import Program
from twinfra.engine.scope import ModuleScope
from twinfra.engine.tables import Repetition, Table, repetition_of
from twinfra.lang.scope import EvaluationContext
from twinfra.lang.type_expr import apply_defaults
from twinfra.state.model import State
from twinfra.values.convert import ConversionError, convert
from twinfra.values.marks import has_marks, mark, unmark
from twinfra.values.value import EPHEMERAL, SENSITIVE, Unknown, Value, is_null

_Calls: TypeAlias = dict[tuple[tuple[tuple[str, Key], ...], str], set[Key]]

ABSENT: Value = object()
"""Stands for a variable that was not given."""


class Evaluation:
    """The state of one walk: scopes by module path, failed nodes, check results and diagnostics."""

    validating = False

    def __init__(
        self,
        program: Program,
        inputs: Mapping[str, Value],
        context: EvaluationContext,
        workspace: str = "default",
    ) -> None:
        self.program = program
        self.inputs = inputs
        self.context = context
        self.workspace = workspace
        self.diagnostics = Diagnostics()
        self.results = Results()
        self.failed: set[Node] = set()
        self.unread: dict[Node, str] = {}
        root = ModuleScope(
            program.configuration.root, ROOT, context, program.configuration.root_directory, workspace
        )
        root.validating = self.validating
        self.root = root
        self.scopes: dict[ModulePath, list[ModuleScope]] = {(): [root]}
        self._recorded_calls: _Calls | None = None
        self._checked: dict[tuple[VariableNode, ModuleScope], Value] = {}

    # -- failures

    def blocked(self, node: Node) -> bool:
        """Whether something that a node needs has failed; then the node counts as failed too."""
        if self.failed and not self.failed.isdisjoint(node.needs):
            self.failed.add(node)
            return True
        return False

    def fail(self, node: Node, diagnostics: Iterable[Diagnostic]) -> None:
        """Remember that a node failed, and why."""
        self.failed.add(node)
        self.diagnostics.extend(diagnostics)

    def evaluate(self, node: Node) -> None:
        """Evaluate a node that needs no provider; of others, nothing."""
        if isinstance(node, LocalNode):
            self.local(node)
        elif isinstance(node, VariableNode):
            self.variable(node)
        elif isinstance(node, OutputNode):
            self.output(node)
        elif isinstance(node, CallNode):
            self.call(node)
        elif isinstance(node, CheckNode):
            self.check_block(node)
        elif isinstance(node, ValidationNode):
            self.validations(node.variable, node)

    # -- variables

    def variable(self, node: VariableNode, check: bool = True) -> None:
        """Give an input variable its value in every instance of its module; `check`: run its validations too.

        While validating, only its own validations know it: a configuration is valid for whatever values there will be.
        """
        config = node.config
        for scope in self.scopes.get(node.path, ()):
            try:
                value = self._accepted(node, self._given(node, scope))
                if self.validating and scope.parent is not None:
                    if node.checks:
                        self._checked[node, scope] = value
                    value = self._accepted(node, Unknown(config.type))
                scope.variables[node.name] = value
            except DiagnosticError as failed:
                place = node.argument_range or config.range
                self.fail(node, failed.at(place).diagnostics)
                continue
        if check and node.checks and node not in self.failed and not self._has_own_node(node):
            self.validations(node, node)

    def _has_own_node(self, node: VariableNode) -> bool:
        return any(
            one.kind != "var" or one.name != node.name for each in node.checks for one in each.references
        )

    def _given(self, node: VariableNode, scope: ModuleScope) -> Value:
        if scope.parent is None:
            if self.validating:
                return Unknown(node.config.type)
            return self.inputs.get(node.name, ABSENT)
        if node.argument is None:
            return ABSENT
        parent = scope.parent
        parent.repeat(scope.call_repetition, scope.call_key, scope.call_value)
        try:
            return node.argument.evaluate(parent)
        finally:
            parent.repeat(Repetition.SINGLE, None, None)

    def _accepted(self, node: VariableNode, value: Value) -> Value:
        """The value as the module sees it: converted, with defaults filled in, marked as declared."""
        config = node.config
        if value is ABSENT:
            if not config.has_default:
                raise DiagnosticError(_missing(node))
            value = config.default
        else:
            if has_marks(value, EPHEMERAL) and not config.ephemeral:
                raise DiagnosticError(
                    error(
                        "Ephemeral value not allowed",
                        f"The variable {config.name} is not declared as ephemeral, so its value would "
                        "be kept.",
                        mend="Set ephemeral = true in the variable, or give it another value.",
                    )
                )
            value = accept_value(node, value)
            plain, marks = unmark(value)
            if is_null(plain) and not config.nullable:
                if not config.has_default:
                    raise DiagnosticError(
                        error(
                            "Variable must not be null",
                            f"The variable {config.name}, declared at {config.range}, is required and "
                            "not nullable.",
                        )
                    )
                value = mark(config.default, marks)
        if config.sensitive:
            value = mark(value, (SENSITIVE,))
        if config.ephemeral:
            value = mark(value, (EPHEMERAL,))
        return value

    def validations(self, node: VariableNode, owner: Node) -> None:
        """Run the validations of a variable in every instance of its module; failures count against
        `owner`.
        """
        for scope in self.scopes.get(node.path, ()):
            seen = scope.variables[node.name]
            scope.variables[node.name] = self._checked.get((node, scope), seen)
            config, passed = (
                node.config,
                node.argument_range if scope.parent is not None else node.config.range,
            )
            secret = config.name if config.sensitive or config.ephemeral else ""
            outcomes = [
                validate(each, scope, passed or config.range, secret, self.validating) for each in node.checks
            ]
            scope.variables[node.name] = seen
            for outcome in outcomes:
                address = _prefixed(scope, f"var.{node.name}")
                self.results.add("input_variable", str(node), address, outcome)
                refused = [one for one in outcome.diagnostics if one.severity is Severity.ERROR]
                if passed is None and outcome.status == FAIL:
                    # Nothing in the call is wrong: it leaves the default, and stock Terraform tells no place.
                    refused[-1] = replace(refused[-1], subject=None)
                if refused:
                    self.fail(owner, refused)

    def _told(self, node: Node, diagnostics: list[Diagnostic]) -> None:
        if any(one.severity == "error" for one in diagnostics):
            self.fail(node, diagnostics)
        else:
            self.diagnostics.extend(diagnostics)

    # -- locals, outputs, calls

    def local(self, node: LocalNode) -> None:
        """Evaluate a local value in every instance of its module."""
        for scope in self.scopes.get(node.path, ()):
            try:
                scope.locals[node.name] = node.compiled.evaluate(scope)
            except DiagnosticError as failed:
                self.fail(node, failed.at(node.config.expression.range).diagnostics)

    def output(self, node: OutputNode) -> None:
        """Evaluate an output value, after its preconditions, in every instance of its module."""
        config = node.config
        for scope in self.scopes.get(node.path, ()):
            if node.checks and not self.conditions(
                node, node.checks, scope, "output_value", f"output.{node.name}", "Output precondition failed"
            ):
                continue
            try:
                value = node.compiled.evaluate(scope)
            except DiagnosticError as failed:
                self.fail(node, failed.at(config.expression.range).diagnostics)
                continue
            problem = self._output_problem(node, scope, value)
            if problem is not None:
                self.fail(node, (problem,))
                continue
            scope.outputs[node.name] = value

    def _output_problem(self, node: OutputNode, scope: ModuleScope, value: Value) -> Diagnostic | None:
        config = node.config
        if not config.ephemeral and has_marks(value, EPHEMERAL):
            return error(
                "Ephemeral value not allowed",
                f"The output {config.name} is not declared as ephemeral, so its value would be kept.",
                config.expression.range,
                mend="Set ephemeral = true in an output of a module, or use another value.",
            )
        if scope.parent is not None:
            if not config.ephemeral or has_marks(value, EPHEMERAL):
                return None
            return error(
                "Output is not ephemeral",
                f"The output {config.name} is declared as ephemeral, and its value is not.",
                config.expression.range,
                mend="Remove ephemeral from the output, or use an ephemeral value.",
            )
        if config.ephemeral:
            return error(
                "Ephemeral output in the root module",
                f"The output {config.name} of the root module is kept in the state, so it cannot be "
                "ephemeral.",
                config.range,
                mend="Remove ephemeral, and give it a value that is kept.",
            )
        if not config.sensitive and has_marks(value, SENSITIVE):
            return error(
                "Output would show a sensitive value",
                f"The value of output {config.name} is made from sensitive values.",
                config.range,
                mend="Set sensitive = true in the output, or remove the mark with nonsensitive().",
            )
        return None

    def conditions(
        self,
        node: Node,
        checks: Iterable[CompiledCheck],
        scope: ModuleScope,
        kind: str,
        name: str,
        title: str,
        severity: Severity = Severity.ERROR,
    ) -> bool:
        """Check conditions of one instance and keep the results; False when one does not hold.

        `name` is the address inside the module, with its instance key if any. With the severity of a warning,
        nothing fails.
        """
        holds = True
        for each in checks:
            outcome = check(each, scope, title, severity=severity)
            if severity is Severity.WARNING:
                outcome.diagnostics = as_warnings(outcome.diagnostics)
            self.results.add(kind, str(node), _prefixed(scope, name), outcome)
            if outcome.diagnostics:
                self._told(node, outcome.diagnostics)
                holds = holds and not any(one.severity == "error" for one in outcome.diagnostics)
        return holds

    def check_block(self, node: CheckNode) -> None:
        """Evaluate the assertions of a check block: one that does not hold is a warning.

        Where its data source could not be read, which was told, the check fails without more ado.
        """
        for scope in self.scopes.get(node.path, ()):
            if node.data in self.unread:
                unread = Outcome(FAIL, self.unread[node.data])
                self.results.add("check", str(node), _prefixed(scope, node.label), unread)
                continue
            for each in node.assertions:
                outcome = check(each, scope, "Check assertion failed", severity=Severity.WARNING)
                self.results.add("check", str(node), _prefixed(scope, node.label), outcome)
                found = outcome.diagnostics
                if outcome.status == UNKNOWN:
                    later = warning(
                        "Check known after the apply",
                        "The assertion uses values that are not known yet; the apply will check it.",
                        each.source.condition.range,
                    )
                    found = [*found, telling_values(later, each, scope)]
                self._told(node, [replace(one, transient=True) for one in found])

    def call(self, node: CallNode) -> None:
        """Make the instances of a module: one scope for each."""
        for scope in self.scopes.get(node.path, ()):
            try:
                expansion = expand(node.count, node.for_each, scope, allow_unknown=self.validating)
            except DiagnosticError as failed:
                self.fail(node, failed.at(node.config.range).diagnostics)
                continue
            self.make_instances(node, scope, expansion.repetition, self.rows_of(expansion))

    def make_instances(
        self,
        node: CallNode,
        scope: ModuleScope,
        repetition: Repetition,
        rows: Iterable[tuple[Key, Value, Value]],
    ) -> None:
        """Make the scopes of a module's instances, called in `scope`; rows are as `rows_of` gives them."""
        children = self.scopes.setdefault((*node.path, node.name), [])
        table = scope.calls[node.name] = Table(repetition)
        for key, index, value in rows:
            child = ModuleScope(
                node.target,
                scope.instance_of.child(node.name, key),
                self.context,
                scope.root_directory,
                self.workspace,
                scope,
            )
            child.validating = self.validating
            child.applying = scope.applying
            child.call_repetition, child.call_key, child.call_value = repetition, index, value
            table.rows[key] = child
            children.append(child)

    def call_from_state(self, node: CallNode, state: State) -> None:
        """Make the module instances of which the state has objects: when all is destroyed, no others
        matter.
        """
        if self._recorded_calls is None:
            self._recorded_calls = _calls_recorded(state)
        repetition = repetition_of(node)
        for scope in self.scopes.get(node.path, ()):
            keys = sorted(self._recorded_calls.get((scope.instance_of.steps, node.name), ()), key=key_order)
            self.make_instances(node, scope, repetition, [(key, key, None) for key in keys])

    def rows_of(self, expansion: Expansion) -> Iterable[tuple[Key, Value, Value]]:
        """(row key, what `count.index` or `each.key` is, what `each.value` is) of all instances.

        While validating, one row stands for all, with unknowns for what differs.
        """
        if not self.validating or expansion.repetition is Repetition.SINGLE:
            return [(key, key, value) for key, value in expansion.instances]
        return (any_instance(expansion.repetition),)


def _calls_recorded(state: State) -> _Calls:
    """The keys of the module instances in a state, by the instance that calls them and the call's name."""
    found: _Calls = {}
    for steps in {base.module.steps for base in state.resources}:
        for depth, (name, key) in enumerate(steps):
            found.setdefault((steps[:depth], name), set()).add(key)
    return found


def accept_value(node: VariableNode, value: Value) -> Value:
    """A value converted to a variable's type, with the defaults of optional attributes; raises where it
    cannot be.
    """
    config = node.config
    plain, marks = unmark(value)
    try:
        if config.defaults is not None:
            plain = apply_defaults(config.defaults, plain)
        plain = convert(plain, config.type)
    except ConversionError as refused:
        raise DiagnosticError(
            error(
                "Unsuitable value for variable",
                f"The value does not fit the type of variable {config.name}, declared at "
                f"{config.range}: {refused}.",
            )
        ) from None
    return mark(plain, marks)


def _missing(node: VariableNode) -> Diagnostic:
    return error(
        "Variable has no value",
        f"The variable {node.name} has no default, and nothing gives it a value.",
        node.config.range,
        mend=f"Give one with -var '{node.name}=...', a .tfvars file, or TF_VAR_{node.name}.",
    )


def _prefixed(scope: ModuleScope, name: str) -> str:
    return f"{scope.instance_of}.{name}" if scope.instance_of.steps else name
