"""Policy documents put together: statements, merged with those of other documents, as the public provider
prints them.

The order of keys and elements is that of the public provider, so that plans of existing configurations show
no difference: actions, resources and identifiers from the highest to the lowest, condition values as written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from twinfra.dataclass import dataclass

_KEYS = (
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
)


class DocumentError(Exception):
    """Why documents cannot be put together, as a sentence."""


@dataclass(slots=True)
class Document:
    """A policy document that others can be merged into."""

    version: str = ""
    id: str = ""
    statements: list[dict[str, Any]] = field(default_factory=list)

    def merge(self, other: Document) -> None:
        """Take in another document: its id, a later version, and its statements, each in place of the one of
        its Sid.
        """
        self.id = other.id or self.id
        self.version = max(self.version, other.version)
        places = {one["Sid"]: at for at, one in enumerate(self.statements) if one.get("Sid")}
        for one in other.statements:
            sid = one.get("Sid")
            if sid and sid in places:
                self.statements[places[sid]] = one
            else:
                if sid:
                    places[sid] = len(self.statements)
                self.statements.append(one)

    def sids(self) -> list[str]:
        """The statements' Sids."""
        return [one["Sid"] for one in self.statements if one.get("Sid")]

    def data(self) -> dict[str, Any]:
        """What is printed, in order; empty parts are left out."""
        found: dict[str, Any] = {}
        if self.version:
            found["Version"] = self.version
        if self.id:
            found["Id"] = self.id
        if self.statements:
            found["Statement"] = [
                {key: one[key] for key in _KEYS if key in one and one[key] not in ("", None, {}, [])}
                for one in self.statements
            ]
        return found


def parse(text: str) -> Document:
    """A document from JSON; raises `DocumentError`."""
    try:
        raw = json.loads(text)
    except ValueError as problem:
        raise DocumentError(f"it is not valid JSON ({problem})") from None
    if not isinstance(raw, dict):
        raise DocumentError("it is not a JSON object")
    listed = raw.get("Statement", [])
    statements = listed if isinstance(listed, list) else [listed]
    if not all(isinstance(one, dict) for one in statements):
        raise DocumentError("its Statement is not a list of objects")
    return Document(
        str(raw.get("Version", "")), str(raw.get("Id", "")), [_parsed_statement(one) for one in statements]
    )


def _parsed_statement(raw: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(raw)
    for key in ("Principal", "NotPrincipal"):
        if key in found:
            found[key] = _parsed_principals(found[key])
    condition = found.get("Condition")
    if isinstance(condition, dict):
        found["Condition"] = {
            test: {
                name: _alone([_word(one) for one in _list(values)]) for name, values in sorted(tests.items())
            }
            for test, tests in sorted(condition.items())
            if isinstance(tests, dict)
        }
    return found


def _parsed_principals(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    if raw in ({"*": "*"}, {"*": ["*"]}):
        return "*"
    return {
        kind: sorted(map(str, names), reverse=True) if isinstance(names, list) else names
        for kind, names in sorted(raw.items())
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _alone(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# Statements as blocks


def words(values: Any) -> Any:
    """Some strings as a document has them: one alone by itself, several from the highest to the lowest."""
    listed = list(values)
    return listed[0] if len(listed) == 1 else sorted(listed, reverse=True)


def principals(blocks: Any) -> Any:
    """Principal blocks as a document has them; everybody is a bare star."""
    listed = list(blocks)
    if len(listed) == 1 and listed[0]["type"] == "*" and list(listed[0]["identifiers"]) == ["*"]:
        return "*"
    found: dict[str, Any] = {}
    for one in listed:
        kind, names = one["type"], list(one["identifiers"])
        before = found.get(kind)
        if before is None:
            found[kind] = words(names)
        else:
            found[kind] = _list(before) + sorted(names, reverse=True)
    return dict(sorted(found.items()))


def conditions(blocks: Any) -> dict[str, dict[str, Any]]:
    """Condition blocks as a document has them; those of the same test and variable are one."""
    found: dict[str, dict[str, Any]] = {}
    for one in blocks:
        values = list(one["values"])
        tests = found.setdefault(one["test"], {})
        before = tests.get(one["variable"])
        if before is not None:
            values = _list(before) + values
        tests[one["variable"]] = _alone(values)
    return {test: dict(sorted(tests.items())) for test, tests in sorted(found.items())}


def printed(data: Any, minified: bool = False) -> str:
    """JSON as the public provider prints it: two spaces to a step, and <, > and & as escapes."""
    if minified:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    else:
        text = json.dumps(data, ensure_ascii=False, indent=2)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
