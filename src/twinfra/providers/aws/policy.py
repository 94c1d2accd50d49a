"""JSON documents and access policies: compared by meaning, normalised, put together.

The rules of policies follow the grammar of the IAM policy language
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
"""

from __future__ import annotations

import json
import re
from typing import Any

_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")


_UNREADABLE = (ValueError, TypeError, RecursionError)
"""What reading text raises that is no JSON, or is nested too deeply to be any that a service keeps."""


def equal_json(one: str, other: str) -> bool:
    """Whether two texts are the same JSON; texts that are not JSON only equal themselves."""
    if one == other:
        return True
    try:
        return _same(json.loads(one), json.loads(other))
    except _UNREADABLE:
        return False


def equal_policies(one: str, other: str) -> bool:
    """Whether two policy documents say the same; texts that are not JSON only equal themselves."""
    if one == other:
        return True
    try:
        return _same(canonical(json.loads(one)), canonical(json.loads(other)))
    except _UNREADABLE:
        return False


def normalised(text: str) -> str:
    """JSON in its shortest form with sorted keys; text that is not JSON as it is."""
    try:
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except _UNREADABLE:
        return text


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def canonical(policy: Any) -> Any:
    """A policy in the one form that all policies of the same meaning share; what is no policy as it is."""
    if not isinstance(policy, dict):
        return policy
    found = {key: value for key, value in policy.items() if key != "Statement"}
    found.setdefault("Version", "2008-10-17")
    statements = policy.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    found["Statement"] = sorted((_statement(one) for one in listed), key=_text)
    return found


def _statement(statement: Any) -> Any:
    if not isinstance(statement, dict):
        return statement
    found: dict[str, Any] = {}
    for key, value in statement.items():
        if key in ("Action", "NotAction"):
            # Names of services and actions are not case-sensitive.
            found[key] = sorted({str(one).lower() for one in _listed(value)})
        elif key in ("Resource", "NotResource"):
            found[key] = _values(value)
        elif key in ("Principal", "NotPrincipal"):
            found[key] = _principal(value)
        elif key == "Condition":
            found[key] = _condition(value)
        elif key == "Sid" and value == "":
            continue
        else:
            found[key] = value
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _values(value: Any) -> list[str]:
    return sorted({_scalar(one) for one in _listed(value)})


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _principal(value: Any) -> Any:
    if not isinstance(value, dict):
        return {"AWS": ["*"]} if value == "*" else value
    return {key: sorted({_identity(one) for one in _values(inner)}) if key == "AWS" else _values(inner)
            for key, inner in value.items()}  # fmt: skip


def _identity(name: str) -> str:
    """An account as the bare number, which stands for its root."""
    found = _ROOT.fullmatch(name)
    return found[1] if found else name


def _condition(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    found: dict[str, dict[str, list[str]]] = {}
    for operator, tests in value.items():
        if not isinstance(tests, dict):
            return value
        # Keys of conditions are not case-sensitive.
        found[operator] = {key.lower(): _values(inner) for key, inner in tests.items()}
    return found


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
