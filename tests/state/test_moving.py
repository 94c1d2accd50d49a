"""Objects moved to other addresses, and forgotten, in the state alone."""

from __future__ import annotations

import pytest
from tests.state.states import AWS, BUILTIN, data_object, state_of, thing

from twinfra.addresses import ROOT, parse_address
from twinfra.diagnostics import DiagnosticError
from twinfra.state.model import State
from twinfra.state.moving import forget, move, set_tainted

M = ROOT.child("m")


def moved(state: State, source: str, destination: str) -> State:
    return move(state, parse_address(source), parse_address(destination))[0]


def refused(state: State, source: str, destination: str) -> str:
    with pytest.raises(DiagnosticError) as caught:
        moved(state, source, destination)
    (one,) = caught.value.diagnostics
    assert one.mend
    return f"{one.summary}: {one.detail}"


def addresses(state: State) -> list[str]:
    return sorted(
        str(resource.instance(key)) for resource, one in state.resources.items() for key in one.instances
    )


def counted() -> State:
    state = state_of()
    for key in range(2):
        state.put(thing("a", key), BUILTIN, data_object(f"id-{key}"))
    return state


def test_a_resource_is_renamed() -> None:
    state = moved(state_of("a"), "terraform_data.a", "terraform_data.b")
    assert addresses(state) == ["terraform_data.b"]
    assert state.current(thing("b")) == data_object("id-a", "a")


def test_the_given_state_stays_as_it_is() -> None:
    state = state_of("a")
    moved(state, "terraform_data.a", "terraform_data.b")
    assert addresses(state) == ["terraform_data.a"]


def test_all_instances_of_a_resource_move_with_their_keys() -> None:
    state = moved(counted(), "terraform_data.a", "terraform_data.b")
    assert addresses(state) == ["terraform_data.b[0]", "terraform_data.b[1]"]


def test_one_instance_moves_to_another_key() -> None:
    state = moved(counted(), "terraform_data.a[1]", 'terraform_data.b["x"]')
    assert addresses(state) == ["terraform_data.a[0]", 'terraform_data.b["x"]']


def test_a_resource_gets_its_first_key() -> None:
    assert addresses(moved(state_of("a"), "terraform_data.a", "terraform_data.a[0]")) == [
        "terraform_data.a[0]"
    ]


def test_an_instance_loses_its_key() -> None:
    assert addresses(moved(counted(), "terraform_data.a[0]", "terraform_data.b")) == [
        "terraform_data.a[1]",
        "terraform_data.b",
    ]


def test_a_resource_moves_into_a_module_under_its_own_name() -> None:
    assert addresses(moved(state_of("a"), "terraform_data.a", 'module.m["x"]')) == [
        'module.m["x"].terraform_data.a'
    ]


def test_a_module_moves_with_all_below_it() -> None:
    state = state_of("kept")
    state.put(thing("a", 0, M), BUILTIN, data_object("1"))
    state.put(thing("b", None, M.child("inner", 1)), BUILTIN, data_object("2"))
    assert addresses(moved(state, "module.m", "module.n[0].module.o")) == [
        "module.n[0].module.o.module.inner[1].terraform_data.b",
        "module.n[0].module.o.terraform_data.a[0]",
        "terraform_data.kept",
    ]


def test_deposed_objects_move_along() -> None:
    state = state_of("a")
    state.put(thing("a"), BUILTIN, data_object("old"), "0a1b2c3d")
    there = moved(state, "terraform_data.a", "terraform_data.b").get(thing("b"))
    assert there is not None
    assert list(there.deposed) == ["0a1b2c3d"]


def test_what_others_depend_on_is_renamed_with_it() -> None:
    state = state_of("a")
    state.put(thing("user"), BUILTIN, data_object("u", dependencies=("terraform_data.a", "terraform_data.z")))
    found = moved(state, "terraform_data.a", "module.m.terraform_data.b").current(thing("user"))
    assert found is not None
    assert found.dependencies == ("module.m.terraform_data.b", "terraform_data.z")


def test_dependencies_stay_while_a_part_of_the_resource_does() -> None:
    state = counted()
    state.put(thing("user"), BUILTIN, data_object("u", dependencies=("terraform_data.a",)))
    found = moved(state, "terraform_data.a[0]", "terraform_data.b").current(thing("user"))
    assert found is not None
    assert found.dependencies == ("terraform_data.a",)


@pytest.mark.parametrize(
    ("source", "destination", "reason"),
    [
        ("terraform_data.x", "terraform_data.y", "Nothing to move"),
        ("module.x", "module.y", "Nothing to move"),
        ("terraform_data.a[7]", "terraform_data.y", "Nothing to move"),
        ("terraform_data.a[0]", "terraform_data.a[1]", "already holds"),
        ("terraform_data.a", "terraform_data.b[0]", "several instances"),
        ("terraform_data.a", "other_type.a", "stays of its type"),
        ("terraform_data.a", "data.terraform_data.a", "stays of its type"),
        ("module.m", "terraform_data.y", "only become a module"),
        ("module.m", "module.m.module.n", "into itself"),
    ],
)
def test_what_cannot_be_moved_is_refused(source: str, destination: str, reason: str) -> None:
    state = counted()
    state.put(thing("i", None, M), BUILTIN, data_object("1"))
    assert reason in refused(state, source, destination)


def test_objects_of_two_providers_do_not_share_a_resource() -> None:
    state = counted()
    state.put(thing("b", 5), AWS, data_object("1"))
    assert "Different providers" in refused(state, "terraform_data.a[0]", "terraform_data.b[0]")


def test_what_is_forgotten_is_gone_with_what_it_deposed() -> None:
    state = counted()
    state.put(thing("a", 0), BUILTIN, data_object("old"), "0a1b2c3d")
    assert addresses(forget(state, [thing("a", 0)])) == ["terraform_data.a[1]"]
    assert forget(state, [thing("a", 0), thing("a", 1)]).resources == {}


def test_a_taint_is_set_and_taken_back() -> None:
    tainted = set_tainted(state_of("a"), thing("a"), True)
    assert tainted.current(thing("a")) == data_object("id-a", "a", tainted=True)
    assert set_tainted(tainted, thing("a"), False).current(thing("a")) == data_object("id-a", "a")


def test_what_is_only_deposed_cannot_be_tainted() -> None:
    state = state_of()
    state.put(thing("a"), BUILTIN, data_object("old"), "0a1b2c3d")
    with pytest.raises(DiagnosticError, match="No current object"):
        set_tainted(state, thing("a"), True)
