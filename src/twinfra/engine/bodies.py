"""Bodies evaluated: the written configuration of one instance, apart from its marks, and places for what
is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from twinfra.decode import Decoder
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error
from twinfra.engine.scope import ModuleScope
from twinfra.values.marks import PathMarks, has_marks, unmark_deep_with_paths
from twinfra.values.value import EPHEMERAL, GetAttr, Path

Object = dict[str, Any]
_NO_MARKS: PathMarks = []


def decode_config(
    decoder: Decoder, scope: ModuleScope, write_only: Sequence[str] | None
) -> tuple[Object, PathMarks]:
    """The configuration of one instance, unmarked, and where its marks were.

    Ephemeral values are allowed in the attributes `write_only` alone; None allows them everywhere. Raises
    `DiagnosticError` where evaluating fails.
    """
    config: Object = decoder.evaluate(scope)
    if not has_marks(config):
        return config, _NO_MARKS
    plain, marks = unmark_deep_with_paths(config)
    if write_only is not None:
        for path, found in marks:
            if EPHEMERAL in found and not (
                path and isinstance(path[0], GetAttr) and path[0].name in write_only
            ):
                raise DiagnosticError(
                    error(
                        "Ephemeral value not allowed",
                        "Ephemeral values are never kept, but this argument becomes part of the state.",
                        decoder.range_of(path),
                        mend="Use a value that is kept; ephemeralasnull() leaves ephemeral ones out.",
                    )
                )
    return plain, marks


def locate(
    diagnostic: Diagnostic, decoder: Decoder | None, fallback: SourceRange | None, address: str = ""
) -> Diagnostic:
    """A provider's diagnostic with its place in the source: of the attribute it speaks of, or `fallback`."""
    if diagnostic.subject is None:
        path = cast(Path, diagnostic.path)
        place = decoder.range_of(path) if decoder is not None and path else None
        diagnostic = replace(diagnostic, subject=place or fallback)
    if address and not diagnostic.address:
        diagnostic = replace(diagnostic, address=address)
    return diagnostic
