"""Whoever writes the digests again from docs/fingerprint.md gets the same ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.environments.fingerprint import recomputed
from tests.environments.fingerprint.states import KEY, PROVIDERS, network

from twinfra import __version__
from twinfra.addresses import ProviderAddress
from twinfra.config.installer import load
from twinfra.environments.fingerprint import input_digest, read_code, state_digest
from twinfra.state.model import State
from twinfra.state.v4 import write_state

ROOT = r"""
# what is built
terraform {
  required_version = ">= 1.0"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0" }
  }
}

variable "sizes" {
  type    = map(number)
  default = { a = 1, "b" = 2.50 }
}

variable "password" {
  sensitive = true
}

locals {
  dir   = "${path.module}/data"
  text  = "a \"quoted\" $${x}\n${var.sizes["a"] + 1}%{ if true }yes%{ else }no ${local.dir}%{ endif }"
  big   = [for k, v in var.sizes : "${k}=${v}" if v > 1 && !(k == "x")]
  by    = { for k, v in var.sizes : v => k... }
  first = (terraform_data.one)[0].output
}

resource "terraform_data" "one" {
  count = length(keys(var.sizes)) > 1 ? 2 : -1
  input = {
    ids  = terraform_data.one[*].id, old = terraform_data.two.*.id
    file = file("${local.dir}/one.txt")
    all  = merge([{ a = 1 }, {}]...)
  }
  provisioner "local-exec" { command = "echo 1" }
  provisioner "local-exec" { command = "echo ${1 - 2 - 3 * 4}" }
  lifecycle {
    ignore_changes = [input]
  }
}

resource "terraform_data" "two" {
  for_each = fileset("data", "*.txt")
  input    = [each.key, terraform.workspace, null, true, ["x", { (var.password) = 1, k = 2 }]]
}

module "sub" {
  source = "./sub"
  name   = "x"
}
"""
OVERRIDE = 'resource "terraform_data" "one" {\n  count = 1\n}\n'
JSON = '{"//": "c", "output": {"o": {"value": "${local.text}!", "description": "d"}}, "locals": {"j": [1, null, {"k": "v"}]}}'
SUB = 'variable "name" {\n  type = string\n}\noutput "name" {\n  value = fileexists("nothing") ? "" : var.name\n}\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "main.tf": ROOT,
        "x_override.tf": OVERRIDE,
        "more.tf.json": JSON,
        "sub/main.tf": SUB,
        "data/one.txt": "one",
        "data/two.txt": "two",
    }.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    return tmp_path


def test_the_digest_of_the_code(project: Path) -> None:
    configuration, found = load(Path())
    assert not found.has_errors, list(found)
    files = {
        "": {
            "file data/one.txt": "sha256:" + hashlib.sha256(b"one").hexdigest(),
            "fileset data *.txt": ["one.txt", "two.txt"],
        },
        "sub": {"exists nothing": False},
    }
    modules = {"": ".", "sub": "sub"}
    assert read_code(configuration).digest == recomputed.code(".", modules, files, __version__)


def test_the_digest_of_the_inputs(project: Path) -> None:
    configuration, _ = load(Path())
    clouds = {'provider["registry.terraform.io/hashicorp/aws"]': {"account": "1", "region": "r"}}
    inputs = {"sizes": {"z": "3", "a": 1}, "password": "hunter2"}
    found = input_digest(configuration, read_code(configuration), inputs, clouds, "blue", KEY)
    document = {
        "format": "twinfra inputs 1",
        "variables": {"sizes": {"a": 1, "z": 3}, "password": recomputed.secret(KEY(), "hunter2")},
        "environment": {"workspace": "blue"},
        "clouds": clouds,
    }
    assert found == recomputed.digest(document)


def state_file(state: State) -> dict[str, object]:
    import json

    document: dict[str, object] = json.loads(b"".join(write_state(state)))
    return document


def test_the_digest_of_a_state() -> None:
    from dataclasses import replace

    from tests.environments.fingerprint.states import put

    from twinfra.addresses import parse_address

    state = network(5)
    put(
        state,
        "aws_eks_cluster.c",
        {
            "id": "c",
            "endpoint": "https://ABCDEF012345.eks.example",
            "identity": [{"oidc": [{"issuer": "https://oidc.example/id/ABCDEF"}]}],
            "status": "ACTIVE",
            "created_at": "2026",
            "tags": {"cost": "5$", "like": "${aws_vpc.main.id}", "issuer": "oidc.example/id/ABCDEF:sub"},
            "text": "aHR0cHM6Ly9BQkNERUYwMTIzNDUuZWtzLmV4YW1wbGU=",
        },
        sensitive=("tags",),
    )
    put(state, "aws_route_table.t", {"id": "rtb-0000001", "route": [{"cidr_block": "0.0.0.0/0"}]})
    put(state, "aws_route_table.u", {"id": "rtb-0000002", "route": [{"cidr_block": "0.0.0.0/0"}]})
    put(state, "aws_route.r", {"id": "r-rtb-00000019", "route_table_id": "rtb-0000001", "state": "active"})
    put(state, "aws_s3_object.o", {"id": "o", "content": "x", "etag": "abc"})
    put(state, "data.aws_region.r", {"id": "x"})
    state.outputs["vpc"] = replace(state.outputs["vpc"], sensitive=True)
    assert parse_address("aws_eks_cluster.c")
    schemas = PROVIDERS.schema(ProviderAddress("aws")).resources
    kinds = {address.resource.type for address in state.resources if address.resource.mode == "managed"}
    declared = {
        kind: {
            "identifiers": schemas[kind].identifiers,
            "volatile": schemas[kind].volatile,
            "sets": ("subnets", "security_groups") if kind == "aws_lb" else ("route",),
        }
        for kind in kinds
    }
    found = recomputed.State(state_file(state), declared, KEY()).digest()
    assert state_digest(state, PROVIDERS.schema, KEY) == found
