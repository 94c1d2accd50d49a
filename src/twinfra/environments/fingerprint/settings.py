"""The section `[fingerprint]` of twinfra.toml: attributes that a project leaves out of the digest of its state."""

from __future__ import annotations

import re

from twinfra.environments.declaration import Project
from twinfra.environments.fingerprint.volatile import VolatileRule

SECTION = "fingerprint"
_STEP = r"[\w*-]+(?:\[(?:\*|\d+|\"[^\"]*\")\])?"
_PATH = re.compile(rf"{_STEP}(?:\.{_STEP}){{2,}}")


def volatile_rules(project: Project | None) -> tuple[VolatileRule, ...]:
    """The rules of `[[fingerprint.volatile]]`; none without a project. Raises `DiagnosticError`."""
    if project is None:
        return ()
    section = project.section(SECTION)
    rules: list[VolatileRule] = []
    for table in section.tables("volatile"):
        path = table.text("path", required=True)
        reason = table.text("reason", required=True)
        table.finish()
        if path and not _PATH.fullmatch(path):
            table.fail(
                "Unsuitable path",
                f'"{path}" does not lead to an attribute of a resource.',
                "path",
                mend='Write address and attribute, such as "aws_eks_cluster.*.version"; * stands for any name.',
            )
        rules.append(VolatileRule(path, reason))
    section.finish()
    section.found.raise_errors()
    return tuple(rules)
