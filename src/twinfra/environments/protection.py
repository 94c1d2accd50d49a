"""What an environment asks for before it is changed: a clean commit, a branch, a saved plan, somebody's approval."""

from __future__ import annotations

from pathlib import Path

from twinfra.diagnostics import Diagnostic, error
from twinfra.engine.planfile import is_plan_file
from twinfra.environments.declaration import Environment
from twinfra.environments.git import GitFacts, branch_refs, is_ancestor, not_in_repository

_NAMED = 5
"""So many changed files are named."""


def refuse_code(environment: Environment, directory: Path, facts: GitFacts | None) -> list[Diagnostic]:
    """What is wrong with the code that would change the environment; `facts` are those of `directory`."""
    if not (environment.protection.clean_commit or environment.branch):
        return []
    if facts is None:
        return [not_in_repository(directory)]
    found = [
        _unclean(environment, facts) if environment.protection.clean_commit else None,
        _elsewhere(environment, directory, facts) if environment.branch else None,
    ]
    return [one for one in found if one is not None]


def is_right_code(environment: Environment, directory: Path, commit: str, dirty: bool) -> bool:
    """Whether code of this commit, wherever it was read, may change the environment. `dirty`: it was changed since."""
    if not commit or dirty:
        return False
    if not environment.branch:
        return True
    return any(is_ancestor(directory, commit, one) for one in branch_refs(directory, environment.branch))


def refuse_without_plan(environment: Environment, instead: str) -> Diagnostic | None:
    """What is wrong with a change that no saved plan announced; `instead` says how to do it with one."""
    if not environment.protection.plan_file:
        return None
    return error(
        "A saved plan is required",
        f'The environment "{environment.name}" is changed by saved plans only.',
        environment.place_of("plan_file"),
        mend=instead,
    )


def refuse_unapproved(environment: Environment, asking: str) -> Diagnostic | None:
    """What is wrong with a change that nobody would be asked about; `asking` says how to be asked."""
    if not environment.protection.approval:
        return None
    return error(
        "Approval is required",
        f'The environment "{environment.name}" is changed only after somebody has approved, and this would ask '
        "nobody.",
        environment.place_of("approval"),
        mend=asking,
    )


def _unclean(environment: Environment, facts: GitFacts) -> Diagnostic | None:
    place = environment.place_of("clean_commit")
    if not facts.commit:
        return error(
            "A clean commit is required",
            f'The environment "{environment.name}" is changed from commits only, and there is none yet.',
            place,
            mend="Commit the configuration.",
        )
    changed = [one for one in facts.changes if not is_plan_file(facts.top / one)]
    if not changed:
        return None
    named = ", ".join(changed[:_NAMED])
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return error(
        "A clean commit is required",
        f'The environment "{environment.name}" is changed from clean commits only. Not committed: {named}{more}.',
        place,
        mend="Commit (or stash, or ignore) what is changed, and run this again.",
    )


def _elsewhere(environment: Environment, directory: Path, facts: GitFacts) -> Diagnostic | None:
    branch = environment.branch
    if facts.branch == branch:
        return None
    refs = branch_refs(directory, branch)
    if facts.commit and any(is_ancestor(directory, facts.commit, one) for one in refs):
        return None
    here = f'on the branch "{facts.branch}"' if facts.branch else f"at {facts.commit[:12]}, on no branch"
    return error(
        "Not on the declared branch",
        f'The environment "{environment.name}" is changed from the branch "{branch}"; this is {here}, and the '
        "commit is not part of that branch.",
        environment.place_of("branch"),
        mend=f"Merge first, and run this there: git switch {branch}"
        if refs
        else f"There is no such branch in this clone. Fetch it: git fetch origin {branch}",
    )
