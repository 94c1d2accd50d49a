"""Bodies evaluated: the written configuration of one instance, apart from its marks, and places for what
is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from twinfra.decode import Decoder
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error
from twinfra.engine.objects import Facts, marked
from twinfra.engine.redaction import hidden_texts, redacted
from twinfra.engine.scope import ModuleScope
from twinfra.providers.protocol import Stored
from twinfra.values.marks import PathMarks, has_marks, unmark_deep_with_paths
from twinfra.values.value import EPHEMERAL, GetAttr, Path, Value

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
    diagnostic: Diagnostic,
    decoder: Decoder | None,
    fallback: SourceRange | None,
    address: str = "",
    hidden: Sequence[str] = (),
) -> Diagnostic:
    """A provider's diagnostic with its place in the source: of the attribute it speaks of, or `fallback`.

    `hidden`: texts that it must not tell (see `secrets_in`).
    """
    diagnostic = redacted(diagnostic, hidden)
    if diagnostic.subject is None:
        path = cast(Path, diagnostic.path)
        place = decoder.range_of(path) if decoder is not None and path else None
        diagnostic = replace(diagnostic, subject=place or fallback)
    if address and not diagnostic.address:
        diagnostic = replace(diagnostic, address=address)
    return diagnostic


def secrets_in(config: Value, marks: PathMarks, facts: Facts, prior: Stored | None = None) -> list[str]:
    """The texts in a configuration that are sensitive, by their marks or by the schema: no message may have them.

    Nor may it have those of the object that is there already, `prior`.
    """
    before = None if prior is None else prior.attributes
    return hidden_texts(marked(config, facts, marks), marked(before, facts, marks))
