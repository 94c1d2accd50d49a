"""The smaller commands: init, validate, output, console, graph, providers, kubeconfig, functions."""

import json
from pathlib import Path

import pytest
import yaml
from tests.cli.conftest import Directory

SAMPLE = """
variable "names" { default = ["a", "b"] }
resource "terraform_data" "one" { input = var.names }
resource "terraform_data" "two" { input = terraform_data.one.output }
output "names" { value = terraform_data.two.output }
output "first" { value = var.names[0] }
output "count" { value = length(var.names) }
output "secret" {
  value     = "hunter2"
  sensitive = true
}
"""


@pytest.fixture
def applied(twinfra: Directory) -> Directory:
    twinfra.write(main_tf=SAMPLE)
    twinfra.ok("apply", "-auto-approve")
    return twinfra


def test_init_says_what_the_directory_needs(twinfra: Directory) -> None:
    assert "no configuration yet" in twinfra.ok("init").out
    twinfra.write(main_tf=SAMPLE)
    said = twinfra.ok("init", "-no-color").out
    assert "terraform.tfstate (workspace default)" in said
    assert "terraform.io/builtin/terraform" in said


def test_init_refuses_what_it_cannot_serve(twinfra: Directory) -> None:
    twinfra.write(main_tf='resource "random_id" "x" {}')
    ran = twinfra("init")
    assert ran.code == 1
    assert "hashicorp/random" in ran.err


def test_validate_for_people_and_machines(twinfra: Directory) -> None:
    twinfra.write(main_tf=SAMPLE)
    assert "Success!" in twinfra.ok("validate", "-no-color").out
    twinfra.write(main_tf=SAMPLE.replace("var.names[0]", "var.nmaes[0]"))
    assert twinfra("validate").code == 1
    ran = twinfra("validate", "-json")
    assert ran.code == 1
    document = json.loads(ran.out)
    assert (document["valid"], document["error_count"]) == (False, 1)
    [told] = document["diagnostics"]
    assert told["range"]["filename"] == "main.tf"
    assert told["range"]["start"]["line"] == 6
    assert told["snippet"]["code"].strip() == 'output "first" { value = var.nmaes[0] }'


def test_outputs_for_people(applied: Directory) -> None:
    assert applied.ok("output").out == (
        'count = 2\nfirst = "a"\nnames = [\n  "a",\n  "b",\n]\nsecret = <sensitive>\n'
    )
    assert applied.ok("output", "first").out == '"a"\n'
    assert applied.ok("output", "-raw", "first").out == "a"
    assert applied.ok("output", "-raw", "count").out == "2"


def test_outputs_for_machines(applied: Directory) -> None:
    document = json.loads(applied.ok("output", "-json").out)
    assert document["secret"] == {"sensitive": True, "type": "string", "value": "hunter2"}
    assert json.loads(applied.ok("output", "-json", "names").out) == ["a", "b"]


def test_outputs_that_are_not_there(applied: Directory) -> None:
    ran = applied("output", "frist")
    assert ran.code == 1
    assert 'Did you mean "first"?' in ran.err
    assert applied("output", "-raw", "names").code == 1


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("1 + 1", "2"),
        ('upper("x")', '"X"'),
        ("terraform_data.one.output[1]", '"b"'),
        ("[for name in var.names : name]", '[\n  "a",\n  "b",\n]'),
        ("local.missing", None),
        ("1 +", None),
    ],
)
def test_console(applied: Directory, line: str, shown: str | None) -> None:
    ran = applied("console", stdin=line + "\n")
    if shown is None:
        assert ran.code == 1
        assert "Error" in ran.err
    else:
        assert (ran.code, ran.out) == (0, shown + "\n")


def test_console_reads_on_while_brackets_are_open(applied: Directory) -> None:
    assert applied.ok("console", stdin="[\n1,\n2\n]\n").out == "[\n  1,\n  2,\n]\n"


def test_graph(applied: Directory) -> None:
    drawn = applied.ok("graph").out
    assert drawn.startswith("digraph G {")
    assert '"terraform_data.two" -> "terraform_data.one";' in drawn


def test_providers(applied: Directory) -> None:
    assert applied.ok("providers").out == "root module\n  terraform.io/builtin/terraform\n"


def test_functions_as_json(twinfra: Directory) -> None:
    document = json.loads(twinfra.ok("functions", "-json").out)
    assert document["function_signatures"]["upper"]["return_type"] == "string"


KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "ours",
    "clusters": [{"name": "ours", "cluster": {"server": "https://ours.example"}}],
    "contexts": [{"name": "ours", "context": {"cluster": "ours", "user": "ours"}}],
    "users": [{"name": "ours", "user": {"exec": {"command": "aws"}}}],
}


def test_kubeconfig_is_merged_and_private(twinfra: Directory) -> None:
    twinfra.write(main_tf='output "kubeconfig" { value = yamlencode(jsondecode(file("config.json"))) }')
    twinfra.write(config_json=json.dumps(KUBECONFIG))
    twinfra.ok("apply", "-auto-approve")
    theirs = {
        "clusters": [
            {"name": "theirs", "cluster": {}},
            {"name": "ours", "cluster": {"server": "https://old.example"}},
        ]
    }
    Path("kube").write_text(yaml.safe_dump(theirs))
    twinfra.ok("kubeconfig", "-file=kube")
    twinfra.ok("kubeconfig", "-file=kube")
    merged = yaml.safe_load(Path("kube").read_text())
    assert [one["name"] for one in merged["clusters"]] == ["theirs", "ours"]
    assert merged["clusters"][1]["cluster"]["server"] == "https://ours.example"
    assert merged["current-context"] == "ours"
    assert Path("kube").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("output", ['"no: [yaml"', '"just text"', "1", '"clusters: [1]"'])
def test_what_is_no_kubeconfig_changes_no_file(twinfra: Directory, output: str) -> None:
    twinfra.write(main_tf=f'output "kubeconfig" {{ value = {output} }}')
    twinfra.ok("apply", "-auto-approve")
    Path("kube").write_text("clusters: []\n")
    assert twinfra("kubeconfig", "-file=kube").code == 1
    assert Path("kube").read_text() == "clusters: []\n"


def test_what_we_leave_out_is_refused_by_name(twinfra: Directory) -> None:
    twinfra.write(main_tf=SAMPLE)
    ran = twinfra("plan", "-generate-config-out=x.tf")
    assert ran.code == 1
    assert "-generate-config-out" in ran.err


def test_a_directory_without_configuration(twinfra: Directory) -> None:
    ran = twinfra("plan")
    assert ran.code == 1
    assert "configuration" in ran.err
