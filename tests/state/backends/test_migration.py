"""`init -migrate-state` from every kind of backend to every kind, and what it does where something goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Directory, twinfra
from tests.state.backends.conftest import Rig, block
from tests.state.backends.http_server import StateServer
from tests.state.states import state_of

from twinfra.state.backends.protocol import NOTHING, Backend
from twinfra.state.locks import new_lock
from twinfra.state.store import open_store
from twinfra.state.v4 import write_state

__all__ = ["twinfra"]
pytestmark = pytest.mark.emulator

TYPES = ("local", "s3", "gcs", "http", "pg")
MORE = ("s3-dynamodb", "s3-ministack")


def fill(rig: Rig, *workspaces: str, lineage: str = "a-lineage") -> None:
    """Put a state of its own into each workspace."""
    backend = rig.open()
    for name in workspaces:
        if name != "default":
            backend.create(name)
        backend.write(name, list(write_state(state_of("a", name, serial=7, lineage=lineage))), NOTHING)


def stored(rig: Rig) -> dict[str, bytes]:
    """The states that are in a rig, by workspace."""
    backend: Backend = rig.open()
    found = {name: backend.read(name) for name in backend.workspaces()}
    return {name: one.data for name, one in found.items() if one is not None}


def use(rig: Rig, twinfra: Directory) -> None:
    twinfra.write(main_tf=block(rig))
    twinfra.ok("init", "-reconfigure")


def pairs() -> list[tuple[str, str]]:
    every = [(old, new) for old in TYPES for new in TYPES]
    others = [(old, new) for one in MORE for old, new in (("local", one), (one, "local"))]
    return [*every, *others]


@pytest.mark.parametrize(("old", "new"), pairs())
def test_every_state_goes_from_every_kind_to_every_kind(
    old: str, new: str, make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    source, target = make_rig(old), make_rig(new)
    names = ("default", "dev") if source.has_workspaces and target.has_workspaces else ("default",)
    fill(source, *names)
    use(source, twinfra)
    before = stored(source)
    twinfra.write(main_tf=block(target))
    assert twinfra("init").code == 1
    assert stored(target) == {}
    twinfra.ok("init", "-migrate-state", "-force-copy")
    assert stored(target) == before
    assert twinfra.ok("state", "pull").out.encode() == before["default"]
    for name in names:
        assert source.open().holder(name) is None
        assert target.open().holder(name) is None
    if old == "local":
        assert Path(f"{source.settings['path']}.backup").read_bytes() == before["default"]
    else:
        assert stored(source) == before


@pytest.mark.parametrize("kind", ["s3", "gcs", "pg", "local"])
def test_a_workspace_with_nothing_in_it_yet_goes_along(
    kind: str, make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    source, target = make_rig("local"), make_rig(kind)
    fill(source, "default")
    use(source, twinfra)
    twinfra.ok("workspace", "new", "empty")
    twinfra.write(main_tf=block(target))
    twinfra.ok("init", "-migrate-state", "-force-copy")
    assert target.open().workspaces() == ["default", "empty"]
    assert twinfra.ok("workspace", "show").out == "empty\n"
    twinfra.ok("workspace", "select", "empty")


def test_a_backend_that_is_taken_out_of_the_configuration_gives_its_states_back(
    make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    rig = make_rig("s3")
    fill(rig, "default", "dev")
    use(rig, twinfra)
    before = stored(rig)
    twinfra.write(main_tf="")
    refused = twinfra("plan")
    assert refused.code == 1
    assert "init -migrate-state" in " ".join(refused.err.split())
    twinfra.ok("init", "-migrate-state", "-force-copy")
    assert Path("terraform.tfstate").read_bytes() == before["default"]
    assert Path("terraform.tfstate.d/dev/terraform.tfstate").read_bytes() == before["dev"]
    twinfra.ok("init")
    assert "terraform_data.a" in twinfra.ok("state", "list").out


def test_of_several_workspaces_the_one_in_use_goes_where_one_state_is_kept(
    make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    source, target = make_rig("pg"), make_rig("http")
    fill(source, "default", "dev", "prod")
    use(source, twinfra)
    twinfra.ok("workspace", "select", "dev")
    before = stored(source)
    twinfra.write(main_tf=block(target))
    said = " ".join(twinfra.ok("init", "-migrate-state", "-force-copy").out.split())
    assert "Left: default, prod: the new place keeps one state" in said
    assert stored(target) == {"default": before["dev"]}
    assert stored(source) == before
    assert twinfra.ok("workspace", "show").out == "default\n"
    assert "terraform_data.dev" in twinfra.ok("state", "list").out


def test_a_state_that_arrives_damaged_stays_where_it_was(
    make_rig: Callable[[str], Rig], state_server: StateServer, twinfra: Directory
) -> None:
    source, target = make_rig("local"), make_rig("http")
    fill(source, "default")
    use(source, twinfra)
    before = stored(source)
    state_server.stores = lambda state: state.replace(b'"id-a"', b'"id-b"')
    twinfra.write(main_tf=block(target))
    ran = twinfra("init", "-migrate-state", "-force-copy")
    assert ran.code == 1
    assert "did not arrive as it was sent" in ran.err
    assert stored(source) == before
    # The old place is still the one in use.
    use_again = block(source)
    twinfra.write(main_tf=use_again)
    assert "terraform_data.a" in twinfra.ok("state", "list").out


def test_a_network_that_is_lost_in_the_middle_leaves_all_as_it_was(
    make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    """The second of two workspaces cannot be written: the first one is not let go of either."""
    source, target = make_rig("local"), make_rig("s3")
    fill(source, "default", "dev")
    use(source, twinfra)
    before = stored(source)
    target.proxy.spoil("drop", lambda request: request.startswith("PUT") and "/dev/" in request, 1000)
    twinfra.write(main_tf=block(target))
    assert twinfra("init", "-migrate-state", "-force-copy").code == 1
    assert stored(source) == before
    target.proxy.faults.clear()
    twinfra.ok("init", "-migrate-state", "-force-copy")
    assert stored(target) == before


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_lock_of_either_place_is_heeded(
    side: str, make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    source, target = make_rig("s3"), make_rig("gcs")
    fill(source, "default")
    use(source, twinfra)
    lock = new_lock("apply")
    (source if side == "old" else target).open().lock("default", lock)
    twinfra.write(main_tf=block(target))
    ran = twinfra("init", "-migrate-state", "-force-copy")
    assert ran.code == 1
    assert lock.id in ran.err
    assert stored(target) == {}
    twinfra.ok("init", "-migrate-state", "-force-copy", "-lock=false")
    assert stored(target) == stored(source)


def test_a_state_that_appears_in_the_new_place_meanwhile_is_not_overwritten(
    make_rig: Callable[[str], Rig], state_server: StateServer, twinfra: Directory
) -> None:
    """Somebody applies there just before it is locked."""
    source, target = make_rig("local"), make_rig("http")
    fill(source, "default")
    use(source, twinfra)
    before = stored(source)
    theirs = b"".join(write_state(state_of("b", lineage="another")))

    def appears(request: str) -> bool:
        if request.startswith("LOCK"):
            state_server.states[request.split()[1]] = theirs
        return False

    target.proxy.spoil("drop", appears)
    twinfra.write(main_tf=block(target))
    ran = twinfra("init", "-migrate-state", "-force-copy")
    assert ran.code == 1
    assert "another state" in ran.err
    assert stored(target) == {"default": theirs}
    assert stored(source) == before


def test_settings_that_lead_to_the_same_place_copy_nothing(
    make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    rig = make_rig("s3")
    fill(rig, "default", "dev")
    use(rig, twinfra)
    twinfra.write(main_tf=block(rig, max_retries=3))
    assert "Copied:" not in twinfra.ok("init", "-migrate-state", "-force-copy").out
    with open_store(rig.open(), "default", "plan", Path.cwd()) as store:
        assert store.state.serial == 7
