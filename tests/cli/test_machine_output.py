"""Documents and events for programs, in the details in which stock Terraform writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cli.conftest import Directory

REQUIRED = """
terraform {
  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform"
    }
  }
}
"""
MODULE = 'resource "terraform_data" "x" {}\n'


def plan_document(twinfra: Directory, *flags: str) -> dict[str, Any]:
    """The JSON of a plan."""
    twinfra.ok("plan", "-out=p", *flags)
    shown: dict[str, Any] = json.loads(twinfra.ok("show", "-json", "p").out)
    return shown


def events(text: str) -> list[dict[str, Any]]:
    """The events of a command."""
    return [json.loads(line) for line in text.splitlines()]


def nested_modules(twinfra: Directory, root: str) -> None:
    """A root module, `inner` with one resource, and `outer` that only calls `inner`."""
    (twinfra.path / "inner").mkdir()
    (twinfra.path / "outer").mkdir()
    (twinfra.path / "inner" / "main.tf").write_text(MODULE)
    (twinfra.path / "outer" / "main.tf").write_text('module "inner" {\n  source = "../inner"\n}\n')
    twinfra.write(main_tf=root)


def test_changes_are_in_the_order_of_their_modules_depths(twinfra: Directory) -> None:
    nested_modules(
        twinfra,
        'module "a" {\n  source = "./outer"\n}\nmodule "b" {\n  source = "./inner"\n  count = 11\n}\n'
        + MODULE,
    )
    found = [one["address"] for one in plan_document(twinfra)["resource_changes"]]
    counted = [f"module.b[{index}].terraform_data.x" for index in range(11)]
    assert found == ["terraform_data.x", *counted, "module.a.module.inner.terraform_data.x"]


def test_planned_values_are_in_the_order_of_their_addresses_as_text(twinfra: Directory) -> None:
    twinfra.write(main_tf='resource "terraform_data" "x" {\n  count = 11\n}\n')
    resources = plan_document(twinfra)["planned_values"]["root_module"]["resources"]
    assert [one["index"] for one in resources[:3]] == [0, 10, 1]


def test_a_module_that_uses_no_provider_hands_none_on(twinfra: Directory) -> None:
    nested_modules(twinfra, 'module "a" {\n  source = "./outer"\n}\n' + MODULE)
    shown = plan_document(twinfra)["configuration"]
    assert shown["provider_config"] == {
        "module.a.module.inner:terraform": {
            "name": "terraform",
            "full_name": "terraform.io/builtin/terraform",
            "module_address": "module.a.module.inner",
        },
        "terraform": {"name": "terraform", "full_name": "terraform.io/builtin/terraform"},
    }
    inner = shown["root_module"]["module_calls"]["a"]["module"]["module_calls"]["inner"]["module"]
    assert inner["resources"][0]["provider_config_key"] == "module.a.module.inner:terraform"


def test_what_a_module_is_given_is_the_callers_provider(twinfra: Directory) -> None:
    (twinfra.path / "inner").mkdir()
    (twinfra.path / "inner" / "main.tf").write_text(REQUIRED + MODULE)
    twinfra.write(
        main_tf=REQUIRED + 'provider "terraform" {\n  alias = "other"\n}\n'
        'module "a" {\n  source = "./inner"\n  providers = { terraform = terraform.other }\n}\n'
    )
    shown = plan_document(twinfra)["configuration"]
    assert "module.a:terraform" not in shown["provider_config"]
    (resource,) = shown["root_module"]["module_calls"]["a"]["module"]["resources"]
    assert resource["provider_config_key"] == "terraform.other"


def test_blocks_are_told_as_their_schema_collects_them(twinfra: Directory) -> None:
    twinfra.write(
        main_tf='resource "aws_vpc_security_group_ingress_rule" "unused" {\n  count = 0\n'
        '  security_group_id = "sg-1"\n  ip_protocol = "-1"\n  cidr_ipv4 = "10.0.0.0/8"\n}\n'
        'resource "aws_eks_cluster" "c" {\n  count = 0\n  name = "c"\n  role_arn = "arn:aws:iam::1:role/r"\n'
        '  vpc_config {\n    subnet_ids = ["a"]\n  }\n'
        '  dynamic "encryption_config" {\n    for_each = []\n    content {\n      resources = ["secrets"]\n'
        '      provider {\n        key_arn = "k"\n      }\n    }\n  }\n'
        '  timeouts {\n    create = "1h"\n  }\n}\n'
        'resource "aws_instance" "i" {\n  count = 0\n  ami = "ami-1"\n  instance_type = "t3.micro"\n'
        "  root_block_device {\n    volume_size = 8\n  }\n}\n"
        'provider "aws" {\n  region = "us-east-1"\n  access_key = "a"\n  secret_key = "b"\n}\n'
    )
    cluster, instance, _ = plan_document(twinfra)["configuration"]["root_module"]["resources"]
    assert instance["expressions"]["root_block_device"] == [{"volume_size": {"constant_value": 8}}]
    assert cluster["expressions"]["vpc_config"] == [{"subnet_ids": {"constant_value": ["a"]}}]
    assert cluster["expressions"]["timeouts"] == {"create": {"constant_value": "1h"}}
    assert "dynamic" not in cluster["expressions"]


def test_the_data_source_of_a_check_is_a_resource_of_the_configuration(twinfra: Directory) -> None:
    twinfra.write(
        main_tf='check "c" {\n  data "terraform_remote_state" "r" {\n    backend = "local"\n'
        '    config = { path = "nowhere" }\n  }\n  assert {\n'
        '    condition = data.terraform_remote_state.r.outputs == {}\n    error_message = "m"\n  }\n}\n'
    )
    shown = plan_document(twinfra)
    (resource,) = shown["configuration"]["root_module"]["resources"]
    assert resource["address"] == "data.terraform_remote_state.r"
    (problem,) = shown["checks"][0]["instances"][0]["problems"]
    assert "nowhere" in problem["message"]


def test_every_reference_is_told_however_often_it_is_made(twinfra: Directory) -> None:
    twinfra.write(main_tf='variable "v" {\n  default = 1\n}\noutput "o" {\n  value = [var.v, var.v]\n}\n')
    outputs = plan_document(twinfra)["configuration"]["root_module"]["outputs"]
    assert outputs["o"]["expression"] == {"references": ["var.v", "var.v"]}


def test_what_will_be_forgotten_is_planned_without_values(twinfra: Directory) -> None:
    twinfra.write(main_tf=MODULE)
    twinfra.ok("apply", "-auto-approve")
    twinfra.write(
        main_tf="removed {\n  from = terraform_data.x\n  lifecycle {\n    destroy = false\n  }\n}\n"
    )
    (resource,) = plan_document(twinfra)["planned_values"]["root_module"]["resources"]
    assert resource["address"] == "terraform_data.x"
    assert "values" not in resource


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "-json", "-bad"),
        ("plan", "-json", "-parallelism=x"),
        ("plan", "-json", "-lock-timeout=soon"),
        ("apply", "-json", "-auto-approve", "x", "y"),
        ("apply", "-json"),
        ("refresh", "-json", "-bad"),
    ],
)
def test_readers_of_events_are_told_of_wrong_usage_too(
    twinfra: Directory, arguments: tuple[str, ...]
) -> None:
    ran = twinfra(*arguments)
    assert ran.code == 1
    assert ran.err == ""
    version, problem = events(ran.out)
    assert version["type"] == "version"
    assert problem["diagnostic"]["severity"] == "error"


def test_destroy_tells_no_outputs(twinfra: Directory) -> None:
    twinfra.write(main_tf=MODULE)
    twinfra.ok("apply", "-auto-approve")
    told = events(twinfra.ok("destroy", "-auto-approve", "-json").out)
    assert [one["type"] for one in told][-1] == "change_summary"


def test_refresh_tells_what_it_reads_and_the_outputs_and_no_plan(twinfra: Directory) -> None:
    twinfra.write(main_tf=MODULE + 'output "o" {\n  value = 1\n}\n')
    twinfra.ok("apply", "-auto-approve")
    told = events(twinfra.ok("refresh", "-json").out)
    assert [one["type"] for one in told] == ["version", "refresh_start", "refresh_complete", "outputs"]
    assert told[-1]["outputs"] == {"o": {"sensitive": False, "type": "number", "value": 1}}


def test_a_failed_provisioner_is_told_with_the_address_of_its_object(twinfra: Directory) -> None:
    twinfra.write(
        main_tf='resource "terraform_data" "x" {\n'
        '  provisioner "local-exec" {\n    command = "exit 3"\n    quiet = true\n  }\n}\n'
    )
    told = events(twinfra("apply", "-auto-approve", "-json").out)
    (problem,) = [one["diagnostic"] for one in told if one["type"] == "diagnostic"]
    assert problem["address"] == "terraform_data.x"
    (line,) = [one["hook"]["output"] for one in told if one["type"] == "provision_progress"]
    assert line == "local-exec: Executing: Suppressed by quiet=true"


def test_functions_are_described_by_the_command_of_terraform(twinfra: Directory) -> None:
    described = json.loads(twinfra.ok("metadata", "functions", "-json").out)
    assert described["format_version"] == "1.0"
    assert described["function_signatures"]["abs"]["return_type"] == "number"
    assert twinfra("metadata", "functions").code == 1


def test_an_import_tells_that_the_object_is_read(twinfra: Directory) -> None:
    twinfra.write(main_tf=MODULE + 'import {\n  to = terraform_data.x\n  id = "abc"\n}\n')
    told = events(twinfra.ok("plan", "-json").out)
    assert [one["type"] for one in told][1:3] == ["refresh_start", "refresh_complete"]
    assert told[2]["hook"]["id_value"] == "abc"


def test_a_diagnostic_points_at_what_stock_terraform_points_at(twinfra: Directory) -> None:
    twinfra.write(main_tf='output "a" {}\noutput "b" { valu = 1 }\nlocals {\n  c = jsondecode("{")\n}\n')
    found = json.loads(twinfra("validate", "-json").out)["diagnostics"]
    places = {(one["range"]["start"]["column"], one["range"]["end"]["column"]) for one in found}
    assert places == {(12, 13), (14, 15), (14, 18)}
    assert found[0]["snippet"]["context"] == 'output "a"'
    twinfra.write(main_tf='locals {\n  c = jsondecode("{")\n  d = upper([])\n}\n')
    found = json.loads(twinfra("validate", "-json").out)["diagnostics"]
    places = {(one["range"]["start"]["column"], one["range"]["end"]["column"]) for one in found}
    assert places == {(7, 18), (13, 14)}


BROKEN = """
resource "terraform_data" "b" {
  input = terraform_data.x.input
  lifecycle {
    precondition {
      condition     = terraform_data.x.input == 2
      error_message = "no"
    }
  }
}
"""


def test_a_plan_with_errors_is_saved_to_be_looked_at(twinfra: Directory) -> None:
    twinfra.write(main_tf=MODULE + BROKEN)
    assert twinfra("plan", "-out=p").code == 1
    shown = json.loads(twinfra.ok("show", "-json", "p").out)
    assert [one["address"] for one in shown["resource_changes"]] == ["terraform_data.x"]
    assert (shown["applyable"], shown["complete"], shown["errored"]) == (False, False, True)
    assert "cannot be applied" in twinfra.ok("show", "p").out


def test_a_saved_plan_with_errors_is_not_applied(twinfra: Directory) -> None:
    twinfra.write(main_tf=MODULE + BROKEN)
    twinfra("plan", "-out=p")
    ran = twinfra("apply", "p")
    assert ran.code == 1
    assert "Saved plan has errors" in ran.err
    assert not (twinfra.path / "terraform.tfstate").exists()


def test_json_is_escaped_as_stock_terraform_escapes_it(twinfra: Directory) -> None:
    twinfra.write(main_tf='output "o" {\n  value = { "k<>&" = "<a>&\\u2028\\u2029 é", f = 1.5 }\n}\n')
    twinfra.ok("apply", "-auto-approve")
    shown = twinfra.ok("output", "-json", "o").out
    assert shown == '{"f":1.5,"k\\u003c\\u003e\\u0026":"\\u003ca\\u003e\\u0026\\u2028\\u2029 é"}\n'


def test_keys_with_characters_that_cannot_be_printed_are_escaped_in_addresses(twinfra: Directory) -> None:
    twinfra.write(main_tf='resource "terraform_data" "x" {\n  for_each = toset(["$${a}\\u0001\\u00a0"])\n}\n')
    twinfra.ok("apply", "-auto-approve")
    (address,) = twinfra.ok("state", "list").out.splitlines()
    assert address == 'terraform_data.x["$${a}\\u0001\\u00a0"]'
    assert twinfra.ok("state", "show", address).out.startswith(f"# {address}:")
