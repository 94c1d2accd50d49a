"""A commit materialised beside the working tree, from real repositories."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.environments.repositories import Repository, new_repository

from twinfra.diagnostics import DiagnosticError
from twinfra.environments.checkout import environment_then, materialised
from twinfra.environments.declaration import load_project


def worktrees(repository: Repository) -> int:
    return repository.git("worktree", "list").count("\n") + 1


def test_a_commit_is_put_beside_the_tree_and_removed_again(repository: Repository) -> None:
    first = repository.commit("One", main_tf="one")
    repository.commit("Two", main_tf="two")
    repository.write(main_tf="dirty")
    with materialised(repository.path, "HEAD~1") as checkout:
        assert checkout.commit == first
        assert (checkout.directory / "main.tf").read_text() == "one"
        assert (checkout.facts.commit, checkout.facts.subject, checkout.facts.dirty) == (first, "One", False)
        assert checkout.now.dirty
        place = checkout.top
    assert not place.parent.exists()
    assert worktrees(repository) == 1
    assert (repository.path / "main.tf").read_text() == "dirty"
    assert repository.git("branch", "--list").strip() == "* main"


def test_a_configuration_in_a_subdirectory_finds_its_modules(repository: Repository) -> None:
    repository.commit("One", **{"infra/main_tf": "1", "modules/m_tf": "m1"})
    repository.commit("Two", **{"infra/main_tf": "2", "modules/m_tf": "m2"})
    with materialised(repository.path / "infra", "HEAD^") as checkout:
        assert checkout.directory == checkout.top / "infra"
        assert (checkout.directory / "../modules/m.tf").read_text() == "m1"


def test_a_directory_that_the_commit_does_not_have_is_told(repository: Repository) -> None:
    repository.commit("One", main_tf="1")
    repository.commit("Two", **{"infra/main_tf": "2"})
    with pytest.raises(DiagnosticError) as caught, materialised(repository.path / "infra", "HEAD^"):
        pass
    assert caught.value.diagnostics[0].summary == "No such directory in that commit"
    assert worktrees(repository) == 1


@pytest.mark.parametrize("name", ["v1", "side", "detached"])
def test_tags_branches_and_merges_can_be_materialised(repository: Repository, name: str) -> None:
    repository.commit("One", main_tf="1")
    repository.git("switch", "-q", "-c", "side")
    side = repository.commit("Side", side_tf="side")
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    repository.git("tag", "-a", "v1", "-m", "v1")
    repository.git("switch", "-q", "--detach")
    with materialised(repository.path, {"detached": "HEAD"}.get(name, name)) as checkout:
        assert (checkout.directory / "side.tf").read_text() == "side"
        assert (checkout.commit == side) == (name == "side")


def test_a_missing_commit_of_a_shallow_clone_is_fetched_by_what_is_told(
    repository: Repository, tmp_path: Path
) -> None:
    first = repository.commit("One", main_tf="1")
    repository.commit("Two", main_tf="2")
    clone = repository.clone(tmp_path / "clone", "--depth=1")
    with pytest.raises(DiagnosticError) as caught, materialised(clone.path, first):
        pass
    _, _, command = caught.value.diagnostics[0].mend.partition("git ")
    clone.git(*command.split())
    with materialised(clone.path, first) as checkout:
        assert (checkout.directory / "main.tf").read_text() == "1"


def test_outside_of_a_repository_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError) as caught, materialised(tmp_path, "HEAD"):
        pass
    assert caught.value.diagnostics[0].summary == "Not in a Git repository"


def test_hooks_of_the_repository_are_not_run(repository: Repository, tmp_path: Path) -> None:
    repository.commit("One", main_tf="1")
    hook = repository.path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    with materialised(repository.path, "HEAD"):
        pass
    assert not (tmp_path / "ran").exists()


def test_what_a_killed_process_left_is_removed_by_the_next(repository: Repository) -> None:
    repository.commit("One", main_tf="1")
    code = (
        "import os, sys; from pathlib import Path\n"
        "from twinfra.environments.checkout import materialised\n"
        "with materialised(Path(sys.argv[1]), 'HEAD') as one:\n"
        "    print(one.top, flush=True)\n    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, repository.path], capture_output=True, text=True, timeout=120
    )
    left = Path(done.stdout.strip())
    assert left.is_dir()
    assert worktrees(repository) == 2
    with materialised(repository.path, "HEAD"):
        assert not left.parent.exists()
    assert worktrees(repository) == 1


def test_a_worktree_of_somebody_that_is_not_there_just_now_stays_known(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("One", main_tf="1")
    repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "drive"))
    (tmp_path / "drive").rename(tmp_path / "taken out")
    with materialised(repository.path, "HEAD"):
        assert worktrees(repository) == 3
    assert worktrees(repository) == 2


def test_files_of_variables_that_git_does_not_have_are_todays(repository: Repository) -> None:
    repository.commit("One", _gitignore="secret.auto.tfvars\n", main_tf="1", terraform_tfvars="a = 1")
    repository.commit("Two", **{"added.auto_tfvars": "b = 2"})
    repository.write(**{"secret.auto_tfvars": "password = 3", "terraform_tfvars": "a = 9"})
    with materialised(repository.path, "HEAD^") as checkout:
        assert checkout.borrowed == ("secret.auto.tfvars",)
        assert (checkout.directory / "secret.auto.tfvars").read_text() == "password = 3"
        assert (checkout.directory / "terraform.tfvars").read_text() == "a = 1"
        assert not (checkout.directory / "added.auto.tfvars").exists()
    assert (repository.path / "secret.auto.tfvars").exists()


def test_an_environment_has_the_inputs_of_the_commit_and_todays_place(repository: Repository) -> None:
    then = '[environments.staging]\nvar_files = ["s.tfvars", "secret.tfvars"]\nvariables = { a = 1 }\nworkspace = "old"\n'
    repository.commit("One", _gitignore="secret.tfvars\n", twinfra_toml=then, s_tfvars="b = 1")
    now = '[environments.staging]\nvar_files = ["s.tfvars"]\nvariables = { a = 2 }\nworkspace = "new"\nbranch = "main"\n'
    repository.commit("Two", twinfra_toml=now, s_tfvars="b = 2")
    repository.write(secret_tfvars="c = 3")
    project = load_project(repository.path)
    assert project is not None
    today = project.environments["staging"]
    with materialised(repository.path, "HEAD^") as checkout:
        found = environment_then(checkout, today)
        assert found.var_files == (checkout.top / "s.tfvars", repository.path / "secret.tfvars")
        assert (found.variables, found.workspace, found.branch) == ({"a": 1}, "new", "main")
        other = environment_then(checkout, replace(today, name="other"))
        assert other.variables == {"a": 2}
        assert other.var_files == (checkout.top / "s.tfvars",)


@pytest.fixture
def nested(repository: Repository, tmp_path: Path) -> Repository:
    """A repository with a submodule that has one; the last commit of the outer one is in this clone alone."""
    inner = new_repository(tmp_path / "inner")
    inner.commit("Inner", main_tf="inner")
    outer = new_repository(tmp_path / "outer")
    add_submodule(outer, inner, "deep")
    outer.commit("Outer", main_tf="outer")
    add_submodule(repository, outer, "vendor")
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive"
    )
    repository.commit("One", main_tf="1")
    Repository(repository.path / "vendor").commit("Only here", main_tf="here")
    repository.commit("Two")
    return repository


def add_submodule(repository: Repository, other: Repository, path: str) -> None:
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.path), path)


@pytest.mark.parametrize(("revision", "text"), [("HEAD", "here"), ("HEAD^", "outer")])
def test_submodules_are_taken_from_the_clones_that_are_here(
    nested: Repository, tmp_path: Path, revision: str, text: str
) -> None:
    for origin in ("inner", "outer"):
        (tmp_path / origin).rename(tmp_path / f"{origin}-gone")
    with materialised(nested.path, revision) as checkout:
        assert (checkout.directory / "vendor/main.tf").read_text() == text
        assert (checkout.directory / "vendor/deep/main.tf").read_text() == "inner"
        assert subprocess.check_output(["git", "status", "--porcelain"], cwd=checkout.top) == b""
    assert nested.git("status", "--porcelain") == ""


def test_submodules_that_are_not_checked_out_are_taken_too(nested: Repository) -> None:
    nested.git("submodule", "--quiet", "deinit", "--all", "--force")
    with materialised(nested.path, "HEAD") as checkout:
        assert (checkout.directory / "vendor/main.tf").read_text() == "here"
        assert (checkout.directory / "vendor/deep/main.tf").read_text() == "inner"


def test_a_submodule_that_is_not_here_is_fetched(
    nested: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = nested.clone(tmp_path / "clone")
    for name, value in {"COUNT": "1", "KEY_0": "protocol.file.allow", "VALUE_0": "always"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    with materialised(clone.path, "HEAD^") as checkout:
        assert (checkout.directory / "vendor/deep/main.tf").read_text() == "inner"
    assert not (clone.path / "vendor/main.tf").exists()


def test_a_submodule_that_cannot_be_fetched_is_named(nested: Repository, tmp_path: Path) -> None:
    clone = nested.clone(tmp_path / "clone")
    (tmp_path / "outer").rename(tmp_path / "gone")
    with pytest.raises(DiagnosticError) as caught, materialised(clone.path, "HEAD"):
        pass
    problem = caught.value.diagnostics[0]
    assert (problem.summary, "has at vendor" in problem.detail) == ("Submodules cannot be fetched", True)
    assert "git submodule update" in problem.mend
    assert worktrees(clone) == 1
