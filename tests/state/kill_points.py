"""Applies of 200 resources killed at random moments: `python -m tests.state.kill_points DIRECTORY [--points 1000]`.

A process applies a configuration to a cloud that is a file, with its state in files or on s3 (the sandbox), and gets
SIGKILL at a random moment; often the one that takes it up is killed too. Then an undisturbed apply must leave exactly
what is configured in the cloud, in the state, and nothing else anywhere. Prints what was seen as JSON.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import pickle
import random
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.engine.memory import MemoryCloud, MemoryProvider
from tests.state.backends.conftest import make_bucket, s3_settings

from twinfra.addresses import BUILTIN_PROVIDER, ProviderAddress
from twinfra.config.installer import load
from twinfra.engine import api
from twinfra.providers.protocol import OPERATION_TOKEN, Planned, Progress, Provider, Stored, silent
from twinfra.providers.terraform import TerraformProvider
from twinfra.sandbox import server
from twinfra.state.backends.local import LocalBackend
from twinfra.state.backends.protocol import Backend, Place
from twinfra.state.backends.registry import connect
from twinfra.state.locks import is_abandoned
from twinfra.state.store import open_store, read_stored

NEEDS = 'terraform {\n  required_providers {\n    memory = { source = "example.com/test/memory" }\n  }\n}\n'


def configurations(size: int) -> list[tuple[str, set[str]]]:
    """Configurations to go to and fro between, each with the names of what it makes: in four layers; with a half
    replaced, others changed and a tenth gone; and with nothing.
    """
    part = size // 4

    def text(name: str, count: int, size: int) -> tuple[str, set[str]]:
        blocks = [NEEDS]
        for layer in range(4):
            prefix = name if layer % 2 else "same"
            before = f"memory_thing.l{layer - 1}[count.index].id" if layer else '"first"'
            blocks.append(
                f'resource "memory_thing" "l{layer}" {{\n  count = {count}\n'
                f'  name  = "{prefix}-{layer}-${{count.index}}"\n  size  = {size}\n  label = {before}\n}}\n'
            )
        names = {f"{name if layer % 2 else 'same'}-{layer}-{at}" for layer in range(4) for at in range(count)}
        return "".join(blocks), names

    return [text("a", part, 1), text("b", part - part // 10, 2), (NEEDS, set())]


class DiskCloud(MemoryCloud):
    """A cloud that outlives processes: a file with a line for each thing done."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.appending = threading.Lock()
        for line in path.read_bytes().splitlines() if path.exists() else ():
            id, thing, token = pickle.loads(base64.b64decode(line))
            self.serial = max(self.serial, int(id.removeprefix("id-")))
            if thing is None:
                self.things.pop(id, None)
            else:
                self.things[id] = thing
            if token:
                self.made[token] = id

    def did(self, id: str, thing: dict[str, Any] | None, token: str) -> None:
        """From here on it is so, whoever dies."""
        line = base64.b64encode(pickle.dumps((id, thing, token))) + b"\n"
        with self.appending:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(descriptor, line)
            os.close(descriptor)

    def compact(self) -> None:
        """Leave out what is gone; only between processes."""
        self.path.unlink(missing_ok=True)
        for id, thing in self.things.items():
            self.did(id, thing, "")


class DiskProvider(MemoryProvider):
    """A provider for it. A call takes as long as one of a very near cloud."""

    parallelism = 10
    cloud: DiskCloud

    def apply(self, kind: str, change: Planned, progress: Progress = silent) -> Stored | None:
        threading.Event().wait(0.001)
        result = super().apply(kind, change, progress)
        if result is None:
            assert change.prior is not None
            self.cloud.did(str(change.prior.attributes["id"]), None, "")
        else:
            id = str(result.attributes["id"])
            self.cloud.did(id, self.cloud.things[id], change.private.get(OPERATION_TOKEN, ""))
        threading.Event().wait(0.001)
        return result


class World:
    """A working directory, the cloud, and where the state is kept."""

    def __init__(self, directory: Path, backend: Callable[[], Backend]) -> None:
        self.directory = directory
        self.connect = backend
        self.cloud = directory / "cloud"

    def apply(self) -> dict[str, int]:
        """What `twinfra apply` does, after `force-unlock` where a dead process has left its lock; what it found."""
        cloud = DiskCloud(self.cloud)

        def make(address: ProviderAddress) -> Provider:
            return TerraformProvider() if address == BUILTIN_PROVIDER else DiskProvider(cloud)

        os.chdir(self.directory)
        configuration, problems = load(Path())
        assert not problems.has_errors
        providers = api.Providers(make)
        backend = self.connect()
        found = {"locks": 0, "folded": 0, "looked_up": 0}
        holder = backend.holder("default")
        if holder is not None:
            assert is_abandoned(holder), holder
            backend.unlock("default", holder.id)
            found["locks"] = 1
        with open_store(backend, "default", "apply", self.directory) as store:
            found["folded"] = 0 if store.recovered is None else len(store.recovered.objects)
            found["looked_up"] = len(store.intents)
            if store.intents:
                with store.recording() as recorder:
                    recovered = api.recover(
                        configuration, store.state, {}, providers, store.intents, recorder
                    )
                    assert not recovered.diagnostics.has_errors, list(recovered.diagnostics)
                    store.save(recovered.state)
            planned = api.plan(configuration, store.state, {}, providers)
            assert not planned.diagnostics.has_errors, list(planned.diagnostics)
            with store.recording(planned.state) as recorder:
                done = api.apply(planned.plan, configuration, planned.state, {}, providers, recorder=recorder)
                store.save(done.state)
            assert not done.diagnostics.has_errors, list(done.diagnostics)
        backend.close()
        return found

    def check(self, names: set[str]) -> None:
        """The cloud has what is configured, the state has what is in the cloud, and nothing was left behind."""
        cloud = DiskCloud(self.cloud)
        there = sorted(str(one["name"]) for one in cloud.things.values())
        assert there == sorted(names), f"the cloud has {len(there)} things instead of {len(names)}"
        backend = self.connect()
        state = read_stored(backend, "default").state
        known = [
            one.current.attributes["id"]
            for record in state.resources.values()
            for one in record.instances.values()
            if one.current is not None and not one.current.tainted and not one.deposed
        ]
        assert sorted(known) == sorted(cloud.things), "the state does not say what there is"
        assert backend.holder("default") is None
        assert not backend.journal_path("default").exists()
        backend.close()
        cloud.compact()


def in_child(work: Callable[[], dict[str, int]], kill_after: float | None) -> dict[str, int] | None:
    """Run in a child process; None when it was killed after so many seconds, before it had finished."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.write(writing, json.dumps(work()).encode())
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    ended, _, _ = select.select([reading], [], [], kill_after)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    result = os.read(reading, 65536)
    os.close(reading)
    if os.WIFSIGNALED(status):
        return None
    assert os.WEXITSTATUS(status) == 0, "the apply failed"
    found: dict[str, int] = json.loads(result)
    return found


def run(world: World, points: int, size: int, seed: int) -> dict[str, Any]:
    """So many kills; what was seen in all."""
    chance = random.Random(seed)
    texts = configurations(size)
    (world.directory / "main.tf").write_text(texts[0][0])
    usual = _timed(world)[0]
    world.check(texts[0][1])
    seen = {"kills": 0, "too_late": 0, "twice": 0, "locks": 0, "folded": 0, "looked_up": 0}
    start = time.monotonic()
    at = 0
    while seen["kills"] < points:
        at = chance.choice([one for one in range(len(texts)) if one != at])
        text, names = texts[at]
        (world.directory / "main.tf").write_text(text)
        killed = False
        while seen["kills"] < points:
            if in_child(world.apply, chance.uniform(0, usual * 1.05)) is not None:
                seen["too_late"] += 1
                break
            seen["kills"] += 1
            seen["twice"] += killed
            killed = True
            if chance.random() < 0.6:
                break
        last, found = _timed(world)
        # The machine may be slower or faster by now.
        usual = 0.8 * usual + 0.2 * last
        for name, number in found.items():
            seen[name] += number
        world.check(names)
        print(f"{seen['kills']} of {points}", file=sys.stderr)
    return seen | {"seconds": round(time.monotonic() - start, 1), "resources": size, "seed": seed}


def _timed(world: World) -> tuple[float, dict[str, int]]:
    start = time.monotonic()
    found = in_child(world.apply, None)
    assert found is not None
    return time.monotonic() - start, found


@contextmanager
def world_of(kind: str, root: Path) -> Iterator[World]:
    """A world with its state in files, or on an emulated s3."""
    directory = root / kind
    directory.mkdir(parents=True)
    if kind == "local":
        yield World(directory, lambda: LocalBackend(directory))
        return
    (root / "sandbox").mkdir()
    sandbox = server.ensure_running(root / "sandbox")
    try:
        make_bucket(sandbox.endpoint)
        settings = s3_settings(sandbox.endpoint, f"kill-{os.getpid()}")
        yield World(directory, lambda: connect("s3", settings, Place(directory, directory / ".terraform")))
    finally:
        server.stop(root / "sandbox")


def main(arguments: list[str]) -> int:
    """As the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.state.kill_points")
    parser.add_argument("root", type=Path)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", choices=("local", "s3"), default="local")
    options = parser.parse_args(arguments)
    with world_of(options.backend, options.root.resolve()) as world:
        print(
            json.dumps({"backend": options.backend} | run(world, options.points, options.size, options.seed))
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
