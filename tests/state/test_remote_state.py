"""terraform_remote_state: outputs of another configuration's state."""

from __future__ import annotations

import json

import pytest
from tests.cli.conftest import Directory
from tests.state.states import state_of
from tests.state.stock import Stock, needs_stock
from tests.state.test_commands import put, words

from twinfra.state.model import OutputState, State


def other() -> State:
    state = state_of("a")
    state.outputs["text"] = OutputState("x", "string")
    state.outputs["list"] = OutputState(["a", 1], ["tuple", ["string", "number"]])
    state.outputs["secret"] = OutputState("hunter2", "string", True)
    return state


def reading(config: str = '{ path = "other.json" }', more: str = "", backend: str = "local") -> str:
    return f"""
data "terraform_remote_state" "o" {{
  backend = "{backend}"
  config  = {config}
  {more}
}}
output "text" {{
  value = try(data.terraform_remote_state.o.outputs.text, "none")
}}
"""


def outputs(twinfra: Directory) -> dict[str, object]:
    twinfra.ok("apply", "-auto-approve")
    found = json.loads(twinfra.ok("output", "-json").out)
    return {name: one["value"] for name, one in found.items()}


def test_outputs_have_their_values_and_types(twinfra: Directory) -> None:
    put(twinfra, other(), "other.json")
    twinfra.write(
        main_tf=reading()
        + 'output "list" {\n  value = data.terraform_remote_state.o.outputs.list[1] + 1\n}\n'
    )
    assert outputs(twinfra) == {"text": "x", "list": 2}
    assert twinfra("plan", "-detailed-exitcode").code == 0


def test_defaults_stand_for_outputs_that_are_not_there(twinfra: Directory) -> None:
    put(twinfra, other(), "other.json")
    more = 'defaults = { text = "default", missing = "default" }'
    missing = 'output "missing" {\n  value = data.terraform_remote_state.o.outputs.missing\n}\n'
    twinfra.write(main_tf=reading(more=more) + missing)
    assert outputs(twinfra) == {"text": "x", "missing": "default"}


def test_another_workspace_is_read_where_its_directory_is(twinfra: Directory) -> None:
    (twinfra.path / "spaces" / "dev").mkdir(parents=True)
    put(twinfra, other(), "spaces/dev/terraform.tfstate")
    twinfra.write(main_tf=reading('{ workspace_dir = "spaces" }', 'workspace = "dev"'))
    assert outputs(twinfra) == {"text": "x"}


def test_a_sensitive_output_stays_sensitive(twinfra: Directory) -> None:
    put(twinfra, other(), "other.json")
    use = 'output "s" {\n  value = data.terraform_remote_state.o.outputs.secret\n}\n'
    twinfra.write(main_tf=reading() + use)
    refused = twinfra("plan")
    assert refused.code == 1
    assert "sensitive = true" in refused.err
    twinfra.write(main_tf=reading() + use.replace("\n}", "\n  sensitive = true\n}"))
    ran = twinfra.ok("apply", "-auto-approve")
    assert "hunter2" not in ran.all
    assert twinfra.ok("output", "-raw", "s").out == "hunter2"
    assert "hunter2" not in twinfra.ok("state", "show", "data.terraform_remote_state.o").out
    assert "hunter2" not in twinfra.ok("show").out


def test_a_config_that_the_apply_makes_is_read_in_the_apply(twinfra: Directory) -> None:
    put(twinfra, other(), "other.json")
    make = 'resource "terraform_data" "path" {\n  input = "other.json"\n}\n'
    twinfra.write(main_tf=make + reading("{ path = terraform_data.path.output }"))
    assert outputs(twinfra) == {"text": "x"}


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (reading('{ path = "nope.json" }'), ["no state in nope.json", "Apply the other configuration first"]),
        (reading('{ pth = "x" }'), ['no setting "pth"', 'Did you mean "path"?']),
        (reading('"x"'), ["config must be an object"]),
        (reading("{ path = [] }"), ['"path" of the "local" backend must be a string']),
        (reading(more="defaults = 3"), ["defaults must be an object"]),
        (reading(backend="consul"), ['type "consul" cannot be read', "local"]),
        (reading(backend="locl"), ['Did you mean "local"?']),
        (reading('{ path = "broken.json" }'), ["broken.json, line 1", "damaged"]),
        (reading(more='workspace = "a/b"'), ["cannot be named"]),
    ],
)
def test_mistakes_are_told_with_their_place_and_mend(
    twinfra: Directory, text: str, reasons: list[str]
) -> None:
    (twinfra.path / "broken.json").write_text("{")
    twinfra.write(main_tf=text)
    ran = twinfra("plan")
    assert ran.code == 1
    assert "on main.tf line" in ran.err
    for reason in reasons:
        assert reason in words(ran.err)


@needs_stock
@pytest.mark.witness
def test_outputs_of_a_state_of_stock_terraform_are_read(twinfra: Directory) -> None:
    stock = Stock(twinfra.path).write('output "text" {\n  value = "from stock"\n}\n')
    stock.run("apply", "-auto-approve", "-state-out=other.json")
    (twinfra.path / "terraform.tfstate").unlink(missing_ok=True)
    twinfra.write(main_tf=reading())
    assert outputs(twinfra) == {"text": "from stock"}
