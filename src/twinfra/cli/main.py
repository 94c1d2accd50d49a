"""The entry point: finds the command, loads only its module, and turns every failure into words and an exit code.

Exit codes: 0 done, 1 error, 2 for an answer that is no (drift, no twins) or `plan -detailed-exitcode` with changes.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Sequence

from twinfra import log
from twinfra.cli.automation import adds_to
from twinfra.cli.streams import failure_of, open_standard_streams

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("twinfra.cli.init", "Prepare a working directory: modules, providers, backend"),
    "validate": ("twinfra.cli.validate", "Check whether the configuration is valid"),
    "plan": ("twinfra.cli.plan", "Show what would change"),
    "apply": ("twinfra.cli.plan", "Make it so: create, update or replace what differs"),
    "destroy": ("twinfra.cli.plan", "Destroy everything the state holds"),
    "refresh": ("twinfra.cli.plan", "Update the state to match what really exists"),
    "drift": ("twinfra.cli.drift", "Show what was changed from outside; repair or accept it"),
    "output": ("twinfra.cli.output", "Show output values of the root module"),
    "show": ("twinfra.cli.show", "Show the state or a saved plan"),
    "console": ("twinfra.cli.console", "Evaluate expressions, one a line"),
    "fmt": ("twinfra.cli.fmt", "Rewrite configuration files in the canonical format"),
    "graph": ("twinfra.cli.graph", "Print the dependencies of the resources as a DOT graph"),
    "state": ("twinfra.cli.state", "Look at what the state holds, and change it"),
    "taint": ("twinfra.cli.state", "Mark an object as broken, to be replaced"),
    "untaint": ("twinfra.cli.state", "Take that mark off again"),
    "workspace": ("twinfra.cli.workspaces", "List, make, select and delete workspaces"),
    "env": ("twinfra.cli.env", "List and show the environments of twinfra.toml"),
    "import": ("twinfra.cli.import_", "Take an existing object into the state"),
    "history": ("twinfra.cli.history", "Show who changed what, when, why, and how it ended"),
    "rollback": ("twinfra.cli.rollback", "Go back to the code of an earlier commit"),
    "release": ("twinfra.cli.release", "Record, compare, verify and bring back models with what they run on"),
    "which": ("twinfra.cli.release", "Say where a model runs, or what an environment runs"),
    "audit": ("twinfra.cli.history", "List, verify and export the ledger of all changes"),
    "force-unlock": ("twinfra.cli.state", "Release a lock that a dead process left behind"),
    "twins": ("twinfra.cli.twins", "Compare two environments: do they differ in their parameters alone?"),
    "report": ("twinfra.cli.report", "Show all environments: twins, drift, what runs and what happened"),
    "promote": ("twinfra.cli.promote", "Plan an environment at exactly the code that another one runs"),
    "fingerprint": ("twinfra.cli.fingerprint", "Show the digests of code, inputs and state"),
    "key": ("twinfra.cli.signing", "Make keys that sign saved plans"),
    "prove": ("twinfra.cli.prove", "Prove that code and inputs determine what is built"),
    "ci": ("twinfra.cli.ci", "Write pipelines for GitHub, GitLab and Jenkins; what their steps call"),
    "sandbox": ("twinfra.cli.sandbox", "Start, stop and inspect the embedded cloud"),
    "kubeconfig": ("twinfra.cli.kubeconfig", "Merge a cluster's access data into a kubeconfig file"),
    "functions": ("twinfra.cli.functions", "List the functions of the language"),
    "metadata": ("twinfra.cli.functions", "Describe the functions of the language, for programs"),
    "providers": ("twinfra.cli.providers", "List the providers the configuration needs"),
    "version": ("twinfra.cli.version", "Show the version"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    # A command makes many objects that live to its end, and hardly any circles: looking for those at the default
    # rate takes a fifth of the time.
    gc.set_threshold(50_000, 20, 20)
    open_standard_streams()
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    if arguments in (["version"], ["-version"], ["--version"], ["-v"]) and not adds_to("version"):
        from twinfra.cli.version import print_version

        print_version()
        return _end_of_output(0)
    begun = log.timer()
    try:
        if not _start_log(arguments):
            return 1
        code = _end_of_output(_dispatch(arguments))
        log.say(log.INFO, "command ended", code=code, seconds=log.since(begun))
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    except Exception as bug:
        log.say(log.ERROR, "mistake of twinfra's own", kind=type(bug).__name__)
        return _report(bug)
    finally:
        log.stop()


def _start_log(arguments: list[str]) -> bool:
    """Begin the log that the environment asks for. Names of options are in it, never their values."""
    try:
        log.start()
    except (log.WrongLevel, OSError) as problem:
        print(problem, file=sys.stderr)
        return False
    if log.wanted(log.INFO):
        from twinfra import __version__

        options = [one.partition("=")[0] for one in arguments if one.startswith("-")]
        log.say(
            log.INFO,
            "command begins",
            # Not the first without a dash, which may be the value of -env or -chdir.
            command=next((one for one in arguments if one in COMMANDS), None),
            options=" ".join(options),
            version=__version__,
            process=os.getpid(),
        )
    return True


def _dispatch(arguments: list[str]) -> int:
    from twinfra.cli.command import SilentFailure, UsageProblem, execute
    from twinfra.diagnostics import DiagnosticError

    try:
        return execute(arguments, COMMANDS)
    except SilentFailure:
        return 1
    except UsageProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    except DiagnosticError as failure:
        from twinfra.cli.terminal import print_diagnostics

        plain = any(one in ("-no-color", "-no-color=true", "-no-color=1") for one in _one_dash(arguments))
        print_diagnostics(failure.diagnostics, no_color=plain)
        return 1


def _one_dash(arguments: list[str]) -> Iterator[str]:
    return (one[1:] if one.startswith("--") else one for one in arguments)


def _end_of_output(code: int) -> int:
    """The exit code of a command that has printed all it had to say: an error where not all of it went out."""
    sys.stdout.flush()
    reason = failure_of(sys.stdout)
    if reason is None:
        return code
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.diagnostics import error

    print_diagnostics(
        [
            error(
                "Output was lost",
                f"Standard output could not be written to: {reason.strerror}. What the command does was done to its "
                "end; what it had to say is not complete.",
                mend="Make room where the output goes, or send it elsewhere.",
            )
        ]
    )
    return 1


def _report(bug: Exception) -> int:
    """A short report of a bug of ours, and where the whole one was written."""
    import tempfile
    import traceback

    from twinfra import __version__

    frames = traceback.extract_tb(bug.__traceback__)
    try:
        with tempfile.NamedTemporaryFile("w", prefix="twinfra-crash-", suffix=".txt", delete=False) as file:
            file.write(f"twinfra {__version__}, Python {sys.version}\n")
            file.writelines(traceback.format_list(frames))
            file.write(f"{type(bug).__name__}\n")
        where = f"A report without any values was written to {file.name}; please attach it to an issue."
    except OSError as reason:
        where = f"A report could not be written ({reason.strerror}). TWINFRA_TRACEBACK=1 shows it on standard error."
    print(
        f"Twinfra failed on a mistake of its own ({type(bug).__name__}). Nothing of yours caused this.\n"
        f"{where}\n"
        "If an apply was running, the next command finds what it had finished in the journal.",
        file=sys.stderr,
    )
    if os.environ.get("TWINFRA_TRACEBACK"):
        traceback.print_exception(bug)
    return 1
