"""`twinfra rollback`: today's state is brought back to what the code of an earlier commit says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.cli.options import shared, take_shared
from twinfra.diagnostics import Diagnostic, warning

if TYPE_CHECKING:
    from twinfra.cli.terminal import Terminal
    from twinfra.config.model import Configuration
    from twinfra.environments.checkout import Checkout

_WHERE = re.compile(r"\bpath\.cwd\b|\babspath\(")


@command("rollback", events=True)
@shared
@value("to", "the commit: an ID, a tag, a branch, or such as HEAD~1")
@flag("auto-approve", "do not ask")
@flag("dry-run", "only show what would be done")
@flag("refresh", "look at what exists before planning", default=True)
@value("target", "only this resource and what it needs", multiple=True)
def rollback(to: str | None, auto_approve: bool, dry_run: bool, **options: Any) -> int:
    """Plan the code of an earlier commit against today's state, show it, and apply it after approval.

    The commit is put into a temporary Git worktree; the working tree, its branch and its files stay as they are.
    Afterwards the code here is ahead of what runs: revert it in Git too, or the next apply goes forward again.
    """
    from twinfra.cli.plan import plan_and_apply
    from twinfra.cli.protection import refuse_unasked
    from twinfra.cli.running import make_plan, show_errored, show_plan, work
    from twinfra.cli.signing import refuse_unsigned
    from twinfra.environments.checkout import materialised

    common = take_shared(options)
    if not to:
        raise UsageProblem("Roll back to which commit? Give -to=COMMIT; twinfra history lists them.")
    if common.json and not (auto_approve or dry_run):
        raise UsageProblem("-json cannot ask: give -auto-approve or -dry-run too.")
    if not dry_run:
        refuse_unsigned(())
        refuse_unasked(auto_approve)
    with (
        materialised(Path.cwd(), to) as checkout,
        work(common, "rollback", at=checkout) as run,
    ):
        tell_checkout(run.terminal, checkout)
        run.report(where_it_matters(run.configuration))
        run.kind = "rollback"
        run.remarks = {"to": to}
        if dry_run:
            result = make_plan(run, "normal", options)
            if result.plan.errored or result.diagnostics.has_errors:
                show_errored(run, result)
                return 1
            show_plan(run, result)
            return 0
        code = plan_and_apply(run, "normal", options, auto_approve, f"Go back to {checkout.commit[:12]} so?")
        outcome = run.receipt.body.get("outcome") if run.receipt is not None else ""
        if code and outcome:
            run.terminal.say(
                "\nThe rollback is not complete. Run it again to go on, or twinfra apply to return\n"
                "to the code that is here."
            )
        elif not code:
            told = f"\nWhat runs is as {checkout.commit[:12]} says."
            if checkout.now.commit != checkout.commit:
                told += (
                    f" The code here is still that of\n{checkout.now.commit[:12] or 'no commit'}: "
                    "revert it too, else the next apply goes forward again."
                )
            run.terminal.say(told)
        return code


def tell_checkout(terminal: Terminal, checkout: Checkout) -> None:
    """Say which commit is worked in, and what of it is today's."""
    terminal.say(f'Commit {checkout.commit[:12]}: "{checkout.subject}"')
    for name in checkout.borrowed:
        terminal.say(f"  {name} is not in Git, and is taken as it is today.")
    if checkout.now.dirty:
        terminal.say("  What is not committed here plays no part.")
    terminal.say()


def where_it_matters(configuration: Configuration) -> list[Diagnostic]:
    """A warning where a configuration asks where it lies: in a checkout that is a temporary directory."""
    files = sorted(name for name, text in configuration.files.items() if _WHERE.search(text))
    if not files:
        return []
    return [
        warning(
            "The configuration asks where it lies",
            f"{', '.join(files)} uses path.cwd or abspath: here they give the temporary directory that the commit "
            "was put into, and what depends on them is planned to change.",
            mend="Write paths relative to path.module or path.root.",
        )
    ]


COMMANDS = {"rollback": rollback}
