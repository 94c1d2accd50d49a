"""What comparing two environments takes: thousands of resources in modules, most of which differ in something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench, benchmark
from benchmarks.results import Result, Target

_FULL = 5_000
_TEAMS = 50
_KINDS = 5
"""How many blocks the module of a team has, each with as many instances."""

MAIN = """
variable "env" { type = string }
variable "owner" { type = string }
variable "retention" { type = number }
variable "sizes" { type = map(number) }

provider "aws" {
  region = "us-east-1"

  default_tags {
    tags = { Environment = var.env }
  }
}

module "team" {
  source    = "./team"
  for_each  = toset([for n in range(TEAMS) : "team-${n}"])
  prefix    = "${var.env}-${each.key}"
  owner     = var.owner
  retention = var.retention
  size      = lookup(var.sizes, each.key, 1)
}
"""
TEAM = """
variable "prefix" { type = string }
variable "owner" { type = string }
variable "retention" { type = number }
variable "size" { type = number }

locals {
  items = { for n in range(ITEMS) : "item-${n}" => { weight = n * var.size, tag = "${var.owner}/${n}" } }
}

resource "aws_s3_bucket" "data" {
  for_each = local.items
  bucket   = "${var.prefix}-${each.key}"
  tags     = { Owner = each.value.tag, Name = "${var.prefix}-${var.owner}" }
}

resource "aws_s3_bucket_versioning" "data" {
  for_each = aws_s3_bucket.data
  bucket   = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_cloudwatch_log_group" "log" {
  for_each          = local.items
  name              = "/${var.prefix}/${each.key}"
  retention_in_days = var.retention
}

resource "aws_iam_role" "role" {
  for_each = local.items
  name     = "${var.prefix}-${each.key}"
  tags     = each.value.weight > 5 ? { Size = "large" } : {}

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_security_group" "group" {
  count       = ITEMS
  name        = "${var.prefix}-${count.index}"
  description = "Group ${count.index}"
}
"""
PROJECT = """
[environments.staging]
variables = { env = "staging", owner = "anna", retention = 7, sizes = { team-3 = 2 } }

[environments.production]
variables = { env = "production", owner = "bert", retention = 90, sizes = { team-3 = 5, team-4 = 2 } }
twin_of = "staging"

[twins]
parameters = ["env", "owner", "retention", "sizes"]
"""


@benchmark("twins")
def twins(bench: Bench) -> Iterator[Result]:
    """`twins` on two environments of 5,000 resources each, of which all differ; and without the one parameter."""
    number = bench.size(_FULL)
    place = bench.directory(bench.ours, "twins")
    _write(place, number, PROJECT)
    run = bench.ours.run(place, "twins", "staging", "production", "-json", times=bench.times(3))
    yield Result(f"twins on 2 x {number:,} resources", run, target=Target(seconds=6))
    _write(place, number, PROJECT.replace(', "owner"', ""))
    run = bench.ours.run(place, "twins", "-json", times=bench.times(3), expected=(2,))
    yield Result(f"the same with {number // _KINDS:,} findings", run, target=Target(seconds=6))


def _write(place: Path, number: int, project: str) -> None:
    items = max(1, number // (_TEAMS * _KINDS))
    (place / "team").mkdir(exist_ok=True)
    (place / "main.tf").write_text(MAIN.replace("TEAMS", str(_TEAMS)), "utf-8")
    (place / "team" / "main.tf").write_text(TEAM.replace("ITEMS", str(items)), "utf-8")
    (place / "twinfra.toml").write_text(project, "utf-8")
