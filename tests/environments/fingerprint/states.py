"""States to digest: a little network whose generated identifiers come from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from twinfra.addresses import ProviderAddress, ProviderConfig, parse_address
from twinfra.engine.providers import Providers
from twinfra.environments.fingerprint import VolatileRule, state_digest
from twinfra.state.model import InstanceObject, OutputState, State


def KEY() -> bytes:  # noqa: N802
    return b"k" * 32


AWS = ProviderConfig(ProviderAddress("aws"), "")
PROVIDERS = Providers()


def put(state: State, address: str, attributes: Mapping[str, Any], sensitive: tuple[str, ...] = ()) -> None:
    """Add an instance."""
    parsed = parse_address(f"{address}" if address.endswith("]") else address)
    instance = parsed if hasattr(parsed, "key") else parsed.instance(None)  # type: ignore[union-attr]
    paths = tuple([{"type": "get_attr", "value": name}] for name in sensitive)
    state.put(instance, AWS, InstanceObject(dict(attributes), sensitive=paths))  # type: ignore[arg-type]


def digest_of(state: State, *rules: VolatileRule) -> str:
    return state_digest(state, PROVIDERS.schema, KEY, rules)


def network(seed: int, subnets: int = 3) -> State:
    """A network with a group and a role, all identifiers made from `seed`."""
    chance = random.Random(seed)

    def id(prefix: str) -> str:
        return f"{prefix}-{chance.getrandbits(68):017x}"

    state = State.fresh()
    vpc, group = id("vpc"), id("sg")
    arn = "arn:aws:ec2:us-east-1:123456789012"
    put(
        state,
        "aws_vpc.main",
        {
            "id": vpc,
            "arn": f"{arn}:vpc/{vpc}",
            "cidr_block": "10.0.0.0/16",
            "default_security_group_id": id("sg"),
            "main_route_table_id": id("rtb"),
            "ipv6_cidr_block": None,
            "tags": {"Name": "main"},
        },
    )
    ids = [id("subnet") for _ in range(subnets)]
    for at, subnet in enumerate(ids):
        put(
            state,
            f"aws_subnet.s[{at}]",
            {"id": subnet, "arn": f"{arn}:subnet/{subnet}", "vpc_id": vpc, "cidr_block": f"10.0.{at}.0/24"},
        )
    put(
        state,
        "aws_security_group.nodes",
        {
            "id": group,
            "arn": f"{arn}:security-group/{group}",
            "vpc_id": vpc,
            "name": "nodes",
            "name_prefix": "",
        },
    )
    suffix = f"{chance.getrandbits(60):015x}"
    balancer = f"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/{suffix}"
    put(
        state,
        "aws_lb.web",
        {
            "id": balancer,
            "arn": balancer,
            "arn_suffix": f"app/web/{suffix}",
            "dns_name": f"web-{chance.getrandbits(30)}.us-east-1.elb.amazonaws.com",
            "name": "web",
            "subnets": sorted(ids),
            "security_groups": [group],
        },
    )
    stamp = f"2026{chance.randrange(10**14):014d}{chance.getrandbits(32):08x}"
    put(
        state,
        "aws_iam_role.node",
        {
            "id": f"node-{stamp}",
            "name": f"node-{stamp}",
            "name_prefix": "node-",
            "arn": f"arn:aws:iam::123456789012:role/node-{stamp}",
            "unique_id": f"AROA{chance.getrandbits(64):016X}",
            "create_date": f"2026-01-{chance.randrange(10, 28)}T00:00:00Z",
            "assume_role_policy": f'{{"Condition":{{"StringEquals":{{"aws:SourceVpc":"{vpc}"}}}}}}',
        },
    )
    state.outputs["vpc"] = OutputState(vpc, "string")
    state.outputs["subnets"] = OutputState(ids, ["tuple", ["string"] * subnets])
    return state
