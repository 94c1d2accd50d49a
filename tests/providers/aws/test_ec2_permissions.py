"""Rules of security groups between blocks and single permissions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinfra.providers.aws.services.ec2._permissions import (
    blocks_of,
    permissions_of_blocks,
    permissions_read,
    request,
    same_protocol,
)

GROUP, OWNER = "sg-own", "123456789012"


def some(values: list[str]) -> Any:
    return st.lists(st.sampled_from(values), unique=True, max_size=3)


BLOCKS = st.lists(
    st.fixed_dictionaries(
        {
            "protocol": st.sampled_from(["tcp", "6", "UDP", "icmp", "-1", "all", "50"]),
            "from_port": st.sampled_from([0, 80]),
            "to_port": st.sampled_from([80, 443]),
            "description": st.sampled_from([None, "", "web"]),
            "cidr_blocks": some(["10.0.0.0/8", "0.0.0.0/0", "192.168.0.0/16"]),
            "ipv6_cidr_blocks": some(["::/0", "2001:DB8::/32"]),
            "prefix_list_ids": some(["pl-1", "pl-2"]),
            "security_groups": some(["sg-1", GROUP, "210987654321/sg-2"]),
            "self": st.sampled_from([None, False, True]),
        }
    ),
    max_size=4,
)


@given(BLOCKS, BLOCKS)
def test_blocks_say_exactly_what_is_there_whatever_was_declared(
    there: list[Any], declared: list[Any]
) -> None:
    found = permissions_of_blocks(there, GROUP)
    assert permissions_of_blocks(blocks_of(found, declared, GROUP), GROUP) == found


@given(BLOCKS)
def test_what_the_api_is_sent_it_answers_with(blocks: list[Any]) -> None:
    found = permissions_of_blocks(blocks, GROUP)
    answered = request(found)
    for one in answered:
        for pair in one.get("UserIdGroupPairs", ()):
            pair.setdefault("UserId", OWNER)
    assert permissions_read(answered, OWNER) == found


def test_blocks_that_hold_are_kept_as_they_were_declared() -> None:
    declared = [
        {"protocol": "TCP", "from_port": 80, "to_port": 80, "cidr_blocks": ["10.1.0.0/16", "10.0.0.0/16"]},
        {
            "protocol": "tcp",
            "from_port": 80,
            "to_port": 80,
            "cidr_blocks": ["10.2.0.0/16"],
            "description": "",
        },
    ]
    assert blocks_of(permissions_of_blocks(declared, GROUP), declared, GROUP) == declared


@pytest.mark.parametrize(("one", "other"), [("tcp", "6"), ("-1", "all"), ("UDP", "17"), ("icmpv6", "58")])
def test_protocols_by_name_and_number_are_the_same(one: str, other: str) -> None:
    assert same_protocol(one, other)
    assert not same_protocol(one, "47")
