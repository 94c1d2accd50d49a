"""`twinfra report`: all environments as text, as JSON and as a page; what cannot be read keeps nothing else away."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.browser import Tags
from tests.cli.conftest import Directory
from tests.environments.repositories import new_repository
from tests.planted import PLANTED
from tests.state.backends.servers import free_port

from twinfra.state.backends.local import LocalBackend
from twinfra.state.ledger.log import open_ledger

PROJECT = """
[environments.staging]
variables = { env = "staging", size = 1 }

[environments.production]
variables = { env = "production", size = 2 }
twin_of = "staging"
approval = true

[twins]
parameters = ["env", "size", "secret", "nodes"]

[report]
title = "Fraud & more"
drift_summary = "drift.jsonl"
"""
MAIN = f"""
variable "env" {{
}}
variable "size" {{
}}
variable "nodes" {{
  default = {{ least = 1, most = 3 }}
}}
variable "secret" {{
  default   = "{PLANTED}"
  sensitive = true
}}
variable "copy" {{
  default = "{PLANTED}"
}}
resource "terraform_data" "a" {{
  input = "${{var.env}} ${{var.size}}"
}}
resource "terraform_data" "b" {{
  input = var.secret
}}
"""
AWKWARD = '<img src=x onerror="document.title=1"> & \x1b[31m "quoted"'


@pytest.fixture
def project(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.setenv("TWINFRA_ACTOR", "ada")
    twinfra.write(main_tf=MAIN, twinfra_toml=PROJECT, _gitignore="*.tfstate*\n.terraform/\n*.jsonl\n*.html\n")
    return twinfra


@pytest.fixture
def applied(project: Directory) -> Directory:
    """In Git, with both environments applied, and a release of each."""
    new_repository(project.path).commit(AWKWARD)
    project.ok("apply", "-auto-approve", "-env=staging")
    project.ok("apply", "-env=production", stdin="yes\n")
    for name in ("staging", "production"):
        project.ok("release", "create", f"first-{name}", f"-env={name}", "-model=fraud-detector:3.1")
    return project


def document(project: Directory, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.ok("report", "-json", *options).out)
    return found


def page(project: Directory, *options: str) -> str:
    project.ok("report", "-html=report.html", *options)
    return (project.path / "report.html").read_text("utf-8")


def words(page: str) -> str:
    """The text of a page."""
    tags = Tags()
    tags.feed(page)
    return " ".join(" ".join(tags.texts).split())


def of(project: Directory, name: str, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in document(project, *options)["environments"] if one["name"] == name
    )
    return found


def test_the_text_tells_what_runs_where_and_fits_80_columns(applied: Directory) -> None:
    out = applied.ok("report").out
    assert out.startswith("Fraud & more  ")
    assert "production  in order\n" in out
    assert "release      first-production: fraud-detector:3.1" in out
    assert "state        2 objects, serial 1," in out
    assert "ledger       2 entries, intact" in out
    assert out.endswith("staging and production are twins.\n")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "\x1b" not in out


def test_the_json_has_all_of_it(applied: Directory) -> None:
    found = document(applied)
    assert found["title"] == "Fraud & more"
    assert found["problems"] == []
    staging, production = found["environments"]
    assert (staging["verdict"], production["twin_of"]) == ("in order", "staging")
    assert production["state"]["kinds"] == {"terraform_data": 2}
    assert (production["last"]["kind"], production["last"]["who"]) == ("apply", "ada")
    assert [one["kind"] for one in production["history"]] == ["release", "apply"]
    assert production["ledger"]["intact"] is True
    assert production["releases"]["release"]["name"] == "first-production"
    assert production["drift"] is None
    values = {one["name"]: one for one in found["parameters"]}
    assert values["var.size"]["values"] == {"staging": {"value": 1}, "production": {"value": 2}}
    assert values["var.nodes.most"]["differs"] is False
    assert values["var.secret"]["values"]["staging"] == {"sensitive": True}
    assert found["twins"][0]["report"]["twins"] is True


def test_the_page_shows_twins_models_and_history(applied: Directory) -> None:
    shown = words(page(applied))
    for part in (
        "staging and production are twins.",
        "var.nodes.most",
        "(sensitive)",
        "fraud-detector",
        "first-production, since",
        "2 entries, intact",
        "Nobody has looked at staging, production.",
        "apply +2",
    ):
        assert part in shown, part


def test_the_page_needs_nothing_from_elsewhere_and_runs_no_script(applied: Directory) -> None:
    text = page(applied)
    tags = Tags()
    tags.feed(text)
    assert not tags.names & {"script", "img", "link", "iframe", "object", "embed", "base", "form"}
    assert not {one for one in tags.attributes if one.startswith("on")} | (
        tags.attributes & {"src", "srcset"}
    )
    assert "http:" not in text
    assert "https:" not in text
    assert {part[0] for part in text.split('href="')[1:]} == {"#"}


def test_what_people_wrote_is_text_on_the_page(applied: Directory) -> None:
    text = page(applied)
    assert "<img" not in text
    assert "&lt;img src=x onerror=&quot;document.title=1&quot;&gt; &amp; \u241b[31m" in text


def test_secrets_and_their_copies_are_nowhere(applied: Directory) -> None:
    applied.write(twinfra_toml=PROJECT.replace('"nodes"]', '"nodes", "copy"]'))
    shown = page(applied) + applied.ok("report", "-json").out + applied.ok("report").out
    assert PLANTED not in shown


def test_a_difference_that_no_parameter_explains_is_a_finding(project: Directory) -> None:
    project.write(twinfra_toml=PROJECT.replace('"env", "size"', '"env"'))
    shown = words(page(project))
    assert "staging and production are not twins: 1 finding." in shown
    assert "var.size not declared" in shown
    assert document(project)["twins"][0]["report"]["findings"][0]["address"] == "terraform_data.a"


def test_before_anything_is_applied_the_page_says_so(project: Directory) -> None:
    assert of(project, "staging")["verdict"] == "nothing there"
    assert "Nothing is recorded yet." in words(page(project))


def test_an_environment_that_cannot_be_read_is_told_and_the_others_are_there(applied: Directory) -> None:
    (applied.path / "terraform.tfstate.d/staging/terraform.tfstate").write_text("{")
    shown = words(page(applied))
    assert "cannot be read" in shown
    assert "1 of 2" in shown
    staging, production = document(applied)["environments"]
    assert staging["state"] is None
    assert staging["problems"][0]["part"] == "state"
    assert staging["problems"][0]["detail"]
    assert production["verdict"] == "in order"
    assert "fraud-detector not known 3.1" in shown


def test_a_backend_that_cannot_be_reached_is_a_card_that_says_why(project: Directory) -> None:
    closed_port = free_port()
    project.write(
        backend_tf='terraform {\n  backend "http" {}\n}\n',
        twinfra_toml="\n".join(
            f'[environments.{name}]\nvariables = {{ env = "{name}", size = 1 }}\n'
            f'backend = {{ address = "http://127.0.0.1:{closed_port}/{name}", retry_max = 0 }}\n'
            for name in ("staging", "production")
        ),
    )
    ran = project.ok("report", "-html=report.html")
    assert ran.out.count("cannot be read") == 2
    shown = words((project.path / "report.html").read_text())
    assert f"127.0.0.1:{closed_port}" in shown


def test_inputs_that_are_missing_are_told_where_they_are_missing(applied: Directory) -> None:
    applied.write(twinfra_toml=PROJECT.replace(", size = 2", ""))
    production = of(applied, "production")
    assert production["problems"][0]["part"] == "inputs"
    assert production["state"]["objects"] == 2
    assert "not compared" in words(page(applied))


def test_code_with_errors_hides_nothing_that_is_recorded(applied: Directory) -> None:
    applied.write(broken_tf="resource {")
    found = document(applied)
    assert found["problems"][0]["part"] == "code"
    assert [one["state"]["objects"] for one in found["environments"]] == [2, 2]
    assert found["twins"][0]["report"] is None


def test_a_ledger_that_was_changed_is_not_intact(applied: Directory) -> None:
    record = next(applied.path.rglob("staging/**/ledger-000001.json"))
    record.write_text(record.read_text().replace('"who":"ada"', '"who":"bob"'))
    staging = of(applied, "staging")
    assert staging["verdict"] == "ledger not intact"
    assert staging["ledger"]["findings"][0]["kind"] == "changed"
    assert "Entry 1" in words(page(applied))


def test_a_state_that_was_written_without_a_receipt_is_told(applied: Directory) -> None:
    path = applied.path / "terraform.tfstate.d/staging/terraform.tfstate"
    path.write_text(path.read_text().replace('"serial": 1', '"serial": 7'))
    assert of(applied, "staging")["verdict"] == "changed unrecorded"
    assert "written by something that left no receipt" in applied.ok("report").out


def test_a_state_whose_last_run_was_killed_is_not_told_as_written_by_others(applied: Directory) -> None:
    backend = LocalBackend(applied.path)
    open_ledger(backend, "staging").append("apply", {"outcome": "interrupted", "mode": "normal"})
    path = applied.path / "terraform.tfstate.d/staging/terraform.tfstate"
    path.write_text(path.read_text().replace('"serial": 1', '"serial": 2'))
    staging = of(applied, "staging")
    assert (staging["verdict"], staging["state"]["unrecorded"]) == ("last change interrupted", False)


def test_a_warning_about_the_inputs_is_on_the_card(applied: Directory) -> None:
    applied.write(twinfra_toml=PROJECT.replace("size = 2", "size = 2, sise = 2"))
    production = of(applied, "production")
    assert (production["verdict"], production["problems"][0]["severity"]) == ("in order", "warning")
    assert "sise" in words(page(applied))


def test_a_failed_apply_is_the_first_thing_told(applied: Directory) -> None:
    applied.write(
        fails_tf='resource "terraform_data" "c" {\n  provisioner "local-exec" {\n    command = "false"\n  }\n}\n'
    )
    assert applied("apply", "-auto-approve", "-env=staging").code == 1
    assert of(applied, "staging")["verdict"] == "last change failed"
    assert "changed since" in words(page(applied))


def test_numbers_of_earlier_looks_for_drift_are_shown(applied: Directory) -> None:
    look = {"environment": "staging", "checked": 2, "drifted": 0, "gone": 0, "violations": 0, "ignored": 0}
    lines = [
        json.dumps({**look, "time": "2026-01-01T02:00:00Z"}),
        "no look",
        json.dumps({**look, "time": "2026-01-02T02:00:00Z", "drifted": 1, "violations": 2}),
    ]
    (applied.path / "drift.jsonl").write_text("\n".join(lines))
    staging = of(applied, "staging")
    assert staging["verdict"] == "drifted"
    assert [one["drifted"] for one in staging["drift"]["trend"]] == [0, 1]
    assert staging["drift"]["report"] is None
    text = page(applied)
    assert "1 object drifted" in words(text)
    assert "<polyline" in text
    assert "Nobody has looked at production." in words(text)
    (applied.path / "other.jsonl").write_text("")
    assert of(applied, "staging", "-drift-summary=other.jsonl")["drift"] is None


def test_only_one_environment_and_its_twins(project: Directory) -> None:
    project.write(twinfra_toml=PROJECT + '[environments.other]\nvariables = { env = "other", size = 1 }\n')
    assert len(document(project)["environments"]) == 3
    assert [one["name"] for one in document(project, "-env=production")["environments"]] == [
        "staging",
        "production",
    ]
    assert [one["name"] for one in document(project, "-env=other")["environments"]] == ["other"]


def test_as_many_entries_are_shown_as_are_asked_for(applied: Directory) -> None:
    assert len(of(applied, "staging", "-n=1")["history"]) == 1
    assert of(applied, "staging", "-n=1")["last"]["kind"] == "apply"
    assert len(of(applied, "staging", "-n=0")["history"]) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-n=-1"], "-n is a number of entries"),
        (["-sandbox"], "-sandbox goes with -drift"),
        (["-who=false"], "-who=false goes with -drift"),
        (["-html=nowhere/report.html"], "Cannot write the page"),
        (["-env=stagin"], 'Did you mean "staging"?'),
    ],
)
def test_wrong_use_is_told(project: Directory, arguments: list[str], told: str) -> None:
    ran = project("report", *arguments)
    assert ran.code == 1
    assert told in ran.err


def test_a_project_is_needed_and_an_environment_in_it(twinfra: Directory) -> None:
    assert "No twinfra.toml" in twinfra("report").err
    twinfra.write(twinfra_toml="[twins]\n")
    assert "No environments" in twinfra("report").err


def test_unknown_keys_of_the_section_are_told_with_their_place(project: Directory) -> None:
    project.write(twinfra_toml=PROJECT.replace("title =", "titel ="))
    ran = project("report")
    assert ran.code == 1
    assert "twinfra.toml line" in ran.err
    assert '"title"' in ran.err


@pytest.mark.emulator
def test_looking_now_tells_each_change_and_which_declaration_it_violates(
    twinfra: Directory, aws: Callable[..., Any]
) -> None:
    twinfra.write(
        twinfra_toml="[environments.staging]\n",
        main_tf='resource "aws_s3_bucket" "data" {\n  bucket = "report-data"\n  tags = {\n    Team = "ml"\n  }\n}\n',
    )
    twinfra.ok("apply", "-auto-approve", "-env=staging")
    assert of(twinfra, "staging", "-drift")["drift"]["last"]["drifted"] == 0
    before = sorted(Path().rglob("*"))
    aws("s3").put_bucket_tagging(
        Bucket="report-data", Tagging={"TagSet": [{"Key": "Team", "Value": "<b>web</b>"}]}
    )
    shown = words(page(twinfra, "-drift"))
    assert '"ml" → "<b>web</b>"' in shown
    assert "violates main.tf:4" in shown
    assert of(twinfra, "staging", "-drift", "-who=false")["verdict"] == "drifted"
    assert sorted(Path().rglob("*")) == sorted([*before, Path("report.html")])
