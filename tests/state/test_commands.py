"""Commands on the state, as a person runs them."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.conftest import Directory
from tests.state.processes import Other
from tests.state.states import BUILTIN, data_object, intent_for, state_of, thing

from twinfra.addresses import ROOT
from twinfra.state.backends.local import LocalBackend
from twinfra.state.journal import Journal
from twinfra.state.locks import new_lock
from twinfra.state.model import State
from twinfra.state.v4 import read_state, write_state

STOCK = Path(__file__).parents[1] / "data" / "state" / "stock" / "state.json"


def put(twinfra: Directory, state: State, name: str = "terraform.tfstate") -> None:
    (twinfra.path / name).write_bytes(b"".join(write_state(state)))


def stored(twinfra: Directory, name: str = "terraform.tfstate") -> State:
    state = read_state((twinfra.path / name).read_bytes(), name)
    assert state is not None
    return state


def names(state: State) -> list[str]:
    return sorted(map(str, state.resources))


def words(text: str) -> str:
    """A framed and wrapped message on one line."""
    return " ".join(text.replace("│", " ").split())


def three() -> State:
    state = state_of("a", "b")
    state.put(thing("c", 10), BUILTIN, data_object("x"))
    state.put(thing("c", 9), BUILTIN, data_object("y"))
    state.put(thing("i", "k", ROOT.child("m", 0)), BUILTIN, data_object("inner"))
    return state


# -- list


def test_list_prints_the_instances_in_the_order_of_stock_terraform(twinfra: Directory) -> None:
    put(twinfra, three())
    assert twinfra.ok("state", "list").out.splitlines() == [
        "terraform_data.a",
        "terraform_data.b",
        "terraform_data.c[9]",
        "terraform_data.c[10]",
        'module.m[0].terraform_data.i["k"]',
    ]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("terraform_data.c", ["terraform_data.c[9]", "terraform_data.c[10]"]),
        ("terraform_data.c[9]", ["terraform_data.c[9]"]),
        ("module.m", ['module.m[0].terraform_data.i["k"]']),
        ("module.m[0]", ['module.m[0].terraform_data.i["k"]']),
        ("*.c[*", ["terraform_data.c[9]", "terraform_data.c[10]"]),
    ],
)
def test_list_takes_modules_resources_instances_and_patterns(
    twinfra: Directory, address: str, expected: list[str]
) -> None:
    put(twinfra, three())
    assert twinfra.ok("state", "list", address).out.splitlines() == expected


def test_list_by_id(twinfra: Directory) -> None:
    put(twinfra, three())
    assert twinfra.ok("state", "list", "-id=id-b").out == "terraform_data.b\n"
    assert twinfra.ok("state", "list", "-id", "nobody").out == ""


def test_list_as_json(twinfra: Directory) -> None:
    put(twinfra, state_of("a", "b"))
    assert json.loads(twinfra.ok("state", "list", "-json").out) == ["terraform_data.a", "terraform_data.b"]


def test_list_reads_another_file(twinfra: Directory) -> None:
    put(twinfra, state_of("z"), "other.json")
    assert twinfra.ok("state", "list", "-state=other.json").out == "terraform_data.z\n"


def test_list_names_the_nearest_of_what_is_not_there(twinfra: Directory) -> None:
    put(twinfra, state_of("training_data"))
    ran = twinfra("state", "list", "terraform_data.trainin_data")
    assert ran.code == 1
    assert 'Did you mean "terraform_data.training_data"?' in words(ran.err)


def test_list_without_a_state_is_an_error_and_of_an_empty_one_is_not(twinfra: Directory) -> None:
    assert twinfra("state", "list").code == 1
    put(twinfra, state_of())
    assert twinfra.ok("state", "list").out == ""


@pytest.mark.parametrize("address", ["a", "a b", "a.b[", "a.b[x]", "module"])
def test_what_is_no_address_is_refused(twinfra: Directory, address: str) -> None:
    put(twinfra, state_of("a"))
    ran = twinfra("state", "list", address)
    assert ran.code == 1
    assert "no address" in words(ran.err)


def test_list_sees_what_an_interrupted_run_did(twinfra: Directory) -> None:
    put(twinfra, state_of("a"))
    journal = Journal(twinfra.path / ".terraform.tfstate.journal", state_of("a"))
    journal.record(thing("b"), BUILTIN, data_object("b"))
    journal.close()
    ran = twinfra.ok("state", "list")
    assert ran.out.splitlines() == ["terraform_data.a", "terraform_data.b"]
    assert "terraform_data.b" in words(ran.err)


# -- show


def test_show_prints_the_attributes_and_hides_sensitive_ones(twinfra: Directory) -> None:
    (twinfra.path / "terraform.tfstate").write_bytes(STOCK.read_bytes())
    out = twinfra.ok("state", "show", "terraform_data.secret").out
    assert out.startswith('# terraform_data.secret:\nresource "terraform_data" "secret" {\n')
    assert "password = (sensitive value)" in out
    assert '"p",' in twinfra.ok("state", "show", 'module.m["plain"].terraform_data.i[0]').out


def test_show_tells_of_taint_and_deposed_objects(twinfra: Directory) -> None:
    state = state_of()
    state.put(thing("a"), BUILTIN, data_object("now", tainted=True))
    state.put(thing("a"), BUILTIN, data_object("old"), "0a1b2c3d")
    put(twinfra, state)
    out = twinfra.ok("state", "show", "terraform_data.a").out
    assert "# terraform_data.a: (tainted)" in out
    assert "# terraform_data.a: (deposed 0a1b2c3d)" in out


def test_show_as_json(twinfra: Directory) -> None:
    put(twinfra, state_of("a"))
    document = json.loads(twinfra.ok("state", "show", "-json", "terraform_data.a").out)
    assert document["values"]["id"] == "id-a"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("terraform_data.c", "terraform_data.c[9], terraform_data.c[10]"),
        ("module.m", "a module"),
        ("terraform_data.x", "holds nothing"),
        ("terraform_data.c[1]", "holds nothing"),
    ],
)
def test_show_wants_one_instance(twinfra: Directory, address: str, reason: str) -> None:
    put(twinfra, three())
    ran = twinfra("state", "show", address)
    assert ran.code == 1
    assert reason in words(ran.err)


# -- mv, rm, taint


def test_mv_moves_and_keeps_a_backup(twinfra: Directory) -> None:
    put(twinfra, state_of("a"))
    assert twinfra.ok("state", "mv", "terraform_data.a", "terraform_data.b").out == (
        "Moved terraform_data.a to terraform_data.b\n"
    )
    assert names(stored(twinfra)) == ["terraform_data.b"]
    assert stored(twinfra).serial == 2
    assert names(stored(twinfra, "terraform.tfstate.backup")) == ["terraform_data.a"]


@pytest.mark.parametrize(
    "arguments", [("mv", "terraform_data.a", "terraform_data.z"), ("rm", "terraform_data.a")]
)
def test_a_dry_run_changes_nothing(twinfra: Directory, arguments: tuple[str, ...]) -> None:
    put(twinfra, state_of("a"))
    before = (twinfra.path / "terraform.tfstate").read_bytes()
    ran = twinfra.ok("state", arguments[0], "-dry-run", *arguments[1:])
    assert ran.out.startswith("Would ")
    assert (twinfra.path / "terraform.tfstate").read_bytes() == before


def test_rm_forgets_what_it_is_told(twinfra: Directory) -> None:
    put(twinfra, three())
    out = twinfra.ok("state", "rm", "terraform_data.a", "terraform_data.c", "module.m").out
    assert "Successfully removed 4 resource instances" in out
    assert names(stored(twinfra)) == ["terraform_data.b"]


def test_rm_of_nothing_changes_nothing(twinfra: Directory) -> None:
    put(twinfra, three())
    assert twinfra("state", "rm", "terraform_data.z", "terraform_data.nope").code == 1
    assert len(stored(twinfra).resources) == 4


def test_rm_passes_over_what_is_gone_already_and_says_so(twinfra: Directory) -> None:
    put(twinfra, three())
    ran = twinfra.ok("state", "rm", "terraform_data.a", "terraform_data.nope")
    assert "terraform_data.nope" in ran.err
    assert len(stored(twinfra).resources) == 3


def test_mv_to_another_file_takes_it_out_here_and_puts_it_there(twinfra: Directory) -> None:
    put(twinfra, three())
    put(twinfra, state_of("other", lineage="another"), "other.tfstate")
    twinfra.ok("state", "mv", "-state-out=other.tfstate", "-backup-out=kept", "module.m[0]", "module.m[0]")
    twinfra.ok("state", "mv", "-state-out=other.tfstate", "terraform_data.a", "terraform_data.moved")
    assert names(stored(twinfra)) == ["terraform_data.b", "terraform_data.c"]
    assert names(stored(twinfra, "other.tfstate")) == [
        "module.m[0].terraform_data.i",
        "terraform_data.moved",
        "terraform_data.other",
    ]
    assert names(stored(twinfra, "kept")) == ["terraform_data.other"]


def test_mv_to_another_file_overwrites_nothing_there(twinfra: Directory) -> None:
    put(twinfra, three())
    put(twinfra, state_of("a", lineage="another"), "other.tfstate")
    ran = twinfra("state", "mv", "-state-out=other.tfstate", "terraform_data.a", "terraform_data.a")
    assert ran.code == 1
    assert names(stored(twinfra, "other.tfstate")) == ["terraform_data.a"]
    assert len(stored(twinfra).resources) == 4


def test_a_command_can_write_the_state_elsewhere(twinfra: Directory) -> None:
    put(twinfra, state_of("a"))
    twinfra.ok("taint", "-state-out=out.tfstate", "terraform_data.a")
    changed, kept = stored(twinfra, "out.tfstate").current(thing("a")), stored(twinfra).current(thing("a"))
    assert changed is not None
    assert kept is not None
    assert (changed.tainted, kept.tainted) == (True, False)


def test_taint_and_untaint(twinfra: Directory) -> None:
    put(twinfra, state_of("a"))
    twinfra.ok("taint", "terraform_data.a")
    current = stored(twinfra).current(thing("a"))
    assert current is not None
    assert current.tainted
    twinfra.ok("untaint", "terraform_data.a")
    current = stored(twinfra).current(thing("a"))
    assert current is not None
    assert not current.tainted
    assert twinfra("untaint", "terraform_data.a").code == 1


def test_taint_of_what_is_missing_can_be_allowed(twinfra: Directory) -> None:
    put(twinfra, state_of("a"))
    assert twinfra("taint", "terraform_data.z").code == 1
    twinfra.ok("taint", "-allow-missing", "terraform_data.z")


def test_replace_provider_asks_first(twinfra: Directory) -> None:
    put(twinfra, state_of("a"))
    source = "terraform.io/builtin/terraform"
    assert twinfra("state", "replace-provider", source, "acme/aws", stdin="no\n").code == 1
    assert str(stored(twinfra).resources[thing("a").of].provider) == f'provider["{source}"]'
    out = twinfra.ok("state", "replace-provider", source, "acme/aws", stdin="yes\n").out
    assert "terraform_data.a" in out
    provider = stored(twinfra).resources[thing("a").of].provider
    assert str(provider) == 'provider["registry.terraform.io/acme/aws"]'


def test_creates_of_unknown_outcome_stop_changes_by_hand(twinfra: Directory) -> None:
    put(twinfra, state_of("a"))
    journal = Journal(twinfra.path / ".terraform.tfstate.journal", state_of("a"))
    journal.intend(intent_for("b"))
    journal.close()
    ran = twinfra("state", "rm", "terraform_data.a")
    assert ran.code == 1
    assert "terraform_data.b" in words(ran.err)
    assert names(stored(twinfra)) == ["terraform_data.a"]


# -- pull and push


def test_pull_prints_the_state_file(twinfra: Directory) -> None:
    (twinfra.path / "terraform.tfstate").write_bytes(STOCK.read_bytes())
    assert twinfra.ok("state", "pull").out == STOCK.read_text()


def test_pull_of_nothing_prints_nothing(twinfra: Directory) -> None:
    assert twinfra.ok("state", "pull").out == ""


def test_push_puts_a_newer_state(twinfra: Directory) -> None:
    put(twinfra, state_of("a", serial=1))
    put(twinfra, state_of("b", serial=5), "new.json")
    twinfra.ok("state", "push", "new.json")
    assert (stored(twinfra).serial, names(stored(twinfra))) == (5, ["terraform_data.b"])


def test_push_takes_standard_input(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    from twinfra.cli.main import run

    content = io.BytesIO(b"".join(write_state(state_of("b"))))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    assert run(["state", "push", "-"]) == 0
    assert names(stored(twinfra)) == ["terraform_data.b"]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (state_of("b", serial=2), "older"),
        (state_of("b", serial=3), "of the same serial"),
        (state_of("b", serial=9, lineage="another"), "lineage"),
    ],
)
def test_push_protects_what_is_there_unless_forced(twinfra: Directory, state: State, reason: str) -> None:
    put(twinfra, state_of("a", serial=3))
    put(twinfra, state, "new.json")
    ran = twinfra("state", "push", "new.json")
    assert ran.code == 1
    assert reason in words(ran.err)
    assert names(stored(twinfra)) == ["terraform_data.a"]
    twinfra.ok("state", "push", "-force", "new.json")
    assert (stored(twinfra).serial, stored(twinfra).lineage) == (state.serial, state.lineage)


def test_push_looks_at_the_serial_of_what_says_the_same(twinfra: Directory) -> None:
    put(twinfra, state_of("a", serial=3))
    put(twinfra, state_of("a", serial=2), "older.json")
    put(twinfra, state_of("a", serial=8), "newer.json")
    assert twinfra("state", "push", "older.json").code == 1
    twinfra.ok("state", "push", "newer.json")
    assert stored(twinfra).serial == 8


# -- the lock

CHANGES = [
    ("state", "mv", "terraform_data.a", "terraform_data.b"),
    ("state", "mv", "-state-out=other.tfstate", "terraform_data.a", "terraform_data.b"),
    ("state", "rm", "terraform_data.a"),
    ("state", "push", "-force", "new.tfstate"),
    ("state", "replace-provider", "-auto-approve", "terraform.io/builtin/terraform", "acme/aws"),
    ("taint", "terraform_data.a"),
    ("untaint", "terraform_data.t"),
    ("refresh",),
]


@pytest.mark.parametrize("command", CHANGES, ids=" ".join)
def test_whatever_changes_the_state_does_so_under_the_lock(
    twinfra: Directory, command: tuple[str, ...]
) -> None:
    state = state_of("a")
    state.put(thing("t"), BUILTIN, data_object("t", tainted=True))
    put(twinfra, state)
    put(twinfra, state_of("z", serial=9), "new.tfstate")
    twinfra.write(
        main_tf='resource "terraform_data" "a" {\n  input = "a"\n}\nresource "terraform_data" "t" {}\n'
    )
    holder = LocalBackend(twinfra.path)
    lock = new_lock("apply")
    holder.lock("default", lock)
    before = (twinfra.path / "terraform.tfstate").read_bytes()
    refused = twinfra(*command)
    assert refused.code == 1
    assert lock.id in refused.err
    assert (twinfra.path / "terraform.tfstate").read_bytes() == before
    holder.close()
    twinfra.ok(*command)


@pytest.mark.parametrize("command", CHANGES[:-1], ids=" ".join)
def test_without_the_lock_only_who_asks_for_it(twinfra: Directory, command: tuple[str, ...]) -> None:
    state = state_of("a")
    state.put(thing("t"), BUILTIN, data_object("t", tainted=True))
    put(twinfra, state)
    put(twinfra, state_of("z", serial=9), "new.tfstate")
    holder = LocalBackend(twinfra.path)
    holder.lock("default", new_lock("apply"))
    count = 2 if command[0] == "state" else 1
    twinfra.ok(*command[:count], "-lock=false", *command[count:])
    holder.close()
    assert stored(twinfra).serial > 1


# -- force-unlock

HOLD = """
from twinfra.state.locks import new_lock
lock = new_lock("apply", "terraform.tfstate")
backend.lock("default", lock)
say(lock.id)
wait()
"""


def test_a_command_that_is_kept_out_names_the_holder_and_the_mend(twinfra: Directory) -> None:
    put(twinfra, state_of("a"))
    with Other(twinfra.path, HOLD) as other:
        held = other.hear()
        ran = twinfra("state", "rm", "terraform_data.a")
        other.say()
    assert ran.code == 1
    assert f"twinfra force-unlock {held}" in words(ran.err)


def test_the_lock_of_a_running_process_is_not_released(twinfra: Directory) -> None:
    with Other(twinfra.path, HOLD) as other:
        held = other.hear()
        ran = twinfra("force-unlock", "-force", held)
        other.say()
    assert ran.code == 1
    assert "in use" in words(ran.err)
    assert f"process {other.process.pid} of this machine still runs" in words(ran.err)


def test_what_a_killed_process_left_of_its_lock_is_removed_when_approved(twinfra: Directory) -> None:
    with Other(twinfra.path, HOLD) as other:
        held = other.hear()
        other.kill()
    note = twinfra.path / ".terraform.tfstate.lock.info"
    assert twinfra("force-unlock", "another").code == 1
    ran = twinfra("force-unlock", held, stdin="no\n")
    assert ran.code == 1
    assert f"process {other.process.pid} of this machine has ended" in words(ran.out)
    assert f"@{socket.gethostname()} for apply since 20" in words(ran.out)
    assert note.exists()
    twinfra.ok("force-unlock", held, stdin="yes\n")
    assert not note.exists()


def test_of_a_holder_on_another_machine_nobody_says_whether_it_runs(twinfra: Directory) -> None:
    lock = replace(new_lock("apply"), who="anna@elsewhere")
    (twinfra.path / ".terraform.tfstate.lock.info").write_bytes(lock.to_json())
    ran = twinfra("force-unlock", lock.id, stdin="no\n")
    assert "anna@elsewhere for apply since" in words(ran.out)
    assert f"whether process {os.getpid()} on elsewhere still runs cannot be told from here" in words(ran.out)


def test_without_a_lock_there_is_nothing_to_unlock(twinfra: Directory) -> None:
    ran = twinfra("force-unlock", "-force", "x")
    assert ran.code == 1
    assert "Nobody holds a lock" in words(ran.err)


@pytest.mark.parametrize("damage", [{"type": "x"}, {"value": []}])
@pytest.mark.parametrize("command", [("show",), ("output",), ("plan",)])
def test_an_output_without_its_type_is_told(
    twinfra: Directory,
    damage: dict[str, object],
    command: tuple[str, ...],
) -> None:
    twinfra.write(main_tf='output "o" {\n  value = "a"\n}\n')
    twinfra.ok("apply", "-auto-approve")
    path = twinfra.path / "terraform.tfstate"
    document = json.loads(path.read_text())
    document["outputs"]["o"].update(damage)
    path.write_text(json.dumps(document))
    ran = twinfra(*command)
    assert (ran.code, "State file is damaged" in ran.err) == (1, True)
