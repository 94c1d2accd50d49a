"""Loading a configuration: the root module's files, and those of every module it calls, from local paths."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from twinfra.addresses import ModulePath
from twinfra.collector import paused
from twinfra.config.hcl import is_configuration, is_override, parse_file, read_module
from twinfra.config.hcl_modules import is_local
from twinfra.config.model import Configuration, Module, ModuleCall
from twinfra.config.provider_resolution import resolve_providers
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Source, error
from twinfra.lang.nodes import Body, BodyShape

_DEEPEST = 100
"""How many calls deep modules may lie: a configuration that goes deeper calls itself."""


class _Files(Protocol):
    """Where texts come from: a directory, or what a saved plan holds."""

    def names(self, directory: Path) -> list[str] | None:
        """The names of the configuration files in a directory, in order; None where there is none."""

    def source(self, path: Path) -> Source:
        """One file; raises `DiagnosticError` where it cannot be read."""


class _Disk:
    """Files as they lie on disk."""

    def names(self, directory: Path) -> list[str] | None:
        """See `_Files`."""
        try:
            return sorted(name for name in os.listdir(directory) if is_configuration(name))
        except OSError:
            return None

    def source(self, path: Path) -> Source:
        """See `_Files`."""
        return Source(str(path), _text(path))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as reason:
        raise DiagnosticError(
            error(
                "File is not UTF-8",
                f"{path} has bytes that are not UTF-8, the first at offset {reason.start}.",
                mend="Save it in UTF-8.",
            )
        ) from None
    except OSError as reason:
        raise DiagnosticError(
            error(
                "File cannot be read",
                f"{path}: {reason.strerror or reason}.",
                mend="Check that it is there, and that you may read it.",
            )
        ) from None


class _Texts:
    """Files given as texts by name."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._sources: dict[Path, dict[str, Source]] = {}
        for name, text in texts.items():
            path = Path(name)
            self._sources.setdefault(path.parent, {})[path.name] = Source(name, text)

    def names(self, directory: Path) -> list[str] | None:
        """See `_Files`. A directory without texts was empty."""
        return sorted(self._sources.get(directory, ()))

    def source(self, path: Path) -> Source:
        """See `_Files`."""
        return self._sources[path.parent][path.name]


def load(directory: Path, *, misfits: bool = True) -> tuple[Configuration, Diagnostics]:
    """The configuration whose root module lies in `directory`, and what is wrong with it.

    Files are named relative to the working directory where `directory` is. With errors among the diagnostics
    the configuration is partial. Without `misfits`, the other versions of the language that modules want, and the
    arguments of calls that do not fit the modules called, are not among them; see `misfits_of`.
    """
    configuration, found = _load(directory, _Disk())
    if misfits:
        found.extend(configuration.misfits)
    return configuration, found


def misfits_of(configuration: Configuration) -> Diagnostics:
    """What is told last of a configuration: after the values of its variables, and after providers that are referred
    to wrongly (not after those that are missing, whose diagnostics have no place).

    Nobody knows what another version of the language means by what can be read. So calls are looked at only where
    all modules are of this one.
    """
    if not configuration.misfits:
        return Diagnostics()
    resolved = resolve_providers(configuration).diagnostics
    found = Diagnostics([one for one in resolved if one.subject is not None])
    if not found.has_errors:
        found.extend(configuration.misfits)
    return found


def load_texts(directory: Path, texts: Mapping[str, str]) -> tuple[Configuration, Diagnostics]:
    """The same from texts by name, as `Configuration.files` has them: nothing is read from disk."""
    configuration, found = _load(directory, _Texts(texts))
    found.extend(configuration.misfits)
    return configuration, found


def _load(directory: Path, files: _Files) -> tuple[Configuration, Diagnostics]:
    root = Path(os.path.normpath(directory))
    loading = _Loading(Configuration(directory), files)
    if files.names(root) is None and not isinstance(files, _Texts):
        loading.found.add(
            error(
                "No such directory",
                f"{directory} is not a directory that can be read.",
                mend="Change to a directory with *.tf files.",
            )
        )
    with paused():
        loading.module((), root, None)
    if not loading.found.has_errors:
        loading.configuration.misfits += loading.refused or loading.wrong_calls()
    return loading.configuration, loading.found


class _Loading:
    """One loading of a configuration."""

    def __init__(self, configuration: Configuration, files: _Files) -> None:
        self.configuration = configuration
        self.found = Diagnostics()
        self.refused: list[Diagnostic] = []
        self._files = files
        self._bodies: dict[Path, Body] = {}

    def module(self, path: ModulePath, directory: Path, call: ModuleCall | None) -> None:
        """Load a module, and those it calls."""
        module = Module(path, directory)
        self.configuration.modules[path] = module
        found, refused = read_module(module, self._read(directory))
        self.found.extend(found)
        self.refused += refused
        if call is not None:
            self._check_called(module)
        if not path and self.found.has_errors:
            # What is called may be read differently once this is mended.
            return
        for one in module.calls.values():
            if one.source or one.source_range is not one.range:
                self._call(module, one)

    def wrong_calls(self) -> list[Diagnostic]:
        """What is wrong with the arguments of all calls, against the variables of what they call."""
        modules = self.configuration.modules
        found: list[Diagnostic] = []
        for path, module in modules.items():
            for call in module.calls.values():
                variables = modules[(*path, call.name)].variables
                shape = BodyShape({name: not one.has_default for name, one in variables.items()})
                found += call.body.content(shape)[1]
        return found

    def _read(self, directory: Path) -> Iterator[tuple[str, Body]]:
        """Name and body of the files in a directory; each is parsed once, however often it is called."""
        names = self._files.names(directory) or []
        for name in sorted(names, key=lambda one: (is_override(one), one)):
            path = directory / name
            if path not in self._bodies:
                try:
                    source = self._files.source(path)
                except DiagnosticError as refused:
                    self.found.extend(refused.diagnostics)
                    continue
                self._bodies[path], problems = parse_file(source)
                self.found.extend(problems)
                self.configuration.files[source.filename] = source.text
                self.configuration.bodies[source.filename] = self._bodies[path]
            yield name, self._bodies[path]

    def _check_called(self, module: Module) -> None:
        """What only a root module may have was refused when it was read, but for the backend."""
        if module.backend is not None:
            from twinfra.diagnostics import warning

            self.found.add(
                warning(
                    "Backend of a called module",
                    "The state of the whole configuration is kept by the backend of its root module; this one "
                    "has no effect.",
                    module.backend.range,
                    mend="Remove the block, unless the module is also used as a root module.",
                )
            )

    def _call(self, caller: Module, call: ModuleCall) -> None:
        problem = _unsupported_source(call)
        if problem is not None:
            self.found.add(problem)
            return
        directory = Path(os.path.normpath(caller.directory / call.source))
        path = (*caller.path, call.name)
        if self._files.names(directory) is None:
            self.found.add(
                error(
                    "No such module",
                    f"The module {call.name} should lie in {directory}, which is not a directory that can be "
                    "read.",
                    call.range,
                    mend="Correct the source; it is relative to the directory of the file it stands in.",
                )
            )
            return
        above = [self.configuration.modules[path[:depth]].directory for depth in range(len(path))]
        if directory in above or len(path) > _DEEPEST:
            names = " -> ".join(str(one) for one in (*above, directory))
            self.found.add(
                error(
                    "Module calls itself",
                    f"Calling {call.source} here goes in a circle: {names}.",
                    call.source_range,
                    mend="Break the circle: no module can contain itself.",
                )
            )
            return
        self.module(path, directory, call)


def _unsupported_source(call: ModuleCall) -> Diagnostic | None:
    """Why a module cannot be loaded from its source; None for local paths."""
    source = call.source
    if is_local(source):
        return None
    place = call.source_range
    if not source:
        mend = "Write a path relative to this file, beginning with ./ or ../."
        detail = "The source is empty."
    elif source.startswith("/"):
        mend = "Write a path relative to this file, beginning with ./ or ../."
        detail = "A module is loaded from a local directory by a relative path."
    else:
        mend = "Copy the module into a directory, and write its path, beginning with ./ or ../."
        detail = f"Modules from registries, git and other remote places are not supported yet ({source})."
        if "/" in source:
            place = call.range
    return error("Unsupported module source", detail, place, mend=mend)
