"""Stopping a run."""

from __future__ import annotations

import threading

from tests.engine.memory import Notes, Project, errors

from twinfra.engine.stop import Stop

TWO = (
    'resource "memory_thing" "a" {\n  name = "one"\n}\n'
    'resource "memory_thing" "b" {\n  name  = "two"\n  label = memory_thing.a.id\n}\n'
)


class Stopping(Notes):
    """Asks to stop when the first operation begins."""

    def __init__(self, project: Project, times: int) -> None:
        super().__init__()
        self.project = project
        self.stop = Stop()
        self.times = times

    def apply_progress(self, address, action, seconds, message) -> None:
        super().apply_progress(address, action, seconds, message)
        for _ in range(self.times):
            self.stop.request()


def test_a_stop_finishes_what_is_in_flight_and_records_it(project: Project) -> None:
    listener = Stopping(project, 1)
    done = project.write(TWO).apply(listener, listener.stop)
    assert done.stopped
    assert project.attributes("memory_thing.a")["id"] == "id-1"
    assert project.cloud.asked("create") == ["one"]


def test_a_stopped_apply_is_completed_by_the_next(project: Project) -> None:
    listener = Stopping(project, 1)
    project.write(TWO).apply(listener, listener.stop)
    done = project.apply()
    assert not done.stopped
    assert project.cloud.asked("create") == ["one", "two"]


def test_a_second_stop_returns_without_waiting(project: Project) -> None:
    project.cloud.hold = threading.Event()
    stop = Stop()

    class Impatient(Notes):
        def apply_started(self, change, action, id) -> None:
            threading.Timer(0.05, lambda: (stop.request(), stop.request())).start()

    done = project.write(TWO).apply(Impatient(), stop)
    project.cloud.hold.set()
    assert done.stopped
    assert [one.summary for one in done.diagnostics] == ["Stopped without waiting"]


def test_an_object_whose_provisioners_were_not_run_is_tainted(project: Project) -> None:
    stop = Stop()

    class AtTheEnd(Notes):
        def apply_progress(self, address, action, seconds, message) -> None:
            stop.request()

    project.write(
        'resource "memory_thing" "a" {\n  name = "one"\n  provisioner "local-exec" {\n    command = "true"\n  }\n}\n'
    ).apply(AtTheEnd(), stop)
    found = project.object("memory_thing.a")
    assert found is not None
    assert found.tainted


def test_a_stopped_plan_is_an_error(project: Project) -> None:
    stop = Stop()
    stop.request()
    result = project.write(TWO).plan(stop=stop)
    assert errors(result) == ["Interrupted"]
