"""The digest of the code: the parsed configuration with all its modules, the files it reads, and the versions of
what carries it out (docs/fingerprint.md). Blind to formatting, comments, the order of blocks and their files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinfra import __version__
from twinfra.addresses import ProviderAddress
from twinfra.config.hcl import is_override
from twinfra.config.model import Configuration, Module
from twinfra.config.provider_resolution import resolve_providers
from twinfra.dataclass import dataclass
from twinfra.diagnostics import SourceRange
from twinfra.environments.fingerprint.bodies import file_items
from twinfra.environments.fingerprint.canonical import digest
from twinfra.environments.fingerprint.expressions import sorted_by_text
from twinfra.environments.fingerprint.files import FilesRead
from twinfra.lang.nodes import Call

FORMAT = "twinfra code 1"


@dataclass(frozen=True, slots=True)
class Used:
    """A function call in a module, by the function's plain name."""

    function: str
    module: tuple[str, ...]
    call: Call


@dataclass(frozen=True, slots=True)
class Code:
    """What a configuration says: the document that its digest is made from, and what was met on the way.

    `calls` are all function calls; `names` all names with their first step, such as `terraform.workspace`;
    `reads` says which files it reads, in the words of `FilesRead.contents`, and `uncovered` has the calls that read a
    file whose path is known only when they are evaluated.
    """

    document: dict[str, Any]
    calls: tuple[Used, ...]
    names: frozenset[str]
    reads: frozenset[str]
    uncovered: tuple[tuple[str, SourceRange], ...]

    @property
    def digest(self) -> str:
        """C."""
        return digest(self.document)


def code_digest(configuration: Configuration) -> str:
    """C, the digest of the code. Reads the files that functions with constant paths read."""
    return read_code(configuration).digest


def read_code(configuration: Configuration) -> Code:
    """What the configuration says, in one walk over its syntax."""
    calls: list[Used] = []
    names: set[str] = set()
    reads: set[str] = set()
    uncovered: list[tuple[str, SourceRange]] = []
    modules: dict[str, str] = {}
    known: dict[Path, str] = {}
    files = _files(configuration)
    for path, module in configuration.modules.items():
        name = ".".join(path)
        if module.directory in known:
            modules[name] = known[module.directory]
            continue
        meeting = _Meeting(FilesRead(configuration.root_directory, module), names)
        modules[name] = known[module.directory] = digest(
            _module(files.get(module.directory, {}), module, meeting)
        )
        calls += [Used(one.name.removeprefix("core::"), path, one) for one in meeting.calls]
        reads.update(meeting.files.contents)
        uncovered += meeting.files.uncovered
    document = {
        "format": FORMAT,
        "engine": __version__,
        "providers": {str(address): version for address, version in _providers(configuration).items()},
        "modules": modules,
    }
    return Code(document, tuple(calls), frozenset(names), frozenset(reads), tuple(uncovered))


class _Meeting:
    """Notes what the expressions of one module use."""

    def __init__(self, files: FilesRead, names: set[str]) -> None:
        self.files = files
        self.calls: list[Call] = []
        self._names = names

    def call(self, call: Call) -> None:
        self.calls.append(call)
        self.files.note(call)

    def name(self, root: str, step: str) -> None:
        self._names.add(f"{root}.{step}")


def _module(files: Mapping[str, Any], module: Module, meeting: _Meeting) -> dict[str, Any]:
    """The document of one module: what its files declare, what override files change, which files it reads."""
    items: list[Any] = []
    overriding: list[Any] = []
    for name in sorted(files):
        (overriding if is_override(name) else items).extend(file_items(files[name], meeting))
    document: dict[str, Any] = {"items": sorted_by_text(items)}
    if overriding:
        document["overrides"] = overriding
    if meeting.files.contents:
        document["files"] = meeting.files.contents
    return document


def _files(configuration: Configuration) -> dict[Path, dict[str, Any]]:
    """The bodies of the files by directory and name."""
    found: dict[Path, dict[str, Any]] = {}
    for filename, body in configuration.bodies.items():
        path = Path(filename)
        found.setdefault(path.parent, {})[path.name] = body
    return found


def _providers(configuration: Configuration) -> dict[ProviderAddress, str]:
    """The providers that resources and provider blocks need, with their versions.

    Those that are part of Twinfra have its version; of others none is known.
    """
    from twinfra.providers.registry import is_served

    resolution = resolve_providers(configuration)
    needed = {
        resolution.of(path, resource).provider
        for path, module in configuration.modules.items()
        for resource in module.resources.values()
    }
    needed |= {one.config.provider for path in configuration.modules for one in resolution.declared(path)}
    return {address: __version__ if is_served(address) else "" for address in needed}
