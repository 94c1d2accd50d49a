"""Conditions: evaluates validations, preconditions, postconditions and assertions, and collects what came
out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field, replace

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, Severity, SourceRange, error, warning
from twinfra.engine.changes import CheckResult
from twinfra.engine.nodes import CompiledCheck
from twinfra.engine.scope import ModuleScope
from twinfra.values.convert import ConversionError, convert
from twinfra.values.marks import deep_marks, unmark
from twinfra.values.types import BOOL, STRING
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import EPHEMERAL, SENSITIVE, Unknown, is_null

PASS, FAIL, ERROR, UNKNOWN = "pass", "fail", "error", "unknown"

BROKEN, LATER, MISSING, HIDDEN = "broken", "later", "missing", "hidden"
"""Why a message is not shown: it cannot be evaluated, is not known yet, is null, or is made from what is secret."""


@dataclass(slots=True)
class Outcome:
    """What one condition came to: its status, the message when it failed, and what to tell.

    `unsaid`: why there is no message, of a condition that failed. The last diagnostic of those tells the failure.
    """

    status: str
    message: str = ""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    unsaid: str = ""


def check(
    condition: CompiledCheck,
    scope: ModuleScope,
    title: str,
    subject: SourceRange | None = None,
    note: str = "",
    severity: Severity = Severity.ERROR,
    address: str = "",
) -> Outcome:
    """Evaluate one condition; `title` heads the diagnostic of a failure, `note` ends it.

    A failure points at `subject`, or else at the condition. Evaluation errors are errors whatever `severity`
    says, but for assertions of check blocks, where the caller turns them into warnings.
    """
    source = condition.source
    try:
        value, _ = unmark(condition.condition.evaluate(scope))
        try:
            value, _ = unmark(convert(value, BOOL))
        except ConversionError as refused:
            raise DiagnosticError(
                error(
                    "Condition is not a bool",
                    f"A condition must be true or false: {refused}.",
                    source.condition.range,
                )
            ) from None
    except DiagnosticError as failed:
        return Outcome(ERROR, "", list(failed.at(source.condition.range).diagnostics))
    if is_null(value):
        found = error(
            "Condition is null",
            "A condition must be true or false, and this is null.",
            source.condition.range,
        )
        return Outcome(ERROR, "", [found])
    if type(value) is Unknown:
        problems = _check_message(condition, scope)[1]
        errors = [one for one in problems if one.severity is Severity.ERROR]
        return Outcome(ERROR if errors else UNKNOWN, "", errors)
    if value:
        problems = _check_message(condition, scope)[1]
        # A message that cannot be made is an error even while the condition holds only where it could
        # never be.
        errors = [one for one in problems if one.severity is Severity.ERROR]
        return Outcome(PASS, "", errors)
    message, problems, unsaid = _check_message(condition, scope)
    make = error if severity is Severity.ERROR else warning
    detail = message or "The condition does not hold, and its message cannot be shown."
    found = make(
        title, detail + (f"\n\n{note}" if note else ""), subject or source.condition.range, address=address
    )
    return Outcome(FAIL, message, [*problems, telling_values(found, condition, scope)], unsaid)


def validate(
    condition: CompiledCheck, scope: ModuleScope, subject: SourceRange, secret: str, early: bool
) -> Outcome:
    """Evaluate a validation of a variable, whose value stands at `subject`; `early`: before anything is planned.

    `secret`: the name of the variable where it is declared as such.

    Unlike other conditions, what keeps the message from being shown is told beside the failure where that can be
    mended, and alone where the message cannot be known: later is time enough for that, while it is early.
    """
    source = condition.source
    note = f"This rule stands at {source.range}."
    outcome = check(condition, scope, "Invalid value for variable", subject, note)
    place = source.message.range
    if outcome.unsaid == BROKEN:
        return Outcome(ERROR, "", outcome.diagnostics[:-1])
    if outcome.unsaid == LATER:
        later = error(
            "Message is not known yet",
            "The condition does not hold, and its message uses values that are known only after the apply.",
            place,
            mend="Leave those values out of the message.",
        )
        return Outcome(UNKNOWN) if early else Outcome(ERROR, "", [later])
    if outcome.unsaid == MISSING:
        return Outcome(FAIL, "", outcome.diagnostics[-1:])
    if outcome.unsaid == HIDDEN:
        names = condition.message.references
        if secret and names and all(one.kind == "var" and one.name == secret for one in names):
            # It is the variable that is secret: the message is as it should be.
            return Outcome(FAIL, "", outcome.diagnostics[-1:])
        told = [replace(one, severity=Severity.ERROR) for one in outcome.diagnostics]
        return Outcome(FAIL, "", told)
    return outcome


def told_shortly(found: Sequence[Diagnostic]) -> str:
    """Diagnostics about what a check could not read, as the message with which it failed."""
    return "\n".join(f"{one.summary}: {one.detail}" for one in found)


def telling_values(diagnostic: Diagnostic, condition: CompiledCheck, scope: ModuleScope) -> Diagnostic:
    """A diagnostic about a condition, with the values that the condition refers to."""
    from twinfra.lang.witnesses import values_of

    return replace(diagnostic, values=values_of(condition.source.condition, frozenset(), scope))


def _check_message(condition: CompiledCheck, scope: ModuleScope) -> tuple[str, list[Diagnostic], str]:
    """The message as text, or "" with what is wrong with it; then why it cannot be shown."""
    place = condition.source.message.range
    try:
        value = condition.message.evaluate(scope)
    except DiagnosticError as failed:
        return "", list(failed.at(place).diagnostics), BROKEN
    marks = deep_marks(value)
    plain, _ = unmark(value)
    try:
        plain, _ = unmark(convert(plain, STRING))
    except ConversionError as refused:
        wrong = error("Message is not a string", f"An error message must be a string: {refused}.", place)
        return "", [wrong], ""
    later = LATER if contains_unknown(plain) else ""
    if SENSITIVE in marks or EPHEMERAL in marks:
        what = "sensitive" if SENSITIVE in marks else "ephemeral"
        hidden = warning(
            f"Message uses {what} values",
            f"The error message is made from {what} values, so it is not shown.",
            place,
            mend="Leave them out of the message; nonsensitive() removes the mark where that is right.",
        )
        return "", [hidden], later or HIDDEN
    if later:
        return "The message uses values that are known only after the apply.", [], later
    if is_null(plain):
        null = error("Message is null", "An error message must be a string, and this is null.", place)
        return "", [null], MISSING
    return str(plain).strip(), [], ""


_RANK = {PASS: 0, UNKNOWN: 1, FAIL: 2, ERROR: 3}


class Results:
    """The results of all checks of a run, one per instance of a checkable object."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], CheckResult] = {}

    def add(self, kind: str, container: str, address: str, outcome: Outcome) -> None:
        """Fold an outcome into the result of an instance: the worst status holds."""
        before = self._found.get((kind, address))
        status = outcome.status
        problems: tuple[str, ...] = (outcome.message,) if outcome.status == FAIL else ()
        if before is not None:
            if _RANK[before.status] > _RANK[status]:
                status = before.status
            problems = before.problems + problems
        self._found[kind, address] = CheckResult(kind, container, address, status, problems)

    def declare(self, kind: str, container: str, visited: bool) -> None:
        """Say that an object has checks: without instances they hold where it was visited, else nothing
        is known.
        """
        self._found.setdefault(
            (kind, container), CheckResult(kind, container, "", PASS if visited else UNKNOWN)
        )

    def over(self, earlier: Iterable[CheckResult]) -> list[CheckResult]:
        """These results, and those of the plan for what was not checked again."""
        self._found = {**{(one.kind, one.address or one.container): one for one in earlier}, **self._found}
        return self.all()

    def all(self) -> list[CheckResult]:
        """All results, in order of their addresses."""
        real = {one.container for one in self._found.values() if one.address}
        kept = [one for one in self._found.values() if one.address or one.container not in real]
        return sorted(kept, key=lambda one: (one.container, one.address))
