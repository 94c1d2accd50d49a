"""`twinfra kubeconfig`: a cluster's access data, from an output of the state, merged into a kubeconfig file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twinfra.cli.command import command, flag, value
from twinfra.diagnostics import DiagnosticError, error, nearest

SECTIONS = ("clusters", "contexts", "users")


def merge(existing: dict[str, Any], addition: dict[str, Any]) -> dict[str, Any]:
    """`existing` with the clusters, contexts and users of `addition`; of equal names the new one counts.

    Both are kubeconfig documents (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/). The current
    context becomes that of `addition` where it has one.
    """
    merged = {"apiVersion": "v1", "kind": "Config", **existing}
    for section in SECTIONS:
        new = addition.get(section) or []
        names = {entry["name"] for entry in new}
        merged[section] = [one for one in merged.get(section) or [] if one.get("name") not in names] + new
    if addition.get("current-context"):
        merged["current-context"] = addition["current-context"]
    return merged


def default_file() -> Path:
    """The first file of `KUBECONFIG`, else `~/.kube/config`."""
    listed = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return Path(listed[0]) if listed else Path.home() / ".kube" / "config"


def read_document(text: str, origin: str) -> dict[str, Any]:
    """A kubeconfig document from YAML text; raises `DiagnosticError` when it is none."""
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as reason:
        raise DiagnosticError(
            error("Not a kubeconfig", f"{origin} is not valid YAML: {' '.join(str(reason).split())}.")
        ) from None
    if document is None:
        return {}
    wrong = not isinstance(document, dict) or any(
        not isinstance(entry, dict) or "name" not in entry
        for section in SECTIONS
        for entry in document.get(section) or []
    )
    if wrong:
        raise DiagnosticError(
            error("Not a kubeconfig", f"{origin} has no clusters, contexts and users, each with a name.")
        )
    found: dict[str, Any] = document
    return found


def write_private(path: Path, text: str) -> None:
    """Replace a file whole, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@command("kubeconfig")
@value("output", "the output that holds the kubeconfig", default="kubeconfig")
@value("file", "the file to merge into; KUBECONFIG or ~/.kube/config by default")
@flag("print", "print the kubeconfig instead of merging it")
@value("state", "read this state file")
@flag("no-color", "no colour")
@flag("sandbox", "work on the embedded cloud")
def kubeconfig(
    output: str, file: str | None, print: bool, state: str | None, no_color: bool, sandbox: bool
) -> None:
    """Merge the kubeconfig that an output holds into a file, and make its context the current one."""
    import builtins

    import yaml

    from twinfra.cli.workspace import read_state

    outputs = read_state(state).outputs
    if output not in outputs:
        raise DiagnosticError(
            error(
                "No such output",
                f'The state has no output "{output}".',
                mend=nearest(output, outputs)
                or "Declare an output with the kubeconfig as YAML text, and apply; or name another with -output.",
            )
        )
    text = outputs[output].value
    if not isinstance(text, str):
        raise DiagnosticError(
            error("Not a kubeconfig", f'The output "{output}" is not a string.', mend="Use yamlencode in it.")
        )
    document = read_document(text, f'The output "{output}"')
    if print:
        builtins.print(text, end="" if text.endswith("\n") else "\n")
        return
    path = Path(file) if file else default_file()
    try:
        existing = read_document(path.read_text(encoding="utf-8"), str(path)) if path.exists() else {}
        merged = merge(existing, document)
        write_private(path, yaml.safe_dump(merged, sort_keys=False))
    except OSError as reason:
        raise DiagnosticError(
            error(
                "Cannot write the kubeconfig", f"{path}: {reason.strerror}.", mend="Name another with -file."
            )
        ) from None
    context = document.get("current-context", "")
    builtins.print(f"Merged into {path}." + (f" The current context is {context}." if context else ""))


COMMANDS = {"kubeconfig": kubeconfig}
