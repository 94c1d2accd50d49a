"""States to test with: built by hand, or anything that a state file can say (`states`)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from twinfra.addresses import (
    BUILTIN_PROVIDER,
    DATA,
    MANAGED,
    ROOT,
    AbsResource,
    Instance,
    ModuleInstance,
    ProviderAddress,
    ProviderConfig,
    Resource,
)
from twinfra.state.intents import Intent
from twinfra.state.model import InstanceObject, InstanceState, OutputState, ResourceState, State

BUILTIN = ProviderConfig(BUILTIN_PROVIDER)
AWS = ProviderConfig(ProviderAddress("aws"))


def thing(name: str, key: int | str | None = None, module: ModuleInstance = ROOT) -> Instance:
    """The address of a `terraform_data`."""
    return Instance(module, Resource(MANAGED, "terraform_data", name), key)


def data_object(id: str, value: Any = None, **parts: Any) -> InstanceObject:
    """What stock Terraform stores for a `terraform_data` whose input is a string, or null."""
    typed = None if value is None else {"value": value, "type": "string"}
    return InstanceObject({"id": id, "input": typed, "output": typed, "triggers_replace": None}, **parts)


def state_of(*names: str, serial: int = 1, lineage: str = "a-lineage") -> State:
    """A state with a `terraform_data` for each name."""
    state = State(serial=serial, lineage=lineage)
    for name in names:
        state.put(thing(name), BUILTIN, data_object(f"id-{name}", name))
    return state


def intent_for(name: str, token: str = "") -> Intent:
    """An intent to create a thing."""
    return Intent(
        thing(name), BUILTIN, token or f"token-{name}", {"input": name}, {"id": None}, ("id",), ("a.b",)
    )


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_names = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
_keys = st.one_of(st.none(), st.integers(0, 10**6), _texts)
_decimals = st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(
    lambda number: number != number.to_integral_value() and abs(number.adjusted()) < 500
)
_scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**600), 2**600), _decimals, _texts)
json_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)
_objects = st.dictionaries(_texts, json_values, max_size=5)
_steps = st.one_of(
    st.builds(lambda name: {"type": "get_attr", "value": name}, _names),
    st.builds(lambda at: {"type": "index", "value": {"value": at, "type": "number"}}, st.integers(0, 9)),
)
_extras = st.dictionaries(st.sampled_from(["future", "später"]), json_values, max_size=2).map(
    lambda fields: tuple(fields.items())
)
instance_objects = st.builds(
    InstanceObject,
    attributes=_objects,
    schema_version=st.integers(0, 9),
    tainted=st.booleans(),
    sensitive=st.lists(st.lists(_steps, max_size=3), max_size=2).map(tuple),
    private=_objects,
    dependencies=st.lists(_names, max_size=3).map(tuple),
    create_before_destroy=st.booleans(),
    extra=_extras,
)
_instances = st.builds(
    InstanceState,
    current=instance_objects,
    deposed=st.dictionaries(st.from_regex(r"[0-9a-f]{8}", fullmatch=True), instance_objects, max_size=2),
)
_modules = st.lists(st.tuples(_names, _keys), max_size=2).map(lambda steps: ModuleInstance(tuple(steps)))
_addresses = st.builds(
    AbsResource, _modules, st.builds(Resource, st.sampled_from([MANAGED, DATA]), _names, _names)
)
_providers = st.builds(
    ProviderConfig,
    st.builds(ProviderAddress, _names, _names, st.just("example.com")),
    st.one_of(st.just(""), _names),
    st.lists(_names, max_size=2).map(tuple),
)
_resources = st.builds(
    ResourceState, _providers, st.dictionaries(_keys, _instances, min_size=1, max_size=3), _extras
)
_check_results = st.fixed_dictionaries(
    {
        "object_kind": st.sampled_from(["check", "resource", "output", "var"]),
        "config_addr": st.builds("{}.{}".format, _names, _names),
        "status": st.sampled_from(["pass", "fail", "error", "unknown"]),
    },
    optional={
        "objects": st.none()
        | st.lists(
            st.fixed_dictionaries(
                {"object_addr": _texts, "status": _texts},
                optional={"failure_messages": st.lists(_texts, max_size=2)},
            ),
            max_size=2,
        ),
        "future": json_values,
    },
)
states = st.builds(
    State,
    serial=st.integers(0, 10**9),
    lineage=_names,
    terraform_version=st.just("1.11.4"),
    outputs=st.dictionaries(
        _names, st.builds(OutputState, json_values, json_values, st.booleans(), _extras), max_size=3
    ),
    resources=st.dictionaries(_addresses, _resources, max_size=4),
    check_results=st.one_of(st.none(), st.lists(_check_results, max_size=2)),
    extra=_extras,
)

EXACT = Decimal("0.1234567890123456789012345678901234567890123")
