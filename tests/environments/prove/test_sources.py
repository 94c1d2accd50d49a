"""What breaks determinism by what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinfra.config.installer import load_texts
from twinfra.environments.prove.findings import Finding
from twinfra.environments.prove.proof import only_code


def findings(text: str) -> list[Finding]:
    configuration, _ = load_texts(Path(), {"main.tf": text})
    return list(only_code(configuration).findings)


def told(text: str) -> list[tuple[str, bool, int]]:
    """What each finding is about, whether it breaks determinism, and its line."""
    return [(one.what, one.breaks, one.place.first.line if one.place else 0) for one in findings(text)]


@pytest.mark.parametrize("call", ["timestamp()", "plantimestamp()", "uuid()", 'bcrypt("x")', "core::uuid()"])
def test_functions_that_follow_from_nothing_are_named_with_their_place(call: str) -> None:
    ((what, breaks, line),) = told(f"locals {{\n  a = 1\n  b = [upper({call})]\n}}\n")
    assert what == call.partition("(")[0].removeprefix("core::") + "()"
    assert (breaks, line) == (True, 3)


def test_code_that_uses_nothing_of_the_kind_has_no_findings() -> None:
    text = """
locals {
  a = formatdate("YYYY", "2026-01-01T00:00:00Z")
  b = uuidv5("dns", "x")
  c = file("${path.module}/x")
}
resource "terraform_data" "x" {
  input = local.a
}
data "aws_region" "x" {}
"""
    assert told(text) == []


def test_functions_in_template_files_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.tpl").write_text("made\nat ${timestamp()} by ${who}\n")
    (found,) = findings('output "x" {\n  value = templatefile("x.tpl", { who = "me" })\n}\n')
    assert found.what == "timestamp()"
    assert found.place is not None
    assert (found.place.filename, found.place.first.line) == ("x.tpl", 2)


def test_a_random_value_needs_keepers() -> None:
    text = 'resource "random_id" "a" {\n  byte_length = 4\n}\nresource "random_id" "b" {\n  keepers = {}\n}\n'
    assert told(text) == [("random_id.a", True, 1), ("random_id.b", False, 4)]


def test_what_is_made_anew_each_time_is_named() -> None:
    assert told('resource "tls_private_key" "a" {}\n') == [("tls_private_key.a", True, 1)]


def test_provisioners_are_named() -> None:
    text = 'resource "terraform_data" "a" {\n  provisioner "local-exec" {\n    command = "x"\n  }\n}\n'
    assert told(text) == [("terraform_data.a: local-exec", True, 2)]


@pytest.mark.parametrize(
    ("source", "version", "pinned"),
    [
        ("terraform-aws-modules/vpc/aws", "5.1.0", True),
        ("terraform-aws-modules/vpc/aws", "= 5.1.0", True),
        ("terraform-aws-modules/vpc/aws", "~> 5.1", False),
        ("terraform-aws-modules/vpc/aws", "", False),
        ("git::https://example.com/x.git", "", False),
        ("git::https://example.com/x.git?ref=main", "", False),
        (f"git::https://example.com/x.git?ref={'a' * 40}", "", True),
        ("github.com/a/b", "", False),
    ],
)
def test_modules_must_be_pinned(source: str, version: str, pinned: bool) -> None:
    line = f'  version = "{version}"\n' if version else ""
    found = told(f'module "m" {{\n  source = "{source}"\n{line}}}\n')
    assert found == ([] if pinned else [("module.m", True, 2)])


def test_data_sources_are_told_as_what_a_proof_cannot_see() -> None:
    text = 'data "aws_ami" "a" {\n  most_recent = true\n}\ndata "aws_availability_zones" "z" {}\n'
    assert told(text) == [("data.aws_ami.a", False, 1), ("data.aws_availability_zones.z", False, 4)]
    assert "published" in findings(text)[0].why


def test_what_depends_on_the_machine_is_told() -> None:
    text = 'locals {\n  a = path.cwd\n  b = abspath("x")\n  c = pathexpand("~")\n  d = file(local.a)\n}\n'
    assert sorted(told(text)) == [
        ("abspath()", False, 3),
        ("file()", False, 5),
        ("path.cwd", False, 0),
        ("pathexpand()", False, 4),
    ]


@pytest.mark.parametrize(
    "text",
    [
        'variable "x" {\n  default = [for a in\n}\n',
        "locals {\n  a = 1 +\n}\n",
        'locals {\n  a = "${"\n}\n',
        'module "m" {\n  source = "./nothing"\n}\nlocals {\n  a = uuid()\n}\n',
        'resource "aws_vpc" {\n}\n',
    ],
)
def test_a_configuration_with_errors_is_read_as_far_as_it_can_be(text: str) -> None:
    assert {one.what for one in findings(text)} <= {"uuid()"}


def test_every_finding_has_a_reason_and_a_mend() -> None:
    text = 'locals {\n  a = timestamp()\n}\nresource "random_id" "a" {}\nimport {\n  to = random_id.a\n  id = "x"\n}\n'
    found = findings(text)
    assert [str(one.kind) for one in found] == ["function", "random", "import"]
    assert all(one.why.endswith(".") and one.mend.endswith(".") for one in found)
