"""What an environment asks for before it is changed: a clean commit, a branch, approval, a saved plan."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Directory

MAIN = 'resource "terraform_data" "it" {\n  input = "one"\n}\n'


def git(directory: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


def commit(directory: Path, message: str = "Work") -> None:
    git(directory, "add", "-A")
    git(directory, "commit", "-qm", message)


@pytest.fixture
def repository(twinfra: Directory) -> Directory:
    git(twinfra.path, "init", "-q", "-b", "main")
    twinfra.write(main_tf=MAIN)
    return twinfra


def protect(directory: Directory, text: str) -> None:
    directory.write(twinfra_toml=f"[environments.production]\n{text}\n")
    commit(directory.path)


def refused(directory: Directory, *arguments: str, stdin: str = "") -> str:
    ran = directory(*arguments, "-env=production", stdin=stdin)
    assert ran.code == 1, ran.all
    return " ".join(ran.err.replace("│", " ").split())


def ok(directory: Directory, *arguments: str, stdin: str = "") -> str:
    return directory.ok(*arguments, "-env=production", stdin=stdin).all


def state(directory: Directory) -> Path:
    return directory.path / "terraform.tfstate.d" / "production" / "terraform.tfstate"


# -- clean commit


def test_a_clean_commit_may_be_applied_again_and_again(repository: Directory) -> None:
    protect(repository, "clean_commit = true")
    ok(repository, "apply", "-auto-approve")
    ok(repository, "plan", "-out=plan.bin")
    ok(repository, "apply", "plan.bin")
    ok(repository, "destroy", "-auto-approve")


@pytest.mark.parametrize(
    "arguments",
    [
        ("apply", "-auto-approve"),
        ("destroy", "-auto-approve"),
        ("refresh",),
        ("import", "terraform_data.it", "x"),
    ],
)
def test_what_is_not_committed_changes_nothing(repository: Directory, arguments: tuple[str, ...]) -> None:
    protect(repository, "clean_commit = true")
    repository.write(main_tf=MAIN + "# more\n", new_tf="")
    told = refused(repository, *arguments)
    assert "Not committed: main.tf, new.tf." in told
    assert "on twinfra.toml line 2" in told
    assert not state(repository).exists()


def test_planning_needs_no_clean_commit(repository: Directory) -> None:
    protect(repository, "clean_commit = true")
    repository.write(new_tf="")
    ok(repository, "plan")


def test_commands_on_the_state_need_a_clean_commit_too(repository: Directory) -> None:
    protect(repository, "clean_commit = true")
    ok(repository, "apply", "-auto-approve")
    before = state(repository).read_bytes()
    repository.write(new_tf="")
    for arguments in (
        ("state", "rm", "terraform_data.it"),
        ("state", "mv", "terraform_data.it", "terraform_data.other"),
        ("taint", "terraform_data.it"),
    ):
        assert "Not committed: new.tf." in refused(repository, *arguments)
    ok(repository, "state", "rm", "-dry-run", "terraform_data.it")
    assert state(repository).read_bytes() == before


def test_a_directory_outside_of_git_has_no_commit(twinfra: Directory) -> None:
    twinfra.write(main_tf=MAIN, twinfra_toml="[environments.production]\nclean_commit = true\n")
    assert "Not in a Git repository" in refused(twinfra, "apply", "-auto-approve")


def test_before_the_first_commit_there_is_nothing_to_apply(repository: Directory) -> None:
    repository.write(twinfra_toml="[environments.production]\nclean_commit = true\n")
    assert "there is none yet" in refused(repository, "apply", "-auto-approve")


def test_a_saved_plan_must_be_of_the_code_that_is_checked_out(repository: Directory) -> None:
    protect(repository, "clean_commit = true")
    repository.write(main_tf=MAIN.replace("one", "two"))
    ok(repository, "plan", "-out=plan.bin")
    git(repository.path, "checkout", "-q", "main.tf")
    assert "Saved plan is of other code" in refused(repository, "apply", "plan.bin")
    repository.write(main_tf=MAIN.replace("one", "two"))
    git(repository.path, "commit", "-qam", "Two")
    ok(repository, "apply", "plan.bin")


def test_a_plan_of_another_branch_may_be_applied_once_its_code_was_merged(repository: Directory) -> None:
    protect(repository, 'clean_commit = true\nbranch = "main"')
    git(repository.path, "switch", "-q", "-c", "feature")
    repository.write(main_tf=MAIN.replace("one", "two"))
    commit(repository.path, "Two")
    ok(repository, "plan", "-out=plan.bin")
    git(repository.path, "switch", "-q", "main")
    assert "Saved plan is of other code" in refused(repository, "apply", "plan.bin")
    git(repository.path, "merge", "-q", "--squash", "feature")
    git(repository.path, "commit", "-qm", "Two, squashed")
    ok(repository, "apply", "plan.bin")


# -- branch


def test_another_branch_is_refused(repository: Directory) -> None:
    protect(repository, 'branch = "main"')
    git(repository.path, "switch", "-q", "-c", "feature")
    repository.write(more_tf="")
    commit(repository.path)
    told = refused(repository, "apply", "-auto-approve")
    assert 'changed from the branch "main"; this is on the branch "feature"' in told
    assert "git switch main" in told
    git(repository.path, "switch", "-q", "main")
    ok(repository, "apply", "-auto-approve")


def test_a_detached_commit_of_the_branch_will_do(repository: Directory) -> None:
    protect(repository, 'branch = "main"')
    repository.write(more_tf="")
    commit(repository.path)
    git(repository.path, "checkout", "-q", "--detach", "HEAD~1")
    ok(repository, "apply", "-auto-approve")


def test_a_commit_that_is_on_a_remote_branch_will_do(
    repository: Directory, tmp_path_factory: pytest.TempPathFactory
) -> None:
    protect(repository, 'branch = "main"')
    remote = tmp_path_factory.mktemp("remote")
    git(remote, "init", "-q", "--bare")
    git(repository.path, "push", "-q", str(remote), "main")
    git(repository.path, "remote", "add", "origin", str(remote))
    git(repository.path, "fetch", "-q")
    git(repository.path, "checkout", "-q", "--detach")
    git(repository.path, "branch", "-q", "-D", "main")
    ok(repository, "apply", "-auto-approve")


def test_a_branch_that_is_not_in_the_clone_is_told(repository: Directory) -> None:
    protect(repository, 'branch = "release"')
    assert "git fetch origin release" in refused(repository, "apply", "-auto-approve")


# -- approval


def test_applying_unasked_is_refused(repository: Directory) -> None:
    protect(repository, "approval = true")
    for arguments in (("apply", "-auto-approve"), ("destroy", "-auto-approve")):
        assert "Approval is required" in refused(repository, *arguments)
    assert "twinfra apply -refresh-only" in refused(repository, "refresh")
    ran = repository("apply", "-json", "-auto-approve", "-env=production")
    assert (ran.code, '"summary":"Approval is required"' in ran.out) == (1, True)
    assert not state(repository).exists()


def test_an_answer_or_a_saved_plan_is_approval(repository: Directory) -> None:
    protect(repository, "approval = true")
    assert "Apply complete" in ok(repository, "apply", stdin="yes\n")
    repository.write(main_tf=MAIN.replace("one", "two"))
    ok(repository, "plan", "-out=plan.bin")
    assert "1 changed" in ok(repository, "apply", "plan.bin")


def test_a_command_on_the_state_asks(repository: Directory) -> None:
    protect(repository, "approval = true")
    ok(repository, "apply", stdin="yes\n")
    before = state(repository).read_bytes()
    assert "Not approved" in refused(repository, "taint", "terraform_data.it", stdin="no\n")
    assert "Not approved" in refused(repository, "state", "rm", "terraform_data.it")
    assert state(repository).read_bytes() == before
    assert "environment" in ok(repository, "state", "rm", "terraform_data.it", stdin="yes\n")
    assert state(repository).read_bytes() != before


# -- saved plans


@pytest.mark.parametrize(
    ("arguments", "instead"),
    [
        (("apply",), "twinfra plan -out=FILE"),
        (("destroy",), "twinfra plan -destroy -out=FILE"),
        (("import", "terraform_data.it", "x"), "import block"),
    ],
)
def test_only_saved_plans_are_applied(
    repository: Directory, arguments: tuple[str, ...], instead: str
) -> None:
    protect(repository, "plan_file = true")
    told = refused(repository, *arguments, stdin="yes\n")
    assert "changed by saved plans only" in told
    assert instead in told


def test_state_commands_that_a_plan_can_replace_are_refused(repository: Directory) -> None:
    protect(repository, "plan_file = true")
    ok(repository, "plan", "-out=plan.bin")
    ok(repository, "apply", "plan.bin")
    assert "moved block" in refused(repository, "state", "mv", "terraform_data.it", "terraform_data.b")
    assert "removed block" in refused(repository, "state", "rm", "terraform_data.it")
    assert "-replace=ADDRESS" in refused(repository, "taint", "terraform_data.it")


def test_everything_that_is_missing_is_told_at_once(repository: Directory) -> None:
    protect(repository, 'clean_commit = true\nbranch = "release"\nplan_file = true')
    repository.write(new_tf="")
    told = refused(repository, "apply")
    for summary in ("A clean commit is required", "Not on the declared branch", "A saved plan is required"):
        assert summary in told


def test_without_an_environment_nothing_is_protected(repository: Directory) -> None:
    protect(repository, "clean_commit = true\napproval = true\nplan_file = true")
    repository.write(new_tf="")
    repository.ok("apply", "-auto-approve")
