"""The files that a configuration reads by functions: which of them a digest of the code covers, and their content.

Covered are those whose path is made of literals, `path.module`, `path.root` and local values of such.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

from twinfra.config.model import Module
from twinfra.dataclass import dataclass
from twinfra.diagnostics import SourceRange
from twinfra.lang.functions.declaration import FunctionError
from twinfra.lang.functions.paths import read_file
from twinfra.lang.nodes import (
    Call,
    Expression,
    GetAttr,
    Literal,
    Parentheses,
    Template,
    TemplateWrap,
    Variable,
)
from twinfra.lang.scope import EvaluationContext

CONTENT = frozenset(
    (
        "file",
        "filebase64",
        "templatefile",
        "filemd5",
        "filesha1",
        "filesha256",
        "filesha512",
        "filebase64sha256",
        "filebase64sha512",
    )
)
"""Functions whose result follows from the content of the file that their first argument names."""
PRESENCE = "fileexists"
LISTING = "fileset"
MISSING = "missing"
_DEEPEST = 16
"""How many local values a path may lead through: more is a circle."""


@dataclass(slots=True)
class FilesRead:
    """What functions of one module read. `directory` is the module's, `root` where relative paths start.

    `contents`: what was found, by `file PATH`, `exists PATH` or `fileset PATH PATTERN`. `uncovered`: the calls
    whose path is known only when they are evaluated.
    """

    root: Path
    module: Module
    contents: dict[str, Any] = field(default_factory=dict)
    uncovered: list[tuple[str, SourceRange]] = field(default_factory=list)

    def note(self, call: Call) -> None:
        """Note a function call, if it is one that reads files."""
        name = call.name.removeprefix("core::")
        if name in CONTENT:
            self._paths(call, 1, self._content)
        elif name == PRESENCE:
            self._paths(call, 1, self._presence)
        elif name == LISTING:
            self._paths(call, 2, self._listing)

    def _paths(self, call: Call, count: int, read: Callable[..., None]) -> None:
        texts = [constant_text(one, self.module, self.root) for one in call.arguments[:count]]
        if call.expand or len(texts) < count or None in texts:
            self.uncovered.append((call.name, call.range))
        else:
            read(*texts)

    def _named(self, path: str) -> str:
        """A path relative to the root module's directory, so that it is the same on every machine."""
        whole = os.path.normpath(os.path.join(self.root, path))
        inside = os.path.relpath(whole, self.root)
        outside = os.path.isabs(path) and inside.startswith("..")
        return whole if outside else inside

    def _content(self, path: str) -> None:
        name = f"file {self._named(path)}"
        if name not in self.contents:
            try:
                data = read_file(self.root, path, None)
            except FunctionError:
                # The run tells of it with its place; here it is enough that the digest is another one.
                self.contents[name] = MISSING
            else:
                self.contents[name] = "sha256:" + hashlib.sha256(data).hexdigest()

    def _presence(self, path: str) -> None:
        self.contents[f"exists {self._named(path)}"] = os.path.isfile(self.root / os.path.expanduser(path))

    def _listing(self, path: str, pattern: str) -> None:
        from twinfra.lang.functions.files import fileset

        try:
            found: Any = sorted(fileset(EvaluationContext(self.root, ""), path, pattern))
        except FunctionError:
            found = MISSING
        self.contents[f"fileset {self._named(path)} {pattern}"] = found


def constant_text(expression: Expression, module: Module, root: Path, depth: int = 0) -> str | None:
    """The text that an expression is whatever the inputs; None where that needs more than the module's own text.

    `path.module`, `path.root` and local values count as constant; `path.cwd` does not.
    """
    if isinstance(expression, Parentheses | TemplateWrap):
        return constant_text(expression.inner, module, root, depth)
    if isinstance(expression, Literal):
        return expression.value if isinstance(expression.value, str) else None
    if isinstance(expression, Template):
        parts = [_part(one, module, root, depth) for one in expression.parts]
        known = [one for one in parts if one is not None]
        return "".join(known) if len(known) == len(parts) else None
    if isinstance(expression, GetAttr) and isinstance(expression.source, Variable):
        if expression.source.name == "path":
            roots = {"module": module.directory, "root": root}
            found = roots.get(expression.name)
            return None if found is None else found.as_posix()
        local = module.locals.get(expression.name) if expression.source.name == "local" else None
        if local is not None and depth < _DEEPEST:
            return constant_text(local.expression, module, root, depth + 1)
    return None


def _part(part: Any, module: Module, root: Path, depth: int) -> str | None:
    if isinstance(part, Literal):
        return part.value if isinstance(part.value, str) else None
    return constant_text(part, module, root, depth)
