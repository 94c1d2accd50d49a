"""Version constraints, by the rules of the language."""

from __future__ import annotations

import pytest

from twinfra.config.versions import allows, parse_constraint, parse_version


@pytest.mark.parametrize(
    ("constraint", "version", "expected"),
    [
        ("1.2.3", "1.2.3", True),
        ("= 1.2", "1.2.0", True),
        ("!= 1.2.0", "1.2", False),
        (">= 1.0, < 2.0", "1.11.4", True),
        (">= 1.0, < 1.11.4", "1.11.4", False),
        ("> 1.11.4", "1.11.4", False),
        ("<= 1.11.4", "1.11.4", True),
        ("~> 1.2", "1.11.4", True),
        ("~> 1.2", "2.0.0", False),
        ("~> 1.2.3", "1.2.9", True),
        ("~> 1.2.3", "1.3.0", False),
        ("~> 1.2.3", "1.2.2", False),
        ("~> 1", "2.0.0", True),
        ("~>1.11.0", "1.11.4", True),
        ("v1.2.3", "1.2.3", True),
        (">= 1.0.0", "1.1.0-beta1", False),
        (">= 1.1.0-alpha", "1.1.0-beta1", True),
        ("1.1.0-beta1", "1.1.0-beta1", True),
        ("< 1.1.0", "1.1.0-beta1", False),
        (">= 1.2.0-beta1", "1.2.0", True),
        ("> 1.10", "1.9.9", False),
        (">= 1.2.3.4", "1.2.3.5", True),
    ],
)
def test_constraints(constraint: str, version: str, expected: bool) -> None:
    assert allows(constraint, version) is expected


@pytest.mark.parametrize("text", ["", "x", ">= 1.x", "=> 1.0", ">= 1.0 < 2.0", "1.0,", "~> ", "1..2"])
def test_what_is_no_constraint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version constraint"):
        parse_constraint(text)


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a version"):
        parse_version("latest")
