"""What the digests of code, inputs and state cost."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench, benchmark
from benchmarks.processes import Run
from benchmarks.results import Result, Target


@benchmark("fingerprint")
def fingerprint(bench: Bench) -> Iterator[Result]:
    """The fingerprint of many subnets, each a block of its own, whose ids occur in other attributes and outputs."""
    size = bench.size(5000)
    run = _measured(bench, size)
    yield Result(f"fingerprint, {size:,} resources", run, target=Target(seconds=2))
    large = _measured(bench, 4 * size)
    name = f"fingerprint, {size:,} to {4 * size:,}"
    yield Result(name, large, target=Target(growth=4.4), before=run)


def _measured(bench: Bench, size: int) -> Run:
    directory = bench.directory(bench.ours, f"fingerprint-{size}", main=configuration(size))
    write_state(directory / "terraform.tfstate", size)
    return bench.ours.run(directory, "fingerprint", "-json", times=bench.times(5))


def configuration(size: int) -> str:
    """So many subnets in one network."""
    parts = ['resource "aws_vpc" "main" {\n  cidr_block = "10.0.0.0/8"\n}\n']
    parts += [
        f'resource "aws_subnet" "s{number}" {{\n'
        "  vpc_id     = aws_vpc.main.id\n"
        f"  cidr_block = cidrsubnet(aws_vpc.main.cidr_block, 16, {number})\n"
        f'  tags       = {{ Name = "s{number}", Team = "ml-${{terraform.workspace}}" }}\n'
        "}\n"
        for number in range(size)
    ]
    return "".join(parts)


def write_state(path: Path, size: int) -> None:
    """The state of that configuration."""
    chance = random.Random(1)
    arn = "arn:aws:ec2:us-east-1:123456789012"
    vpc = f"vpc-{chance.getrandbits(68):017x}"
    resources = [
        _resource("aws_vpc", "main", {"id": vpc, "arn": f"{arn}:vpc/{vpc}", "cidr_block": "10.0.0.0/8"})
    ]
    ids = []
    for number in range(size):
        id = f"subnet-{chance.getrandbits(68):017x}"
        ids.append(id)
        tags = {"Name": f"s{number}", "Team": "ml-default"}
        attributes = {
            "arn": f"{arn}:subnet/{id}",
            "assign_ipv6_address_on_creation": False,
            "availability_zone": "us-east-1a",
            "cidr_block": f"10.{number // 256 % 256}.{number % 256}.0/24",
            "id": id,
            "ipv6_cidr_block": "",
            "map_public_ip_on_launch": False,
            "owner_id": "123456789012",
            "private_dns_hostname_type_on_launch": "ip-name",
            "tags": tags,
            "tags_all": tags,
            "timeouts": None,
            "vpc_id": vpc,
        }
        resources.append(_resource("aws_subnet", f"s{number}", attributes))
    document = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 1,
        "lineage": str(uuid.UUID(int=1)),
        "outputs": {"ids": {"value": ids, "type": ["list", "string"]}},
        "resources": resources,
        "check_results": None,
    }
    path.write_text(json.dumps(document, indent=2), "utf-8")


def _resource(type: str, name: str, attributes: dict[str, object]) -> dict[str, object]:
    return {
        "mode": "managed",
        "type": type,
        "name": name,
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [{"schema_version": 0, "attributes": attributes}],
    }
