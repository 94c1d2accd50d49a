"""Our dataclasses are those of the standard library, but for when their functions are compiled."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

OPTIONS = [
    {},
    {"slots": True},
    {"frozen": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "eq": False},
    {"frozen": True, "slots": True, "kw_only": True},
    {"frozen": True, "slots": True, "order": True},
]


def both(make):
    """The same class made by the standard library and by ours."""
    return make(dataclasses.dataclass), make(dataclass)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_everything_looks_as_in_the_standard_library(options):
    def make(decorate):
        class Point:
            """A point."""

            x: int
            y: int = 2
            names: list[str] = field(default_factory=list, repr=False)
            hidden: int = field(default=0, compare=False)

            def total(self):
                return self.x + self.y

        return decorate(**options)(Point)

    stock, ours = both(make)
    assert str(inspect.signature(ours)) == str(inspect.signature(stock))
    assert ours.__match_args__ == stock.__match_args__
    assert getattr(ours, "__slots__", None) == getattr(stock, "__slots__", None)
    assert (ours.__hash__ is None) == (stock.__hash__ is None)
    assert (ours.__name__, ours.__qualname__, ours.__doc__) == (
        stock.__name__,
        stock.__qualname__,
        stock.__doc__,
    )
    for one in (stock, ours):
        made = one(x=1)
        assert repr(made).endswith("Point(x=1, y=2, hidden=0)")
        assert (made.total(), made.names) == (3, [])
        assert made.names is not one(x=1).names
        assert (made == one(x=1, hidden=5)) is options.get("eq", True)
        assert made != one(x=2)
        assert made != 1
        assert dataclasses.replace(made, y=5).y == 5
        assert dataclasses.asdict(made) == {"x": 1, "y": 2, "names": [], "hidden": 0}
        assert [one.name for one in dataclasses.fields(made)] == ["x", "y", "names", "hidden"]
        assert copy.copy(made).x == 1


def test_equal_ones_have_equal_hashes_and_a_given_hash_stays():
    def plain(decorate):
        @decorate(frozen=True, slots=True)
        class Key:
            name: str
            at: int

        return Key

    def own(decorate):
        @decorate(frozen=True, slots=True)
        class Key:
            name: str

            def __hash__(self):
                return 7

        return Key

    for one in both(plain):
        assert hash(one("a", 1)) == hash(one("a", 1)) != hash(one("a", 2))
        assert {one("a", 1), one("a", 1)} == {one("a", 1)}
    assert [hash(one("a")) for one in both(own)] == [7, 7]


def test_what_follows_the_making_is_done():
    def make(decorate):
        @decorate(frozen=True, slots=True)
        class Named:
            name: str

            def __post_init__(self):
                if not self.name:
                    raise ValueError("no name")

        return Named

    for one in both(make):
        with pytest.raises(ValueError, match="no name"):
            one("")


@pytest.mark.parametrize("given", [(), (1, 2, 3, 4)])
def test_wrong_arguments_are_refused_also_the_first_time(given):
    @dataclass(slots=True)
    class Pair:
        x: int
        y: int = 0

    for _ in range(2):
        with pytest.raises(TypeError, match=r"Pair\.__init__\(\)"):
            Pair(*given)


@dataclass(frozen=True, slots=True)
class Kept:
    """At the top of the module, for pickle to find it."""

    x: int


def test_they_can_be_pickled():
    assert pickle.loads(pickle.dumps(Kept(3))) == Kept(3)


def test_what_only_the_standard_library_knows_is_left_to_it():
    @dataclass(slots=True)
    class Base:
        x: int

    @dataclass(slots=True)
    class Derived(Base):
        kinds: ClassVar[int] = 4
        y: int = 0

    assert Derived(1, 2) == Derived(1, 2)
    assert Derived(1).kinds == 4
    with pytest.raises(ValueError, match="mutable default"):

        @dataclass
        class Wrong:
            x: list[int] = []  # noqa: RUF012


def test_a_pattern_takes_them_apart():
    match Kept(3):
        case Kept(x):
            assert x == 3
