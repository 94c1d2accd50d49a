"""What names stand for inside one module instance: answers the references of compiled expressions from
tables.

One scope serves all blocks of its module instance; the block at hand sets what `count`, `each` and `self`
mean
while its expressions are evaluated.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from twinfra.addresses import BUILTIN_PROVIDER, MANAGED, ModuleInstance
from twinfra.config.model import Module
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error, nearest
from twinfra.engine.tables import Repetition, Table
from twinfra.lang.scope import EvaluationContext, Reference
from twinfra.values.convert import ConversionError, convert
from twinfra.values.marks import mark, unmark
from twinfra.values.types import DYNAMIC, NUMBER, STRING, ListType, MapType, ObjectType
from twinfra.values.value import EPHEMERAL, UNKNOWN, Marked, Unknown, Value

TableKey = tuple[str, str, str]
"""(`resource`, `data` or `ephemeral`; type; name): as references name a resource."""

_KINDS = {MANAGED: "resource"}


class _Unset:
    """Stands for "not available here"."""


UNSET = _Unset()


def table_key(mode: str, type: str, name: str) -> TableKey:
    """The key of a resource's table, from the parts of its address."""
    return (_KINDS.get(mode, mode), type, name)


def _with_functions(module: Module) -> dict[str, str]:
    """By the local name that a module declares for it: the one provider that has functions."""
    return {
        name: BUILTIN_PROVIDER.type
        for name, required in module.required_providers.items()
        if required.address == BUILTIN_PROVIDER
    }


class ModuleScope:
    """The values of one module instance, filled while a walk goes on."""

    __slots__ = (
        "applying",
        "call_key",
        "call_repetition",
        "call_value",
        "calls",
        "context",
        "count_index",
        "each_key",
        "each_value",
        "instance_of",
        "locals",
        "module",
        "outputs",
        "parent",
        "resources",
        "root_directory",
        "self_value",
        "validating",
        "variables",
        "workspace",
    )

    def __init__(
        self,
        module: Module,
        instance_of: ModuleInstance,
        context: EvaluationContext,
        root_directory: Path,
        workspace: str = "default",
        parent: ModuleScope | None = None,
    ) -> None:
        self.module = module
        self.instance_of = instance_of
        self.context = replace(context, providers=_with_functions(module))
        self.root_directory = root_directory
        self.workspace = workspace
        self.parent = parent
        self.call_repetition = Repetition.SINGLE
        self.call_key: Any = None
        self.call_value: Any = None
        self.validating = False
        self.applying = False
        self.variables: dict[str, Value] = {}
        self.locals: dict[str, Value] = {}
        self.outputs: dict[str, Value] = {}
        self.resources: dict[TableKey, Table] = {}
        self.calls: dict[str, Table] = {}
        self.count_index: Any = UNSET
        self.each_key: Any = UNSET
        self.each_value: Any = UNSET
        self.self_value: Any = UNSET

    def repeat(self, repetition: Repetition, key: Any, value: Any) -> None:
        """Set what `count.index`, `each.key` and `each.value` mean for the block instance at hand."""
        if repetition is Repetition.COUNT:
            self.count_index = key
            self.each_key = self.each_value = UNSET
        elif repetition is Repetition.FOR_EACH:
            self.each_key = key
            self.each_value = value
            self.count_index = UNSET
        else:
            self.count_index = self.each_key = self.each_value = UNSET

    def value(self, reference: Reference) -> Value:
        """See `lang.scope.Scope`."""
        kind = reference.kind
        if kind == "var":
            try:
                return self.variables[reference.name]
            except KeyError:
                raise self._undeclared(reference) from None
        if kind == "local":
            try:
                return self.locals[reference.name]
            except KeyError:
                raise self._undeclared(reference) from None
        if kind == "resource" or kind == "data" or kind == "ephemeral":
            table = self.resources.get((kind, reference.type, reference.name))
            if table is None:
                raise self._undeclared(reference)
            if table.repetition is Repetition.SINGLE:
                return table.rows.get(None, table.filler)
            if self.validating:
                return self._unkeyed(reference, table)
            return table.whole()
        if kind == "count":
            if reference.name != "index":
                raise no_such_part(reference, "index")
            if self.count_index is UNSET:
                raise outside(reference, "count", "a block that sets count")
            return self.count_index
        if kind == "each":
            if self.each_key is UNSET:
                raise outside(reference, "each", "a block that sets for_each")
            if reference.name == "key":
                return self.each_key
            if reference.name == "value":
                return self.each_value
            raise no_such_part(reference, "key", "value")
        if kind == "module":
            return self._module(reference)
        if kind == "self":
            if self.self_value is UNSET:
                raise outside(reference, "self", "postconditions, provisioners and connections")
            return self.self_value
        if kind == "path":
            return self._path(reference)
        if kind == "terraform":
            return self._terraform(reference)
        raise self._undeclared(reference)

    def instance(self, reference: Reference, key: Value) -> Value:
        """See `lang.scope.Scope`."""
        if reference.kind == "module":
            table = self.calls.get(reference.name)
        else:
            table = self.resources.get((reference.kind, reference.type, reference.name))
        if table is None:
            raise self._undeclared(reference)
        if type(key) is int and table.repetition is Repetition.COUNT:
            row = table.rows.get(key, UNSET)
            if row is not UNSET:
                return row if reference.kind != "module" else _outputs_of(row)
        found, marks = self._row(reference, table, key)
        if reference.kind == "module" and type(found) is ModuleScope:
            found = _outputs_of(found)
        return mark(found, marks) if marks else found

    def output(self, reference: Reference, name: str) -> Value:
        """See `lang.scope.Scope`."""
        table = self.calls.get(reference.name)
        if table is None:
            raise self._undeclared(reference)
        if self.validating and table.repetition is Repetition.FOR_EACH:
            return UNKNOWN
        if table.repetition is not Repetition.SINGLE:
            raise DiagnosticError(needs_key(reference, table.repetition))
        return _output(table.rows[None], name, reference)

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        """See `lang.scope.Scope`."""
        table = self.calls.get(reference.name)
        if table is None:
            raise self._undeclared(reference)
        found, marks = self._row(reference, table, key)
        if type(found) is not ModuleScope:
            return mark(found, marks) if marks else found
        value = _output(found, name, reference)
        return mark(value, marks) if marks else value

    def _row(self, reference: Reference, table: Table, key: Value) -> tuple[Any, frozenset[str]]:
        """The row under a key that may be marked, unknown or of another type; and the key's marks."""
        plain, marks = unmark(key)
        repetition = table.repetition
        if repetition is Repetition.SINGLE:
            if reference.kind == "module" and self.validating:
                return UNKNOWN, marks
            raise DiagnosticError(unwanted_key(reference))
        if table.open:
            return table.any_row, marks
        if type(plain) is Unknown:
            return UNKNOWN, marks
        wanted = NUMBER if repetition is Repetition.COUNT else STRING
        try:
            plain = convert(plain, wanted)
        except ConversionError:
            plain = None
        row = table.rows.get(plain, UNSET) if plain is not None else UNSET
        if row is UNSET:
            if self.validating:
                return next(iter(table.rows.values()), UNKNOWN), marks
            raise DiagnosticError(self._no_such_key(reference, table, key))
        return row, marks

    def _no_such_key(self, reference: Reference, table: Table, key: Value) -> Diagnostic:
        if table.repetition is Repetition.COUNT:
            number = len(table.rows)
            there = (
                "no instances"
                if not number
                else "one instance, 0"
                if number == 1
                else f"instances 0 to {number - 1}"
            )
            hint = ""
        else:
            there = f"{len(table.rows)} instances" if table.rows else "no instances"
            hint = nearest(key, (str(one) for one in table.rows)) if isinstance(key, str) else ""
        shown = (
            "this key" if isinstance(key, Marked) else repr(key) if not isinstance(key, str) else f'"{key}"'
        )
        return error(
            "No such instance",
            f"{reference} has {there}; there is none for {shown}.",
            mend=hint or "Use a key that its count or for_each makes.",
        )

    def _unkeyed(self, reference: Reference, table: Table) -> Value:
        if reference.attribute:
            raise DiagnosticError(needs_key(reference, table.repetition))
        return UNKNOWN

    def _module(self, reference: Reference) -> Value:
        table = self.calls.get(reference.name)
        if table is None:
            raise self._undeclared(reference)
        if table.repetition is Repetition.SINGLE:
            return _outputs_of(table.rows[None])
        if self.validating:
            if reference.attribute and table.repetition is Repetition.COUNT:
                raise DiagnosticError(needs_key(reference, table.repetition))
            one = ObjectType(dict.fromkeys(self.calls[reference.name].rows[None].module.outputs, DYNAMIC))
            return Unknown(ListType(one) if table.repetition is Repetition.COUNT else MapType(one))
        if table.open:
            return mark(UNKNOWN, table.traces)
        if table.repetition is Repetition.COUNT:
            return mark(tuple(_outputs_of(row) for row in table.in_order()), table.traces)
        return mark({str(key): _outputs_of(row) for key, row in table.rows.items()}, table.traces)

    def _path(self, reference: Reference) -> Value:
        if reference.name == "module":
            return self.module.directory.as_posix()
        if reference.name == "root":
            return self.root_directory.as_posix()
        if reference.name == "cwd":
            return Path(os.getcwd()).as_posix()
        raise no_attribute(reference, "path", ("module", "root", "cwd"))

    def _terraform(self, reference: Reference) -> Value:
        if reference.name == "workspace":
            return self.workspace
        if reference.name == "applying":
            return Marked(self.applying, frozenset((EPHEMERAL,)))
        raise no_attribute(reference, "terraform", ("workspace", "applying"))

    def _undeclared(self, reference: Reference) -> DiagnosticError:
        return DiagnosticError(undeclared(self.module, reference))


def unwanted_key(reference: Reference) -> Diagnostic:
    """Says that what a reference names has no instances to choose from."""
    return error(
        "Key on something that is not repeated",
        f"{reference} sets neither count nor for_each, so there is one of it, without a key.",
        None if reference.kind == "module" else reference.range,
        mend="Remove the part in brackets.",
    )


def needs_key(reference: Reference, repetition: Repetition) -> Diagnostic:
    """Says that a reference must name one of several instances."""
    counted = repetition is Repetition.COUNT
    way, each = ("count", "count.index") if counted else ("for_each", "each.key")
    return error(
        "Missing instance key",
        f"{reference} sets {way}, so its attributes belong to its instances.",
        None if reference.kind == "module" else reference.range,
        mend=f"Say which instance, such as {reference}[{each}], or take all with {reference}[*].",
    )


def undeclared(module: Module, reference: Reference) -> Diagnostic:
    """Says that a module declares nothing under the name of a reference, and what comes near."""
    where = f"module {'.'.join(module.path)}" if module.path else "the root module"
    kind = reference.kind
    known: list[str]
    if kind == "var":
        known, what, block = list(module.variables), "input variable", f'variable "{reference.name}"'
    elif kind == "local":
        known, what, block = list(module.locals), "local value", f"locals with {reference.name}"
    elif kind == "module":
        known, what, block = list(module.calls), "module call", f'module "{reference.name}"'
    else:
        mode = MANAGED if kind == "resource" else kind
        known = [f"{one.type}.{one.name}" for one in module.resources if one.mode == mode]
        what = {"data": "data source", "ephemeral": "ephemeral resource"}.get(kind, "resource")
        block = f'{kind} "{reference.type}" "{reference.name}"'
    name = f"{reference.type}.{reference.name}" if reference.type else reference.name
    return error(
        f"Undeclared {what}",
        f"{reference} stands for nothing: there is no {block} block in {where}.",
        reference.range,
        mend=nearest(name, known) or "Declare it, or correct the name.",
    )


def _outputs_of(scope: Any) -> Value:
    if type(scope) is not ModuleScope:
        return scope
    if scope.validating:
        return dict.fromkeys(scope.module.outputs, UNKNOWN)
    found = dict(scope.outputs)
    if len(found) < len(scope.module.outputs):
        # A run with targets leaves some out.
        for name in scope.module.outputs:
            found.setdefault(name, UNKNOWN)
    return found


def _output(scope: Any, name: str, reference: Reference) -> Value:
    if type(scope) is not ModuleScope:
        return UNKNOWN
    try:
        found = scope.outputs[name]
        # As in stock Terraform, only the apply or plan looks into what a module gives.
        return UNKNOWN if scope.validating else found
    except KeyError:
        if name in scope.module.outputs:
            return UNKNOWN
        raise DiagnosticError(
            error(
                "No such output",
                f"{reference} has no output named {name}.",
                mend=nearest(name, scope.module.outputs) or f'Declare output "{name}" in that module.',
            )
        ) from None


def no_such_part(reference: Reference, *parts: str) -> DiagnosticError:
    """Says that `each` or `count` has no such part."""
    names = [f"{reference.kind}.{part}" for part in parts]
    return DiagnosticError(
        error(
            "Invalid reference",
            f"There is no {reference}, only {' and '.join(names)}.",
            reference.range,
            mend=f"Write {' or '.join(names)}.",
        )
    )


def outside(reference: Reference, name: str, where: str) -> DiagnosticError:
    """Says that a name means something in other places only."""
    return DiagnosticError(
        error(
            f"{name} is not available here",
            f"{reference} means something only in {where}.",
            reference.range,
            mend="Use another value here, or move the expression.",
        )
    )


def no_attribute(reference: Reference, name: str, known: tuple[str, ...]) -> DiagnosticError:
    """Says that `path` or `terraform` has no such attribute."""
    return DiagnosticError(
        error(
            f"{name} has no such attribute",
            f"{reference} does not exist; there is {', '.join(f'{name}.{one}' for one in known)}.",
            reference.range,
            mend=nearest(reference.name, known) or "Use one of these.",
        )
    )


def here(range: SourceRange, found: DiagnosticError) -> list[Diagnostic]:
    """The diagnostics of an error, placed at `range` where they have no place yet."""
    return list(found.at(range).diagnostics)
