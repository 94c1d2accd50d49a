"""Running provisioners during an apply."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from twinfra.addresses import Instance
from twinfra.diagnostics import Diagnostic, DiagnosticError
from twinfra.engine.bodies import decode_config
from twinfra.engine.nodes import ProvisionerPart
from twinfra.engine.places import Place
from twinfra.engine.provisioners import LocalExec, ProvisionerFailed, local_exec, run_local_exec
from twinfra.engine.scheduler import Call
from twinfra.values.value import EPHEMERAL, SENSITIVE, Value

if TYPE_CHECKING:
    from twinfra.engine.applier import Applier

Fail: TypeAlias = Callable[[list[Diagnostic]], None]


class Provisioning:
    """Runs the provisioners of one apply."""

    def __init__(self, run: Applier) -> None:
        self._run = run

    def run(
        self,
        address: Instance,
        parts: Sequence[ProvisionerPart],
        place: Place | None,
        self_value: Value,
        fail: Fail,
    ) -> Generator[Any, Any, bool]:
        run = self._run
        for part in parts:
            go_on = part.config.on_failure == "continue"
            try:
                scope = (
                    place.enter(self_value) if place is not None else run.enter_orphan(address, self_value)
                )
                try:
                    arguments, marks = decode_config(part.decoder, scope, None)
                finally:
                    if place is not None:
                        place.leave()
                    else:
                        run.leave_orphan()
                secret = any(SENSITIVE in found or EPHEMERAL in found for _, found in marks)
                what = local_exec(arguments, secret)
            except DiagnosticError as failed:
                fail(list(failed.at(part.config.body.range).diagnostics))
                return False
            except ProvisionerFailed as failed:
                if self._provisioner_failed(address, part, failed, go_on, fail):
                    continue
                return False
            run.listener.provision_started(address, part.config.type)
            call = self._provisioner_call(address, part, what)
            try:
                yield call
            except ProvisionerFailed as failed:
                run.listener.provision_finished(address, part.config.type, True)
                if self._provisioner_failed(address, part, failed, go_on, fail):
                    continue
                return False
            run.listener.provision_finished(address, part.config.type, False)
        return True

    def _provisioner_call(self, address: Instance, part: ProvisionerPart, what: LocalExec) -> Call:
        run = self._run

        def tell(seconds: float, line: str) -> None:
            if line:
                run.listener.provision_output(address, part.config.type, line)

        call: Call
        call = Call(lambda: run_local_exec(what, lambda line: run.walk.post(call, line)), tick=tell)
        return call

    def _provisioner_failed(
        self, address: Instance, part: ProvisionerPart, failed: ProvisionerFailed, go_on: bool, fail: Fail
    ) -> bool:
        """Tell of a failed provisioner; returns whether to go on all the same."""
        body = part.config.body.range
        place = replace(body, end=body.start + 1)
        if go_on:
            return True
        fail([replace(failed.diagnostic, subject=place, address=str(address))])
        return False
