"""Going over to another backend: `init -migrate-state`, `-reconfigure`, `-backend-config`, variables in the block."""

import errno
import json
import os
from pathlib import Path

import pytest
from tests.cli.conftest import Directory

from twinfra.cli.backends import FILE, forget, read_extra
from twinfra.diagnostics import DiagnosticError

THING = 'resource "terraform_data" "thing" { input = "kept" }\n'


def block(settings: str, type: str = "local") -> str:
    return f'terraform {{\n  backend "{type}" {{\n    {settings}\n  }}\n}}\n'


def test_a_backend_that_changed_stops_every_command(twinfra: Directory) -> None:
    twinfra.write(main_tf=block('path = "one.tfstate"') + THING)
    twinfra.ok("apply", "-auto-approve")
    twinfra.write(main_tf=block('path = "two.tfstate"') + THING)
    for command in (["plan"], ["apply", "-auto-approve"], ["state", "list"], ["init"]):
        ran = twinfra(*command)
        assert ran.code == 1, command
        assert "init -migrate-state" in " ".join(ran.err.split()), ran.err
    assert not Path("two.tfstate").exists()


def test_states_of_all_workspaces_are_taken_along(twinfra: Directory) -> None:
    twinfra.write(main_tf=THING)
    twinfra.ok("apply", "-auto-approve")
    twinfra.ok("workspace", "new", "other")
    twinfra.ok("apply", "-auto-approve")
    before = json.loads(Path("terraform.tfstate").read_text())
    twinfra.write(main_tf=block('path = "new/main.tfstate"\n    workspace_dir = "new/others"') + THING)
    refused = twinfra("init", "-migrate-state", stdin="no\n")
    assert refused.code == 1
    assert not Path("new/main.tfstate").exists()
    said = twinfra.ok("init", "-migrate-state", stdin="yes\n").out
    assert "default, other" in said
    after = json.loads(Path("new/main.tfstate").read_text())
    assert (after["lineage"], after["resources"]) == (before["lineage"], before["resources"])
    assert json.loads(Path("terraform.tfstate.backup").read_text())["lineage"] == before["lineage"]
    assert not Path("terraform.tfstate").exists()
    assert twinfra("plan", "-detailed-exitcode").code == 0
    twinfra.ok("workspace", "select", "default")
    assert twinfra("plan", "-detailed-exitcode").code == 0


def test_migrating_twice_copies_nothing(twinfra: Directory) -> None:
    twinfra.write(main_tf=THING)
    twinfra.ok("apply", "-auto-approve")
    twinfra.write(main_tf=block('path = "new.tfstate"') + THING)
    assert "Copied:" in twinfra.ok("init", "-force-copy").out
    assert "Copied:" not in twinfra.ok("init", "-force-copy").out


def test_another_state_at_the_new_place_is_not_overwritten(twinfra: Directory) -> None:
    twinfra.write(main_tf=block('path = "two.tfstate"') + THING)
    twinfra.ok("apply", "-auto-approve")
    theirs = Path("two.tfstate").read_bytes()
    twinfra.write(main_tf=block('path = "one.tfstate"') + THING)
    twinfra.ok("init", "-reconfigure")
    twinfra.ok("apply", "-auto-approve")
    twinfra.write(main_tf=block('path = "two.tfstate"') + THING)
    ran = twinfra("init", "-force-copy")
    assert ran.code == 1
    assert "another state" in ran.err
    assert Path("two.tfstate").read_bytes() == theirs


def test_reconfigure_leaves_states_where_they_are(twinfra: Directory) -> None:
    twinfra.write(main_tf=THING)
    twinfra.ok("apply", "-auto-approve")
    twinfra.write(main_tf=block('path = "new.tfstate"') + THING)
    twinfra.ok("init", "-reconfigure")
    assert twinfra("plan", "-detailed-exitcode").code == 2
    assert Path("terraform.tfstate").exists()


def test_settings_by_option_are_remembered(twinfra: Directory) -> None:
    twinfra.write(main_tf=block("") + THING, settings_tfbackend='path = "from-file.tfstate"\n')
    twinfra.ok("init", "-backend-config=settings.tfbackend")
    twinfra.ok("apply", "-auto-approve")
    assert Path("from-file.tfstate").exists()
    twinfra.ok("init", "-reconfigure", "-backend-config", "path=by-option.tfstate")
    twinfra.ok("apply", "-auto-approve")
    assert Path("by-option.tfstate").exists()
    assert Path(".terraform/twinfra-backend.json").stat().st_mode & 0o777 == 0o600
    ran = twinfra("init", "-backend-config=pth=x")
    assert ran.code == 1
    assert 'Did you mean "path"?' in ran.err


def test_the_block_takes_variables_and_locals(twinfra: Directory) -> None:
    variables = 'variable "env" {}\nlocals { name = "${var.env}-state" }\n'
    twinfra.write(main_tf=block('path = "${local.name}.tfstate"') + variables + THING)
    ran = twinfra("plan")
    assert ran.code == 1
    assert "TF_VAR_env" in ran.err
    twinfra.ok("apply", "-auto-approve", "-var", "env=staging")
    assert Path("staging-state.tfstate").exists()
    assert "init -reconfigure" in " ".join(twinfra("plan", "-var", "env=production").err.split())


def test_what_is_not_known_yet_cannot_be_used(twinfra: Directory) -> None:
    twinfra.write(main_tf=block("path = terraform_data.thing.output") + THING)
    ran = twinfra("plan")
    assert ran.code == 1
    assert "terraform_data.thing" in ran.err


def test_a_local_state_is_not_forgotten_when_a_backend_is_declared(twinfra: Directory) -> None:
    twinfra.write(main_tf=THING)
    twinfra.ok("apply", "-auto-approve")
    twinfra.write(main_tf=block('address = "http://127.0.0.1:1/state"', "http") + THING)
    ran = twinfra("plan")
    assert ran.code == 1
    assert "init -migrate-state" in " ".join(ran.err.split())


def test_settings_by_option_without_a_block_are_told_to_be_useless(twinfra: Directory) -> None:
    twinfra.write(main_tf=THING)
    ran = twinfra.ok("init", "-backend-config=path=x.tfstate")
    assert "No backend block" in ran.all


def test_a_directory_begins_with_a_copy_of_a_module(twinfra: Directory) -> None:
    module = twinfra.path / "module"
    (module / "inner").mkdir(parents=True)
    (module / "main.tf").write_text(THING)
    (module / "inner/main.tf").write_text("")
    (module / "terraform.tfstate").write_text("{}")
    (module / ".hidden").write_text("x")
    (twinfra.path / "new").mkdir()
    os.chdir("new")
    twinfra.ok("init", "-from-module=../module")
    assert sorted(one.name for one in Path().iterdir()) == ["inner", "main.tf"]
    twinfra.ok("apply", "-auto-approve")
    again = twinfra("init", "-from-module=../module")
    assert again.code == 1
    assert "configuration already" in again.err


@pytest.mark.parametrize(
    ("source", "said"),
    [("../nowhere", "No such module"), ("acme/vpc/aws", "cannot be fetched"), ("..", "into itself")],
)
def test_what_cannot_be_copied_is_told(twinfra: Directory, source: str, said: str) -> None:
    (twinfra.path / "main.tf").write_text(THING)
    (twinfra.path / "new").mkdir()
    os.chdir("new")
    ran = twinfra("init", f"-from-module={source}")
    assert ran.code == 1
    assert said in ran.err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("by", ["option", "file", "json"])
def test_settings_by_option_have_the_types_of_the_schema(twinfra: Directory, by: str) -> None:
    role = {"role_arn": "arn:aws:iam::123456789012:role/states", "tags": {"team": "ml"}}
    texts = [f"{name} = {json.dumps(value)}\n" for name, value in role.items()]
    expression = "{ " + ", ".join(text.strip() for text in texts) + " }"
    if by == "option":
        given = ["encrypt=false", "max_retries=7", f"assume_role={expression}"]
    elif by == "file":
        (twinfra.path / "s").write_text(f'encrypt = "false"\nmax_retries = "7"\nassume_role = {expression}\n')
        given = ["s"]
    else:
        document = {"encrypt": "false", "max_retries": "7", "assume_role": role}
        (twinfra.path / "s.json").write_text(json.dumps(document))
        given = ["s.json"]
    found = read_extra(given, "s3")
    assert (found["encrypt"], found["max_retries"]) == (False, 7)
    assert {name: found["assume_role"][name] for name in role} == role
    assert found["assume_role"]["external_id"] is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("encrypt=maybe", "encrypt"),
        ("assume_role={session_name=1}", "role_arn"),
        ("assume_role={", "assume_role"),
        ("assume_role=var.role", "constant"),
    ],
)
def test_settings_by_option_that_do_not_fit_are_refused(twinfra: Directory, given: str, said: str) -> None:
    twinfra.write(main_tf=block('bucket = "b"\n    key = "k"', "s3"))
    ran = twinfra("init", f"-backend-config={given}")
    assert ran.code == 1
    assert said in ran.err


def test_where_nothing_can_be_written_a_backend_that_was_never_noted_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    forget(tmp_path)
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(DiagnosticError, match="Cannot"):
        forget(tmp_path)


@pytest.mark.parametrize(
    "note",
    [
        "{",
        "[]",
        '{"type": "local"}',
        '{"type": 1, "settings": {}, "extra": {}}',
        '{"type": "local", "settings": [1], "extra": {}}',
        '{"type": "local", "settings": {"path": 1.5}, "extra": {}}',
        '{"type": "local", "settings": {"path": "\\ud800"}, "extra": {}}',
        '{"type": "local", "settings": {"bucket": "b"}, "extra": {}}',
        '{"type": "local", "settings": {}, "extra": null}',
    ],
)
def test_a_damaged_note_of_the_backend_is_told_with_its_mend(twinfra: Directory, note: str) -> None:
    twinfra.write(main_tf='terraform {\n  backend "local" {\n    path = "a.tfstate"\n  }\n}\n')
    twinfra.ok("init")
    (twinfra.path / ".terraform" / "twinfra-backend.json").write_text(note)
    ran = twinfra("plan")
    assert (ran.code, "Damaged note of the backend" in ran.err) == (1, True)
    twinfra.ok("init", "-reconfigure")
    twinfra.ok("plan")
