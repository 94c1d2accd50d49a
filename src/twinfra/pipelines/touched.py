"""Which environments a change in Git touches: by the configuration, its modules, the files they read, and inputs.

Only commits are compared; what is not committed does not count. Rather one environment too many than one too few.
"""

from __future__ import annotations

import fnmatch
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from twinfra.config.model import Configuration
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError
from twinfra.environments.declaration import FILE, Environment, Project
from twinfra.environments.fingerprint import read_code
from twinfra.environments.fingerprint.files import LISTING
from twinfra.environments.git import describe, not_in_repository, resolve, run_git

_CONFIGURATION = (".tf", ".tf.json")
_AUTOMATIC = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")


@dataclass(frozen=True, slots=True)
class Touched:
    """An environment that a change touches, and the reasons: which file, and what it is to the environment."""

    environment: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between two commits: `files` are whole paths, `base` where the change began."""

    base: str
    head: str
    files: tuple[Path, ...]
    touched: tuple[Touched, ...]

    def touches(self, environment: str) -> bool:
        """Whether it touches an environment."""
        return any(one.environment == environment for one in self.touched)


@dataclass(slots=True)
class _Read:
    """What all environments read: directories of modules, files and listings, and whether that is all."""

    modules: set[Path] = field(default_factory=set)
    files: set[Path] = field(default_factory=set)
    listed: list[tuple[Path, str]] = field(default_factory=list)
    more: bool = False


def find_change(
    directory: Path, configuration: Configuration, project: Project, base: str, names: Iterable[str]
) -> Change:
    """What changed since the history of HEAD left that of `base`, and which environments (`names`) that touches.

    `directory` is that of the configuration. Raises `DiagnosticError` where Git does not have both commits.
    """
    facts = describe(directory)
    if facts is None:
        raise DiagnosticError(not_in_repository(directory))
    top = facts.top.resolve()
    head, start = resolve(directory, "HEAD"), resolve(directory, base)
    common = run_git(
        directory, "merge-base", start, head, doing=f"find where the history of {base} was left"
    ).strip()
    listed = run_git(
        directory,
        *("diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", common, head, "--"),
        doing=f"compare {base} with HEAD",
    )
    files = tuple(top / one for one in listed.split("\0") if one)
    read = _what_is_read(configuration)
    shared = list(_shared_reasons(files, read, directory.resolve(), project, top))
    before = _project_at(directory, common, project, top) if project.path.resolve() in files else None
    touched = []
    for name in names:
        environment = project.environments[name]
        own = list(_own_reasons(files, environment, top))
        if before is not None:
            own += _declared_otherwise(name, before, project)
        if shared or own:
            touched.append(Touched(name, tuple(dict.fromkeys([*shared, *own]))))
    return Change(common, head, files, tuple(touched))


def _what_is_read(configuration: Configuration) -> _Read:
    read = _Read()
    root = configuration.root_directory.resolve()
    read.modules = {module.directory.resolve() for module in configuration.modules.values()}
    read.modules.add(root)
    code = read_code(configuration)
    for one in code.reads:
        kind, _, rest = one.partition(" ")
        if kind == LISTING:
            path, _, pattern = rest.partition(" ")
            read.listed.append(((root / path).resolve(), pattern))
        else:
            read.files.add((root / os.path.expanduser(rest)).resolve())
    read.more = bool(code.uncovered)
    return read


def _shared_reasons(
    files: Sequence[Path], read: _Read, directory: Path, project: Project, top: Path
) -> Iterator[str]:
    """Why a change touches every environment."""
    around = {above for one in (*read.modules, *read.files) for above in one.parents}
    around |= read.modules | {above for one, _ in read.listed for above in (one, *one.parents)}
    for path in files:
        name = path.relative_to(top).as_posix()
        if path.name.endswith(_CONFIGURATION) and path.parent in read.modules:
            yield f"{name} (configuration)"
        elif path in read.files:
            yield f"{name} (read by the configuration)"
        elif any(_is_listed(path, *one) for one in read.listed):
            yield f"{name} (listed by the configuration)"
        elif path.parent == directory and any(fnmatch.fnmatchcase(path.name, one) for one in _AUTOMATIC):
            yield f"{name} (variables)"
        elif path in around:
            # To Git a submodule is one file; a directory of this repository never is.
            yield f"{name} (a submodule that the configuration reads)"
        elif read.more and path != project.path.resolve() and _is_within(path, read.modules):
            yield f"{name} (may be read: a path is known only when it is evaluated)"


def _is_listed(path: Path, directory: Path, pattern: str) -> bool:
    """Whether `fileset` may have found a file; a pattern with `**` or braces is taken for everything below."""
    if not path.is_relative_to(directory):
        return False
    if "**" in pattern or "{" in pattern:
        return True
    return fnmatch.fnmatchcase(path.relative_to(directory).as_posix(), pattern)


def _is_within(path: Path, directories: Iterable[Path]) -> bool:
    return any(path.is_relative_to(one) for one in directories)


def _own_reasons(files: Sequence[Path], environment: Environment, top: Path) -> Iterator[str]:
    own = {one.resolve() for one in environment.var_files}
    own |= {Path(os.path.normpath(one)) for one in environment.var_files}
    for path in files:
        if path in own:
            yield f"{path.relative_to(top).as_posix()} (variables of {environment.name})"


def _project_at(directory: Path, commit: str, project: Project, top: Path) -> Mapping[str, Any]:
    """The project's file in a commit; empty where there was none, or it was not valid."""
    name = project.path.resolve().relative_to(top).as_posix()
    try:
        text = run_git(directory, "show", f"{commit}:{name}", doing=f"read {name} of {commit[:12]}")
        return tomllib.loads(text)
    except (DiagnosticError, ValueError, RecursionError):
        return {}


def _declared_otherwise(name: str, before: Mapping[str, Any], project: Project) -> Iterator[str]:
    """Why a change of the project's file touches an environment."""
    now = tomllib.loads(project.path.read_text(encoding="utf-8"))
    if _of(before, "environments", name) != _of(now, "environments", name):
        yield f"{FILE} (the declaration of {name})"
    if _of(before, "ci", "install") != _of(now, "ci", "install"):
        yield f"{FILE} (which version of Twinfra is installed)"


def _of(document: Mapping[str, Any], *keys: str) -> Any:
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
