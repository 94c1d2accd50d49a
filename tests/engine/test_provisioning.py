"""Provisioners."""

from __future__ import annotations

import sys

from tests.engine.memory import Project, errors


def thing(provisioner: str, name: str = "one") -> str:
    return f'resource "memory_thing" "a" {{\n  name = "{name}"\n{provisioner}}}\n'


def local(command: str, more: str = "") -> str:
    return f'  provisioner "local-exec" {{\n    command = "{command}"\n{more}  }}\n'


def test_a_command_runs_after_the_create_and_sees_the_object(project: Project) -> None:
    project.write(thing(local("printf %s ${self.id} > out.txt"))).apply()
    assert (project.directory / "out.txt").read_text() == "id-1"


def test_its_output_is_told_line_by_line(project: Project) -> None:
    project.write(thing(local("echo one; echo two"))).apply()
    assert "memory_thing.a local-exec: two" in project.notes.texts


def test_environment_and_working_directory_are_set(project: Project) -> None:
    (project.directory / "sub").mkdir()
    project.write(
        thing(
            local(
                "printf %s $COLOUR > out.txt",
                '    working_dir = "sub"\n    environment = { COLOUR = "red" }\n',
            )
        )
    ).apply()
    assert (project.directory / "sub" / "out.txt").read_text() == "red"


def test_the_interpreter_can_be_chosen(project: Project) -> None:
    project.write(
        thing(local("open('out.txt', 'w').write('py')", '    interpreter = ["python3", "-c"]\n'))
    ).apply()
    assert (project.directory / "out.txt").read_text() == "py"


def test_a_failing_command_taints_the_object(project: Project) -> None:
    done = project.write(thing(local("echo why; exit 3"))).apply()
    assert errors(done) == ["Provisioner local-exec failed"]
    assert "why" in done.diagnostics.errors[0].detail
    found = project.object("memory_thing.a")
    assert found is not None
    assert found.tainted


def test_a_failure_may_be_passed_over(project: Project) -> None:
    done = project.write(thing(local("exit 3", "    on_failure = continue\n"))).apply()
    assert not done.diagnostics.has_errors
    found = project.object("memory_thing.a")
    assert found is not None
    assert not found.tainted


def test_a_command_at_destroy_time_runs_before_the_end(project: Project) -> None:
    project.write(thing(local("printf %s ${self.name} > gone.txt", "    when = destroy\n"))).apply()
    assert not (project.directory / "gone.txt").exists()
    project.apply(mode="destroy")
    assert (project.directory / "gone.txt").read_text() == "one"


def test_a_failing_command_at_destroy_time_keeps_the_object(project: Project) -> None:
    project.write(thing(local("exit 1", "    when = destroy\n"))).apply()
    done = project.apply(mode="destroy")
    assert errors(done) == ["Provisioner local-exec failed"]
    assert project.object("memory_thing.a") is not None
    assert project.cloud.asked("delete") == []


def test_a_secret_command_is_not_shown(project: Project) -> None:
    project.write(
        'variable "p" {\n  default   = "s3cret"\n  sensitive = true\n}\n'
        + thing(local("echo ${var.p}; exit 1"))
    )
    done = project.apply()
    assert all("s3cret" not in text for text in project.notes.texts)
    assert all("s3cret" not in one.detail for one in done.diagnostics)


def test_provisioners_for_other_machines_are_refused(project: Project) -> None:
    text = '  provisioner "remote-exec" {\n    inline = ["ls"]\n  }\n'
    assert errors(project.write(thing(text)).plan()) == ["Provisioner not supported"]


def test_the_provisioners_of_a_removed_block_run(project: Project) -> None:
    project.write(thing("")).apply()
    project.write(
        "removed {\n  from = memory_thing.a\n"
        + local("printf %s ${self.name} > gone.txt", "    when = destroy\n")
        + "}\n"
    ).apply()
    assert (project.directory / "gone.txt").read_text() == "one"


def test_the_time_of_provisioners_is_part_of_what_a_create_takes(project: Project) -> None:
    # By the clock that the duration is measured with: that of the day may be set meanwhile.
    mark = f"'{sys.executable}' -ISc 'import time; print(time.monotonic())' >> times.txt; "
    project.write(thing(local(mark * 2))).apply()
    first, last = map(float, (project.directory / "times.txt").read_text().split())
    assert project.notes.seconds["memory_thing.a"] >= last - first > 0


def test_a_destroy_begins_before_its_provisioners(project: Project) -> None:
    project.write(thing(local("echo bye", "    when = destroy\n"))).apply()
    project.apply(mode="destroy")
    texts = project.notes.texts
    assert texts.index("delete memory_thing.a") < texts.index("memory_thing.a local-exec: bye")
