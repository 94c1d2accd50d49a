"""What an import id tells of an object."""

from __future__ import annotations

import re

from twinfra.providers.aws.mapping import shape, type_of
from twinfra.providers.aws.resource import Attributes, Resource


def imported(resource: Resource, id: str) -> tuple[Attributes, str]:
    """(attributes told by an import id, region after an `@` in it); `ValueError` where the id is not of the
    form.
    """
    given, region = id, ""
    if resource.regional:
        head, at, tail = id.rpartition("@")
        if at and re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d", tail):
            given, region = head, tail
    forms = (resource.import_id,) if isinstance(resource.import_id, str) else resource.import_id
    parts = next((parts for form in forms if (parts := _parts(form, given)) is not None), None)
    if parts is None:
        raise ValueError(given)
    attributes: Attributes = dict.fromkeys(resource.all_fields())
    if resource.timeouts:
        attributes["timeouts"] = None
    attributes |= {name: shape(value, type_of(resource.all_fields()[name])) for name, value in parts.items()}
    if "id" not in parts:
        attributes["id"] = given
    if resource.tags is not None:
        attributes["tags_all"] = shape({}, type_of(resource.all_fields()["tags_all"]))
    attributes |= untold_defaults(resource)
    return attributes, region


def untold_defaults(resource: Resource) -> Attributes:
    """Defaults of the fields that no API tells: what they are where nobody said otherwise."""
    return {
        name: shape(field.default, type_of(field))
        for name, field in resource.all_fields().items()
        if field.default is not None and field.reads == ""
    }


def _parts(form: str, given: str) -> dict[str, str] | None:
    """What the names in `form` stand for in an import id; None where it is not of that form."""
    names = re.findall(r"{(\w+)}", form)
    pattern = re.escape(form)
    for name in names:
        last = name == names[-1]
        pattern = pattern.replace(re.escape("{" + name + "}"), f"(?P<{name}>{'.+' if last else '.+?'})")
    found = re.fullmatch(pattern, given)
    return None if found is None else found.groupdict()
