"""What two environments may differ in: the section `[twins]` of `twinfra.toml`."""

from __future__ import annotations

from dataclasses import field

from twinfra.dataclass import dataclass
from twinfra.diagnostics import SourceRange, error
from twinfra.environments.declaration import Project
from twinfra.environments.twins.patterns import problem


@dataclass(frozen=True, slots=True)
class Allow:
    """A limit: the parameters may make a difference at `path`, and for the reason given."""

    path: str
    parameters: tuple[str, ...]
    reason: str
    place: SourceRange | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The parameters in which twins may differ. One that an `allow` names may do so at the paths of these alone.

    `places` has where each parameter is declared.
    """

    parameters: tuple[str, ...] = ()
    allow: tuple[Allow, ...] = ()
    places: dict[str, SourceRange | None] = field(default_factory=dict)


def read_rules(project: Project | None) -> Rules:
    """The rules that a project declares. Raises `DiagnosticError`."""
    if project is None:
        return Rules()
    section = project.section("twins")
    parameters = section.texts("parameters")
    allow: list[Allow] = []
    for table in section.tables("allow"):
        path = table.text("path", required=True)
        named = table.texts("parameters")
        reason = table.text("reason", required=True)
        wrong = problem(path) if path else ""
        if wrong:
            table.fail("Unsuitable path", f"{path} does not do: {wrong}.", "path")
        if not named:
            table.fail(
                "No parameters",
                "An exception says which parameters may make a difference there.",
                "parameters",
            )
        for one in named:
            if one not in parameters:
                table.found.add(
                    error(
                        "Undeclared parameter",
                        f'"{one}" is not among the parameters of [twins].',
                        table.place("parameters"),
                        mend=f"Add it: parameters = [{', '.join(repr(each) for each in (*parameters, one))}]".replace(
                            "'", '"'
                        ),
                    )
                )
        table.finish()
        allow.append(Allow(path, named, reason, table.place("path")))
    section.finish()
    section.found.raise_errors()
    return Rules(parameters, tuple(allow), {one: section.place("parameters") for one in parameters})
