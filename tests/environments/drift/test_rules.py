"""Noise rules of twinfra.toml: what they cover, and what is told of themselves."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.environments.projects import declared

from twinfra.diagnostics import DiagnosticError
from twinfra.environments.drift.rules import Noise, Rule, read_rules
from twinfra.values.value import GetAttr, Index

TODAY = date(2026, 6, 1)
LATER = date(2026, 12, 31)
TAG = (GetAttr("tags"), Index("LastScan"))
SIZE = (GetAttr("scaling_config"), Index(0), GetAttr("desired_size"))


def noise(*rules: Rule, environment: str = "") -> Noise:
    return Noise(rules, TODAY, environment)


@pytest.mark.parametrize(
    ("attribute", "path", "covered"),
    [
        ("tags", TAG, True),
        ("tags.LastScan", TAG, True),
        ('tags["LastScan"]', TAG, True),
        ("tags.Last*", TAG, True),
        ("tag", TAG, False),
        ("tags.Last", TAG, False),
        ("*", TAG, True),
        ("scaling_config.desired_size", SIZE, True),
        ("scaling_config[0].desired_size", SIZE, True),
        ("scaling_config[1].desired_size", SIZE, False),
        ("scaling_config", SIZE, True),
        ("*.desired_size", SIZE, True),
    ],
)
def test_an_attribute_covers_what_is_below_it(
    attribute: str, path: tuple[object, ...], covered: bool
) -> None:
    rule = Rule("aws_instance.web", attribute, "scanner", LATER)
    assert noise(rule).covers("aws_instance.web", path) is covered  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "covered"),
    [
        ("aws_instance.*", True),
        ("aws_instance.web[0]", True),
        ("aws_instance.web", True),
        ("aws_instance.we", False),
        ("*.aws_instance.web[0]", False),
        ("aws_instance.web[1]", False),
    ],
)
def test_an_address_covers_its_instances(address: str, covered: bool) -> None:
    assert noise(Rule(address, "tags", "scanner", LATER)).covers("aws_instance.web[0]", TAG) is covered


def test_only_a_rule_for_everything_covers_an_object_that_is_gone() -> None:
    assert noise(Rule("a.b", "*", "moves", LATER)).covers("a.b", None)
    assert not noise(Rule("a.b", "tags", "moves", LATER)).covers("a.b", None)


def test_a_rule_holds_on_its_last_day_and_not_after_it() -> None:
    assert noise(Rule("a.b", "tags", "scanner", TODAY)).covers("a.b", TAG)
    expired = noise(Rule("a.b", "tags", "scanner", date(2026, 5, 31)))
    assert not expired.covers("a.b", TAG)
    assert [one.summary for one in expired.complaints()] == ["Drift rule has expired"]
    assert "told again" in expired.complaints()[0].detail


def test_a_rule_that_fitted_nothing_is_told() -> None:
    rules = noise(Rule("a.b", "tags", "scanner", LATER), Rule("a.c", "tags", "scanner", LATER))
    assert rules.covers("a.b", TAG)
    assert [one.summary for one in rules.complaints()] == ["Drift rule is not used"]
    assert "a.c" in rules.complaints()[0].detail


def test_a_rule_of_other_environments_neither_holds_nor_is_missed() -> None:
    rules = noise(Rule("a.b", "tags", "scanner", LATER, ("production",)), environment="staging")
    assert not rules.covers("a.b", TAG)
    assert not rules.complaints()


def test_rules_are_read_with_their_places(tmp_path: Path) -> None:
    project = declared(
        tmp_path,
        """
        [environments.staging]
        [[drift.ignore]]
        address = "aws_instance.*"
        attribute = "tags.LastScan"
        reason = "the scanner writes it"
        expires = 2026-12-31
        environments = ["staging"]
        """,
    )
    (rule,) = read_rules(project)
    assert rule.place is not None
    assert (rule.address, rule.attribute, rule.expires) == ("aws_instance.*", "tags.LastScan", LATER)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('address = "a"\nreason = "r"', "expires"),
        ('address = "a"\nexpires = 2026-01-01', "reason"),
        ('reason = "r"\nexpires = 2026-01-01', "address"),
        ('address = "a"\nreason = "r"\nexpires = "2026-01-01"', "a date"),
        ('address = "a"\nreason = "r"\nexpires = 2026-01-01\natribute = "x"', "attribute"),
        ('address = "a"\nreason = "r"\nexpires = 2026-01-01\nenvironments = ["x"]', '"x" is not declared'),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(DiagnosticError) as refused:
        read_rules(declared(tmp_path, f"[[drift.ignore]]\n{text}\n"))
    told = [f"{one.detail} {one.mend}" for one in refused.value.diagnostics]
    assert any(problem in one for one in told), told
    assert all(one.subject is not None for one in refused.value.diagnostics)
