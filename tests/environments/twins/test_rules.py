"""What twins may differ in: parameters, limits by path, and what is told of rules without use."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.environments.twins.pairs import Pair, entry

from twinfra.diagnostics import DiagnosticError
from twinfra.environments.declaration import read_project
from twinfra.environments.twins.patterns import covers
from twinfra.environments.twins.rules import Allow, Rules, read_rules

TEXT = """
variable "env" {}
variable "size" {}
resource "terraform_data" "name" { input = "name-${var.env}" }
resource "terraform_data" "size" {
  input = { number = var.size, both = "${var.env}-${var.size}" }
}
"""
A, B = {"env": "a", "size": 1}, {"env": "b", "size": 2}


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("aws_vpc.main.tags", 'aws_vpc.main.tags["Name"]'),
        ("aws_vpc.main", "aws_vpc.main.cidr_block"),
        ("aws_vpc.*.cidr_block", "aws_vpc.main.cidr_block"),
        ("aws_*.*.tags", 'aws_subnet.a["x"].tags["Name"]'),
        ('aws_subnet.a["x"].tags["Name"]', 'aws_subnet.a["x"].tags["Name"]'),
        ("aws_subnet.a[*].tags[*]", 'aws_subnet.a["x"].tags["Name"]'),
        ("aws_subnet.a[1]", "aws_subnet.a[1].id"),
        (
            "aws_eks_node_group.gpu.scaling_config[*].desired_size",
            "aws_eks_node_group.gpu.scaling_config.desired_size",
        ),
        (
            "aws_eks_node_group.gpu.scaling_config.desired_size",
            "aws_eks_node_group.gpu.scaling_config[0].desired_size",
        ),
        ("module.net.aws_vpc.main", 'module.net["a"].aws_vpc.main.id'),
        ("output.url", "output.url"),
        ("terraform_data.size[*]", "terraform_data.size[0]"),
    ],
)
def test_a_pattern_covers_the_place_it_names_and_all_inside(pattern: str, place: str) -> None:
    assert covers(pattern, place)


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("aws_vpc.main.tags", "aws_vpc.main.cidr_block"),
        ("aws_vpc.main.tags", "aws_vpc.main"),
        ("aws_vpc.main", "aws_vpc.mainly.id"),
        ("aws_subnet.a[1]", "aws_subnet.a[2].id"),
        ('aws_subnet.a["x"]', 'aws_subnet.a["y"].id'),
        ("aws_vpc.main", "module.net.aws_vpc.main.id"),
        ("aws_vpc.main.tags_all", 'aws_vpc.main.tags["Name"]'),
    ],
)
def test_a_pattern_covers_nothing_else(pattern: str, place: str) -> None:
    assert not covers(pattern, place)


def test_differences_of_declared_parameters_are_outfits_and_all_others_findings(pair: Pair) -> None:
    pair.write(TEXT)
    report = pair.compare(A, B, ["env"])
    assert [one.place for one in report.outfits] == ["terraform_data.name.input"]
    assert [one.place for one in report.findings] == [
        "terraform_data.size.input.both",
        "terraform_data.size.input.number",
    ]
    assert not report.twins
    assert pair.compare(A, B, ["env", "size"]).twins


def test_a_limited_parameter_may_make_a_difference_at_its_paths_alone(pair: Pair) -> None:
    pair.write(TEXT)
    limit = Allow("terraform_data.size.input.number", ("size",), "Production is larger.")
    report = pair.compare(A, B, ["env", "size"], [limit])
    assert entry(report, "terraform_data.size.input.number").reasons == ("Production is larger.",)
    assert [one.place for one in report.findings] == ["terraform_data.size.input.both"]


def test_an_undeclared_input_with_a_part_in_an_outfit_makes_it_a_finding(pair: Pair) -> None:
    """Alone it changes nothing, but two of them do together."""
    pair.write(
        """
        variable "p" {}
        variable "u" {}
        variable "w" {}
        resource "terraform_data" "it" { input = var.p || (var.u && var.w) }
        """
    )
    report = pair.compare(dict.fromkeys("puw", False), dict.fromkeys("puw", True), ["p"])
    (found,) = report.findings
    assert [one.input.parameter for one in found.causes] == ["p", "u", "w"]


def test_rules_and_inputs_without_use_are_told(pair: Pair) -> None:
    pair.write(
        """
        variable "same" { default = "" }
        variable "idle" {}
        variable "other" {}
        variable "used" {}
        resource "terraform_data" "it" { input = var.used }
        """
    )
    report = pair.compare(
        {"idle": 1, "other": 1, "used": 1},
        {"idle": 2, "other": 2, "used": 2},
        ["same", "idle", "used"],
        [Allow("terraform_data.gone.input", ("idle",), "Once upon a time.")],
    )
    assert report.twins
    assert {(one.kind, one.subject) for one in report.notes} == {
        ("undeclared", "other"),
        ("unused", "same"),
        ("unused", "idle"),
        ("unused_allow", "terraform_data.gone.input"),
    }


def test_a_parameter_that_the_configuration_lacks_is_refused_with_the_nearest_name(pair: Pair) -> None:
    pair.write(TEXT)
    with pytest.raises(DiagnosticError) as refused:
        pair.compare(A, B, ["envv"])
    (problem,) = refused.value.diagnostics
    assert problem.summary == "Unknown parameter"
    assert 'Did you mean "env"?' in problem.mend


def test_an_environment_that_cannot_be_evaluated_is_named(pair: Pair) -> None:
    pair.write(
        """
        variable "x" {}
        resource "terraform_data" "it" { input = [1, 2][var.x] }
        """
    )
    with pytest.raises(DiagnosticError) as refused:
        pair.compare({"x": 1}, {"x": 2})
    assert refused.value.diagnostics[0].detail.startswith("In environment b: ")


def rules(directory: Path, text: str) -> Rules:
    path = directory / "twinfra.toml"
    path.write_text(text, "utf-8")
    return read_rules(read_project(path))


def test_the_section_is_read(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        """
        [twins]
        parameters = ["env", "gpu_nodes"]
        [[twins.allow]]
        path = "aws_eks_node_group.gpu.scaling_config"
        parameters = ["gpu_nodes"]
        reason = "Training runs in production."
        """,
    )
    assert found.parameters == ("env", "gpu_nodes")
    (allow,) = found.allow
    assert (allow.path, allow.parameters) == ("aws_eks_node_group.gpu.scaling_config", ("gpu_nodes",))
    assert allow.place is not None
    assert allow.place.first.line == 5


def test_all_that_is_wrong_with_the_section_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError) as refused:
        rules(
            tmp_path,
            """
            [twins]
            parameter = ["env"]
            [[twins.allow]]
            path = "aws"
            parameters = ["size"]
            """,
        )
    told = {(one.summary, one.subject is not None) for one in refused.value.diagnostics}
    assert told == {
        ("Unknown key", True),
        ("Unsuitable path", True),
        ("Missing key", True),
        ("Undeclared parameter", True),
    }


def test_without_a_project_nothing_may_differ() -> None:
    assert read_rules(None) == Rules()
