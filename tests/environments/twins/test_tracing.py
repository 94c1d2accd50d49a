"""Each difference is traced to the inputs that make it, and to no others."""

from __future__ import annotations

import pytest
from tests.environments.twins.pairs import MEMORY_SETTINGS, Pair, causes, entry, texts

from twinfra.environments.twins.report import Kind

ONE = """
variable "x" {}
variable "y" {}
variable "z" { default = "" }
resource "terraform_data" "it" {
  input = EXPRESSION
}
"""

A, B = {"x": "a", "y": "1", "z": "p"}, {"x": "b", "y": "2", "z": "q"}
XY = {"x", "y"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("var.x", {"x"}),
        ('"${var.x}-${var.y}"', XY),
        ('"%{ if var.x == var.x }${var.y}%{ endif }"', {"y"}),
        ("upper(var.x)", {"x"}),
        ('var.x == "a" ? "one" : "two"', {"x"}),
        ('var.x != "" ? var.y : var.z', {"y"}),
        ('var.x == "" ? var.y : var.z', {"z"}),
        ("[var.x, var.y][1]", {"y"}),
        ("{ a = var.x, b = var.y }.b", {"y"}),
        ('lookup({ a = var.x, b = var.y }, "b", "")', {"y"}),
        ("merge({ a = var.x }, { a = var.y }).a", {"y"}),
        ("element([var.x, var.y], 1)", {"y"}),
        ('coalesce("", var.y, var.x)', {"y"}),
        ("try(tonumber(var.x), var.y)", {"y"}),
        ("length(var.x) + tonumber(var.y)", {"y"}),
        ("[for one in [var.x, var.y] : upper(one)][1]", {"y"}),
        ('{ for one in ["k"] : one => var.y }.k', {"y"}),
        ('join(",", [for one in [var.x, var.y] : one if one != var.x])', {"y"}),
        ("jsondecode(jsonencode({ a = var.x, b = var.y })).b", {"y"}),
        ('format("%s/%s", var.x, var.y)', XY),
        ('replace(var.y, "1", var.x)', XY),
        ("([{ k = var.y }, { k = var.x }][*].k)[0]", {"y"}),
        ('var.x == "a" && var.y == "1"', XY),
        ('(var.x == "a") == (var.y == "1") ? var.z : "same"', {"z"}),
        ("contains([var.x], var.x) ? var.y : var.z", {"y"}),
        ('templatefile("t.tftpl", { one = var.x, two = var.y })', {"y"}),
        ('file("${var.x}.txt")', {"x"}),
    ],
)
def test_an_expression(pair: Pair, expression: str, expected: set[str]) -> None:
    pair.write(ONE.replace("EXPRESSION", expression))
    (pair.directory / "t.tftpl").write_text("${two}", "utf-8")
    (pair.directory / "a.txt").write_text("of a", "utf-8")
    (pair.directory / "b.txt").write_text("of b", "utf-8")
    found = causes(pair.compare(A, B))["terraform_data.it.input"]
    assert set(found) == {f"var.{one}" for one in expected}


def test_inputs_that_only_count_together_are_told_as_such(pair: Pair) -> None:
    pair.write(
        """
        variable "x" {}
        variable "y" {}
        variable "z" {}
        resource "terraform_data" "it" {
          input = length([for one in [var.x, var.y, var.z] : one if one]) >= 2
        }
        """
    )
    report = pair.compare(dict.fromkeys("xyz", False), dict.fromkeys("xyz", True))
    found = entry(report, "terraform_data.it.input")
    assert [one.input.parameter for one in found.causes] == ["x", "y", "z"]
    assert found.together


def test_what_two_inputs_do_to_each_other_cancels_out(pair: Pair) -> None:
    pair.write(
        """
        variable "x" {}
        variable "y" {}
        variable "k" {}
        locals { sum = var.x + var.y }
        resource "terraform_data" "sum" { input = local.sum }
        resource "terraform_data" "it" { input = "${local.sum}-${var.k}" }
        """
    )
    report = pair.compare({"x": 1, "y": 2, "k": "a"}, {"x": 2, "y": 1, "k": "b"})
    assert causes(report) == {"terraform_data.it.input": ["var.k"]}


def test_the_way_goes_through_locals_modules_and_outputs(pair: Pair) -> None:
    pair.write(
        """
        variable "sizes" { type = object({ small = number, large = number }) }
        locals { size = var.sizes.large * 2 }
        module "inner" {
          source = "./inner"
          size   = local.size
        }
        resource "terraform_data" "it" { input = module.inner.doubled }
        """,
        inner="""
        variable "size" {}
        output "doubled" { value = var.size * 2 }
        """,
    )
    report = pair.compare({"sizes": {"small": 1, "large": 2}}, {"sizes": {"small": 3, "large": 4}})
    found = entry(report, "terraform_data.it.input")
    assert texts(found) == ("8", "16")
    (cause,) = found.causes
    assert cause.input.name == "var.sizes.large"
    assert [hop.name for hop in cause.through] == [
        "module.inner.output.doubled",
        "module.inner.var.size",
        "local.size",
        "var.sizes.large",
    ]
    assert cause.through[0].place == "inner/main.tf:3"


def test_instances_that_only_one_has_come_from_what_count_says(pair: Pair) -> None:
    pair.write(
        """
        variable "x" { type = number }
        variable "y" { type = list(string) }
        resource "terraform_data" "counted" {
          count = var.x
          input = "same"
        }
        resource "terraform_data" "each" {
          for_each = toset(var.y)
          input    = each.key
        }
        resource "terraform_data" "after" { input = length(terraform_data.counted) }
        """
    )
    report = pair.compare({"x": 0, "y": ("k", "l")}, {"x": 1, "y": ("k", "m")})
    assert causes(report) == {
        "terraform_data.after.input": ["var.x"],
        "terraform_data.counted[0]": ["var.x"],
        'terraform_data.each["l"]': ["var.y[1]"],
        'terraform_data.each["m"]': ["var.y[1]"],
    }
    assert entry(report, "terraform_data.counted[0]").kind is Kind.RESOURCE
    assert entry(report, 'terraform_data.each["l"]').kind is Kind.INSTANCE


def test_a_module_that_only_one_has_is_told_once(pair: Pair) -> None:
    pair.write(
        """
        variable "on" {}
        module "inner" {
          source = "./inner"
          count  = var.on ? 1 : 0
        }
        """,
        inner='resource "terraform_data" "it" {}',
    )
    report = pair.compare({"on": True}, {"on": False})
    assert causes(report) == {"module.inner[0]": ["var.on"]}
    assert entry(report, "module.inner[0]").kind is Kind.MODULE


def test_values_of_one_instance_go_back_to_what_for_each_goes_through(pair: Pair) -> None:
    pair.write(
        """
        variable "things" { type = map(object({ size = number, name = string })) }
        variable "suffix" {}
        resource "terraform_data" "it" {
          for_each = { for key, one in var.things : key => merge(one, { name = "${one.name}${var.suffix}" }) }
          input    = each.value.size
        }
        """
    )
    report = pair.compare(
        {"things": {"k": {"size": 1, "name": "n"}}, "suffix": "a"},
        {"things": {"k": {"size": 2, "name": "n"}}, "suffix": "b"},
    )
    assert causes(report) == {'terraform_data.it["k"].input': ['var.things["k"].size']}


def test_dynamic_blocks_and_their_number(pair: Pair) -> None:
    pair.write(
        MEMORY_SETTINGS
        + """
        variable "ports" { type = list(number) }
        variable "shift" {}
        resource "memory_thing" "it" {
          name = "it"
          dynamic "rule" {
            for_each = var.ports
            content { port = rule.value + var.shift }
          }
        }
        """
    )
    report = pair.compare({"ports": (1, 2), "shift": 0}, {"ports": (1, 2, 3), "shift": 10})
    found = causes(report)
    assert found["memory_thing.it.rule[0].port"] == ["var.shift"]
    added = entry(report, "memory_thing.it.rule[2]")
    assert added.kind is Kind.BLOCK
    assert added.causes[0].input.name == "var.ports"
    assert added.values[0].data == {"absent": True}


def test_an_argument_that_only_one_sets(pair: Pair) -> None:
    pair.write(
        MEMORY_SETTINGS
        + """
        variable "label" { default = null }
        resource "memory_thing" "it" {
          name  = "it"
          label = var.label
          tags  = var.label == null ? {} : { label = "yes" }
        }
        """
    )
    report = pair.compare({}, {"label": "x"})
    found = entry(report, "memory_thing.it.label")
    assert found.kind is Kind.ARGUMENT
    assert entry(report, 'memory_thing.it.tags["label"]').kind is Kind.ARGUMENT


def test_a_dependency_that_only_one_has(pair: Pair) -> None:
    pair.write(
        MEMORY_SETTINGS
        + """
        variable "public" {}
        resource "memory_thing" "public" { name = "public" }
        resource "memory_thing" "private" { name = "private" }
        resource "memory_thing" "it" {
          name  = "it"
          label = var.public ? memory_thing.public.id : memory_thing.private.id
        }
        resource "memory_thing" "same" {
          name  = "same"
          label = memory_thing.public.id
        }
        """
    )
    report = pair.compare({"public": True}, {"public": False})
    found = entry(report, "memory_thing.it.label")
    assert found.kind is Kind.DEPENDENCY
    assert texts(found) == ("(from memory_thing.public)", "(from memory_thing.private)")
    assert causes(report) == {"memory_thing.it.label": ["var.public"]}


def test_what_is_only_known_later_differs_where_differing_inputs_are_in_it(pair: Pair) -> None:
    pair.write(
        MEMORY_SETTINGS
        + """
        variable "x" {}
        resource "memory_thing" "base" { name = "base" }
        resource "memory_thing" "it" {
          name  = "it"
          label = upper("${memory_thing.base.id}-${var.x}")
        }
        """
    )
    report = pair.compare({"x": "a"}, {"x": "b"})
    assert causes(report) == {"memory_thing.it.label": ["var.x"]}


def test_data_sources_are_unknown_and_nobody_is_asked(pair: Pair) -> None:
    pair.write(
        MEMORY_SETTINGS
        + """
        variable "x" {}
        data "memory_lookup" "found" { name = "base" }
        resource "memory_thing" "it" {
          for_each = toset([data.memory_lookup.found.id])
          name     = "${var.x}-${each.key}"
        }
        resource "memory_thing" "on" {
          name  = "on"
          label = memory_thing.it["whatever"].name
        }
        """
    )
    report = pair.compare({"x": "a"}, {"x": "b"})
    assert causes(report) == {"memory_thing.it[*].name": ["var.x"], "memory_thing.on.label": ["var.x"]}
    assert texts(entry(report, "memory_thing.it[*].name")) == ('"a..."', '"b..."')
    assert pair.cloud.calls == []


def test_the_answer_of_a_data_source_differs_with_the_question(pair: Pair) -> None:
    pair.write(
        MEMORY_SETTINGS
        + """
        variable "x" {}
        data "memory_lookup" "asked" { name = var.x }
        data "memory_lookup" "same" { name = "same" }
        resource "memory_thing" "it" {
          name  = "it"
          label = data.memory_lookup.asked.id
        }
        resource "memory_thing" "same" {
          name  = "same"
          label = data.memory_lookup.same.id
        }
        """
    )
    report = pair.compare({"x": "a"}, {"x": "b"})
    assert causes(report) == {
        "data.memory_lookup.asked.id": ["var.x"],
        "data.memory_lookup.asked.name": ["var.x"],
        "memory_thing.it.label": ["var.x"],
    }


def test_of_a_set_the_elements_are_shown_that_one_side_lacks(pair: Pair) -> None:
    pair.write(
        """
        variable "x" { type = set(string) }
        resource "terraform_data" "it" { input = var.x }
        """
    )
    report = pair.compare({"x": ("a", "b", "c")}, {"x": ("b", "c", "d")})
    assert texts(entry(report, "terraform_data.it.input")) == (
        '{"a", and 2 in both}',
        '{"d", and 2 in both}',
    )


def test_aws_documents_are_read_and_tags_go_back_to_where_they_are_written(pair: Pair) -> None:
    pair.write(
        """
        variable "x" {}
        variable "owner" {}
        provider "aws" {
          region = "us-east-1"
          default_tags {
            tags = { Environment = var.x }
          }
        }
        data "aws_iam_policy_document" "read" {
          statement {
            actions   = ["s3:Get*"]
            resources = ["arn:aws:s3:::${var.x}"]
          }
        }
        resource "aws_iam_policy" "it" {
          name   = "it"
          policy = data.aws_iam_policy_document.read.json
          tags   = { Owner = var.owner }
        }
        """
    )
    report = pair.compare({"x": "a", "owner": "o"}, {"x": "b", "owner": "p"})
    found = causes(report)
    assert found["aws_iam_policy.it.policy"] == ["var.x"]
    assert found['aws_iam_policy.it.tags_all["Environment"]'] == ["var.x"]
    assert found['aws_iam_policy.it.tags_all["Owner"]'] == ["var.owner"]
    derived = entry(report, 'aws_iam_policy.it.tags_all["Owner"]')
    assert derived.derived_from == 'aws_iam_policy.it.tags["Owner"]'


def test_the_workspace_and_the_region_are_inputs(pair: Pair) -> None:
    pair.write(
        MEMORY_SETTINGS
        + """
        provider "memory" {}
        resource "memory_thing" "it" { name = terraform.workspace }
        """
    )
    report = pair.compare({}, {}, workspaces=("staging", "production"), regions=("here", "there"))
    assert causes(report) == {
        "memory_thing.it.name": ["terraform.workspace"],
        'provider["example.com/test/memory"].region': ["environment.region"],
    }


def test_a_workspace_that_nobody_reads_is_no_input(pair: Pair) -> None:
    pair.write('resource "terraform_data" "it" {}')
    report = pair.compare({}, {})
    assert report.inputs == ()
    assert report.twins


def test_a_variable_that_differs_in_many_places_is_one_input(pair: Pair) -> None:
    pair.write(
        """
        variable "many" { type = list(number) }
        resource "terraform_data" "it" { input = sum(var.many) }
        """
    )
    report = pair.compare({"many": tuple(range(20))}, {"many": tuple(range(1, 21))})
    assert causes(report) == {"terraform_data.it.input": ["var.many"]}


def test_secrets_differ_without_being_shown(pair: Pair) -> None:
    pair.write(
        MEMORY_SETTINGS
        + """
        variable "secret" { sensitive = true }
        variable "plain" { default = { password = "" } }
        resource "memory_thing" "it" {
          name   = "it"
          secret = var.plain.password
          label  = "x-${var.secret}"
          tags   = { all = jsonencode({ inner = [var.secret] }) }
        }
        """
    )
    report = pair.compare(
        {"secret": "hunter2", "plain": {"password": "correct"}},
        {"secret": "hunter3", "plain": {"password": "horse"}},
    )
    places = {"memory_thing.it.secret", "memory_thing.it.label", 'memory_thing.it.tags["all"]'}
    assert causes(report).keys() == places
    for place in places:
        assert texts(entry(report, place)) == ("(sensitive)", "(sensitive)")
    shown = {one.input.name: one.values[0].text for one in report.inputs}
    assert shown["var.secret"] == "(sensitive)"
    assert "hunter" not in repr([one.data for each in report.inputs[:1] for one in each.values])
