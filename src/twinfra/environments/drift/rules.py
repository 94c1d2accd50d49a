"""Noise rules: `[[drift.ignore]]` in `twinfra.toml`, each with a reason and a day on which it ends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from datetime import date

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, SourceRange, nearest, warning
from twinfra.engine.consistency import path_text
from twinfra.environments.declaration import Project
from twinfra.environments.table import Table
from twinfra.values.value import Index, Path

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is not to be told: values under `attribute` of the objects at `address`, up to and including `expires`.

    In both, `*` stands for any text. `environments`: where it holds; empty for all.
    """

    address: str
    attribute: str
    reason: str
    expires: date
    environments: tuple[str, ...] = ()
    place: SourceRange | None = None


def read_rules(project: Project | None) -> list[Rule]:
    """The rules of a project, in their order. Raises `DiagnosticError`."""
    if project is None:
        return []
    section = project.section("drift")
    rules = [_rule(one, project) for one in section.tables("ignore")]
    section.finish()
    section.found.raise_errors()
    return rules


def _rule(table: Table, project: Project) -> Rule:
    environments = table.texts("environments")
    for at, name in enumerate(environments):
        if name not in project.environments:
            table.fail(
                "No such environment", f'"{name}" is not declared.', "environments", at,
                mend=nearest(name, project.environments) or f"Declare it: [environments.{name}]",
            )  # fmt: skip
    rule = Rule(
        table.text("address", required=True),
        table.text("attribute", EVERYTHING),
        table.text("reason", required=True),
        table.date("expires", required=True) or date.max,
        environments,
        table.place("address"),
    )
    table.finish()
    return rule


@dataclass(slots=True)
class Noise:
    """The rules of one run. `today` decides which have expired; `environment` is empty for plain work.

    `partial`: only a part is looked at, so that a rule which fits nothing may fit elsewhere.
    """

    rules: Sequence[Rule]
    today: date
    environment: str = ""
    partial: bool = False
    _used: set[int] = field(default_factory=set)
    _patterns: dict[str, re.Pattern[str]] = field(default_factory=dict)

    def covers(self, address: str, path: Path | None) -> bool:
        """Whether a rule says that a value of an object is noise; without a path, that the whole object is."""
        found = False
        for at, rule in enumerate(self.rules):
            if self._holds(rule) and self._fits(rule, address, path):
                self._used.add(at)
                found = found or rule.expires >= self.today
        return found

    def complaints(self) -> list[Diagnostic]:
        """What is wrong with the rules themselves, after all drift was asked for."""
        found = []
        for at, rule in enumerate(self.rules):
            if not self._holds(rule):
                continue
            if rule.expires < self.today:
                effect = "It fits nothing any more."
                if at in self._used:
                    effect = "What it left out is told again."
                elif self.partial:
                    effect = "It leaves nothing out any more."
                found.append(
                    warning(
                        "Drift rule has expired",
                        f"The rule for {rule.address} ended on {rule.expires} ({rule.reason}). {effect}",
                        rule.place,
                        mend="Remove the rule, or give it a later day if its reason still holds.",
                    )
                )
            elif at not in self._used and not self.partial:
                found.append(
                    warning(
                        "Drift rule is not used",
                        f"The rule for {rule.address} ({rule.reason}) fitted no drift.",
                        rule.place,
                        mend="Remove it if its reason is gone, or correct its address and attribute.",
                    )
                )
        return found

    def _holds(self, rule: Rule) -> bool:
        return not rule.environments or self.environment in rule.environments

    def _fits(self, rule: Rule, address: str, path: Path | None) -> bool:
        if not self._pattern(rule.address).match(address):
            return False
        if path is None:
            return rule.attribute == EVERYTHING
        pattern = self._pattern(rule.attribute)
        return any(pattern.match(text) for text in _names(path))

    def _pattern(self, text: str) -> re.Pattern[str]:
        """`*` is any text; what follows a whole name (`tags` of `tags.Name`) fits too, when matched from the start."""
        found = self._patterns.get(text)
        if found is None:
            body = ".*".join(map(re.escape, text.split("*")))
            found = self._patterns[text] = re.compile(rf"{body}(?=$|[.\[])", re.DOTALL)
        return found


def _names(path: Path) -> tuple[str, str]:
    """How people may write a path: as it is, and with dots only and no positions."""
    plain = [
        str(step.key) if isinstance(step, Index) else step.name
        for step in path
        if not (isinstance(step, Index) and isinstance(step.key, int))
    ]
    return path_text(path), ".".join(plain)
