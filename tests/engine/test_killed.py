"""A process that is killed at any moment of an apply: the next one finds what was made, and makes nothing twice.

The kill is an exception that no one handles, thrown in a provider call just before or just after the cloud did
what it was asked; the journal then is what was on the disk at that moment.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.engine.memory import MemoryCloud, MemoryProvider, Project, errors

from twinfra.addresses import BUILTIN_PROVIDER, ProviderAddress
from twinfra.engine import api
from twinfra.providers.protocol import Provider, Stored
from twinfra.providers.terraform import TerraformProvider
from twinfra.state.backends.local import LocalBackend
from twinfra.state.store import open_store

FIRST = """
resource "memory_thing" "a" {
  name = "a"
}
resource "memory_thing" "b" {
  count = 2
  name  = "b${count.index}"
  label = memory_thing.a.id
}
resource "memory_thing" "c" {
  name  = "c"
  label = memory_thing.b[1].id
  lifecycle {
    create_before_destroy = true
  }
}
resource "memory_thing" "user" {
  name  = "user"
  label = memory_thing.c.id
}
"""
SECOND = FIRST.replace('"c"\n  label', '"c2"\n  label').replace('name = "a"', 'name = "a"\n  size = 2').replace(
    'name  = "b${count.index}"', 'name  = "n${count.index}"'
)  # fmt: skip


class Killed(Exception):
    """Stands for the end of the process."""


class Death:
    """Kills at the moment number `at`; keeps what the journal on the disk was then."""

    def __init__(self, journal: Path, at: int) -> None:
        self.journal = journal
        self.left = at
        self.lock = threading.Lock()
        self.kept: bytes | None = None

    def moment(self) -> None:
        """A moment at which the process may end."""
        with self.lock:
            if self.kept is not None:
                raise Killed
            if not self.left:
                self.kept = self.journal.read_bytes()
                raise Killed
            self.left -= 1


class Mortal(MemoryProvider):
    """A provider whose process may be killed around each change that it asks for."""

    parallelism = 4

    def __init__(self, cloud: MemoryCloud, death: Death | None) -> None:
        super().__init__(cloud)
        self.death = death

    def apply(self, kind: str, change: Any, progress: Any = None) -> Stored | None:
        if self.death is not None:
            self.death.moment()
        result = super().apply(kind, change)
        if self.death is not None:
            self.death.moment()
        return result

    def confirm(self, kind: str, stored: Stored) -> Stored:
        if self.death is not None:
            self.death.moment()
        return super().confirm(kind, stored)


class World:
    """A directory with its state on the disk, and a cloud that outlives processes."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.cloud = project.cloud
        self.backend = LocalBackend(Path().absolute())
        self.journal = self.backend.journal_path("default")

    def command(self, text: str, mode: str = "normal", kill_at: int | None = None) -> bool:
        """One `apply`, as the command line does it; returns whether it was killed."""
        death = None if kill_at is None else Death(self.journal, kill_at)

        def make(address: ProviderAddress) -> Provider:
            return TerraformProvider() if address == BUILTIN_PROVIDER else Mortal(self.cloud, death)

        configuration = self.project.write(text).load()
        providers = api.Providers(make)
        try:
            with open_store(self.backend, "default", "apply", Path()) as store:
                if store.intents:
                    with store.recording() as recorder:
                        found = api.recover(
                            configuration, store.state, {}, providers, store.intents, recorder
                        )
                        assert not errors(found)
                        store.save(found.state)
                result = api.plan(configuration, store.state, {}, providers, api.PlanOptions(mode=mode))
                assert not errors(result)
                with store.recording(result.state) as recorder:
                    done = api.apply(
                        result.plan, configuration, result.state, {}, providers, recorder=recorder
                    )
                    store.save(done.state)
                assert not errors(done)
        except Killed:
            assert death is not None
            assert death.kept is not None
            self.journal.write_bytes(death.kept)
            return True
        return False

    def check(self, names: list[str]) -> None:
        """What exists is what was asked for, and what is recorded is what exists."""
        assert sorted(thing["name"] for thing in self.cloud.things.values()) == names
        with open_store(self.backend, "default", "show", Path()) as store:
            recorded = [
                one.current.attributes["id"]
                for resource in store.state.resources.values()
                for one in resource.instances.values()
                if one.current is not None and not one.deposed
            ]
        assert sorted(recorded) == sorted(self.cloud.things)


@pytest.fixture
def world(project: Project) -> World:
    return World(project)


@pytest.mark.parametrize("moment", range(15))
def test_killed_while_creating(world: World, moment: int) -> None:
    assert world.command(FIRST, kill_at=moment)
    assert not world.command(FIRST)
    world.check(["a", "b0", "b1", "c", "user"])


@pytest.mark.parametrize("moment", range(16))
def test_killed_while_replacing(world: World, moment: int) -> None:
    world.command(FIRST)
    assert world.command(SECOND, kill_at=moment)
    assert not world.command(SECOND)
    world.check(["a", "c2", "n0", "n1", "user"])


@pytest.mark.parametrize("moment", range(10))
def test_killed_while_destroying(world: World, moment: int) -> None:
    world.command(FIRST)
    assert world.command(FIRST, "destroy", kill_at=moment)
    assert not world.command(FIRST, "destroy")
    world.check([])


@pytest.mark.parametrize("seed", range(8))
def test_killed_again_and_again(world: World, seed: int) -> None:
    for round in range(12):
        world.command((FIRST, SECOND)[(round + seed) % 2], kill_at=(seed * 5 + round * 7) % 13)
    assert not world.command(SECOND)
    world.check(["a", "c2", "n0", "n1", "user"])
    assert not world.command(SECOND, "destroy")
    world.check([])


class Impatient(MemoryProvider):
    """A provider during whose first create somebody asks twice to stop; the answer comes too late."""

    parallelism = 1

    def __init__(self, cloud: MemoryCloud, stop: api.Stop, over: threading.Event) -> None:
        super().__init__(cloud)
        self.stop = stop
        self.over = over

    def apply(self, kind: str, change: Any, progress: Any = None) -> Stored | None:
        result = super().apply(kind, change)
        self.stop.request()
        self.stop.request()
        self.over.wait(60)
        return result


def test_what_was_being_made_when_nobody_waited_is_found_by_the_next_run(world: World) -> None:
    stop, over = api.Stop(), threading.Event()
    providers = api.Providers(lambda _: Impatient(world.cloud, stop, over))
    configuration = world.project.write(FIRST).load()
    with open_store(world.backend, "default", "apply", Path()) as store:
        result = api.plan(configuration, store.state, {}, providers)
        with store.recording(result.state) as recorder:
            done = api.apply(
                result.plan, configuration, result.state, {}, providers, recorder=recorder, stop=stop
            )
            store.save(done.state)
    over.set()
    assert done.stopped
    assert [thing["name"] for thing in world.cloud.things.values()] == ["a"]
    with open_store(world.backend, "default", "apply", Path()) as store:
        assert [str(intent.address) for intent in store.intents] == ["memory_thing.a"]
    assert not world.command(FIRST)
    world.check(["a", "b0", "b1", "c", "user"])
