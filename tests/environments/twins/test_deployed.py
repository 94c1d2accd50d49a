"""What is really there, compared: generated identifiers by their place, causes from the code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.engine.memory import MEMORY, MemoryCloud, MemoryProvider
from tests.environments.twins.pairs import MEMORY_SETTINGS, Pair, causes, entry, texts

from twinfra.addresses import BUILTIN_PROVIDER, ProviderAddress
from twinfra.config.installer import load
from twinfra.engine import api
from twinfra.environments.fingerprint import VolatileRule
from twinfra.environments.twins.deployed import compare_deployed
from twinfra.environments.twins.report import Kind, Report
from twinfra.providers.protocol import Provider
from twinfra.providers.terraform import TerraformProvider
from twinfra.state.model import State


def applied(pair: Pair, inputs: Mapping[str, Any], state: State | None = None) -> State:
    """The state of an environment of its own cloud, after an apply."""
    configuration, found = load(pair.directory)
    found.raise_errors()
    cloud = MemoryCloud()
    cloud.serial = len(str(inputs)) * 100

    def make(address: ProviderAddress) -> Provider:
        assert address in (MEMORY, BUILTIN_PROVIDER)
        return MemoryProvider(cloud) if address == MEMORY else TerraformProvider()

    providers = api.Providers(make)
    planned = api.plan(configuration, state or State(), inputs, providers)
    planned.diagnostics.raise_errors()
    done = api.apply(planned.plan, configuration, planned.state, inputs, providers)
    done.diagnostics.raise_errors()
    return done.state


def compared(
    pair: Pair, first: dict[str, Any], second: dict[str, Any], states: tuple[State, State], **options: Any
) -> Report:
    report = pair.compare(first, second, options.pop("parameters", ()))
    providers = api.Providers(
        lambda one: MemoryProvider(MemoryCloud()) if one == MEMORY else TerraformProvider()
    )
    return compare_deployed(report, *states, providers.schema, **options)


def both(pair: Pair, first: dict[str, Any], second: dict[str, Any], **options: Any) -> Report:
    return compared(pair, first, second, (applied(pair, first), applied(pair, second)), **options)


def test_identifiers_that_the_cloud_made_up_are_no_difference(pair: Pair) -> None:
    pair.write(
        """
        variable "x" {}
        resource "terraform_data" "base" { input = "same" }
        resource "terraform_data" "it" { input = "${terraform_data.base.id}/${var.x}" }
        """
    )
    report = both(pair, {"x": "a"}, {"x": "b"}, parameters=["x"])
    assert report.twins
    assert report.deployed
    found = entry(report, "terraform_data.it.input")
    assert texts(found) == ('"${terraform_data.base.id}/a"', '"${terraform_data.base.id}/b"')
    assert causes(report)["terraform_data.it.input"] == ["var.x"]


def test_a_reference_to_another_object_is_a_dependency_that_differs(pair: Pair) -> None:
    pair.write(
        """
        variable "x" {}
        resource "terraform_data" "one" {}
        resource "terraform_data" "two" {}
        resource "terraform_data" "it" { input = var.x ? terraform_data.one.id : terraform_data.two.id }
        """
    )
    report = both(pair, {"x": True}, {"x": False})
    found = entry(report, "terraform_data.it.input")
    assert found.kind is Kind.DEPENDENCY
    assert [one.input.name for one in found.causes] == ["var.x"]


def test_a_base64_text_in_which_only_a_value_differs_depends_on_the_same_objects(pair: Pair) -> None:
    pair.write(
        """
        variable "x" {}
        resource "terraform_data" "base" {}
        resource "terraform_data" "it" { input = base64encode("${terraform_data.base.id} {${var.x}}") }
        """
    )
    report = both(pair, {"x": "a"}, {"x": "b"}, parameters=["x"])
    assert report.twins
    assert entry(report, "terraform_data.it.input").kind is Kind.VALUE


def test_an_object_that_only_one_has_is_explained_by_count(pair: Pair) -> None:
    pair.write(
        """
        variable "n" {}
        resource "terraform_data" "it" { count = var.n }
        module "inner" {
          source = "./inner"
          count  = var.n
        }
        """,
        inner='resource "terraform_data" "deep" {}',
    )
    report = both(pair, {"n": 0}, {"n": 1}, parameters=["n"])
    assert report.twins
    assert causes(report) == {
        "module.inner[0].terraform_data.deep": ["var.n"],
        "terraform_data.it[0]": ["var.n"],
    }
    assert entry(report, "terraform_data.it[0]").kind is Kind.RESOURCE


def test_what_the_code_does_not_explain_is_a_finding_without_a_cause(pair: Pair) -> None:
    pair.write('resource "terraform_data" "it" { input = "old" }')
    old = applied(pair, {})
    pair.write('resource "terraform_data" "it" { input = "new" }')
    new = applied(pair, {})
    report = compared(pair, {}, {}, (old, new))
    assert not report.twins
    assert causes(report) == {"terraform_data.it.input": [], "terraform_data.it.output": []}


def test_what_is_declared_volatile_is_left_out(pair: Pair) -> None:
    pair.write(
        MEMORY_SETTINGS
        + """
        variable "x" {}
        resource "memory_thing" "it" {
          name  = "it"
          label = var.x
        }
        """
    )
    first, second = {"x": "a"}, {"x": "b"}
    changed = applied(pair, second, applied(pair, second))
    states = (applied(pair, first), changed)
    rules = [
        VolatileRule("memory_thing.it.revision", "It counts."),
        VolatileRule("memory_thing.it.id", "Made up."),
    ]
    report = compared(pair, first, second, states, volatile=rules)
    assert causes(report) == {"memory_thing.it.label": ["var.x"]}


def test_a_text_that_follows_from_an_explained_one_has_its_causes(pair: Pair) -> None:
    pair.write(
        """
        variable "x" {}
        resource "terraform_data" "it" { input = "name-${var.x}" }
        """
    )
    report = both(pair, {"x": "a"}, {"x": "b"}, parameters=["x"])
    found = entry(report, "terraform_data.it.output")
    assert found.derived_from == "terraform_data.it.input"
    assert found.allowed


def test_a_secret_is_hidden_where_a_provider_copies_it_to(pair: Pair) -> None:
    pair.write(
        """
        variable "x" { sensitive = true }
        resource "terraform_data" "it" { input = { deep = ["x-${var.x}"] } }
        """
    )
    report = both(pair, {"x": "hunter2"}, {"x": "correct-horse"})
    for one in report.findings:
        assert texts(one) == ("(sensitive)", "(sensitive)")
    assert {one.path.split(".")[0] for one in report.findings} == {"input", "output"}


def test_a_secret_inside_an_argument_has_its_own_causes(pair: Pair) -> None:
    pair.write(
        """
        variable "x" { sensitive = true }
        variable "y" {}
        resource "terraform_data" "it" { input = { secret = var.x, open = var.y, deep = [{ s = "a-${var.x}" }] } }
        """
    )
    first, second = {"x": "hunter2", "y": "one"}, {"x": "correct-horse", "y": "two"}
    report = both(pair, first, second, parameters=["x", "y"])
    assert report.twins
    assert causes(report)["terraform_data.it.input.secret"] == ["var.x"]
    assert causes(report)["terraform_data.it.input.open"] == ["var.y"]
    assert texts(entry(report, "terraform_data.it.input.secret")) == ("(sensitive)", "(sensitive)")
    assert texts(entry(report, "terraform_data.it.input.open")) == ('"one"', '"two"')
    assert entry(report, "terraform_data.it.output.secret").derived_from == "terraform_data.it.input.secret"


def test_a_secret_that_nobody_gave_is_a_finding_and_stays_hidden(pair: Pair) -> None:
    pair.write(
        """
        variable "x" { sensitive = true }
        resource "terraform_data" "it" { input = { secret = var.x, number = sensitive(1) } }
        output "it" {
          value     = terraform_data.it.input
          sensitive = true
        }
        """
    )
    given = {"x": "hunter2"}
    states = applied(pair, given), applied(pair, {"x": "correct-horse"})
    pair.write((pair.directory / "main.tf").read_text().replace("sensitive(1)", "sensitive(4242)"))
    later = applied(pair, {"x": "correct-horse"}, states[1])
    report = compared(pair, given, given, (states[0], later))
    found = [one for one in report.findings if not one.path.startswith("output")]
    assert all("4242" not in text for one in report.findings for text in texts(one))
    assert {one.place for one in found} == {
        "terraform_data.it.input.number", "terraform_data.it.input.secret", "output.it.number", "output.it.secret",
    }  # fmt: skip
    assert all(texts(one) == ("(sensitive)", "(sensitive)") for one in found)


def test_a_number_that_a_provider_copies_has_the_causes_of_what_it_copies(pair: Pair) -> None:
    pair.write('variable "n" {}\nresource "terraform_data" "it" { input = { a = var.n, b = var.n > 2 } }')
    report = both(pair, {"n": 2}, {"n": 16}, parameters=["n"])
    assert report.twins
    assert entry(report, "terraform_data.it.output.a").derived_from == "terraform_data.it.input.a"


def test_what_somebody_can_set_is_not_taken_for_a_copy(pair: Pair) -> None:
    pair.write(
        'variable "n" {}\nresource "terraform_data" "it" {\n  input = var.n\n  triggers_replace = 2\n}'
    )
    first = applied(pair, {"n": 2})
    text = (pair.directory / "main.tf").read_text()
    pair.write(text.replace("triggers_replace = 2", "triggers_replace = 16"))
    second = applied(pair, {"n": 16})
    pair.write(text)
    report = compared(pair, {"n": 2}, {"n": 16}, (first, second), parameters=["n"])
    assert [one.place for one in report.findings] == ["terraform_data.it.triggers_replace"]
