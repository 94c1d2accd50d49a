"""Building a configuration from nothing, in a sandbox of its own that leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from twinfra.addresses import ProviderAddress
from twinfra.config.model import Configuration, Module
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, Diagnostics, error
from twinfra.engine import api
from twinfra.engine.changes import Plan
from twinfra.engine.providers import Providers
from twinfra.engine.stop import RUN, Stop
from twinfra.providers.protocol import Provider
from twinfra.state.model import State
from twinfra.values.value import Value

AWS = ProviderAddress("aws")

Factory = Callable[[ProviderAddress], Provider]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What two builds differ in: `parallelism`, `order` (see `api.PlanOptions`), and `ahead`, seconds of the clock."""

    parallelism: int
    order: int | None
    ahead: float

    def time(self) -> str:
        """The present, by this clock."""
        now = datetime.now(UTC) + timedelta(seconds=self.ahead)
        return now.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Build:
    """What came of one build: the state, how many resources, in how many seconds, and when by its clock."""

    circumstances: Circumstances
    state: State
    resources: int
    seconds: float
    time: str


class Site:
    """A place to build in: a directory of its own, in which a sandbox is started when a cloud is first needed.

    To be closed: then the sandbox ends, and all that was made is gone.
    """

    def __init__(
        self,
        configuration: Configuration,
        inputs: Mapping[str, Value],
        factory: Factory,
        circumstances: Circumstances,
        workspace: str,
        stop: Stop,
    ) -> None:
        """`factory` makes the providers that call no cloud."""
        self.circumstances = circumstances
        self._configuration = _from_nothing(configuration)
        self._inputs = inputs
        self._factory = factory
        self._workspace = workspace
        self._stop = stop
        self._root = Path(tempfile.mkdtemp(prefix="twinfra-prove-"))
        self._variables: dict[str, str] | None = None
        self.providers = Providers(self._provider)

    def build(self) -> Build:
        """Plan from an empty state and apply. Raises `DiagnosticError` where that does not succeed."""
        started = time.monotonic()
        now = self.circumstances.time()
        plan, state = self._plan(State.fresh(), "normal")
        outcome = api.apply(
            plan,
            self._configuration,
            state,
            self._inputs,
            self.providers,
            api.ApplyOptions(
                self.circumstances.parallelism,
                self._workspace,
                self.circumstances.order,
                self.circumstances.time(),
            ),
            stop=self._stop,
        )
        self._check(outcome.diagnostics.has_errors, outcome.diagnostics)
        count = outcome.counts.get("added", 0)
        return Build(self.circumstances, outcome.state, count, time.monotonic() - started, now)

    def plan_again(self, state: State) -> Plan:
        """A plan for what was built, after reading all of it. Raises `DiagnosticError`."""
        return self._plan(state, "normal")[0]

    def refresh(self, state: State) -> State:
        """The state after reading all of it. Raises `DiagnosticError`."""
        return self._plan(state, "refresh-only")[1]

    def close(self) -> None:
        """End the sandbox, and remove the directory."""
        self.providers.close()
        if self._variables is not None:
            from twinfra.sandbox import server

            server.stop(self._root)
        shutil.rmtree(self._root, ignore_errors=True)

    def _plan(self, state: State, mode: str) -> tuple[Plan, State]:
        options = api.PlanOptions(
            mode=mode,
            parallelism=self.circumstances.parallelism,
            timestamp=self.circumstances.time(),
            workspace=self._workspace,
            order=self.circumstances.order,
        )
        result = api.plan(self._configuration, state, self._inputs, self.providers, options, stop=self._stop)
        self._check(result.plan.errored, result.diagnostics)
        return result.plan, result.state

    def _check(self, failed: bool, diagnostics: Diagnostics) -> None:
        if self._stop.level != RUN:
            raise DiagnosticError(
                error(
                    "Interrupted",
                    "The proof was stopped before its end. What it had made is gone; nothing of yours was touched.",
                    mend="Run it again.",
                )
            )
        if failed:
            raise DiagnosticError(diagnostics)

    def _provider(self, address: ProviderAddress) -> Provider:
        if address != AWS:
            return self._factory(address)
        from twinfra.providers.aws import AwsProvider
        from twinfra.sandbox import server

        if self._variables is None:
            kept = {name: value for name, value in os.environ.items() if name not in server.UNSET}
            running = server.ensure_running(self._root, self.circumstances.ahead, os.getpid())
            self._variables = kept | server.environment(running)
        return AwsProvider(self._variables)


def _from_nothing(configuration: Configuration) -> Configuration:
    """The configuration without what acts outside of the sandbox or takes what exists: provisioners and imports."""
    modules = {path: _without(module) for path, module in configuration.modules.items()}
    return replace(configuration, modules=modules)


def _without(module: Module) -> Module:
    resources = {
        address: replace(one, provisioners=()) if one.provisioners else one
        for address, one in module.resources.items()
    }
    return replace(module, resources=resources, imports=[])
