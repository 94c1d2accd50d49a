"""What a module's files declare."""

from __future__ import annotations

import json

import pytest
from tests.config.projects import Project

from twinfra.addresses import DATA, MANAGED, ProviderAddress, Resource
from twinfra.diagnostics import Severity
from twinfra.lang.nodes import Literal
from twinfra.values.types import DYNAMIC, NUMBER, STRING, ListType


def test_a_variable_with_everything(project: Project) -> None:
    root = project.root(
        """
        variable "names" {
          description = "The names."
          type        = list(string)
          default     = [1, "b"]
          sensitive   = true
          ephemeral   = false
          nullable    = false
          validation {
            condition     = length(var.names) > 0
            error_message = "At least one."
          }
        }
        variable "any" {}
        """
    )

    names = root.variables["names"]
    assert names.type == ListType(STRING)
    assert list(names.default) == ["1", "b"]
    assert (names.description, names.sensitive, names.nullable) == ("The names.", True, False)
    assert len(names.validations) == 1
    free = root.variables["any"]
    assert (free.type, free.type_given, free.has_default, free.nullable) == (DYNAMIC, False, False, True)


def test_defaults_of_optional_attributes_are_filled_into_the_default(project: Project) -> None:
    root = project.root(
        'variable "a" {\n type = object({ x = string, y = optional(number, 3) })\n default = { x = "1" }\n}\n'
    )

    assert root.variables["a"].default == {"x": "1", "y": 3}


def test_a_resource_with_everything(project: Project) -> None:
    root = project.root(
        """
        resource "terraform_data" "a" {
          count      = 2
          provider   = terraform.other
          depends_on = [terraform_data.b, data.x.y]
          input      = 1
          connection {
            host = "h"
          }
          provisioner "local-exec" {
            when       = destroy
            on_failure = continue
            command    = "true"
            connection {
              host = "h2"
            }
          }
          lifecycle {
            create_before_destroy = true
            prevent_destroy       = true
            ignore_changes        = [input, triggers_replace["a"]]
            replace_triggered_by  = [terraform_data.b[count.index].id]
            precondition {
              condition     = local.x == 1
              error_message = "no"
            }
            postcondition {
              condition     = self.id != ""
              error_message = "no"
            }
          }
        }
        """
    )

    resource = root.resources[Resource(MANAGED, "terraform_data", "a")]
    assert resource.count is not None
    assert resource.for_each is None
    assert resource.provider is not None
    assert (resource.provider.name, resource.provider.alias) == ("terraform", "other")
    assert [one.range.text for one in resource.depends_on] == ["terraform_data.b", "data.x.y"]
    assert list(resource.body.just_attributes()[0]) == ["input"]
    assert resource.connection is not None
    (provisioner,) = resource.provisioners
    assert (provisioner.type, provisioner.when, provisioner.on_failure) == (
        "local-exec",
        "destroy",
        "continue",
    )
    assert provisioner.connection is not None
    assert list(provisioner.body.just_attributes()[0]) == ["command"]
    lifecycle = resource.lifecycle
    assert lifecycle.create_before_destroy is True
    assert lifecycle.prevent_destroy
    assert lifecycle.prevent_destroy_range is not None
    assert [one.range.text for one in lifecycle.ignore_changes] == ["input", 'triggers_replace["a"]']
    assert [one.range.text for one in lifecycle.replace_triggered_by] == ["terraform_data.b[count.index].id"]
    assert (len(lifecycle.preconditions), len(lifecycle.postconditions)) == (1, 1)


def test_lifecycle_is_unset_where_it_is_not_written(project: Project) -> None:
    root = project.root('resource "terraform_data" "a" {}\n')

    lifecycle = root.resources[Resource(MANAGED, "terraform_data", "a")].lifecycle
    assert lifecycle.create_before_destroy is None
    assert not lifecycle.prevent_destroy


def test_ignore_changes_of_all(project: Project) -> None:
    root = project.root('resource "terraform_data" "a" {\n lifecycle {\n ignore_changes = all\n}\n}\n')

    assert root.resources[Resource(MANAGED, "terraform_data", "a")].lifecycle.ignore_all


def test_an_escape_block_holds_arguments_that_look_like_meta_arguments(project: Project) -> None:
    root = project.root('resource "x_y" "a" {\n b = 1\n _ {\n count = 2\n }\n}\n')

    resource = root.resources[Resource(MANAGED, "x_y", "a")]
    assert resource.count is None
    assert sorted(resource.body.just_attributes()[0]) == ["b", "count"]


def test_data_sources_outputs_and_locals(project: Project) -> None:
    root = project.root(
        """
        data "terraform_remote_state" "s" {
          backend = "local"
        }
        locals {
          a = 1
        }
        locals {
          b = local.a
        }
        output "o" {
          value       = local.b
          description = "d"
          sensitive   = true
          depends_on  = [data.terraform_remote_state.s]
          precondition {
            condition     = local.a > 0
            error_message = "no"
          }
        }
        """
    )

    assert Resource(DATA, "terraform_remote_state", "s") in root.resources
    assert list(root.locals) == ["a", "b"]
    output = root.outputs["o"]
    assert (output.description, output.sensitive, output.ephemeral) == ("d", True, False)
    assert (len(output.depends_on), len(output.preconditions)) == (1, 1)


def test_the_terraform_block(project: Project) -> None:
    root = project.root(
        """
        terraform {
          required_version = ">= 1.3, < 2.0"
          required_providers {
            aws = {
              source                = "hashicorp/aws"
              version               = "~> 6.0"
              configuration_aliases = [aws.west]
            }
            mine = {
              source = "Example.com/Team/thing"
            }
            old = "1.0"
          }
          backend "local" {
            path = "x"
          }
        }
        """
    )

    assert [text for text, _ in root.required_version] == [">= 1.3, < 2.0"]
    required = root.required_providers
    assert required["aws"].address == ProviderAddress("aws")
    assert required["aws"].constraint == "~> 6.0"
    assert [(one.name, one.alias) for one in required["aws"].aliases] == [("aws", "west")]
    assert required["mine"].address == ProviderAddress("thing", "team", "example.com")
    assert (required["old"].address, required["old"].constraint) == (ProviderAddress("old"), "1.0")
    assert root.backend is not None
    assert root.backend.type == "local"


def test_statements_about_what_exists(project: Project) -> None:
    root = project.root(
        """
        moved {
          from = module.a.terraform_data.x
          to   = terraform_data.y["k"]
        }
        removed {
          from = terraform_data.gone
          lifecycle {
            destroy = false
          }
        }
        import {
          for_each = toset(["a"])
          to       = terraform_data.new[each.key]
          id       = each.value
          provider = terraform.x
        }
        resource "terraform_data" "y" {
          for_each = toset(["k"])
        }
        check "c" {
          data "terraform_remote_state" "s" {
            backend = "local"
          }
          assert {
            condition     = data.terraform_remote_state.s.outputs != null
            error_message = "no"
          }
        }
        """
    )

    (moved,) = root.moved
    assert (moved.source.range.text, moved.target.range.text) == (
        "module.a.terraform_data.x",
        'terraform_data.y["k"]',
    )
    (removed,) = root.removed
    assert removed.destroy is False
    (imported,) = root.imports
    assert imported.to.range.text == "terraform_data.new[each.key]"
    assert imported.for_each is not None
    assert imported.provider is not None
    check = root.checks["c"]
    assert check.data is not None
    assert check.data.address == Resource(DATA, "terraform_remote_state", "s")
    assert check.data.address not in root.resources


def test_modules_and_providers(project: Project) -> None:
    root = project.root(
        {
            "main.tf": """
            provider "terraform" {
              alias = "x"
            }
            module "m" {
              source     = "./m"
              for_each   = toset(["a"])
              depends_on = [terraform_data.z]
              providers  = { terraform.inner = terraform.x }
              size       = 1
            }
            """,
            "m/main.tf": 'variable "size" {}\n',
        }
    )

    call = root.calls["m"]
    assert call.source == "./m"
    assert call.for_each is not None
    assert list(call.body.just_attributes()[0]) == ["size"]
    ((inner, outer),) = call.providers
    assert ((inner.name, inner.alias), (outer.name, outer.alias)) == (
        ("terraform", "inner"),
        ("terraform", "x"),
    )
    assert ("terraform", "x") in root.providers


def test_both_syntaxes_say_the_same(project: Project) -> None:
    root = project.root(
        {
            "main.tf.json": json.dumps(
                {
                    "//": "a comment",
                    "variable": {"a": {"type": "list(string)", "default": ["${not_read}"]}},
                    "resource": {
                        "terraform_data": {
                            "r": {
                                "input": "${var.a[0]}",
                                "depends_on": ["terraform_data.s"],
                                "lifecycle": {"ignore_changes": ["input"], "prevent_destroy": True},
                                "provisioner": [{"local-exec": {"command": "true", "when": "destroy"}}],
                            },
                            "s": [{"provider": "terraform.x"}],
                        }
                    },
                    "provider": {"terraform": [{}, {"alias": "x"}]},
                    "locals": [{"x": 1}, {"y": "${local.x}"}],
                    "moved": [{"from": "terraform_data.q", "to": "terraform_data.r"}],
                }
            )
        }
    )

    assert list(root.variables["a"].default) == ["${not_read}"]
    first = root.resources[Resource(MANAGED, "terraform_data", "r")]
    assert len(first.depends_on) == 1
    assert len(first.lifecycle.ignore_changes) == 1
    assert first.lifecycle.prevent_destroy
    assert first.provisioners[0].when == "destroy"
    second = root.resources[Resource(MANAGED, "terraform_data", "s")]
    assert second.provider is not None
    assert second.provider.alias == "x"
    assert set(root.providers) == {("terraform", ""), ("terraform", "x")}
    assert list(root.locals) == ["x", "y"]
    assert len(root.moved) == 1


@pytest.mark.parametrize(
    "override", ["override.tf", "b_override.tf", "override.tf.json", "b_override.tf.json"]
)
def test_override_files_come_last(project: Project, override: str) -> None:
    native = 'locals {\n a = 2\n}\nvariable "v" {\n default = "new"\n}\n'
    text = (
        json.dumps({"locals": {"a": 2}, "variable": {"v": {"default": "new"}}})
        if override.endswith("json")
        else native
    )
    root = project.root(
        {override: text, "z.tf": 'locals {\n a = 1\n b = 1\n}\nvariable "v" {\n description = "kept"\n}\n'}
    )

    assert isinstance(root.locals["a"].expression, Literal)
    assert root.locals["a"].expression.value == 2
    assert list(root.locals) == ["a", "b"]
    assert (root.variables["v"].default, root.variables["v"].description) == ("new", "kept")


def test_overriding_blocks_are_merged(project: Project) -> None:
    root = project.root(
        {
            "main.tf": """
            resource "x_y" "a" {
              count = 1
              kept  = 1
              size  = 1
              rule {
                port = 1
              }
              other {
                port = 1
              }
              lifecycle {
                prevent_destroy = true
              }
              provisioner "local-exec" {
                command = "old"
              }
            }
            variable "n" {
              type    = number
              default = 1
            }
            provider "x" {
              region = "old"
            }
            """,
            "override.tf": """
            resource "x_y" "a" {
              size = 2
              dynamic "rule" {
                for_each = [1]
                content {
                  port = 2
                }
              }
              lifecycle {
                create_before_destroy = true
              }
              provisioner "local-exec" {
                command = "new"
              }
            }
            variable "n" {
              type    = string
            }
            provider "x" {
              region = "new"
            }
            """,
        }
    )

    resource = root.resources[Resource(MANAGED, "x_y", "a")]
    assert resource.count is not None
    assert resource.lifecycle.prevent_destroy
    assert resource.lifecycle.create_before_destroy is True
    assert len(resource.provisioners) == 1
    from twinfra.lang.nodes import BlockShape, BodyShape

    content, problems = resource.body.content(
        BodyShape(
            {"kept": True, "size": True},
            (BlockShape("rule"), BlockShape("other"), BlockShape("dynamic", ("type",))),
        )
    )
    assert not problems
    assert content.attributes["size"].expression.range.text == "2"
    assert content.attributes["kept"].expression.range.text == "1"
    assert [one.type for one in content.blocks] == ["other", "dynamic"]
    assert (root.variables["n"].type, root.variables["n"].default) == (STRING, "1")
    region = root.providers[("x", "")].body.just_attributes()[0]["region"]
    assert region.expression.range.text == '"new"'


def test_the_type_of_a_variable_may_be_overridden_together_with_its_default(project: Project) -> None:
    root = project.root(
        {
            "main.tf": 'variable "n" {\n type = number\n default = 1\n}\n',
            "override.tf": 'variable "n" {\n default = 2\n}\n',
        }
    )

    assert (root.variables["n"].type, root.variables["n"].default) == (NUMBER, 2)


def test_files_that_editors_leave_behind_are_not_read(project: Project) -> None:
    root = project.root(
        {"main.tf": "", ".hidden.tf": "x", "#main.tf#": "x", "main.tf~": "x", "note.txt": "x"}
    )

    assert not root.variables


def test_a_version_we_do_not_fit_is_told_once_all_can_be_read(project: Project) -> None:
    version = 'terraform {\n  required_version = "~> 1.10.0"\n}\n'
    _, found = project.load(version + 'variable "a" {}\n')

    (one,) = found
    assert one.summary == "Unsupported version of the language"
    assert one.subject is not None
    assert one.subject.first.line == 2

    _, found = project.load(version + 'variable "a" {\n  new = 1\n}\n')

    assert [one.summary for one in found] == ["Unsupported argument"]


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ('resorce "a" "b" {}\n', 'Did you mean "resource"?'),
        ('variable "a" {\n  defualt = 1\n}\n', 'Did you mean "default"?'),
        (
            'resource "x_y" "a" {\n lifecycle {\n prevent_destory = true\n}\n}\n',
            'Did you mean "prevent_destroy"?',
        ),
        ("terraform {\n  required_provider {}\n}\n", 'Did you mean "required_providers"?'),
        ('variable "a" {\n  type = sting\n}\n', 'Did you mean "string"?'),
    ],
)
def test_misspelt_words_are_recognised(project: Project, text: str, mend: str) -> None:
    _, found = project.load(text)

    assert [one.mend for one in found] == [mend]


def test_a_cloud_block_is_refused(project: Project) -> None:
    _, found = project.load("terraform {\n  cloud {}\n}\n")

    assert [one.summary for one in found.errors] == ["No cloud block"]


def test_a_file_that_is_not_utf_8_is_named(project: Project) -> None:
    (project.directory / "bad.tf").write_bytes(b"# \xff\n")

    _, found = project.load("")

    (one,) = found
    assert one.severity is Severity.ERROR
    assert "bad.tf" in one.detail


def test_a_provisioner_at_destroy_time_cannot_read_other_things(project: Project) -> None:
    _, found = project.load(
        'resource "terraform_data" "a" {\n'
        '  provisioner "local-exec" {\n    when    = destroy\n    command = "${var.v} ${local.l} ${self.id}"\n'
        "    connection {\n      host = each.value\n    }\n  }\n"
        "  connection {\n    host = var.v\n    type = path.root\n  }\n}\n"
    )

    assert {one.summary for one in found} == {"A provisioner at destroy time can use only its own object"}
    assert [one.subject.first.line for one in found if one.subject is not None] == [4, 4, 6, 10]
