"""What a provider says never tells sensitive values of what it speaks of, whatever it was asked to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.engine.memory import MEMORY, Project, errors

from twinfra.addresses import parse_address
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.engine import api
from twinfra.engine.redaction import recorded_texts, redacted
from twinfra.providers.protocol import ProviderError

SCHEMA_SECRET, MARKED_SECRET, KEY = (
    "planted-secret-of-schema",
    "planted-secret-of-label",
    "planted-secret-key",
)
SAID = f"The request had {SCHEMA_SECRET}, {MARKED_SECRET} and {KEY}."
TEXT = f"""
variable "label" {{
  default   = "{MARKED_SECRET}"
  sensitive = true
}}

resource "memory_thing" "a" {{
  name   = "one"
  label  = var.label
  secret = "{SCHEMA_SECRET}"
}}
"""
SETTINGS = f'provider "memory" {{\n  key = "{KEY}"\n}}\n'


def said(result: Any) -> str:
    """The one error, as text, without which nothing would be tested."""
    (one,) = (one for one in result.diagnostics if one.severity == "error")
    return text(one)


def text(one: Diagnostic) -> str:
    return f"{one.summary} {one.detail} {one.mend}"


def made(project: Project) -> Project:
    project.write(TEXT + SETTINGS)
    assert not errors(project.apply())
    return project


def test_an_error_while_refreshing_tells_nothing_secret(project: Project) -> None:
    made(project).cloud.fail["read", "one"] = SAID
    assert (
        said(project.plan())
        == f"Cloud says no The request had (sensitive value), (sensitive value) and {KEY}. "
    )


def test_an_error_while_destroying_tells_nothing_secret(project: Project) -> None:
    made(project).cloud.fail["delete", "one"] = SAID
    assert "(sensitive value), (sensitive value)" in said(project.apply(mode="destroy"))


def test_an_error_in_an_update_does_not_tell_what_the_secret_was_before(project: Project) -> None:
    made(project).cloud.fail["update", "one"] = SAID
    project.write((TEXT + SETTINGS).replace(SCHEMA_SECRET, "another").replace("of-label", "of-another"))
    assert "(sensitive value), (sensitive value)" in said(project.apply())


def test_an_error_while_importing_tells_nothing_secret(project: Project) -> None:
    made(project).cloud.fail["read", "one"] = SAID
    project.state = replace(project.state, resources={})
    project.write(TEXT + SETTINGS + 'import {\n  to = memory_thing.a\n  id = "id-1"\n}\n')
    assert f"had (sensitive value), {MARKED_SECRET}" in said(project.plan())


@pytest.mark.parametrize("operation", ["configure", "identity"])
def test_an_error_about_the_settings_of_a_provider_tells_nothing_secret(
    project: Project, operation: str
) -> None:
    made(project).cloud.fail[operation, "here"] = SAID
    project.providers.close()
    found = said(project.plan())
    assert "and (sensitive value)." in found
    assert SCHEMA_SECRET in found


def test_an_error_when_an_apply_starts_a_provider_tells_nothing_secret(project: Project) -> None:
    project.write(TEXT + SETTINGS)
    planned = project.plan()
    project.cloud.fail["identity", "here"] = SAID
    done = api.apply(
        planned.plan, project.load(), planned.state, {}, project.providers, recorder=project.journal
    )
    assert "and (sensitive value)." in said(done)


def test_an_error_of_a_provider_asked_where_it_acts_tells_nothing_secret(project: Project) -> None:
    project.write(TEXT + SETTINGS)
    project.cloud.fail["identity", "here"] = SAID
    _, found = api.identify(project.load(), {}, project.providers)
    assert "and (sensitive value)." in text(next(iter(found)))


def test_a_warning_about_a_confirmation_tells_nothing_secret(project: Project) -> None:
    project.write(TEXT)
    project.cloud.fail["confirm", "one"] = SAID
    (warned,) = project.apply().diagnostics
    assert "(sensitive value), (sensitive value)" in text(warned)
    project.write(TEXT + 'resource "memory_thing" "b" {\n  name = "two"\n}\n')
    (again,) = project.apply().diagnostics
    assert "(sensitive value), (sensitive value)" in text(again)


def test_an_error_while_looking_for_what_was_being_made_tells_nothing_secret(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(project)
    provider = type(project.providers.unconfigured(MEMORY))
    monkeypatch.setattr(provider, "recover", _refusing)
    result = api.recover(
        project.load(), project.state, {}, project.providers, project.journal.intents, project.journal
    )
    assert "had (sensitive value)" in text(next(iter(result.diagnostics)))


def test_an_error_about_an_object_of_an_older_schema_tells_nothing_secret(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(project)
    provider = type(project.providers.unconfigured(MEMORY))
    monkeypatch.setattr(provider, "upgrade", _refusing)
    address = parse_address("memory_thing.a").instance(None)  # type: ignore[union-attr]
    stored = project.object("memory_thing.a")
    assert stored is not None
    config = project.state.resources[address.of].provider
    project.state.put(address, config, replace(stored, schema_version=0))
    assert "(sensitive value), (sensitive value)" in said(project.plan())


def _refusing(*_: Any) -> Any:
    raise ProviderError(error("Cloud says no", SAID))


def test_nothing_is_changed_where_nothing_is_hidden() -> None:
    one = error("Summary", "Detail")
    assert redacted(one, []) is one
    assert DiagnosticError(redacted(one, ["Det"])).diagnostics[0].detail == "(sensitive value)ail"


def test_what_stands_for_a_secret_is_not_taken_for_another_one() -> None:
    found = redacted(error("Summary", "It is hunter22, not a value."), ["hunter22", "value"])
    assert found.detail == "It is (sensitive value), not a (sensitive value)."


def test_recorded_texts_are_found_at_any_depth_the_longest_first() -> None:
    attributes = {"a": [{"b": "part"}, "part and more"], "c": "open", "d": "x"}
    assert recorded_texts(attributes, ["a", "d", "absent"]) == ["part and more", "part"]
