"""`plan`, `apply` and `destroy` as people see them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory

PAIR = """
variable "size" { default = "small" }
resource "terraform_data" "first" {
  input            = { size = var.size, name = "x" }
  triggers_replace = var.size == "huge" ? "now" : null
}
resource "terraform_data" "second" {
  input = terraform_data.first.output.size
}
output "size" { value = terraform_data.second.output }
"""


def test_a_plan_shows_what_will_be_made(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    assert twinfra.ok("plan", "-no-color").out == (
        "\n"
        "Twinfra will do the following:\n"
        "    + create\n"
        "\n"
        "  # terraform_data.first will be created\n"
        '  + resource "terraform_data" "first" {\n'
        "      + id     = (known after apply)\n"
        "      + input  = {\n"
        '          + name = "x"\n'
        '          + size = "small"\n'
        "        }\n"
        "      + output = (known after apply)\n"
        "    }\n"
        "\n"
        "  # terraform_data.second will be created\n"
        '  + resource "terraform_data" "second" {\n'
        "      + id     = (known after apply)\n"
        "      + input  = (known after apply)\n"
        "      + output = (known after apply)\n"
        "    }\n"
        "\n"
        "Plan: 2 to add, 0 to change, 0 to destroy.\n"
        "\n"
        "Changes to outputs:\n"
        "  + size = (known after apply)\n"
        "\n"
        "This plan was not saved: an apply plans again. -out=FILE saves it.\n"
    )


def test_a_change_shows_old_and_new_and_hides_the_rest(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    twinfra.ok("apply", "-auto-approve")
    shown = twinfra.ok("plan", "-no-color", "-var", "size=large").out
    assert '  ~ resource "terraform_data" "first" {' in shown
    assert re.search(r'\n      ~ input  = \{\n          ~ size = "small" -> "large"\n', shown)
    assert "# (1 unchanged attribute hidden)" in shown
    assert "Plan: 0 to add, 2 to change, 0 to destroy." in shown
    assert '~ size = "small" -> (known after apply)' in shown


def test_a_replacement_names_its_cause(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    twinfra.ok("apply", "-auto-approve")
    shown = twinfra.ok("plan", "-no-color", "-var", "size=huge").out
    assert "# terraform_data.first must be replaced" in shown
    assert '-/+ resource "terraform_data" "first" {' in shown
    assert re.search(r'\+ triggers_replace = "now" # forces replacement', shown)
    shown = twinfra.ok("plan", "-no-color", "-replace=terraform_data.second").out
    assert "# terraform_data.second will be replaced, as requested" in shown


def test_the_second_apply_changes_nothing(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    assert "2 added, 0 changed, 0 destroyed" in twinfra.ok("apply", "-auto-approve").out
    before = (twinfra.path / "terraform.tfstate").read_bytes()
    assert twinfra("plan", "-detailed-exitcode").code == 0
    assert "0 added, 0 changed, 0 destroyed" in twinfra.ok("apply", "-auto-approve").out
    assert (twinfra.path / "terraform.tfstate").read_bytes() == before


def test_exit_codes_of_a_plan(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    assert twinfra("plan", "-detailed-exitcode").code == 2
    assert twinfra("plan").code == 0
    twinfra.write(main_tf='output "x" { value = var.missing }')
    assert twinfra("plan", "-detailed-exitcode").code == 1


def test_an_apply_asks_and_takes_only_yes(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    refused = twinfra("apply", stdin="y\n")
    assert refused.code == 1
    assert "Nothing was done." in refused.out
    assert not (twinfra.path / "terraform.tfstate").exists()
    assert "Apply complete!" in twinfra.ok("apply", stdin="yes\n").out


def test_nobody_is_asked_without_input(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    ran = twinfra("apply", "-input=false")
    assert ran.code == 1
    assert "-auto-approve" in ran.err


def test_a_saved_plan_is_done_exactly_and_once(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    twinfra.ok("plan", "-out=saved", "-var", "size=large")
    twinfra.write(main_tf="")
    assert "2 added" in twinfra.ok("apply", "saved").out
    assert twinfra.ok("output", "-raw", "size").out == "large"
    again = twinfra("apply", "saved")
    assert again.code == 1
    assert "stale" in again.err


def test_a_saved_plan_is_stale_once_another_state_of_the_same_serial_was_pushed(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    twinfra.ok("apply", "-auto-approve")
    twinfra.ok("plan", "-out=saved", "-var", "size=large")
    state = twinfra.ok("state", "pull").out
    twinfra.write(other_tfstate=state.replace("small", "smart"))
    twinfra.ok("state", "push", "-force", "other.tfstate")
    refused = twinfra("apply", "saved")
    assert refused.code == 1
    assert "Saved plan is stale" in refused.err
    assert "Nothing was done" in refused.err


def test_a_changed_plan_file_is_refused(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    twinfra.ok("plan", "-out=saved")
    content = bytearray((twinfra.path / "saved").read_bytes())
    content[len(content) // 2] ^= 1
    (twinfra.path / "saved").write_bytes(content)
    ran = twinfra("apply", "saved")
    assert ran.code == 1
    assert not (twinfra.path / "terraform.tfstate").exists()


@pytest.mark.parametrize("flags", [("-destroy",), ("-target=terraform_data.first",), ("-var", "size=a")])
def test_a_saved_plan_takes_no_flags_that_would_change_it(twinfra: Directory, flags: tuple[str, ...]) -> None:
    twinfra.write(main_tf=PAIR)
    twinfra.ok("plan", "-out=saved")
    assert twinfra("apply", *flags, "saved").code == 1
    assert not (twinfra.path / "terraform.tfstate").exists()


def test_destroy_leaves_an_empty_state(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    twinfra.ok("apply", "-auto-approve")
    assert "Destroy complete! Resources: 2 destroyed." in twinfra.ok("destroy", "-auto-approve").out
    assert twinfra.ok("state", "list").out == ""


def test_sensitive_values_are_shown_nowhere(twinfra: Directory) -> None:
    twinfra.write(
        main_tf="""
        variable "password" { sensitive = true }
        resource "terraform_data" "secret" { input = { user = "me", password = var.password } }
        output "secret" {
          value     = terraform_data.secret.output
          sensitive = true
        }
        """
    )
    said = twinfra.ok("apply", "-auto-approve", "-var", "password=hunter2").all
    said += twinfra.ok("apply", "-auto-approve", "-json", "-var", "password=hunter3").all
    said += twinfra.ok("plan", "-var", "password=hunter4").all
    said += twinfra.ok("show").all + twinfra.ok("state", "show", "terraform_data.secret").all
    said += twinfra.ok("output").all
    assert "hunter" not in said
    assert "(sensitive value)" in said
    assert json.loads(twinfra.ok("output", "-json").out)["secret"]["value"]["password"] == "hunter3"


def test_a_target_brings_what_it_needs(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR + 'resource "terraform_data" "other" {}\n')
    twinfra.ok("apply", "-auto-approve", "-target=terraform_data.second")
    assert twinfra.ok("state", "list").out == "terraform_data.first\nterraform_data.second\n"


def test_events_are_lines_of_json(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    lines = [json.loads(line) for line in twinfra.ok("apply", "-auto-approve", "-json").out.splitlines()]
    kinds = [line["type"] for line in lines]
    assert kinds[0] == "version"
    assert kinds.count("planned_change") == 2
    assert kinds.count("apply_complete") == 2
    assert kinds[-1] == "outputs"
    assert all(line.keys() >= {"@level", "@message", "@module", "@timestamp", "type"} for line in lines)
    summary = [line["changes"] for line in lines if line["type"] == "change_summary"]
    assert [one["operation"] for one in summary] == ["plan", "apply"]
    assert summary[1]["add"] == 2


def test_a_plan_as_json(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    twinfra.ok("plan", "-out=saved")
    document = json.loads(twinfra.ok("show", "-json", "saved").out)
    assert document["format_version"] == "1.2"
    assert [one["change"]["actions"] for one in document["resource_changes"]] == [["create"], ["create"]]
    assert document["configuration"]["root_module"]["variables"] == {"size": {"default": "small"}}
    assert document["planned_values"]["root_module"]["resources"][0]["values"]["input"] == {
        "name": "x",
        "size": "small",
    }
    assert document["applyable"] is True
    assert document["complete"] is True


def test_a_state_as_json(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    twinfra.ok("apply", "-auto-approve")
    document = json.loads(twinfra.ok("show", "-json").out)
    assert document["format_version"] == "1.0"
    assert [one["address"] for one in document["values"]["root_module"]["resources"]] == [
        "terraform_data.first",
        "terraform_data.second",
    ]
    assert document["values"]["outputs"]["size"] == {"sensitive": False, "value": "small", "type": "string"}


def test_variables_count_in_the_order_given(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR, one_tfvars='size = "from file"')
    twinfra.ok("apply", "-auto-approve", "-var", "size=first", "-var-file=one.tfvars")
    assert twinfra.ok("output", "-raw", "size").out == "from file"
    twinfra.ok("apply", "-auto-approve", "-var-file=one.tfvars", "-var", "size=last")
    assert twinfra.ok("output", "-raw", "size").out == "last"


def test_state_files_where_the_flags_say(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    twinfra.ok("apply", "-auto-approve", "-state=here.json")
    assert (twinfra.path / "here.json").exists()
    assert not (twinfra.path / "terraform.tfstate").exists()
    assert twinfra("plan", "-detailed-exitcode", "-state=here.json").code == 0


def test_another_lock_holder_is_named(twinfra: Directory) -> None:
    from twinfra.state.backends.local import LocalBackend
    from twinfra.state.locks import new_lock

    twinfra.write(main_tf=PAIR)
    holder = LocalBackend(Path.cwd())
    lock = new_lock("apply")
    holder.lock("default", lock)
    try:
        ran = twinfra("plan")
    finally:
        holder.unlock("default", lock.id)
    assert ran.code == 1
    assert lock.id in ran.err
    assert lock.who in ran.err
    twinfra.ok("plan")


def test_flags_that_exclude_each_other_are_told_to_readers_of_json_too(twinfra: Directory) -> None:
    twinfra.write(main_tf=PAIR)
    for flags in (["-refresh-only", "-refresh=false"], ["-refresh-only", "-destroy"]):
        ran = twinfra("plan", "-json", *flags)
        assert ran.code == 1
        assert [
            one["@message"] for one in map(json.loads, ran.out.splitlines()) if one["@level"] == "error"
        ] == ["Error: Flags that exclude each other"]


def test_only_the_command_destroy_sums_up_as_a_destroy(twinfra: Directory) -> None:
    twinfra.write(main_tf='resource "terraform_data" "a" {}\n')
    sums = []
    for command in (["apply", "-destroy"], ["destroy"]):
        twinfra.ok("apply", "-auto-approve")
        lines = [json.loads(line) for line in twinfra.ok(*command, "-auto-approve", "-json").out.splitlines()]
        sums.append([one["changes"]["operation"] for one in lines if one["type"] == "change_summary"][-1])
    assert sums == ["apply", "destroy"]


def test_json_says_in_which_block_an_error_is_also_when_it_is_on_one_line(twinfra: Directory) -> None:
    twinfra.write(main_tf='resource "terraform_data" "a" { inptu = 1 }\n')
    (found,) = json.loads(twinfra("validate", "-json").out)["diagnostics"]
    assert found["snippet"]["context"] == 'resource "terraform_data" "a"'


def test_references_are_told_with_each_shorter_form(twinfra: Directory) -> None:
    twinfra.write(main_tf='variable "o" {\n  default = { a = 1 }\n}\noutput "o" {\n  value = var.o.a\n}\n')
    twinfra.ok("plan", "-out=p")
    shown = json.loads(twinfra.ok("show", "-json", "p").out)
    outputs = shown["configuration"]["root_module"]["outputs"]
    assert outputs["o"]["expression"]["references"] == ["var.o.a", "var.o"]


def shown_plan(twinfra: Directory, *flags: str) -> dict[str, Any]:
    """The JSON of a plan."""
    twinfra.ok("plan", "-out=p", *flags)
    shown: dict[str, Any] = json.loads(twinfra.ok("show", "-json", "p").out)
    return shown


def test_a_plan_as_json_has_the_values_of_variables_as_given(twinfra: Directory) -> None:
    twinfra.write(
        main_tf='variable "n" { type = number }\nvariable "s" { type = string }\nvariable "d" { default = 2 }\n',
        terraform_tfvars="s = 5\n",
    )
    assert shown_plan(twinfra, "-var", "n=3")["variables"] == {
        "d": {"value": 2},
        "n": {"value": "3"},
        "s": {"value": 5},
    }


def test_what_functions_give_is_no_constant_in_json(twinfra: Directory) -> None:
    twinfra.write(
        main_tf='resource "terraform_data" "a" {\n  for_each = toset(["x"])\n}\n'
        'resource "terraform_data" "b" {\n  count = 1 + 1\n}\n'
    )
    made, counted = shown_plan(twinfra)["configuration"]["root_module"]["resources"]
    assert "for_each_expression" not in made
    assert counted["count_expression"] == {"constant_value": 2}


def test_checks_as_json_come_in_the_order_of_their_addresses(twinfra: Directory) -> None:
    rule = 'condition = var.n > 0\nerror_message = "{var.n}"\n'.replace("{", "${")
    twinfra.write(
        main_tf='variable "n" {\n default = 1\n}\n'
        f'resource "terraform_data" "a" {{\n lifecycle {{\n precondition {{\n{rule}}}\n}}\n}}\n'
        f'output "o" {{\n value = 1\n precondition {{\n{rule}}}\n}}\n'
        f'check "c" {{\n assert {{\n{rule}}}\n}}\n'
    )
    checks = shown_plan(twinfra)["checks"]
    assert [one["address"]["to_display"] for one in checks] == ["check.c", "output.o", "terraform_data.a"]


def test_a_check_that_fails_tells_the_values_of_its_condition(twinfra: Directory) -> None:
    twinfra.write(
        main_tf='variable "n" {\n  default = 1\n}\n'
        'check "c" {\n  assert {\n    condition     = var.n > 1\n    error_message = "No."\n  }\n}\n'
    )
    events = [json.loads(line) for line in twinfra.ok("plan", "-json").out.splitlines()]
    (found,) = [one["diagnostic"] for one in events if one["type"] == "diagnostic"]
    assert found["snippet"]["values"] == [{"traversal": "var.n", "statement": "is 1"}]
    assert "├ var.n is 1" in twinfra.ok("plan").all


def test_an_error_of_a_call_has_its_signature_in_json(twinfra: Directory) -> None:
    twinfra.write(main_tf="locals {\n  x = upper([])\n}\n")
    (found,) = json.loads(twinfra("validate", "-json").out)["diagnostics"]
    assert found["snippet"]["function_call"] == {
        "called_as": "upper",
        "signature": {
            "name": "upper",
            "params": [{"name": "str", "type": "string"}],
            "return_type": "string",
        },
    }


def test_outputs_that_do_not_change_are_an_event_too(twinfra: Directory) -> None:
    twinfra.write(main_tf='output "o" {\n  value = 1\n}\n')
    twinfra.ok("apply", "-auto-approve")
    for flags in ((), ("-refresh-only",)):
        last = json.loads(twinfra.ok("plan", "-json", *flags).out.splitlines()[-1])
        assert last["outputs"] == {"o": {"sensitive": False, "action": "noop"}}


def test_a_plan_says_that_there_are_no_credentials(
    twinfra: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "TWINFRA_SANDBOX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    twinfra.write(
        main_tf='provider "aws" {\n  region = "us-east-1"\n}\nresource "aws_vpc" "v" {\n  cidr_block = "10.0.0.0/16"\n}\n'
    )
    ran = twinfra("plan")
    assert ran.code == 1
    assert "No usable AWS credentials" in ran.err
    assert "on main.tf line 1" in ran.err
