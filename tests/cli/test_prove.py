"""`twinfra prove`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

STEADY = """
variable "size" {
  default = 2
}
resource "terraform_data" "a" {
  count = var.size
  input = "a${count.index}"
}
resource "terraform_data" "b" {
  input = terraform_data.a[*].id
}
output "ids" {
  value = { for one in terraform_data.a : one.input => one.id }
}
"""


def prove(twinfra: Any, *options: str) -> dict[str, Any]:
    ran = twinfra("prove", "-json", *options)
    found: dict[str, Any] = json.loads(ran.out)
    assert ran.code == (0 if found["proven"] else 2)
    return found


def findings(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{one['kind']} {one['what']}": one for one in document["findings"]}


def test_what_follows_from_code_and_inputs_is_proven(twinfra: Any) -> None:
    twinfra.write(main_tf=STEADY)
    found = prove(twinfra)
    assert found["proven"]
    assert found["findings"] == []
    assert found["states"][0] == found["states"][1]
    assert [one["resources"] for one in found["builds"]] == [3, 3]
    assert [one["parallelism"] for one in found["builds"]] == [1, 32]
    assert found["second_plan"] == {"changes": 0}
    assert found["refreshes"] == {"count": 3, "changes": 0}


def test_the_digests_are_those_that_fingerprint_gives(twinfra: Any) -> None:
    twinfra.write(main_tf=STEADY)
    twinfra.ok("apply", "-auto-approve", "-var", "size=3")
    found = prove(twinfra, "-var", "size=3")
    ours = json.loads(twinfra.ok("fingerprint", "-json", "-var", "size=3").out)
    assert [found["code"], found["inputs"], found["states"][0]] == list(ours.values())


def test_nothing_of_the_working_directory_is_touched(twinfra: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(twinfra.path / "tmp"))
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    (twinfra.path / "tmp").mkdir()
    twinfra.write(main_tf=STEADY)
    twinfra.ok("apply", "-auto-approve")
    before = {path: path.read_bytes() for path in twinfra.path.rglob("*") if path.is_file()}
    prove(twinfra)
    after = {path: path.read_bytes() for path in twinfra.path.rglob("*") if path.is_file()}
    assert after == before


def test_a_function_that_breaks_it_is_named_where_it_stands_and_where_it_shows(twinfra: Any) -> None:
    twinfra.write(
        main_tf='locals {\n  year = formatdate("YYYY", timestamp())\n}\n'
        'resource "terraform_data" "a" {\n  input = local.year\n}\n'
    )
    document = prove(twinfra)
    found = findings(document)
    function = found["function timestamp()"]
    assert function["place"] == {"file": "main.tf", "line": 2}
    assert not function["measured"]
    shown = found["attribute terraform_data.a.input.value"]
    assert shown["place"] == {"file": "main.tf", "line": 5}
    assert shown["measured"]
    assert shown["values"][0] != shown["values"][1]
    assert "timestamp(), at main.tf:2" in shown["why"]
    assert "repeats" in found["attribute terraform_data.a.output.value"]["why"]
    assert "plan terraform_data.a" in found
    assert document["second_plan"]["changes"] == 2  # one of each build


def test_a_secret_that_differs_is_not_shown(twinfra: Any) -> None:
    twinfra.write(main_tf='resource "terraform_data" "a" {\n  input = sensitive(uuid())\n}\n')
    ran = twinfra("prove")
    assert ran.code == 2
    assert "(sensitive)" in ran.out


def test_an_output_that_differs_is_named(twinfra: Any) -> None:
    twinfra.write(main_tf='output "o" {\n  value = uuid()\n}\n')
    found = findings(prove(twinfra))["output output.o"]
    assert "uuid()" in found["why"]


def test_how_many_there_are_may_differ(twinfra: Any) -> None:
    twinfra.write(
        main_tf='resource "terraform_data" "a" {\n'
        '  count = formatdate("YYYY", plantimestamp()) == formatdate("YYYY", "${plantimestamp()}") ? '
        'tonumber(formatdate("YYYY", plantimestamp())) - 2024 : 1\n}\n'
    )
    found = findings(prove(twinfra))
    assert any(name.startswith("resource terraform_data.a[") for name in found)


def test_provisioners_are_not_run(twinfra: Any) -> None:
    twinfra.write(
        main_tf='resource "terraform_data" "a" {\n  provisioner "local-exec" {\n    command = "touch ran"\n  }\n}\n'
    )
    assert "provisioner terraform_data.a: local-exec" in findings(prove(twinfra))
    assert not Path("ran").exists()


def test_what_cannot_be_built_is_an_error(twinfra: Any) -> None:
    twinfra.write(main_tf='resource "terraform_data" "a" {\n  input = file("nothing")\n}\n')
    ran = twinfra("prove")
    assert ran.code == 1
    assert "nothing" in ran.err
    ran = twinfra("prove", "-json")
    assert ran.code == 1
    assert json.loads(ran.out)["proven"] is None


def test_what_cannot_be_loaded_is_told_with_what_the_code_says(twinfra: Any) -> None:
    twinfra.write(main_tf='module "m" {\n  source = "a/b/aws"\n}\n')
    ran = twinfra("prove")
    assert ran.code == 1
    assert "No exact version" in ran.out
    assert "Unsupported module source" in ran.err


def test_what_a_missing_provider_would_make_at_random_is_told_all_the_same(twinfra: Any) -> None:
    twinfra.write(main_tf='resource "random_id" "a" {\n  byte_length = 4\n}\n')
    ran = twinfra("prove")
    assert ran.code == 1
    assert "Without keepers" in ran.out.replace("\n  ", " ")
    assert "Provider not available" in ran.err
    document = json.loads(twinfra("prove", "-json").out)
    assert document["proven"] is None
    assert list(findings(document)) == ["random random_id.a"]


def test_text_fits_and_tells_the_verdict(twinfra: Any) -> None:
    twinfra.write(main_tf=STEADY)
    ran = twinfra.ok("prove", "-refreshes", "1")
    assert "Proven: code and inputs determine what is built." in ran.out
    assert "1 each: no drift" in ran.out
    twinfra.write(main_tf=STEADY + 'resource "terraform_data" "c" {\n  input = uuid()\n}\n')
    ran = twinfra("prove")
    assert "Not proven" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_a_rule_of_the_project_leaves_an_attribute_out_of_what_is_compared(twinfra: Any) -> None:
    rule = '[[fingerprint.volatile]]\npath = "terraform_data.*.{}"\nreason = "random on purpose"\n'
    twinfra.write(
        main_tf='resource "terraform_data" "a" {\n  input = uuid()\n  lifecycle {\n    ignore_changes = [input]\n  }\n}\n',
        twinfra_toml=rule.format("input") + rule.format("output"),
    )
    document = prove(twinfra)
    assert document["states"][0] == document["states"][1]
    assert list(findings(document)) == ["function uuid()"]


def test_the_inputs_are_those_of_the_environment(twinfra: Any) -> None:
    twinfra.write(main_tf=STEADY, twinfra_toml="[environments.big]\nvariables = { size = 5 }\n")
    assert prove(twinfra, "-env", "big")["builds"][0]["resources"] == 6
    assert not (twinfra.path / ".terraform").exists()


def answering_otherwise() -> str:
    """A configuration whose data source reads another state in the second build, whatever day it is."""
    other = '{{"version":4,"serial":1,"lineage":"a","outputs":{{"x":{{"value":"{}","type":"string"}}}},"resources":[]}}'
    Path("other0.tfstate").write_text(other.format("early"))
    Path("other1.tfstate").write_text(other.format("late"))
    between = (datetime.now(UTC) + timedelta(days=200)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"""
data "terraform_remote_state" "other" {{
  backend = "local"
  config  = {{ path = "other${{timecmp(plantimestamp(), "{between}") < 0 ? 0 : 1}}.tfstate" }}
}}
resource "terraform_data" "a" {{
  input = data.terraform_remote_state.other.outputs.x
}}
"""


def test_a_data_source_that_answers_otherwise_is_named(twinfra: Any, tmp_path: Path) -> None:
    twinfra.write(main_tf=answering_otherwise())
    found = findings(prove(twinfra))
    assert found["data data.terraform_remote_state.other"]["measured"]
    shown = found["attribute terraform_data.a.input.value"]
    assert sorted(shown["values"]) == ['"early"', '"late"']
    assert "data.terraform_remote_state.other, which found something else" in shown["why"]


def test_a_data_source_in_a_module_with_a_key_is_the_one_that_the_code_names(twinfra: Any) -> None:
    twinfra.write(main_tf='module "m" {\n  source = "./m"\n  for_each = { "a.b" = 1 }\n}\n')
    Path("m").mkdir()
    Path("m/main.tf").write_text(answering_otherwise())
    found = findings(prove(twinfra))
    assert [one for one in found if one.startswith("data ")] == [
        'data module.m["a.b"].data.terraform_remote_state.other'
    ]
    shown = found['attribute module.m["a.b"].terraform_data.a.input.value']
    assert "module.m.data.terraform_remote_state.other, which found something else" in shown["why"]


def test_a_number_of_refreshes_must_make_sense(twinfra: Any) -> None:
    assert twinfra("prove", "-refreshes", "-1").code == 1


@pytest.mark.emulator
def test_in_the_cloud_identifiers_order_and_clock_make_no_difference(twinfra: Any) -> None:
    twinfra.write(
        main_tf="""
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "s" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  availability_zone = "us-east-1a"
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
}
resource "aws_iam_role" "r" {
  name_prefix        = "r-"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
  tags = { vpc = aws_vpc.main.id }
}
resource "aws_security_group" "default" {
  name = "in-the-default-network"
}
"""
    )
    document = prove(twinfra, "-refreshes", "1")
    assert document["builds"][0]["time"][:4] != document["builds"][1]["time"][:4]
    # The network of the account is no input: the one thing that is not determined here.
    assert list(findings(document)) == ["attribute aws_security_group.default.vpc_id"]
    assert document["refreshes"]["changes"] == 0
    assert not (twinfra.path / ".twinfra").exists()


def test_the_function_that_is_named_is_the_one_of_that_entry(twinfra: Any) -> None:
    twinfra.write(
        main_tf='resource "terraform_data" "a" {\n'
        "  input = {\n    at = plantimestamp()\n    id = uuid()\n    in = { list = [1], of = uuid() }\n  }\n}\n"
    )
    found = findings(prove(twinfra))
    for name, function, line in (("at", "plantimestamp", 3), ("id", "uuid", 4), ("in.of", "uuid", 5)):
        shown = found[f"attribute terraform_data.a.input.value.{name}"]
        assert f"comes from {function}(), at main.tf:{line}" in shown["why"]
        assert shown["place"]["line"] == line
