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


@pytest.mark.parametrize(
    ("piped", "shown"), [("1\n2\n", "2\n"), ("1\nexit\n2\n", ""), ("type(type(1))\n", "type\n"), ("\n", "")]
)
def test_a_piped_console_answers_with_the_last_result(applied: Directory, piped: str, shown: str) -> None:
    assert applied.ok("console", stdin=piped).out == shown


@pytest.mark.parametrize("line", ["upper(type(1))", "jsonencode(type(1))", "[type(1)]"])
def test_the_answer_of_type_can_only_be_shown(applied: Directory, line: str) -> None:
    assert applied("console", stdin=line + "\n").code == 1


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


def test_the_graph_draws_each_module_as_a_cluster_and_no_way_twice(twinfra: Directory) -> None:
    (twinfra.path / "m").mkdir()
    (twinfra.path / "m" / "main.tf").write_text(
        'variable "x" {}\nresource "terraform_data" "c" { input = var.x }\n'
    )
    twinfra.write(
        main_tf='resource "terraform_data" "a" {}\n'
        'resource "terraform_data" "b" { input = terraform_data.a.id }\n'
        'module "m" {\n  source = "./m"\n  x      = [terraform_data.a.id, terraform_data.b.id]\n}\n'
    )
    assert twinfra.ok("graph", "-draw-cycles").out.splitlines()[3:] == [
        '  "terraform_data.a" [label="terraform_data.a"];',
        '  "terraform_data.b" [label="terraform_data.b"];',
        '  subgraph "cluster_module.m" {',
        '    label = "module.m"',
        '    fontname = "sans-serif"',
        '    "module.m.terraform_data.c" [label="terraform_data.c"];',
        "  }",
        '  "module.m.terraform_data.c" -> "terraform_data.b";',
        '  "terraform_data.b" -> "terraform_data.a";',
        "}",
    ]


@pytest.mark.parametrize("flag", ["-type=plan", "-plan=saved"])
def test_the_inner_graph_of_another_engine_is_refused_with_words(applied: Directory, flag: str) -> None:
    ran = applied("graph", flag)
    assert ran.code == 1
    assert "Terraform's own engine" in ran.err


def test_schemas_of_the_providers_in_use(applied: Directory) -> None:
    document = json.loads(applied.ok("providers", "schema", "-json").out)
    assert document["format_version"] == "1.0"
    (schema,) = document["provider_schemas"].values()
    attributes = schema["resource_schemas"]["terraform_data"]["block"]["attributes"]
    assert attributes["input"] | {"description": ""} == {
        "type": "dynamic",
        "description": "",
        "description_kind": "plain",
        "optional": True,
    }
    assert set(schema["functions"]) == {"decode_tfvars", "encode_expr", "encode_tfvars"}


@pytest.mark.parametrize("words", [("schema",), ("lock",), ("-json",), ("schemas", "-json")])
def test_what_providers_does_not_know_is_refused(applied: Directory, words: tuple[str, ...]) -> None:
    assert applied("providers", *words).code == 1


def test_an_output_of_a_state_without_any_is_a_warning(twinfra: Directory) -> None:
    ran = twinfra.ok("output", "name")
    assert "No outputs found" in ran.err
    assert twinfra("output", "-json", "name").code == 1


def test_a_refresh_writes_the_state_where_it_was_told_to_also_without_changes(applied: Directory) -> None:
    applied.ok("refresh", "-state-out=copy.tfstate")
    assert (applied.path / "copy.tfstate").read_bytes() == (applied.path / "terraform.tfstate").read_bytes()


def test_env_is_the_old_name_of_workspace(twinfra: Directory) -> None:
    twinfra.write(main_tf="")
    ran = twinfra.ok("env", "new", "other")
    assert "Old name of a command" in ran.err
    assert twinfra.ok("env", "list").out == "  default\n* other\n"
    twinfra.ok("env", "select", "default")
    twinfra.ok("env", "delete", "other")
