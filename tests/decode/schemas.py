"""Schemas for tests: of each resource type that the recorded cases use, what those set."""

from __future__ import annotations

from twinfra.schema import Attribute, Block, NestedBlock, Nesting
from twinfra.values.types import BOOL, NUMBER, STRING, ListType, MapType, ObjectType, SetType

RULE = ObjectType(
    {
        "cidr_blocks": ListType(STRING),
        "description": STRING,
        "from_port": NUMBER,
        "ipv6_cidr_blocks": ListType(STRING),
        "prefix_list_ids": ListType(STRING),
        "protocol": STRING,
        "security_groups": SetType(STRING),
        "self": BOOL,
        "to_port": NUMBER,
    }
)


def optional(type, **more):
    return Attribute(type, optional=True, **more)


TIMEOUTS = NestedBlock(Block({"create": optional(STRING), "delete": optional(STRING)}), Nesting.SINGLE)

SECURITY_GROUP = Block(
    {
        "arn": Attribute(STRING, computed=True),
        "description": optional(STRING),
        "egress": optional(SetType(RULE), computed=True),
        "ingress": optional(SetType(RULE), computed=True),
        "name": optional(STRING, computed=True),
        "tags": optional(MapType(STRING)),
    },
    {"timeouts": TIMEOUTS},
)

VPC = Block({"cidr_block": Attribute(STRING, required=True)})

TRANSITION = Block(
    {
        "date": optional(STRING),
        "days": optional(NUMBER),
        "storage_class": Attribute(STRING, required=True),
    }
)
LIFECYCLE_RULE = Block(
    {"enabled": Attribute(BOOL, required=True), "id": optional(STRING, computed=True)},
    {"transition": NestedBlock(TRANSITION, Nesting.SET)},
)
BUCKET = Block(
    {"bucket": optional(STRING)},
    {
        "lifecycle_rule": NestedBlock(LIFECYCLE_RULE),
        "versioning": NestedBlock(Block({"enabled": optional(BOOL)}), max_items=1),
    },
)

BLOCKS = {"aws_security_group": SECURITY_GROUP, "aws_vpc": VPC, "aws_s3_bucket": BUCKET}
