"""Whether a plan does nothing but what was reviewed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinfra.addresses import ROOT, Instance, ProviderAddress, ProviderConfig, Resource
from twinfra.engine.changes import Action, OutputChange, Plan, ResourceChange
from twinfra.pipelines.agreement import disagreements, fits
from twinfra.values.value import UNKNOWN, List, Marked, Set, Value


def change(name: str, action: Action = Action.CREATE, after: Value = None) -> ResourceChange:
    address = Instance(ROOT, Resource("managed", "x_thing", name), None)
    return ResourceChange(address, ProviderConfig(ProviderAddress("x")), action, None, after)


REVIEWED = Plan(changes=[change("a", after={"n": 1, "id": UNKNOWN}), change("b", after={"n": 2})])


def test_the_same_plan_agrees() -> None:
    assert disagreements(REVIEWED, REVIEWED) == []


def test_a_part_of_what_was_reviewed_agrees() -> None:
    now = Plan(changes=[change("a", Action.NO_OP, {"n": 1, "id": "i"}), change("b", after={"n": 2})])
    assert disagreements(REVIEWED, now) == []


def test_what_was_unknown_may_have_a_value_now() -> None:
    assert disagreements(REVIEWED, Plan(changes=[change("a", after={"n": 1, "id": "i"})])) == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (change("c"), "was not to be changed"),
        (change("b", Action.DELETE), "was create, and is delete now"),
        (change("b", after={"n": 3}), "gets other values"),
        (change("b", after={"n": UNKNOWN}), "gets other values"),
        (change("b", after={"n": 2, "m": 1}), "gets other values"),
        (replace(change("b", after={"n": 2}), importing="i"), "comes from elsewhere"),
    ],
)
def test_what_was_not_reviewed_is_told(now: ResourceChange, said: str) -> None:
    (told,) = disagreements(REVIEWED, Plan(changes=[now]))
    assert said in told


def test_another_mode_is_told() -> None:
    assert "destroy plan" in disagreements(REVIEWED, Plan(mode="destroy"))[0]


def test_outputs_count() -> None:
    output = OutputChange("o", Action.CREATE, None, 1)
    assert disagreements(Plan(outputs=[output]), Plan(outputs=[output])) == []
    assert "output o" in disagreements(Plan(), Plan(outputs=[output]))[0]
    assert "output o" in disagreements(Plan(outputs=[output]), Plan(outputs=[replace(output, after=2)]))[0]


def test_many_differences_are_counted() -> None:
    told = disagreements(Plan(), Plan(changes=[change(f"r{number}") for number in range(9)]))
    assert told[-1] == "and 4 more"


def test_marks_do_not_matter_and_types_of_values_do() -> None:
    secret = Marked("s", frozenset({"sensitive"}))
    assert fits(secret, "s")
    assert not fits(secret, Marked("t", frozenset({"sensitive"})))
    assert fits(List([1, UNKNOWN]), List([1, 2]))
    assert not fits(Set([1]), Set([1, 2]))
    assert not fits(True, 1)
    assert not fits(None, "")
