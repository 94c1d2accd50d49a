"""Which environments a change touches, in real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.environments.repositories import Repository, new_repository

from twinfra.config.installer import load
from twinfra.diagnostics import DiagnosticError
from twinfra.environments.declaration import load_project
from twinfra.pipelines.touched import Change, find_change

PROJECT = """
[environments.staging]
var_files = ["vars/staging.tfvars"]
[environments.production]
var_files = ["vars/production.tfvars"]
"""

MAIN = """
module "net" {
  source = "./modules/net"
}

locals {
  policy = file("${path.module}/policy.json")
  rules  = fileset(path.module, "rules/*.yaml")
}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    made = new_repository(tmp_path / "it")
    monkeypatch.chdir(made.path)
    for name in ("vars", "modules/net", "rules", "docs"):
        (made.path / name).mkdir(parents=True)
    made.commit(
        "Begin",
        **{
            "twinfra_toml": PROJECT,
            "main_tf": MAIN,
            "modules/net/main_tf": "locals { a = 1 }\n",
            "policy_json": "{}",
            "rules/a_yaml": "a: 1\n",
            "vars/staging_tfvars": "",
            "vars/production_tfvars": "",
            "docs/read_md": "x",
        },
    )
    made.git("tag", "base")
    return made


def change(base: str = "base") -> Change:
    project = load_project(Path.cwd())
    assert project is not None
    configuration, found = load(Path())
    assert not found.has_errors
    return find_change(Path.cwd(), configuration, project, base, project.environments)


def touched(base: str = "base") -> list[str]:
    return [one.environment for one in change(base).touched]


BOTH = ["staging", "production"]


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("main_tf", MAIN + "\n", BOTH),
        ("other_tf", "", BOTH),
        ("modules/net/main_tf", "locals { a = 2 }\n", BOTH),
        ("modules/net/new_tf", "", BOTH),
        ("policy_json", "[]", BOTH),
        ("rules/b_yaml", "b: 1\n", BOTH),
        ("terraform_tfvars", "", BOTH),
        ("all.auto_tfvars", "", BOTH),
        ("vars/staging_tfvars", "a = 1\n", ["staging"]),
        ("docs/read_md", "y", []),
        ("rules/readme_md", "y", []),
        ("unused_json", "y", []),
    ],
)
def test_a_file_touches_the_environments_that_are_made_of_it(
    repository: Repository, file: str, text: str, expected: list[str]
) -> None:
    repository.commit("Change", **{file: text})
    assert touched() == expected


def test_a_file_that_is_gone_touches_as_one_that_changed(repository: Repository) -> None:
    (repository.path / "rules/a.yaml").unlink()
    repository.commit("Remove")
    assert touched() == BOTH
    assert change().touched[0].reasons == ("rules/a.yaml (listed by the configuration)",)


def test_a_declaration_touches_its_own_environment_alone(repository: Repository) -> None:
    repository.commit("Declare", twinfra_toml=PROJECT + 'branch = "main"\n[drift]\n')
    assert touched() == ["production"]


def test_another_version_of_twinfra_touches_all(repository: Repository) -> None:
    repository.commit("Upgrade", twinfra_toml=PROJECT + '[ci]\ninstall = "pip install twinfra==9"\n')
    assert touched() == BOTH


def test_where_a_path_is_known_only_later_every_file_may_be_read(repository: Repository) -> None:
    repository.write(extra_tf='variable "name" {\n  default = "a"\n}\nlocals {\n  b = file(var.name)\n}\n')
    repository.commit("Read")
    repository.git("tag", "read")
    repository.commit("Write", **{"docs/read_md": "z"})
    assert touched("read") == BOTH


def test_what_the_other_branch_did_meanwhile_does_not_count(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit("Mine", **{"vars/staging_tfvars": "a = 1\n"})
    repository.git("checkout", "-q", "main")
    repository.commit("Theirs", main_tf=MAIN + "\n")
    repository.git("checkout", "-q", "feature")
    assert touched("main") == ["staging"]


def test_what_is_not_committed_does_not_count(repository: Repository) -> None:
    repository.write(main_tf=MAIN + "\n")
    assert touched() == []


def test_a_commit_that_is_not_there_is_told(repository: Repository) -> None:
    with pytest.raises(DiagnosticError, match="No such commit"):
        touched("nowhere")


def test_a_shallow_clone_is_told_how_to_deepen(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = repository.git("rev-parse", "base")
    repository.commit("More", main_tf=MAIN + "\n")
    repository.clone(tmp_path / "shallow", "--depth=1")
    monkeypatch.chdir(tmp_path / "shallow")
    with pytest.raises(DiagnosticError) as caught:
        touched(base)
    assert "--unshallow" in next(iter(caught.value.diagnostics)).mend


def test_a_declaration_that_could_not_be_read_then_touches_all(repository: Repository) -> None:
    repository.commit("Break", twinfra_toml=PROJECT + f"[drift]\nx = {'9' * 5000}\n")
    repository.git("tag", "broken")
    repository.commit("Mend", twinfra_toml=PROJECT)
    assert touched("broken") == BOTH


def test_a_submodule_with_a_module_touches_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = new_repository(tmp_path / "shared")
    shared.commit("One", **{"net/main_tf": ""})
    made = new_repository(tmp_path / "work")
    made.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(shared.path), "vendor")
    made.commit("One", main_tf='module "m" {\n  source = "./vendor/net"\n}\n', twinfra_toml=PROJECT)
    made.git("tag", "base")
    monkeypatch.chdir(made.path)
    assert touched() == []
    Repository(made.path / "vendor").commit("Two", **{"net/main_tf": "# two"})
    made.commit("Move the submodule")
    assert touched() == BOTH
