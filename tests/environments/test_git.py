"""What Git knows of a directory, asked of real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.environments.repositories import Repository

from twinfra.diagnostics import DiagnosticError
from twinfra.environments.git import describe, is_ancestor, read_commits, resolve


def test_outside_of_a_repository_there_are_no_facts(tmp_path: Path) -> None:
    assert describe(tmp_path) is None
    assert read_commits(tmp_path, ["a" * 40]) == {}


def test_a_commit_is_told_with_its_branch_and_subject(repository: Repository) -> None:
    id = repository.commit("Grow the cluster\n\nSince the queue is long.", main_tf="# one")
    facts = describe(repository.path)
    assert facts is not None
    assert (facts.commit, facts.branch, facts.subject) == (id, "main", "Grow the cluster")
    assert (facts.top, facts.prefix) == (repository.path.resolve(), Path())
    assert not facts.dirty
    assert not facts.shallow


def test_before_the_first_commit_there_is_none(repository: Repository) -> None:
    facts = describe(repository.path)
    assert facts is not None
    assert (facts.commit, facts.subject, facts.branch) == ("", "", "main")


def test_a_directory_within_the_repository_is_named(repository: Repository) -> None:
    repository.commit("One", **{"infra/main_tf": "# one"})
    facts = describe(repository.path / "infra")
    assert facts is not None
    assert facts.prefix == Path("infra")


def test_what_differs_from_the_commit_is_named(repository: Repository) -> None:
    repository.commit("One", main_tf="# one", other_tf="# other", gone_tf="")
    repository.write(main_tf="# two", new_tf="# new")
    repository.git("rm", "-q", "gone.tf")
    facts = describe(repository.path)
    assert facts is not None
    assert facts.changes == ("gone.tf", "main.tf", "new.tf")


def test_a_change_elsewhere_in_the_repository_counts(repository: Repository) -> None:
    repository.commit("One", **{"infra/main_tf": "# one", "modules/m_tf": "# m"})
    repository.write(**{"modules/m_tf": "# changed"})
    facts = describe(repository.path / "infra")
    assert facts is not None
    assert facts.changes == ("modules/m.tf",)


def test_states_and_what_commands_leave_behind_are_no_change(repository: Repository) -> None:
    repository.commit("One", main_tf="# one")
    for path in (
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "terraform.tfstate.records/ledger-000001.json",
        "terraform.tfstate.history/x.gz",
        "terraform.tfstate.d/dev/terraform.tfstate",
        ".terraform/environment",
        ".terraform.tfstate.lock.info",
        ".terraform.tfstate.journal",
        "sub/.twinfra/sandbox/state",
    ):
        file = repository.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    facts = describe(repository.path)
    assert facts is not None
    assert facts.changes == ()


def test_a_file_of_any_name_is_told_whole(repository: Repository) -> None:
    repository.commit("One", main_tf="")
    (repository.path / "ä b\nc.tf").write_text("")
    facts = describe(repository.path)
    assert facts is not None
    assert facts.changes == ("ä b\nc.tf",)


def test_a_conflict_of_a_merge_is_a_change(repository: Repository) -> None:
    repository.commit("One", main_tf="one")
    repository.git("switch", "-q", "-c", "side")
    repository.commit("Side", main_tf="side")
    repository.git("switch", "-q", "main")
    repository.commit("Main", main_tf="main")
    with pytest.raises(subprocess.CalledProcessError):
        repository.git("merge", "-q", "side")
    facts = describe(repository.path)
    assert facts is not None
    assert facts.changes == ("main.tf",)


def test_a_detached_head_has_no_branch(repository: Repository) -> None:
    first = repository.commit("One", main_tf="1")
    repository.commit("Two", main_tf="2")
    repository.git("switch", "-q", "--detach", first)
    facts = describe(repository.path)
    assert facts is not None
    assert (facts.branch, facts.commit) == ("", first)


def test_a_shallow_clone_is_told_as_such(repository: Repository, tmp_path: Path) -> None:
    repository.commit("One", main_tf="1")
    second = repository.commit("Two", main_tf="2")
    clone = repository.clone(tmp_path / "clone", "--depth=1")
    facts = describe(clone.path)
    assert facts is not None
    assert facts.shallow
    assert facts.commit == second


def test_commits_are_read_together_and_missing_ones_left_out(repository: Repository) -> None:
    ids = [repository.commit(f"Number {n}\n\nBody {n}.", main_tf=str(n)) for n in range(5)]
    found = read_commits(repository.path, [*ids, "f" * 40, "not an id"])
    assert sorted(found) == sorted(ids)
    assert (found[ids[3]].subject, found[ids[3]].message) == ("Number 3", "Number 3\n\nBody 3.")
    assert found[ids[3]].author == "Ada"
    assert read_commits(repository.path, ["f" * 40]) == {}


def test_a_merge_is_read_like_any_commit(repository: Repository) -> None:
    first = repository.commit("One", main_tf="1")
    repository.git("switch", "-q", "-c", "side")
    side = repository.commit("Side", side_tf="side")
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    merge = resolve(repository.path, "HEAD")
    assert read_commits(repository.path, [merge])[merge].subject == "Merge side"
    assert is_ancestor(repository.path, side, merge)
    assert is_ancestor(repository.path, first, merge)
    assert not is_ancestor(repository.path, merge, side)


def test_branches_tags_and_abbreviations_name_commits(repository: Repository) -> None:
    id = repository.commit("One", main_tf="1")
    repository.git("tag", "-a", "v1", "-m", "The first")
    repository.commit("Two", main_tf="2")
    for name in ("v1", id[:8], "HEAD~1", "main^"):
        assert resolve(repository.path, name) == id


def test_a_commit_that_is_not_there_is_told_with_what_fetches_it(
    repository: Repository, tmp_path: Path
) -> None:
    first = repository.commit("One", main_tf="1")
    repository.git("tag", "infra-v1")
    with pytest.raises(DiagnosticError) as caught:
        resolve(repository.path, "infra-v2")
    assert "infra-v1" in caught.value.diagnostics[0].mend
    assert "git fetch --all" in caught.value.diagnostics[0].mend
    repository.commit("Two", main_tf="2")
    clone = repository.clone(tmp_path / "clone", "--depth=1")
    with pytest.raises(DiagnosticError) as caught:
        resolve(clone.path, first)
    assert "git fetch --unshallow" in caught.value.diagnostics[0].mend


def test_what_looks_like_an_option_is_no_commit(repository: Repository) -> None:
    repository.commit("One", main_tf="1")
    with pytest.raises(DiagnosticError):
        resolve(repository.path, "--all")


def test_without_a_git_command_there_are_no_facts(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe(repository.path) is None


def test_what_a_hook_is_given_is_not_taken_for_the_directory(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    id = repository.commit("One", main_tf="1")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    facts = describe(repository.path)
    assert facts is not None
    assert (facts.commit, facts.changes) == (id, ())
    assert not (tmp_path / "index").exists()
