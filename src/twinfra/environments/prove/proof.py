"""The proof: two builds under different circumstances, a second plan, refreshes, and what the code says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import field, replace
from functools import partial
from typing import Any

from twinfra.config.model import Configuration
from twinfra.dataclass import dataclass
from twinfra.engine.changes import Action, Plan, ResourceChange
from twinfra.engine.stop import Stop
from twinfra.environments.fingerprint import (
    Code,
    VolatileRule,
    input_digest,
    new_key,
    read_code,
)
from twinfra.environments.fingerprint.state import StateForms
from twinfra.environments.prove.building import Build, Circumstances, Factory, Site
from twinfra.environments.prove.comparison import answers, block_of, differences
from twinfra.environments.prove.findings import Finding, Kind
from twinfra.environments.prove.sources import code_findings
from twinfra.state.model import State
from twinfra.values.equality import identical
from twinfra.values.marks import unmark_deep
from twinfra.values.value import Value

AHEAD = 34_578_907.0
"""How far the second clock is ahead, in seconds: 400 days and 5:15:07, so that no part of a date is the same."""
MANY = 32
"""How many calls the second build makes at a time."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How to prove: `refreshes` of each build, `seed` of the drawn order, and the `workspace`'s name."""

    refreshes: int = 3
    seed: int = 1
    workspace: str = "default"


@dataclass(frozen=True, slots=True)
class Said:
    """What the code says, and what of that lets two builds differ."""

    code: Code
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Proof:
    """What was measured and found. `states` are the digests S of the two builds."""

    code: str
    inputs: str
    options: Options
    builds: list[Build] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    replanned: int = 0
    drifted: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        """Whether nothing was found that breaks determinism."""
        return len(set(self.states)) == 1 and not any(one.breaks for one in self.findings)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "proven": self.proven,
            "code": self.code,
            "inputs": self.inputs,
            "states": self.states,
            "builds": [
                {
                    "resources": one.resources,
                    "seconds": round(one.seconds, 3),
                    "time": one.time,
                    "parallelism": one.circumstances.parallelism,
                    "order": one.circumstances.order,
                }
                for one in self.builds
            ],
            "second_plan": {"changes": self.replanned},
            "refreshes": {"count": self.options.refreshes, "changes": self.drifted},
            "findings": [one.document() for one in self.findings],
        }


def prove(
    configuration: Configuration,
    inputs: Mapping[str, Value],
    factory: Factory,
    said: Said,
    *,
    options: Options,
    volatile: Sequence[VolatileRule] = (),
    stop: Stop | None = None,
    tell: Tell = lambda text: None,
) -> Proof:
    """Build a configuration twice from nothing, each time in a sandbox that is gone afterwards, and compare.

    `factory` makes the providers that call no cloud; `said` is what the code says (`only_code`); `tell` takes what is
    being done, for people. No state of anybody is read or written. Raises `DiagnosticError` where it cannot be built.
    """
    stop = stop or Stop()
    key = new_key()
    code = said.code
    proof = Proof(code.digest, "", options, findings=list(said.findings))
    forms: list[StateForms] = []
    for circumstances in (Circumstances(1, None, 0.0), Circumstances(MANY, options.seed, AHEAD)):
        which = "Second" if proof.builds else "First"
        tell(f"{which} build: {_words(circumstances)}.")
        with closing(Site(configuration, inputs, factory, circumstances, options.workspace, stop)) as site:
            build = site.build()
            proof.builds.append(build)
            tell(f"Planning again, and refreshing {_times(options.refreshes)}.")
            measure = partial(StateForms, schemas=site.providers.schema, key=key, volatile=volatile)
            forms.append(measure(build.state))
            proof.states.append(forms[-1].digest)
            _check_rest(configuration, site, build, proof, measure)
            if not proof.inputs:
                clouds = build.state.identities
                proof.inputs = input_digest(configuration, code, inputs, clouds, options.workspace, key)
    asked = answers(configuration, *forms)
    measured = {block_of(one.what) for one in asked}
    proof.findings = [one for one in proof.findings if one.kind is not Kind.DATA or one.what not in measured]
    proof.findings += asked
    if len(set(proof.states)) > 1:
        proof.findings += differences(configuration, forms[0], forms[1], asked)
    return proof


def only_code(configuration: Configuration) -> Said:
    """What the code alone tells: also of a configuration that cannot be built."""
    code = read_code(configuration)
    return Said(code, tuple(code_findings(configuration, code)))


def _check_rest(
    configuration: Configuration,
    site: Site,
    build: Build,
    proof: Proof,
    measure: Callable[[State], StateForms],
) -> None:
    """A plan after the build must be empty, and refreshes must leave S as it is."""
    known = {(one.kind, one.what) for one in proof.findings}
    found = list(_planned(site.plan_again(build.state)))
    proof.replanned += len(found)
    state, before = build.state, measure(build.state)
    for _ in range(proof.options.refreshes):
        state = site.refresh(state)
        after = measure(state)
        if after.digest != before.digest:
            drift = [_drifted(one) for one in differences(configuration, before, after)]
            proof.drifted += len(drift)
            found += drift
        before = after
    for one in found:
        if (one.kind, one.what) not in known:
            known.add((one.kind, one.what))
            proof.findings.append(one)


def _planned(plan: Plan) -> Iterator[Finding]:
    for change in plan.changes:
        if change.action in (Action.NO_OP, Action.READ):
            continue
        names = ", ".join(_changed(change))
        yield Finding(
            Kind.PLAN,
            str(change.address),
            f"A second plan would {_VERBS.get(change.action, 'change')} it"
            + (f" ({names})." if names else "."),
            "Let what it reads follow from variables and the code alone; or ignore what others change "
            "(ignore_changes).",
            measured=True,
        )
    for output in plan.outputs:
        if output.action is not Action.NO_OP:
            why = "A second plan would change it."
            mend = "Let what it reads follow from variables and the code alone."
            yield Finding(Kind.PLAN, f"output.{output.name}", why, mend, measured=True)


_VERBS = {
    Action.CREATE: "make",
    Action.UPDATE: "change",
    Action.DELETE: "destroy",
    Action.DELETE_THEN_CREATE: "replace",
    Action.CREATE_THEN_DELETE: "replace",
    Action.FORGET: "forget",
}


def _drifted(difference: Finding) -> Finding:
    return replace(
        difference,
        kind=Kind.DRIFT,
        why="A refresh found it changed, though nobody changed it.",
        mend="Where it may change by itself, leave it out with a rule [[fingerprint.volatile]] in twinfra.toml.",
    )


def _changed(change: ResourceChange) -> list[str]:
    """The names of the attributes that differ; nothing of their values."""
    before, _ = unmark_deep(change.before)
    after, _ = unmark_deep(change.after)
    if not isinstance(before, dict) or not isinstance(after, dict):
        return []
    return [name for name in after if not identical(before.get(name), after[name])]


def _words(circumstances: Circumstances) -> str:
    calls = (
        "one call at a time"
        if circumstances.parallelism == 1
        else f"{circumstances.parallelism} calls at a time"
    )
    order = "order of the text" if circumstances.order is None else "drawn order"
    days = int(circumstances.ahead // 86_400)
    return f"{calls}, {order}" + (f", clock {days} days ahead" if days else "")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
