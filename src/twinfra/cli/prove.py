"""`twinfra prove`: two builds from nothing in sandboxes, and whether code and inputs determine what comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinfra.cli.command import SilentFailure, UsageProblem, command, flag, value
from twinfra.diagnostics import DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twinfra.cli.render.style import Style
    from twinfra.cli.terminal import Terminal
    from twinfra.diagnostics import Diagnostic
    from twinfra.engine.stop import Stop
    from twinfra.environments.prove.findings import Finding
    from twinfra.environments.prove.proof import Options, Proof

_WIDTH = 76


@command("prove")
@flag("json", "print JSON")
@flag("no-color", "no colour")
@flag("sandbox", "accepted; a proof always builds in sandboxes of its own")
@value("refreshes", "how many times each build is refreshed", type=int, default=3)
@value("seed", "what the order of the second build is drawn from", type=int, default=1)
@value("var", "a variable: NAME=VALUE", multiple=True)
@value("var-file", "a file of variables", multiple=True)
def prove(
    json: bool,
    no_color: bool,
    sandbox: bool,
    refreshes: int,
    seed: int,
    var: tuple[str, ...],
    var_file: tuple[str, ...],
) -> int:
    """Build the configuration twice from nothing, and show what makes the two differ.

    Exit code 0: proven. 2: not proven. 1: it could not be built.
    """
    from twinfra.cli.interrupt import interruptible
    from twinfra.cli.terminal import Terminal
    from twinfra.environments.prove.proof import Options

    if refreshes < 0:
        raise UsageProblem(f"-refreshes is a number of times, not {refreshes}.")
    terminal = Terminal(False, no_color)
    told: list[Finding] = []
    try:
        with interruptible(quiet=json) as stop:
            proof = _proof(terminal, json, Options(refreshes, seed), var, var_file, stop, told)
    except DiagnosticError as failure:
        if not json:
            if told:
                terminal.say("\n" + _findings_text(told, terminal.style) + "\n")
            raise
        _print(_failure(failure.diagnostics, told))
        raise SilentFailure from None
    if json:
        _print(proof.document())
    else:
        _show(terminal, proof)
    return 0 if proof.proven else 2


def _proof(
    terminal: Terminal,
    json: bool,
    options: Options,
    var: tuple[str, ...],
    var_file: tuple[str, ...],
    stop: Stop,
    told: list[Finding],
) -> Proof:
    """The proof. `told` takes what the code alone says, for when it cannot be built."""
    from dataclasses import replace

    from twinfra.cli.environment import project
    from twinfra.cli.fingerprint import check_something
    from twinfra.cli.workspace import own_providers, root_inputs, try_configuration, workspace_name
    from twinfra.environments.fingerprint import volatile_rules
    from twinfra.environments.prove.proof import only_code
    from twinfra.environments.prove.proof import prove as run

    rules = volatile_rules(project())
    configuration, found = try_configuration()
    said = only_code(configuration)
    told.extend(said.findings)
    found.raise_errors()
    check_something(configuration)
    inputs, warnings = root_inputs(configuration, var, var_file, ask=False)
    if not json:
        terminal.diagnostics(warnings)
    return run(
        configuration,
        inputs,
        own_providers(configuration),
        said,
        options=replace(options, workspace=workspace_name()),
        volatile=rules,
        stop=stop,
        tell=(lambda text: None) if json else terminal.say,
    )


def _failure(diagnostics: Iterable[Diagnostic], told: list[Finding]) -> dict[str, Any]:
    from twinfra.cli.machine.diagnostics import diagnostic_json

    return {
        "proven": None,
        "diagnostics": [diagnostic_json(one) for one in diagnostics],
        "findings": [one.document() for one in told],
    }


def _print(document: dict[str, Any]) -> None:
    from json import dumps

    print(dumps(document, indent=2, ensure_ascii=False))


# -- text


def _show(terminal: Terminal, proof: Proof) -> None:
    style = terminal.style
    lines = ["", f"code   {proof.code}", f"inputs {proof.inputs}"]
    lines += [f"state  {digest}" for digest in dict.fromkeys(proof.states)]
    lines.append("")
    for which, build in zip(("first build", "second build"), proof.builds, strict=True):
        made = f"{build.resources} resource{'' if build.resources == 1 else 's'}"
        lines.append(f"{which:<13} {made} in {build.seconds:.1f} s, at {build.time}")
    alike = len(set(proof.states)) == 1
    lines += [
        f"{'states':<13} {'the same' if alike else 'differ'}",
        f"{'second plan':<13} {_nothing(proof.replanned, 'empty')}",
        f"{'refreshes':<13} {proof.options.refreshes} each: {_nothing(proof.drifted, 'no drift')}",
    ]
    terminal.say("\n".join(lines))
    if proof.findings:
        terminal.say("\n" + _findings_text(proof.findings, style))
    if proof.proven:
        verdict = style("Proven:", "bold", "green")
        terminal.say(f"\n{verdict} code and inputs determine what is built.")
    else:
        count = sum(1 for one in proof.findings if one.breaks)
        verdict = style("Not proven:", "bold", "red")
        terminal.say(f"\n{verdict} {count} finding{'' if count == 1 else 's'} to mend.")


def _nothing(count: int, words: str) -> str:
    return words if not count else f"{count} change{'' if count == 1 else 's'}"


def _findings_text(findings: list[Finding], style: Style) -> str:
    """What breaks determinism first, then what may."""
    breaking = [one for one in findings if one.breaks]
    rest = [one for one in findings if not one.breaks]
    parts = []
    if breaking:
        parts.append(style("What breaks determinism:", "bold") + "\n\n" + _listed(breaking, style))
    if rest:
        parts.append(style("What a proof cannot see:", "bold") + "\n\n" + _listed(rest, style))
    return "\n\n".join(parts)


def _listed(findings: list[Finding], style: Style) -> str:
    return "\n\n".join(_text(one, style) for one in findings)


def _text(finding: Finding, style: Style) -> str:
    from textwrap import wrap

    lines = ["- " + style(finding.what, "bold")]
    if finding.place is not None:
        lines.append(f"  {finding.place.filename}, line {finding.place.first.line}")
    lines += [f"  {line}" for line in wrap(finding.why, _WIDTH)]
    if finding.values is not None:
        for which, shown in zip(("first", "second"), finding.values, strict=True):
            room = _WIDTH - 8
            lines.append(f"  {which:<7} {shown if len(shown) <= room else shown[: room - 3] + '...'}")
    lines += [f"  {line}" for line in wrap(finding.mend, _WIDTH)]
    return "\n".join(lines)


COMMANDS = {"prove": prove}
