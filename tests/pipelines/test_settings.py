"""The section [ci] of twinfra.toml."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.environments.projects import declared

from twinfra.diagnostics import DiagnosticError
from twinfra.pipelines.settings import Settings, check_jenkins, read_settings

TWO = """
[environments.production]
twin_of = "staging"
[environments.staging]
"""


def settings(directory: Path, text: str) -> Settings:
    return read_settings(declared(directory, text))


def refused(directory: Path, text: str) -> str:
    with pytest.raises(DiagnosticError) as caught:
        settings(directory, text)
    return " ".join(f"{one.detail} {one.mend}" for one in caught.value.diagnostics)


def test_without_a_section_the_defaults_hold(tmp_path: Path) -> None:
    found = settings(tmp_path, TWO)
    assert (found.branch, found.nightly, found.verify_key) == ("main", (2, 17), "twinfra-ci.pub")
    assert "twinfra[aws]==" in found.install


def test_an_environment_comes_after_the_one_it_is_a_twin_of(tmp_path: Path) -> None:
    found = settings(tmp_path, TWO)
    assert [one.name for one in found.stages] == ["staging", "production"]
    assert found.pairs() == found.pairs("production") == [("staging", "production")]
    assert found.pairs("staging") == []


def test_the_order_may_be_given_and_leave_environments_out(tmp_path: Path) -> None:
    found = settings(tmp_path, TWO + '[ci]\norder = ["production"]')
    assert [one.name for one in found.stages] == ["production"]
    assert found.pairs() == []


def test_a_role_is_for_planning_too_unless_another_is_given(tmp_path: Path) -> None:
    text = TWO + (
        "[ci.environments.staging]\n"
        'role = "arn:aws:iam::123456789012:role/a"\nregion = "eu-central-1"\n'
        "[ci.environments.production]\n"
        'role = "arn:aws:iam::123456789012:role/b"\nplan_role = "arn:aws:iam::123456789012:role/c"\n'
        'region = "eu-central-1"'
    )
    staging, production = settings(tmp_path, text).stages
    assert staging.role == staging.plan_role != ""
    assert production.plan_role.endswith("/c")


def test_an_environment_in_an_account_needs_a_role(tmp_path: Path) -> None:
    said = refused(tmp_path, '[environments.a]\naccount = "123456789012"\nregion = "eu-central-1"')
    assert '[ci.environments.a] role = "arn:aws:iam::ACCOUNT:role/NAME"' in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('order = ["stagin"]', '"staging"'),
        ('order = ["staging", "staging"]', "twice"),
        ('nightly = "25:00"', "time in UTC"),
        ('python = "three"', "version"),
        ('verify_key = "/etc/key"', "path from the project's directory"),
        ("keep_days = 0", "at least 1"),
        ('branch = "it\'s"', "not a branch"),
        ('[ci.environments.staging]\nregion = "$(x)"', "such as"),
        ('secrets = ["a-b"]', "no name of an environment variable"),
        ("nightli = 1", '"nightly"'),
        ('[ci.github.actions]\ncheckout = "checkout"', "such as"),
        ("[ci.environments.prod]\n", '"prod" is not an environment'),
        ('[ci.environments.staging]\nrole = "me"', "ARN of a role"),
        ('[ci.environments.staging]\nrole = "arn:aws:iam::123456789012:role/a"', "no region"),
        ('[ci.environments.staging]\nplan_role = "arn:aws:iam::123456789012:role/a"', "needs role"),
        ('[ci.jenkins]\nforge = "githab"', '"github"'),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, TWO + "[ci]\n" + text)


def test_a_project_without_environments_has_no_pipeline(tmp_path: Path) -> None:
    assert "none is declared" in refused(tmp_path, "[ci]\n")


def test_jenkins_must_be_told_which_repository_it_builds(tmp_path: Path) -> None:
    project = declared(tmp_path, TWO)
    with pytest.raises(DiagnosticError, match="Missing key"):
        check_jenkins(project, read_settings(project))
