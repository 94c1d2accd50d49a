"""Documentation pages, one for each resource type and data source, made from the declarations alone."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from twinfra.providers.aws import catalog
from twinfra.providers.aws.fields import Field
from twinfra.providers.aws.mapping import type_of
from twinfra.providers.aws.resource import DataSource, Resource
from twinfra.schema import Nesting


def main(arguments: Sequence[str]) -> None:
    """Write the pages into the directory named: `python -m twinfra.providers.aws.document DIRECTORY`."""
    for file in write_documents(Path(arguments[0])):
        print(file)


def write_documents(directory: Path) -> list[Path]:
    """Write the pages of all types and an index into `directory`; returns the files, in order of names."""
    directory.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    kinds = list(catalog.files())
    for kind in kinds:
        file = directory / f"{kind}.md"
        file.write_text(page(kind), encoding="utf-8")
        written.append(file)
    index = directory / "README.md"
    index.write_text(_index(kinds), encoding="utf-8")
    return [index, *written]


def page(kind: str) -> str:
    """The page of a type, in Markdown; of the resource and the data source where both have the name."""
    parts = []
    resource, source = catalog.resource(kind), catalog.data_source(kind)
    if resource is not None:
        parts.append("\n".join(_resource_page(resource)))
    if source is not None:
        parts.append("\n".join(_data_page(source)))
    return "\n".join(parts).rstrip() + "\n"


def _index(kinds: Iterable[str]) -> str:
    lines = ["# Resource types and data sources of the AWS provider", ""]
    for kind in kinds:
        found = catalog.resource(kind) or catalog.data_source(kind)
        if found is not None:
            lines.append(f"- [{kind}]({kind}.md): {found.about}")
    return "\n".join([*lines, ""])


def _resource_page(resource: Resource) -> Iterator[str]:
    yield f"# Resource {resource.name}"
    yield ""
    yield resource.about
    if resource.deprecated:
        yield ""
        yield f"**Deprecated.** {resource.deprecated}"
    yield from _body(resource.all_fields(), resource.notes)
    if resource.timeouts:
        yield "## Timeouts"
        yield ""
        listed = ", ".join(f"`{name}`" for name in resource.timeouts)
        yield f"A `timeouts` block may limit {listed}, each a length of time such as `30m`."
        yield ""
    yield from _fingerprint(resource)
    yield "## Import"
    yield ""
    forms = (resource.import_id,) if isinstance(resource.import_id, str) else resource.import_id
    shown = " or ".join(f"`{form.replace('{', '<').replace('}', '>')}`" for form in forms)
    yield f"The import id is {shown}" + (
        ", with `@` and a region after it for another region." if resource.regional else "."
    )
    yield ""
    yield "```"
    example = forms[-1].replace("{", "<").replace("}", ">")
    yield f"twinfra import {resource.name}.example '{example}'"
    yield "```"
    yield ""


def _fingerprint(resource: Resource) -> Iterator[str]:
    """What `docs/fingerprint.md` says is declared by each type."""
    if not resource.identifiers and not resource.volatile:
        return
    yield "## In fingerprints"
    yield ""
    if resource.identifiers:
        yield f"- Identifiers that the cloud makes up: {_conditions(resource.identifiers)}."
    if resource.volatile:
        yield f"- Volatile, so left out: {_conditions(resource.volatile)}."
    yield ""


def _conditions(entries: tuple[str, ...]) -> str:
    found = []
    for entry in entries:
        path, _, condition = entry.partition(" if ")
        found.append(f"`{path}`" + (f" (if `{condition}`)" if condition else ""))
    return ", ".join(found)


def _data_page(source: DataSource) -> Iterator[str]:
    yield f"# Data source {source.name}"
    yield ""
    yield source.about
    yield from _body(source.all_fields(), source.notes)


def _body(fields: Mapping[str, Field], notes: tuple[str, ...]) -> Iterator[str]:
    arguments = {name: one for name, one in fields.items() if one.settable and not one.unsupported}
    outputs = {name: one for name, one in fields.items() if one.only_computed}
    refused = list(_refused(fields))
    yield ""
    if notes:
        yield from notes
        yield ""
    if arguments:
        yield "## Arguments"
        yield ""
        yield from _list(arguments)
        yield ""
    if outputs:
        yield "## Attributes"
        yield ""
        yield from _list(outputs)
        yield ""
    if refused:
        yield "## Not supported"
        yield ""
        yield "Giving one of these is an error."
        yield ""
        yield from refused
        yield ""


def _list(fields: Mapping[str, Field], depth: int = 0) -> Iterator[str]:
    for name, one in sorted(fields.items(), key=lambda pair: (not pair[1].required, pair[0])):
        if one.unsupported:
            continue
        yield f"{'  ' * depth}- `{name}` ({', '.join(_facts(one))}){_sentence(one)}"
        if one.fields is not None:
            yield from _list(one.fields, depth + 1)


def _facts(one: Field) -> Iterator[str]:
    if one.fields is None:
        yield str(type_of(one))
    elif one.nesting in (Nesting.SINGLE, Nesting.GROUP) or one.max_items == 1:
        yield "block"
    else:
        yield "blocks, in no order" if one.nesting is Nesting.SET else "blocks"
    if one.required:
        yield "required"
    elif not one.only_computed and one.default is None:
        yield "optional, chosen by AWS where not given" if one.computed else "optional"
    elif one.default is not None:
        yield f"default `{_literal(one.default)}`"
    if one.force_new:
        yield "a change replaces it"
    if one.sensitive:
        yield "sensitive"
    if one.write_only:
        yield "never stored"


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _sentence(one: Field) -> str:
    parts = [one.about] if one.about else []
    if one.allowed:
        parts.append("One of " + ", ".join(f"`{word}`" for word in one.allowed) + ".")
    if one.conflicts:
        parts.append("Not together with " + ", ".join(f"`{word}`" for word in one.conflicts) + ".")
    if one.requires:
        parts.append("Only with " + ", ".join(f"`{word}`" for word in one.requires) + ".")
    if one.exactly_one:
        parts.append("Exactly one of " + ", ".join(f"`{word}`" for word in one.exactly_one) + " is needed.")
    if one.at_least_one:
        parts.append("At least one of " + ", ".join(f"`{word}`" for word in one.at_least_one) + " is needed.")
    if one.deprecated:
        parts.append(f"Deprecated. {one.deprecated}")
    return ": " + " ".join(parts) if parts else ""


def _refused(fields: Mapping[str, Field], inside: str = "") -> Iterator[str]:
    for name, one in sorted(fields.items()):
        if one.unsupported:
            yield f"- `{inside}{name}`: {one.unsupported}"
        elif one.fields is not None:
            yield from _refused(one.fields, f"{inside}{name}.")


if __name__ == "__main__":
    main(sys.argv[1:])
