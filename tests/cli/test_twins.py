"""`twinfra twins`: two environments of a project, side by side."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

PROJECT = """
[environments.staging]
variables = { env = "staging", size = 1 }
[environments.production]
variables = { env = "production", size = 2 }
twin_of = "staging"
[twins]
parameters = ["env"]
"""
CONFIG = """
variable "env" { type = string }
variable "size" { type = number }
variable "token" {
  default   = "none"
  sensitive = true
}
locals { name = "name-${var.env}" }
resource "terraform_data" "named" { input = local.name }
resource "terraform_data" "counted" {
  count = var.size
  input = "same"
}
output "name" { value = terraform_data.named.input }
"""
TWINS = PROJECT.replace('["env"]', '["env", "size"]')


@pytest.fixture
def project(twinfra: Any) -> Any:
    """A directory with a project of two environments, which are no twins."""
    twinfra.write(twinfra_toml=PROJECT, main_tf=CONFIG)
    return twinfra


def test_without_names_the_environment_in_use_is_one_of_the_two(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = '[environments.canary]\nvariables = { env = "canary", size = 1 }\ntwin_of = "staging"\n'
    project.write(twinfra_toml=PROJECT + third)
    assert "Name both" in project("twins").err
    assert project.ok("twins", "-env", "canary").out.endswith("staging and canary are twins.\n")
    monkeypatch.setenv("TWINFRA_ENV", "canary")
    assert project.ok("twins").out.endswith("staging and canary are twins.\n")
    assert "staging and production are not twins" in project("twins", "staging", "production").out


def test_numbers_of_any_kind_are_exact_in_the_json(project: Any) -> None:
    numbers = PROJECT.replace("size = 1", "size = 1, share = 0.5")
    project.write(
        twinfra_toml=numbers.replace("size = 2", "size = 2, share = 123456789012345678901234567890.25"),
        main_tf=CONFIG + 'variable "share" {}\noutput "share" { value = var.share }\n',
    )
    told = '[{"value":0.5},{"value":123456789012345678901234567890.25}]'
    ran = project("twins", "-json")
    assert ran.code == 2
    assert f'"name":"var.share","parameter":"share","values":{told}' in ran.out
    assert f'"address":"output.share","path":"","values":{told}' in ran.out
    for name in ("staging", "production"):
        project.ok("apply", "-auto-approve", "-env", name)
    assert f'"address":"output.share","path":"","values":{told}' in project("twins", "-deployed", "-json").out


def test_an_environment_that_is_not_compared_is_refused(project: Any) -> None:
    ran = project("twins", "staging", "production", "-env", "staging")
    assert ran.code == 2
    project.write(twinfra_toml=PROJECT + "[environments.canary]\n")
    ran = project("twins", "staging", "production", "-env", "canary")
    assert ran.code == 1
    assert "-env canary has no place here: staging and production are compared." in ran.err
    ran = project("twins", "production", "-env", "canary")
    assert "-env canary has no place here: production is compared." in ran.err


def test_what_no_parameter_explains_is_a_finding_and_the_exit_code_2(project: Any) -> None:
    ran = project("twins", "staging", "production")
    assert ran.code == 2
    assert ran.out == (
        "                                        staging              production\n"
        "Inputs that differ\n"
        '  var.env                               "staging"            "production"\n'
        "! var.size                              1                    2\n"
        "    ! is no declared parameter\n"
        "\n"
        "Findings: differences that no declared parameter explains\n"
        "  terraform_data.counted[1]\n"
        "    only production has it\n"
        "      because of var.size\n"
        "\n"
        "Outfits: what declared parameters change\n"
        "  output.name\n"
        '    value                               "name-staging"       "name-production"\n'
        "      because of var.env, by terraform_data.named (main.tf:9), local.name\n"
        "        (main.tf:8)\n"
        "  terraform_data.named\n"
        '    input                               "name-staging"       "name-production"\n'
        "      because of var.env, by local.name (main.tf:8)\n"
        "\n"
        "Notes\n"
        "  var.size differs, and is no declared parameter.\n"
        "\n"
        "2 objects compared, 1 of them differs in something.\n"
        "staging and production are not twins: 1 finding.\n"
    )


def test_twins_have_the_exit_code_0(project: Any) -> None:
    project.write(twinfra_toml=TWINS)
    assert project.ok("twins", "staging", "production").out.endswith("staging and production are twins.\n")


def test_the_second_environment_or_both_are_known_from_what_is_declared(project: Any) -> None:
    project.write(twinfra_toml=TWINS)
    for names in ((), ("production",), ("staging",)):
        assert "staging and production are twins." in project.ok("twins", *names).out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("staging", "produktion"), 'Did you mean "production"?'),
        (("staging", "staging"), "staging is compared with itself"),
        (("-refresh=false",), "-refresh=false goes with -deployed"),
        (("-deployed",), "Nothing is deployed"),
    ],
)
def test_wrong_usage_is_an_error_with_the_mend(project: Any, arguments: tuple[str, ...], told: str) -> None:
    ran = project("twins", *arguments)
    assert ran.code == 1
    assert told in ran.err


def test_without_a_project_there_is_nothing_to_compare(twinfra: Any) -> None:
    twinfra.write(main_tf=CONFIG)
    ran = twinfra("twins", "staging", "production")
    assert ran.code == 1
    assert "No twinfra.toml" in ran.err


def test_an_environment_without_a_needed_value_is_named(project: Any) -> None:
    project.write(twinfra_toml=PROJECT.replace(", size = 2", ""))
    ran = project("twins")
    assert ran.code == 1
    assert "In environment production: " in ran.err
    assert "size" in ran.err


def test_the_json_tells_all_of_it(project: Any) -> None:
    ran = project("twins", "-json")
    assert ran.code == 2
    document = json.loads(ran.out)
    assert document["environments"] == ["staging", "production"]
    assert document["twins"] is False
    assert document["compared"] == {"objects": 2, "differing": 1}
    assert document["inputs"][1] == {
        "name": "var.size",
        "parameter": "size",
        "values": [{"value": 1}, {"value": 2}],
        "declared": False,
        "effects": 1,
    }
    (finding,) = document["findings"]
    assert (finding["kind"], finding["address"]) == ("instance", "terraform_data.counted[1]")
    assert finding["values"] == [{"absent": True}, {"present": True}]
    outfit = document["outfits"][1]
    assert outfit["causes"] == [
        {
            "input": "var.env",
            "through": [
                {"name": "local.name", "place": "main.tf:8"},
                {"name": "var.env", "place": "main.tf:2"},
            ],
        }
    ]
    assert document["notes"][0]["kind"] == "undeclared"


def test_no_secret_is_printed_in_any_form(project: Any) -> None:
    project.write(
        twinfra_toml=PROJECT.replace("size = 1", 'size = 1, token = "hunter2"').replace(
            "size = 2", 'size = 2, token = "correct-horse"'
        ),
        more_tf='resource "terraform_data" "secret" { input = { both = "x-${var.token}" } }',
    )
    printed = project("twins", "-html=page.html").out + project("twins", "-json").out
    printed += (project.path / "page.html").read_text("utf-8")
    assert "(sensitive)" in printed
    assert '"sensitive":true' in printed
    assert "hunter2" not in printed
    assert "correct-horse" not in printed


def test_many_instances_of_a_block_are_one_row_and_no_line_is_too_long(project: Any) -> None:
    project.write(
        more_tf="""
        resource "terraform_data" "many" {
          for_each = toset([for n in range(50) : "a-rather-long-key-of-an-instance-number-${n}"])
          input    = { description = "${join(" ", [for n in range(40) : "word"])} ${var.env} ${each.key}" }
        }
        """
    )
    out = project("twins").out
    assert "and 49 more" in out
    assert all(len(line) <= 80 for line in out.splitlines()), max(out.splitlines(), key=len)
    assert re.search(r"staging     ….*word staging a-rather", out)


def test_a_finding_is_listed_where_only_what_it_follows_from_is_allowed(project: Any) -> None:
    project.write(
        twinfra_toml=PROJECT
        + """
        [[twins.allow]]
        path = "provider[*].default_tags"
        parameters = ["env"]
        reason = "Tags may differ."
        """,
        main_tf="""
        variable "env" {}
        variable "size" {}
        provider "aws" {
          region = "us-east-1"
          default_tags {
            tags = { Environment = var.env }
          }
        }
        resource "aws_s3_bucket" "it" { bucket = "it" }
        """,
    )
    ran = project("twins", "-json")
    document = json.loads(ran.out)
    assert [one["path"] for one in document["outfits"]] == ['default_tags[0].tags["Environment"]']
    (finding,) = document["findings"]
    assert finding["path"] == 'tags_all["Environment"]'
    out = project("twins").out
    assert 'tags_all["Environment"]' in out
    assert out.endswith("staging and production are not twins: 1 finding.\n")


def test_what_is_not_known_yet_is_said_to_be_made_of_what_differs(project: Any) -> None:
    project.write(
        more_tf='resource "terraform_data" "open" { input = upper("${terraform_data.named.id}${var.env}") }'
    )
    assert "known only after an apply, and made of what differs" in project("twins").out


def test_deployed_environments_are_compared_up_to_generated_identifiers(project: Any) -> None:
    project.write(
        twinfra_toml=TWINS,
        more_tf='resource "terraform_data" "reader" { input = "reads ${terraform_data.named.id}" }',
    )
    for name in ("staging", "production"):
        project.ok("apply", "-auto-approve", "-env", name)
    ran = project.ok("twins", "-deployed", "-json")
    document = json.loads(ran.out)
    assert document["deployed"] is True
    assert document["compared"]["objects"] == 3
    assert {(one["address"], one["path"]) for one in document["outfits"]} == {
        ("terraform_data.counted[1]", ""),
        ("terraform_data.named", "input"),
        ("terraform_data.named", "output"),
        ("output.name", ""),
    }


def test_what_was_deployed_otherwise_is_a_finding_without_a_cause(project: Any) -> None:
    project.write(twinfra_toml=TWINS)
    project.ok("apply", "-auto-approve", "-env", "staging")
    project.write(main_tf=CONFIG.replace('input = "same"', 'input = "other"'))
    project.ok("apply", "-auto-approve", "-env", "production")
    ran = project("twins", "-deployed", "-refresh=false")
    assert ran.code == 2
    found = ran.out.partition("Findings")[2].partition("Outfits")[0]
    assert "terraform_data.counted[0]" in found
    assert '"same"               "other"' in found
    assert "nothing in the code or its inputs makes them differ" in found


def test_secrets_in_states_are_compared_and_not_shown(project: Any) -> None:
    project.write(
        twinfra_toml=PROJECT.replace("size = 1", 'size = 1, token = "hunter2"').replace(
            "size = 2", 'size = 1, token = "correct-horse"'
        ),
        more_tf='resource "terraform_data" "secret" { input = "x-${var.token}" }',
    )
    for name in ("staging", "production"):
        project.ok("apply", "-auto-approve", "-env", name)
    for options in ((), ("-json",)):
        ran = project("twins", "-deployed", "-refresh=false", *options)
        assert ran.code == 2
        assert "terraform_data.secret" in ran.out
        assert "hunter2" not in ran.all
        assert "hmac" not in ran.all


def test_the_example_platform_is_a_pair_of_twins_without_network_or_credentials(
    twinfra: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("a call to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(Path(__file__).parents[2] / "examples" / "ml-platform")
    out = twinfra.ok("twins", "staging", "production").out
    assert "scaling_config.max_size             2                    16" in out
    assert out.endswith("staging and production are twins.\n")
