"""Our dataclasses behave as those of the standard library, but for what `frozen` does at run time."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import field
from typing import ClassVar

import pytest

from twinfra.dataclass import dataclass

made: list[int] = []


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    label: str = field(default="here", compare=False, repr=False)
    self: object = None
    seen: ClassVar[int] = 0


@dataclass(slots=True)
class Basket:
    owner: str
    things: list[str] = field(default_factory=list)
    number: int = field(default=7, init=False)
    late: int = field(init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    mode: str
    workers: int = 10


@dataclass(frozen=True, slots=True)
class Deep(Point):
    z: int = 0

    def __post_init__(self) -> None:
        made.append(self.z)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    major: int
    minor: int


@dataclass(frozen=True, slots=True, eq=False)
class Itself:
    name: str


@dataclass(frozen=True, slots=True)
class Hashed:
    name: str
    other: str

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<{self.name}>"


def test_fields_are_given_by_place_or_name_or_have_defaults():
    assert (Point(1).x, Point(1).y, Point(1).label, Point(1).self) == (1, 2, "here", None)
    assert (Point(1, 5).y, Point(y=6, x=0).y, Point(1, self=3).self) == (5, 6, 3)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Point(), "missing 1 required positional argument: 'x'"),
        (lambda: Point(1, z=2), "unexpected keyword argument 'z'"),
        (lambda: Options("fast"), "takes 1 positional argument"),
        (lambda: Basket("a", number=1), "unexpected keyword argument 'number'"),
    ],
)
def test_wrong_arguments_are_refused_the_first_time_and_later(make, told):
    for _ in range(2):
        with pytest.raises(TypeError, match=told):
            make()


def test_each_object_has_a_default_of_its_own():
    one, other = Basket("a"), Basket("b")
    one.things.append("x")
    assert (one.things, other.things, one.number) == (["x"], [], 7)
    assert Basket("c", ["y"]).things == ["y"]
    with pytest.raises(AttributeError):
        print(one.late)


def test_equal_objects_have_equal_fields_that_are_compared():
    assert Point(1) == Point(1, label="there")
    assert hash(Point(1)) == hash(Point(1, label="there"))
    assert Point(1) != Point(2)
    assert Point(1) != Deep(1)
    assert Point(1).__eq__(1) is NotImplemented
    assert len({Version(1, 2), Version(1, 2), Version(1, 3)}) == 2


def test_what_can_change_has_no_hash():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Basket("a"))


def test_without_eq_an_object_is_itself_only():
    one = Itself("a")
    assert one == one
    assert one != Itself("a")
    assert one in {one}


def test_methods_of_its_own_stay():
    assert hash(Hashed("a", "b")) == hash("a")
    assert repr(Hashed("a", "b")) == "<a>"
    assert Hashed("a", "b") != Hashed("a", "c")


def test_it_shows_its_fields():
    assert repr(Point(1)) == "Point(x=1, y=2, self=None)"


def test_objects_are_in_order_of_their_fields():
    assert sorted([Version(2, 0), Version(1, 9), Version(1, 2)]) == [
        Version(1, 2),
        Version(1, 9),
        Version(2, 0),
    ]
    assert Version(1, 2) <= Version(1, 2) < Version(1, 3) > Version(1, 1) >= Version(1, 0)


def test_a_class_may_add_fields_to_another_and_look_at_what_was_made():
    made.clear()
    assert Deep(1, z=3) == Deep(1, 2, "there", None, 3)
    assert made == [3, 3]


def test_the_functions_of_the_standard_library_work_on_them():
    assert dataclasses.replace(Point(1), y=9) == Point(1, 9)
    assert dataclasses.asdict(Options(mode="fast")) == {"mode": "fast", "workers": 10}
    assert [one.name for one in dataclasses.fields(Version)] == ["major", "minor"]
    assert dataclasses.is_dataclass(Basket)


def test_they_are_copied_and_pickled():
    for one in (Point(1), Options(mode="fast"), Deep(1)):
        assert copy.deepcopy(one) == one == pickle.loads(pickle.dumps(one))


def test_slots_hold_no_other_attribute():
    with pytest.raises(AttributeError):
        Basket("a").other = 1  # type: ignore[attr-defined]
