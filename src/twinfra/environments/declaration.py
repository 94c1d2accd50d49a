"""`twinfra.toml`: the environments of a project, and the sections that others read through the same tables.

Everything here is declared, nothing is evaluated; only the file itself is read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any
from unicodedata import normalize

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Source, SourceRange, error, nearest
from twinfra.environments.places import Path as Keys
from twinfra.environments.places import places
from twinfra.environments.table import Table
from twinfra.values.numbers import parse_number
from twinfra.values.value import Value

FILE = "twinfra.toml"

ENVIRONMENTS = "environments"
SECTIONS = ("twins", "drift", "releases", "ci", "fingerprint", "report")
"""What may stand in the file beside the environments; each is read by the module that owns it."""

_OWN = 2
"""Keys that lead to an environment's table."""

_BITS = 14_000
"""So many bits has a whole number at most: Python writes no number of more than 4,300 decimal digits."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_ACCOUNT = re.compile(r"\d{12}")


@dataclass(frozen=True, slots=True)
class Protection:
    """What must be true before an environment is changed."""

    clean_commit: bool = False
    approval: bool = False
    plan_file: bool = False

    @property
    def any(self) -> bool:
        """Whether anything is asked for."""
        return self.clean_commit or self.approval or self.plan_file


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment as declared.

    `var_files` are whole paths; `variables` the values given for variables of the root module, by name.
    `backend` are settings over those of the backend block, in plain Python. `workspace`: where its state is.
    `accounts` and `regions`: those it may act in; empty for any. `places` has where its keys stand, from
    its own table on (`("variables", "env")`); `place` is where it is declared.
    """

    name: str
    directory: Path
    var_files: tuple[Path, ...] = ()
    variables: Mapping[str, Value] = field(default_factory=dict)
    backend: Mapping[str, Any] = field(default_factory=dict)
    workspace: str = ""
    sandbox: bool = False
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    branch: str = ""
    protection: Protection = Protection()
    twin_of: str = ""
    place: SourceRange | None = None
    places: Mapping[Keys, SourceRange] = field(default_factory=dict, repr=False, compare=False)

    def place_of(self, *keys: str | int) -> SourceRange | None:
        """Where one of its keys stands, else where it is declared."""
        return self.places.get(keys, self.place)


@dataclass(frozen=True, slots=True)
class Project:
    """A project's file: `path`, and the environments by name in the order of the file."""

    path: Path
    environments: Mapping[str, Environment]
    _values: Mapping[str, Any] = field(repr=False, compare=False)
    _places: Mapping[Keys, SourceRange] = field(repr=False, compare=False)

    @property
    def directory(self) -> Path:
        """Where it lies: paths in it start here."""
        return self.path.parent

    def environment(self, name: str) -> Environment:
        """The environment of this name; raises `DiagnosticError` where there is none."""
        found = self.environments.get(name)
        if found is None:
            raise DiagnosticError(_unknown(name, self.environments, self.path))
        return found

    def section(self, name: str) -> Table:
        """A section other than the environments, to be read by its owner: empty where it is not written.

        What is wrong with it is collected in the table's `found`; the owner raises it.
        """
        if name not in SECTIONS:
            raise ValueError(f"{name} is not a section of {FILE}")
        values = self._values.get(name)
        return Table(values or {}, (name,), self._places, Diagnostics(), values is not None)


def find_project(start: Path) -> Path | None:
    """The project's file for a directory: in it, or in the nearest parent within the same Git work tree."""
    start = start.resolve()
    nearest_file: Path | None = None
    for directory in (start, *start.parents):
        path = directory / FILE
        if nearest_file is None and path.exists():
            nearest_file = path
            if directory == start:
                return path
        if (directory / ".git").exists():
            return nearest_file
    return None


def load_project(start: Path) -> Project | None:
    """The project that a directory belongs to, None where there is no file. Raises `DiagnosticError`."""
    path = find_project(start)
    return None if path is None else read_project(path, _shown(path, start))


def read_project(path: Path, name: str = "") -> Project:
    """The project that a file declares; `name`: how people know it. Raises `DiagnosticError`."""
    name = name or str(path)
    source = Source(name, _read(path, name))
    values = _parse(source)
    where = places(source)
    _refuse_long_numbers(values, where, name)
    found = Diagnostics()
    top = Table(values, (), where, found)
    own = _by_environment(where)
    environments = {
        one: _environment(one, table, path.parent, own.get(one, {}), found)
        for one, table in top.table(ENVIRONMENTS).named().items()
    }
    _check_twins(environments, found)
    for section in SECTIONS:
        top.table(section)
    top.finish()
    found.raise_errors()
    return Project(path, environments, values, where)


def _shown(path: Path, start: Path) -> str:
    """A file's name as seen from a directory."""
    ups = len(start.resolve().relative_to(path.parent).parts)
    return "/".join([*[".."] * ups, path.name])


def _read(path: Path, name: str) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        detail = f"{name} has bytes that are not UTF-8."
    except OSError as reason:
        detail = f"{name}: {reason.strerror or reason}."
    raise DiagnosticError(
        error(f"Cannot read {FILE}", detail, mend="Without the file, commands work as without environments.")
    )


def _parse(source: Source) -> dict[str, Any]:
    try:
        return tomllib.loads(source.text, parse_float=_Number)
    except tomllib.TOMLDecodeError as wrong:
        text = str(wrong)
        at = re.search(r" \(at line (\d+), column (\d+)\)$", text)
        end = len(source.text)
        start = end
        if at is not None:
            text = text[: at.start()]
            line = min(int(at[1]), len(source.line_starts))
            start = min(source.line_starts[line - 1] + int(at[2]) - 1, end)
        place = SourceRange(source, start, min(start + 1, end))
        raise DiagnosticError(
            error(f"{source.filename} is not valid TOML", f"{text}.", place, mend="See https://toml.io.")
        ) from None
    except ValueError:
        raise DiagnosticError(_too_long(source.filename)) from None
    except RecursionError:
        raise DiagnosticError(
            error(f"{source.filename} is not valid TOML", "Its values are nested too deeply.")
        ) from None


def _refuse_long_numbers(values: Mapping[str, Any], where: Mapping[Keys, SourceRange], name: str) -> None:
    """Refuse hexadecimal, octal and binary numbers of more digits than decimal ones may have."""
    left: list[tuple[Keys, Any]] = [((), values)]
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            left += [((*path, key), one) for key, one in value.items()]
        elif isinstance(value, list):
            left += [((*path, at), one) for at, one in enumerate(value)]
        elif isinstance(value, int) and value.bit_length() > _BITS:
            raise DiagnosticError(_too_long(name, where.get(path)))


def _too_long(name: str, place: SourceRange | None = None) -> Diagnostic:
    return error(
        f"{name} cannot be read",
        "It has a whole number of more digits than can be read.",
        place,
        mend="Put it in quotes, or shorten it.",
    )


class _Number(str):
    """A number with a fraction, as written: the language's own numbers are made of it."""

    __slots__ = ()


def _by_environment(where: Mapping[Keys, SourceRange]) -> dict[str, dict[Keys, SourceRange]]:
    """The places of each environment's keys, from its own table on."""
    found: dict[str, dict[Keys, SourceRange]] = {}
    for keys, place in where.items():
        if len(keys) > _OWN and keys[0] == ENVIRONMENTS:
            found.setdefault(str(keys[1]), {})[keys[_OWN:]] = place
    return found


def _environment(
    name: str, table: Table, directory: Path, where: Mapping[Keys, SourceRange], found: Diagnostics
) -> Environment:
    if not _NAME.fullmatch(name):
        table.fail(
            "Unsuitable name of an environment",
            f'"{name}" is not a name of up to 63 letters, digits, hyphens and underscores.',
            mend="Rename it; names are part of paths and of workspaces.",
        )
    var_files = table.texts("var_files")
    variables = table.table("variables")
    workspace = table.text("workspace", "default" if table.values.get("backend") else name)
    sandbox = table.flag("sandbox")
    accounts = table.texts("account")
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            table.fail("Unsuitable value", f'An account is 12 digits, not "{account}".', "account")
    if sandbox and accounts:
        table.fail(
            "Two clouds",
            "sandbox is the embedded cloud, and account is a real one.",
            "account",
            mend="Keep one of them.",
        )
    made = Environment(
        name,
        directory,
        tuple(directory / one for one in var_files),
        _variables(variables, found),
        _backend(table.table("backend")),
        workspace,
        sandbox,
        accounts,
        table.texts("region"),
        table.text("branch"),
        Protection(table.flag("clean_commit"), table.flag("approval"), table.flag("plan_file")),
        table.text("twin_of"),
        table.place(),
        where,
    )
    table.finish()
    return made


def _variables(table: Table, found: Diagnostics) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, one in table.values.items():
        try:
            values[name] = _value(one)
        except ValueError:
            found.add(
                error(
                    "Wrong type",
                    f"The variable {name} gets a date or a time, which the language has no type for.",
                    table.place(name),
                    mend=f'Put it in quotes: {name} = "..."',
                )
            )
    return values


def _value(one: Any) -> Value:
    """A value of the language, from one of TOML; raises `ValueError` for dates and times."""
    if type(one) is _Number:
        if one.lstrip("+-") in ("inf", "nan"):
            raise ValueError(one)
        return parse_number(one.replace("_", "").lstrip("+"))
    if isinstance(one, str):
        return normalize("NFC", one)
    if isinstance(one, bool):
        return one
    if isinstance(one, int):
        return parse_number(str(one))
    if isinstance(one, list):
        return tuple(_value(inner) for inner in one)
    if isinstance(one, dict):
        return {name: _value(inner) for name, inner in one.items()}
    raise ValueError(one)


def _backend(table: Table) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name, one in table.values.items():
        try:
            settings[name] = _plain(one)
        except ValueError:
            table.fail(
                "Wrong type", f"{name} is a date or a time.", name, mend=f'Put it in quotes: {name} = "..."'
            )
    return settings


def _plain(one: Any) -> Any:
    """A backend's setting in plain Python; raises `ValueError` for dates and times."""
    if type(one) is _Number:
        return float(one.replace("_", ""))
    if isinstance(one, list):
        return [_plain(inner) for inner in one]
    if isinstance(one, dict):
        return {name: _plain(inner) for name, inner in one.items()}
    if isinstance(one, bool | int | str):
        return one
    raise ValueError(one)


def _check_twins(environments: Mapping[str, Environment], found: Diagnostics) -> None:
    """Every `twin_of` names another environment, and none is its own twin by a detour."""
    settled: set[str] = set()
    for name, environment in environments.items():
        if environment.twin_of and environment.twin_of not in environments:
            known = [other for other in environments if other != name]
            found.add(
                error(
                    "No such environment",
                    f'The environment "{name}" is a twin of "{environment.twin_of}", which is not declared.',
                    environment.place_of("twin_of"),
                    mend=nearest(environment.twin_of, known)
                    or f"Declare [environments.{environment.twin_of}].",
                )
            )
        chain: dict[str, None] = {}
        current = name
        while current in environments and current not in chain and current not in settled:
            chain[current] = None
            current = environments[current].twin_of
        if current in chain:
            circle = list(chain)[list(chain).index(current) :]
            found.add(
                error(
                    "Twins in a circle",
                    " -> ".join([*circle, current]) + ": each names the next as the one it follows.",
                    environments[circle[-1]].place_of("twin_of"),
                    mend="Remove twin_of from the one that the others follow.",
                )
            )
        settled.update(chain)


def _unknown(name: str, known: Mapping[str, Environment], path: Path) -> Any:
    listed = ", ".join(known)
    return error(
        "No such environment",
        f'{path.name} declares no environment "{name}".' + (f" There are: {listed}." if known else ""),
        mend=nearest(name, known) or f"Declare it: [environments.{name}]",
    )
