"""`history` and `audit`: what happened, joined with real commits, and whether its record is untouched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Directory
from tests.environments.repositories import Repository, new_repository

from twinfra.state.backends.local import LocalBackend
from twinfra.state.ledger import authors
from twinfra.state.ledger.entries import chained, write_segment
from twinfra.state.ledger.log import open_ledger

MAIN = 'variable "size" {\n  default = 1\n}\nresource "terraform_data" "a" {\n  input = var.size\n}\n'
IGNORED = "*.tfstate*\n.terraform/\n"


@pytest.fixture
def project(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.setenv("TWINFRA_ACTOR", "ada")
    twinfra.write(main_tf=MAIN, twinfra_toml="[environments.staging]\n", _gitignore=IGNORED)
    return twinfra


@pytest.fixture
def repository(project: Directory) -> Repository:
    return new_repository(project.path)


def entries(project: Directory, *arguments: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(project.ok("history", "-json", *arguments).out)["entries"]
    return found


def append(path: Path, **changed: str) -> None:
    """An entry with another time or commit than it would have."""
    body = {"outcome": "done", "commit": changed.pop("commit", ""), "subject": "As it was recorded"}
    open_ledger(LocalBackend(path), "default").append_made({**authors.about("apply", body), **changed})


def test_who_what_when_why_and_how_it_ended(project: Directory, repository: Repository) -> None:
    first = repository.commit("Begin")
    project.ok("apply", "-auto-approve")
    repository.commit("Grow the cluster\n\nThe queue is long.", main_tf=MAIN.replace("1", "2"))
    project.ok("apply", "-auto-approve")
    project.write(main_tf=MAIN.replace("1", "3"))
    project.ok("apply", "-auto-approve")
    newest, middle, oldest = entries(project)
    assert (oldest["who"], oldest["kind"], oldest["outcome"]) == ("ada", "apply", "done")
    assert (oldest["counts"], middle["counts"]) == ({"added": 1}, {"changed": 1})
    assert oldest["commit"]["id"] == first  # type: ignore[index]
    said = middle["commit"]
    assert said["message"] == "Grow the cluster\n\nThe queue is long."  # type: ignore[index]
    assert (said["author"], said["branch"], said["dirty"]) == ("Ada", "main", False)  # type: ignore[index]
    assert newest["commit"]["dirty"] is True  # type: ignore[index]
    assert middle["changes"] == [{"address": "terraform_data.a", "action": "update"}]
    text = project.ok("history").out
    lines = text.splitlines()
    assert lines[0].startswith("#3  ")
    assert lines[0].endswith("ada  apply  done  ~1")
    assert "with changes that were not committed" in lines[3]
    assert f"{first[:12]} main (Ada)\n      Begin\n" in text
    assert f"plan {middle['plan'][:23]}  serial 2" in text  # type: ignore[index]
    assert all(len(line) <= 80 for line in lines)


def test_only_the_newest_are_shown_when_asked_so(project: Directory) -> None:
    for size in range(4):
        project.ok("apply", "-auto-approve", f"-var=size={size}")
    assert [one["n"] for one in entries(project, "-n", "2")] == [4, 3]
    text = project.ok("history", "-n", "1").out
    assert "#4" in text
    assert "#3" not in text
    assert "There are older entries" in text
    assert project("history", "-n=-1").code == 1


def test_the_history_of_an_environment_is_its_own(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    project.ok("apply", "-auto-approve", "-env", "staging")
    found = entries(project, "-env", "staging")
    assert [(one["n"], one["environment"]) for one in found] == [(1, "staging")]


def test_without_any_receipt_it_says_so(twinfra: Directory) -> None:
    twinfra.write(main_tf=MAIN)
    assert "Nothing is recorded yet" in twinfra.ok("history").out
    assert "Nothing is recorded yet" in twinfra.ok("audit", "list").out
    assert twinfra.ok("audit", "export").out == ""
    assert "Intact: 0 entries." in twinfra.ok("audit", "verify").out


def test_outside_of_a_repository_what_was_recorded_is_shown(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    append(project.path, commit="a" * 40)
    found = entries(project)
    assert found[1]["commit"] is None
    assert (found[0]["commit"]["subject"], found[0]["commit"]["present"]) == ("As it was recorded", False)  # type: ignore[index]


def test_a_commit_that_this_clone_lacks_is_told_with_what_fetches_it(
    project: Directory, repository: Repository
) -> None:
    repository.commit("Begin")
    append(project.path, commit="a" * 40)
    text = project.ok("history").out
    assert "As it was recorded" in text
    assert "git fetch --all --tags" in text


def test_merges_branches_and_detached_heads_are_shown_as_what_they_were(
    project: Directory, repository: Repository
) -> None:
    repository.commit("Begin")
    repository.git("switch", "-q", "-c", "side")
    repository.commit("Side", side_tf="")
    project.ok("apply", "-auto-approve")
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    project.ok("apply", "-auto-approve", "-var=size=2")
    repository.git("switch", "-q", "--detach")
    project.ok("apply", "-auto-approve", "-var=size=3")
    found = [one["commit"] for one in entries(project)]
    assert [(one["branch"], one["subject"]) for one in found] == [  # type: ignore[index]
        ("", "Merge side"),
        ("main", "Merge side"),
        ("side", "Side"),
    ]


def test_clocks_that_disagree_are_told(project: Directory, repository: Repository) -> None:
    commit = repository.commit("Begin")
    project.ok("apply", "-auto-approve")
    append(project.path, time="2020-01-01T00:00:00.000000Z", commit=commit)
    found = entries(project)
    assert "entry 1 before it has a later time" in str(found[0]["clock"])
    assert "clock" not in found[1]
    assert "Clock: entry 1 before it" in project.ok("history").out
    verified = project.ok("audit", "verify").out
    assert "Clock: entry 2" in verified
    assert "Intact: 2 entries." in verified


def test_a_commit_made_after_it_was_applied_is_told(project: Directory, repository: Repository) -> None:
    commit = repository.commit("Begin")
    append(project.path, time="2020-01-01T00:00:00.000000Z", commit=commit)
    assert "its commit says that it was made later" in str(entries(project)[0]["clock"])


@pytest.mark.parametrize("time", ["yesterday", "2020-01-01", "2020-01-01T00:00:00"])
def test_a_time_that_says_no_zone_or_is_none_is_compared_all_the_same(
    project: Directory, repository: Repository, time: str
) -> None:
    append(project.path, time=time, commit=repository.commit("Begin"))
    assert "its commit says that it was made later" in str(entries(project)[0]["clock"])


def test_the_last_of_all_times_is_later_than_any_commit(project: Directory, repository: Repository) -> None:
    append(project.path, time="9999-12-31T23:59:59Z", commit=repository.commit("Begin"))
    assert "clock" not in entries(project)[0]


def test_receipts_that_wait_are_told_of(project: Directory) -> None:
    records = project.path / "terraform.tfstate.records"
    records.write_text("in the way")
    project.ok("apply", "-auto-approve")
    records.unlink()
    ran = project.ok("history")
    assert "Receipts wait to be recorded" in ran.err
    assert "Nothing is recorded yet" in ran.out


def test_what_records_receipts_that_wait_is_told_for_the_environment(project: Directory) -> None:
    project.write(twinfra_toml="[environments.staging]\n")
    records = project.path / "terraform.tfstate.d/staging/terraform.tfstate.records"
    records.parent.mkdir(parents=True)
    records.write_text("in the way")
    project.ok("apply", "-auto-approve", "-env=staging")
    records.unlink()
    assert "Run twinfra plan -env staging." in project.ok("history", "-env=staging").err


def test_ten_thousand_receipts_are_answered(project: Directory, repository: Repository) -> None:
    commits = [repository.commit(f"Number {n}") for n in range(3)]
    directory = project.path / "terraform.tfstate.records"
    directory.mkdir()
    before, made = "", []
    for n in range(1, 10_001):
        body = {
            "commit": commits[n % 3],
            "outcome": "done",
            "counts": {"added": n},
            "plan": "sha256:" + "b" * 64,
        }
        made.append(chained(n, before, authors.about("apply", body)))
        before = made[-1].hash
    for number in range(0, len(made), 256):
        name = f"ledger-{number // 256 + 1:06}.json"
        (directory / name).write_bytes(write_segment(made[number : number + 256]))
    assert "#10000" in project.ok("history").out
    assert len(entries(project)) == 10_000


# -- audit


def test_every_command_is_listed_and_exported(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    project.ok("state", "mv", "terraform_data.a", "terraform_data.b")
    lines = project.ok("audit", "list").out.splitlines()
    assert "state mv terraform_data.a => terraform_data.b" in lines[0]
    assert "ada@" in lines[1]
    exported = [json.loads(line) for line in project.ok("audit", "export").out.splitlines()]
    assert [one["kind"] for one in exported] == ["apply", "state mv"]
    assert exported[1]["previous"] == exported[0]["hash"]
    listed = json.loads(project.ok("audit", "list", "-json", "-n", "1").out)
    assert listed == exported[1:]
    assert project.ok("audit", "export", "-from", "2").out.count("\n") == 1


def test_an_export_can_be_checked_with_nothing_but_the_specification(project: Directory) -> None:
    import hashlib

    project.ok("apply", "-auto-approve")
    project.ok("taint", "terraform_data.a")
    before = ""
    for line in project.ok("audit", "export").out.splitlines():
        entry = json.loads(line)
        assert entry["previous"] == before
        before = entry.pop("hash")
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == before


def test_a_changed_entry_is_found_with_exit_code_2(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    project.ok("taint", "terraform_data.a")
    assert project.ok("audit", "verify").out.startswith("Intact: 2 entries.\nHead: 2:")
    path = project.path / "terraform.tfstate.records" / "ledger-000001.json"
    path.write_text(path.read_text().replace('"who":"ada"', '"who":"eve"', 1))
    ran = project("audit", "verify")
    assert ran.code == 2
    assert "Changed: Entry 1 (ledger-000001, line 2) was changed" in ran.out
    assert "Not intact" in ran.out
    document = json.loads(project("audit", "verify", "-json").out)
    assert (document["intact"], document["findings"][0]["kind"]) == (False, "changed")


def test_a_ledger_written_anew_is_found_by_the_head_that_was_kept(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    head = json.loads(project.ok("audit", "verify", "-json").out)["head"]
    project.ok("taint", "terraform_data.a")
    assert project("audit", "verify", "-head", head).code == 0
    for path in (project.path / "terraform.tfstate.records").iterdir():
        path.unlink()
    project.ok("untaint", "terraform_data.a")
    assert project("audit", "verify").code == 0
    assert project("audit", "verify", "-head", head).code == 2
    assert project("audit", "verify", "-head", "nonsense").code == 1


def test_a_backend_without_history_says_so(twinfra: Directory) -> None:
    twinfra.write(
        main_tf='terraform {\n  backend "http" {\n    address = "http://127.0.0.1:9/state"\n  }\n}\n'
    )
    for command in (("history",), ("audit", "verify"), ("audit", "list")):
        ran = twinfra(*command)
        assert ran.code == 1
        assert "A backend without history" in ran.err


def test_records_are_sealed_anew_when_asked(project: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.state.encryption.blocks import SIMPLE

    assert "Nothing is recorded" in project.ok("audit", "seal").out
    monkeypatch.setenv("TF_ENCRYPTION", SIMPLE)
    project.ok("apply", "-auto-approve")
    path = project.path / "terraform.tfstate.records" / "ledger-000001.json"
    before = json.loads(path.read_text())["meta"]
    assert "anew" in project.ok("audit", "seal").out
    assert json.loads(path.read_text())["meta"] != before
    assert [one["kind"] for one in entries(project)] == ["audit seal", "apply"]
    assert project.ok("audit", "verify").code == 0
