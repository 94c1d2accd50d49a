"""`twinfra import`, by `terraform_data`, whose import takes any id."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Directory
from tests.state.processes import Other
from tests.state.test_commands import HOLD, stored, words

MAIN = """
resource "terraform_data" "a" {}
resource "terraform_data" "many" {
  for_each = { x = 1 }
}
"""


def test_an_imported_object_is_in_the_state_and_the_plan_is_empty(twinfra: Directory) -> None:
    twinfra.write(main_tf='resource "terraform_data" "a" {}\n')
    assert "terraform_data.a is imported." in twinfra.ok("import", "terraform_data.a", "my-id").out
    assert stored(twinfra).serial == 1
    assert twinfra.ok("state", "list", "-id=my-id").out == "terraform_data.a\n"
    assert twinfra("plan", "-detailed-exitcode").code == 0


def test_an_instance_with_a_key_is_imported(twinfra: Directory) -> None:
    twinfra.write(main_tf=MAIN)
    twinfra.ok("import", 'terraform_data.many["x"]', "my-id")
    assert twinfra.ok("state", "list").out == 'terraform_data.many["x"]\n'


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("terraform_data.b", "no block"),
        ("terraform_data.a[0]", "no such instance"),
        ("module.m", "the address of a module"),
        ("data.terraform_remote_state.x", "data source"),
        ("terraform_data", "no address"),
    ],
)
def test_what_cannot_be_imported_to_is_refused(twinfra: Directory, address: str, reason: str) -> None:
    twinfra.write(main_tf=MAIN)
    ran = twinfra("import", address, "my-id")
    assert ran.code == 1
    assert reason in words(ran.err)
    assert not (twinfra.path / "terraform.tfstate").exists()


def test_an_address_that_is_taken_is_refused(twinfra: Directory) -> None:
    twinfra.write(main_tf=MAIN)
    twinfra.ok("import", "terraform_data.a", "one")
    ran = twinfra("import", "terraform_data.a", "two")
    assert ran.code == 1
    assert twinfra.ok("state", "list", "-id=one").out == "terraform_data.a\n"


def test_import_holds_the_lock(twinfra: Directory) -> None:
    twinfra.write(main_tf=MAIN)
    with Other(twinfra.path, HOLD) as other:
        other.hear()
        ran = twinfra("import", "terraform_data.a", "my-id")
        other.say()
    assert ran.code == 1
    assert "locked" in ran.err


def test_another_directory_is_named_with_chdir(twinfra: Directory) -> None:
    twinfra.write(main_tf=MAIN)
    ran = twinfra("import", "-config=elsewhere", "terraform_data.a", "my-id")
    assert ran.code == 1
    assert "-chdir=elsewhere" in ran.err
