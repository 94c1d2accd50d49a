"""The digest of a state."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.environments.fingerprint.states import KEY, PROVIDERS, digest_of, network, put

from twinfra.addresses import parse_address
from twinfra.environments.fingerprint import VolatileRule, state_digest
from twinfra.environments.fingerprint.canonical import canonical
from twinfra.environments.fingerprint.identifiers import Identifiers
from twinfra.environments.fingerprint.state import StateForms
from twinfra.state.model import OutputState, State


def forms(state: State) -> dict[str, Any]:
    found = StateForms(state, PROVIDERS.schema, KEY).resources()
    return {one["address"]: one["attributes"] for one in found}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(), st.integers(), st.integers(0, 12))
def test_generated_identifiers_make_no_difference(one: int, other: int, subnets: int) -> None:
    assert digest_of(network(one, subnets)) == digest_of(network(other, subnets))


def test_the_serial_and_lineage_and_the_order_of_resources_make_no_difference() -> None:
    state = network(1)
    other = State.fresh()
    other.serial = 7
    other.outputs = dict(reversed(state.outputs.items()))
    other.resources = dict(reversed(state.resources.items()))
    assert digest_of(state) == digest_of(other)


def test_an_identifier_is_named_by_the_place_where_it_was_made() -> None:
    found = forms(network(1))
    assert found["aws_vpc.main"]["id"] == "${aws_vpc.main.id}"
    assert found["aws_vpc.main"]["arn"] == "arn:aws:ec2:us-east-1:123456789012:vpc/${aws_vpc.main.id}"
    assert found["aws_subnet.s[1]"]["vpc_id"] == "${aws_vpc.main.id}"
    assert found["aws_lb.web"]["subnets"] == [f"${{aws_subnet.s[{at}].id}}" for at in range(3)]
    assert '"${aws_vpc.main.id}"' in found["aws_iam_role.node"]["assume_role_policy"]
    assert found["aws_iam_role.node"]["id"] == "${aws_iam_role.node.name}"


def test_a_name_that_was_given_counts() -> None:
    state = network(1)
    before = digest_of(state)
    group = state.current(parse_address("aws_security_group.nodes").instance(None))  # type: ignore[union-attr]
    assert group is not None
    group.attributes["name"] = "others"
    assert digest_of(state) != before


@pytest.mark.parametrize(
    ("address", "name", "value"),
    [
        ("aws_vpc.main", "cidr_block", "10.1.0.0/16"),
        ("aws_vpc.main", "tags", {"Name": "other"}),
        ("aws_vpc.main", "enable_dns_support", False),
        ("aws_lb.web", "subnets", []),
        ("aws_lb.web", "security_groups", ["sg-00000000000000000"]),
    ],
)
def test_a_changed_attribute_makes_a_difference(address: str, name: str, value: Any) -> None:
    state = network(1)
    before = digest_of(state)
    stored = state.current(parse_address(address).instance(None))  # type: ignore[union-attr]
    assert stored is not None
    stored.attributes[name] = value
    assert digest_of(state) != before


def test_which_object_is_referred_to_makes_a_difference() -> None:
    def state(of: int) -> State:
        made = network(1)
        ids = [attributes["id"] for attributes in raw(made) if attributes["id"].startswith("subnet")]
        put(made, "aws_instance.x", {"id": "i-0123456789abcdef0", "subnet_id": ids[of]})
        return made

    assert digest_of(state(0)) != digest_of(state(1))


def raw(state: State) -> list[dict[str, Any]]:
    return [
        one.current.attributes
        for resource in state.resources.values()
        for one in resource.instances.values()
        if one.current is not None
    ]


def test_what_is_tainted_or_deposed_counts() -> None:
    state = network(1)
    before = digest_of(state)
    resource = state.resources[parse_address("aws_vpc.main").instance(None).of]  # type: ignore[union-attr]
    instance = resource.instances[None]
    assert instance.current is not None
    good = instance.current
    instance.current = replace(good, tainted=True)
    tainted = digest_of(state)
    instance.current = good
    instance.deposed["12345678"] = good
    assert len({before, tainted, digest_of(state)}) == 3


def test_a_volatile_attribute_makes_no_difference_where_it_is_declared() -> None:
    state = network(1)
    stored = raw(state)[0]
    before = digest_of(state, VolatileRule("aws_vpc.*.tags.Scanned", "a scanner writes it"))
    stored["tags"] = {**stored["tags"], "Scanned": "today"}
    assert digest_of(state, VolatileRule("aws_vpc.*.tags.Scanned", "a scanner writes it")) == before
    assert digest_of(state) != before


@pytest.mark.parametrize(
    "path", ["aws_subnet.s[*].tags", "aws_subnet.s.tags", "aws_subnet.*.tags", "aws_subnet.s[0].tags"]
)
def test_a_rule_covers_instances(path: str) -> None:
    def state(tags: dict[str, str] | None) -> State:
        made = State.fresh()
        put(made, "aws_subnet.s[0]", {"id": "subnet-1", "tags": tags})
        return made

    rule = VolatileRule(path, "why")
    assert digest_of(state(None), rule) == digest_of(state({"a": "b"}), rule)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ('aws_vpc.main.tags["Scanned"]', "Scanned"),
        ('aws_vpc.main.tags["Scan.ned"]', "Scan.ned"),
        ('aws_vpc.main.tags["Scan.*"]', "Scan.ned"),
        ("aws_vpc.*.ta*.*ned", "Scanned"),
        ("aws_vpc.*.*", "Scanned"),
    ],
)
def test_a_rule_covers_names_of_attributes_and_keys_of_maps(path: str, key: str) -> None:
    def state(scanned: str) -> State:
        made = State.fresh()
        put(made, "aws_vpc.main", {"tags": {"Name": "main", key: scanned}})
        return made

    rule = VolatileRule(path, "why")
    assert digest_of(state("today"), rule) == digest_of(state("yesterday"), rule)
    assert digest_of(state("today")) != digest_of(state("yesterday"))


@pytest.mark.parametrize("path", ['aws_vpc.main.tags["Scanned"]', "aws_vpc.main.tags.Scan*"])
def test_a_rule_for_one_key_covers_no_other(path: str) -> None:
    def state(name: str) -> State:
        made = State.fresh()
        put(made, "aws_vpc.main", {"tags": {"Name": name, "Scanned": "today"}})
        return made

    rule = VolatileRule(path, "why")
    assert digest_of(state("a"), rule) != digest_of(state("b"), rule)


def test_a_rule_covers_what_is_inside_all_elements_of_a_list() -> None:
    def state(*times: str) -> State:
        made = State.fresh()
        put(made, "aws_vpc.main", {"scans": [{"by": "x", "at": one} for one in times]})
        return made

    for path in ("aws_vpc.main.scans.at", "aws_vpc.main.scans[*].a*", "aws_vpc.main.*.at"):
        rule = VolatileRule(path, "why")
        assert digest_of(state("1", "2"), rule) == digest_of(state("3", "4"), rule)
        assert digest_of(state("1"), rule) != digest_of(state("1", "2"), rule)


def test_a_rule_for_another_instance_covers_nothing() -> None:
    state = network(1)
    before = digest_of(state)
    assert digest_of(state, VolatileRule("aws_vpc.other.tags", "why")) == before


def test_what_is_sensitive_is_hashed_with_the_key() -> None:
    def state(secret: str) -> State:
        made = State.fresh()
        put(made, "aws_ssm.x", {"id": "x", "value": secret}, sensitive=("value",))
        made.outputs["x"] = OutputState(secret, "string", sensitive=True)
        return made

    assert digest_of(state("a")) == digest_of(state("a"))
    assert digest_of(state("a")) != digest_of(state("b"))
    assert state_digest(state("a"), PROVIDERS.schema, lambda: b"o" * 32) != digest_of(state("a"))
    shown = StateForms(state("hunter2"), PROVIDERS.schema, KEY)
    assert "hunter2" not in str([list(shown.resources()), shown.outputs()])


def test_data_sources_do_not_count() -> None:
    state = network(1)
    before = digest_of(state)
    put(state, "data.aws_ami.x", {"id": "ami-12345678"})
    assert digest_of(state) == before


def test_nulls_count_as_absent() -> None:
    one, other = State.fresh(), State.fresh()
    put(one, "aws_vpc.a", {"id": "vpc-11111111", "tags": None, "x": {"y": None}})
    put(other, "aws_vpc.a", {"id": "vpc-22222222", "x": {}})
    assert digest_of(one) == digest_of(other)


# -- renaming


def test_an_identifier_inside_a_longer_word_is_another_one() -> None:
    names = Identifiers()
    names.add("vpc-123456", "a.id")
    assert names.rename("vpc-1234567") == "vpc-1234567"
    assert names.rename("xvpc-123456") == "xvpc-123456"
    assert names.rename("x-vpc-123456-y") == "x-${a.id}-y"


def test_the_longest_identifier_wins() -> None:
    names = Identifiers()
    names.add("lb/web/12345678", "lb.arn")
    names.add("lb/web/12345678/abc", "listener.arn")
    assert names.rename("lb/web/12345678/abc") == "${listener.arn}"
    assert names.rename("lb/web/12345678/abd") == "${lb.arn}/abd"


def test_base64_is_looked_into() -> None:
    names = Identifiers()
    names.add("vpc-123456", "a.id")
    text = base64.b64encode(b"export VPC=vpc-123456\n").decode()
    assert names.rename(text) == "${base64:export VPC=${a.id}\n}"
    plain = base64.b64encode(b"nothing in here").decode()
    assert names.rename(plain) == plain


def test_a_url_is_known_without_its_scheme() -> None:
    names = Identifiers()
    names.add("https://oidc.eks.example/id/ABCDEF", "c.issuer")
    assert names.rename("oidc.eks.example/id/ABCDEF:sub") == "${c.issuer}:sub"
    assert names.rename("https://oidc.eks.example/id/ABCDEF") == "https://${c.issuer}"


pieces = st.lists(
    st.sampled_from(
        ["$", "{", "}", "${", "$$", "a.id", "${a.id}", "vpc-123456", "vpc", "-", "x", "base64:", "=="]
    ),
    max_size=6,
).map("".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces, pieces)
def test_two_texts_are_never_taken_for_one(one: str, other: str) -> None:
    names = Identifiers()
    names.add("vpc-123456", "a.id")
    assert (names.rename(one) == names.rename(other)) is (one == other)


plain = st.text(max_size=5) | st.integers() | st.booleans()
values = st.dictionaries(st.sampled_from("abc"), plain | st.lists(plain, max_size=3), max_size=3)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(values, values)
def test_other_attributes_give_another_digest(one: dict[str, Any], other: dict[str, Any]) -> None:
    def digest(attributes: dict[str, Any]) -> str:
        state = State.fresh()
        put(state, "other_thing.x", attributes)
        return digest_of(state)

    same = canonical(one) == canonical(other)
    assert (digest(one) == digest(other)) is same


def test_what_looks_like_a_reference_is_no_reference() -> None:
    names = Identifiers()
    names.add("vpc-123456", "a.id")
    assert names.rename("${a.id} vpc-123456") == "$${a.id} ${a.id}"
    assert names.rename("${a.id}") == "$${a.id}"
