"""Secrets that would be shown by chance in the source lines that a diagnostic shows."""

from __future__ import annotations

import re

_WRITTEN = re.compile(
    r"""(?ix) (?: \b | (?<=_) ) [\w-]* (?: secret | passw | passphrase | token | private_key | credential ) [\w-]*
        ["']? \s* [=:] \s* " ( (?: [^"\\\n] | \\. )+ ) """
)


def covered(line: str) -> str:
    """A source line whose literals for names like `password` or `secret_key` are stars of the same length."""
    return _WRITTEN.sub(lambda found: found[0][: -len(found[1])] + "*" * len(found[1]), line)
