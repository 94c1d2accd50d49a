"""Planning from the declaration alone: defaults, what stays, what is unknown until applied, what forces
replacement.

Nothing here calls the cloud.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic
from twinfra.providers.aws.comparison import has_unknown, is_empty, same
from twinfra.providers.aws.fields import Field
from twinfra.providers.aws.mapping import same_field, shape, type_of
from twinfra.providers.aws.resource import Attributes, Resource
from twinfra.providers.aws.settings import Settings
from twinfra.providers.aws.tagging import planned_tags
from twinfra.providers.protocol import Planned, Proposal
from twinfra.schema import Nesting
from twinfra.values.value import GetAttr, Index, List, Map, Path, Set, Unknown


@dataclass(slots=True)
class Draft:
    """What a resource's `plan` function may look at and adjust.

    `prior` is None when it is being created. `planned` may be changed in computed attributes; `replace`
    collects paths that force replacement; `changed` has the names of top-level fields that differ from
    `prior`.
    """

    resource: Resource
    prior: Attributes | None
    config: Attributes
    planned: Attributes
    settings: Settings
    region: str
    replace: list[Path] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    warnings: list[Diagnostic] = field(default_factory=list)

    def given(self, name: str) -> bool:
        """Whether the configuration gives it (perhaps not known yet)."""
        return not is_empty(self.config.get(name))

    def set_unknown(self, *names: str) -> None:
        """Say that only the apply will tell."""
        fields = self.resource.all_fields()
        for name in names:
            self.planned[name] = Unknown(type_of(fields[name]))

    def set(self, name: str, value: Any) -> None:
        """Plan a computed attribute, from plain Python."""
        self.planned[name] = shape(value, type_of(self.resource.all_fields()[name]))

    def force_replacement(self, name: str) -> None:
        """Replace the resource because of this field."""
        path = (GetAttr(name),)
        if path not in self.replace:
            self.replace.append(path)


def plan(resource: Resource, proposal: Proposal, settings: Settings, region: str) -> Planned:
    """What will be. `region`: the provider's, empty for types that have none."""
    fields = resource.all_fields()
    prior = None if proposal.prior is None else proposal.prior.attributes
    draft = Draft(resource, prior, proposal.config, {}, settings, region)
    for name, one in fields.items():
        before = None if prior is None else prior.get(name)
        path: Path = (GetAttr(name),)
        value = _plan_field(one, proposal.config.get(name), before, prior is None, path, draft.replace)
        draft.planned[name] = value
    if resource.timeouts:
        draft.planned["timeouts"] = proposal.config.get("timeouts")
    if resource.regional:
        _plan_region(draft, region)
    if resource.tags is not None:
        draft.planned["tags_all"] = _plan_tags(draft)
    if prior is not None:
        draft.changed = {
            name for name, one in fields.items() if _differs(one, draft.planned[name], prior.get(name))
        }
        for name, one in fields.items():
            if _follows(one, draft.changed) and (one.only_computed or is_empty(proposal.config.get(name))):
                draft.planned[name] = Unknown(type_of(one))
    if resource.plan is not None:
        resource.plan(draft)
    private = {} if proposal.prior is None else dict(proposal.prior.private)
    return Planned(
        prior=proposal.prior, config=proposal.config, planned=draft.planned, replace=tuple(draft.replace),
        private=private, warnings=tuple(draft.warnings),
    )  # fmt: skip


def _follows(one: Field, changed: set[str]) -> bool:
    """Whether a field changes with those that do."""
    return bool(changed) and (one.follows == ("*",) or not changed.isdisjoint(one.follows))


def _differs(one: Field, planned: Any, prior: Any) -> bool:
    return not one.write_only and not same_field(one, planned, prior)


def _plan_field(one: Field, config: Any, prior: Any, creating: bool, path: Path, replace: list[Path]) -> Any:
    """The planned value of a field; `prior` is None too where there was no such block."""
    if one.write_only:
        return None
    kind = type_of(one)
    if one.only_computed:
        return Unknown(kind) if creating else prior
    if type(config) is Unknown:
        value: Any = config
    elif config is None or (
        one.fields is not None and one.as_attribute and is_empty(config) and one.computed
    ):
        value = _not_given(one, prior, creating)
    elif one.fields is not None:
        value = _plan_blocks(one, config, prior, creating, path, replace)
    else:
        value = config
    if creating:
        return value
    if not has_unknown(value) and same_field(one, value, prior):
        return prior
    if one.force_new and not (one.computed and prior is None and config is None):
        replace.append(path)
    return value


def _not_given(one: Field, prior: Any, creating: bool) -> Any:
    kind = type_of(one)
    if one.default is not None:
        return shape(one.default, kind)
    if one.computed:
        return Unknown(kind) if creating else prior
    if one.keep and not creating:
        return prior
    return None


def _plan_blocks(one: Field, config: Any, prior: Any, creating: bool, path: Path, replace: list[Path]) -> Any:
    assert one.fields is not None
    if isinstance(config, Map):
        return Map(
            {key: _plan_object(one.fields, inner, _at(prior, key), creating, (*path, Index(key)), replace)
             for key, inner in config.items()}, config.element,
        )  # fmt: skip
    if isinstance(config, dict):
        return _plan_object(
            one.fields, config, prior if isinstance(prior, dict) else None, creating, path, replace
        )
    if one.nesting is Nesting.SET:
        left = list(prior) if isinstance(prior, tuple) else []
        inner = []
        for element in config:
            match = _matching(one.fields, element, left)
            # A changed element of a set has no path of its own: the whole set is what forces replacement.
            inner.append(_plan_object(one.fields, element, match, creating or match is None, path, []))
        forced = [name for name, nested in one.fields.items() if nested.force_new]
        if forced and not creating and not same_field(one, Set(inner), prior) and path not in replace:
            replace.append(path)
        return shape(inner, type_of(one))
    before = prior if isinstance(prior, tuple) else ()
    listed = [
        _plan_object(
            one.fields, element, before[at] if at < len(before) else None, creating or at >= len(before),
            (*path, Index(at)), replace,
        )
        for at, element in enumerate(config)
    ]  # fmt: skip
    forced_inside = any(nested.force_new for nested in one.fields.values())
    if forced_inside and not creating and len(listed) != len(before):
        replace.append(path)
    return List(listed, config.element if isinstance(config, List) else type_of(one).element)  # type: ignore[attr-defined]


def _at(prior: Any, key: str) -> Any:
    return prior.get(key) if isinstance(prior, dict) else None


def _plan_object(
    fields: Mapping[str, Field], config: Any, prior: Any, creating: bool, path: Path, replace: list[Path]
) -> Any:
    if type(config) is Unknown or config is None:
        return config
    return {
        name: _plan_field(
            nested, config.get(name), None if prior is None or type(prior) is Unknown else prior.get(name),
            creating or prior is None, (*path, GetAttr(name)), replace,
        )
        for name, nested in fields.items()
    }  # fmt: skip


def _matching(fields: Mapping[str, Field], element: Any, left: list[Any]) -> Any:
    """The prior element that a configured one says again, taken out of `left`; None where there is none."""
    if type(element) is Unknown or element is None:
        return None
    for at, candidate in enumerate(left):
        if all(
            same_field(nested, element.get(name), candidate.get(name))
            or (element.get(name) is None and (nested.computed or same(nested.default, candidate.get(name))))
            for name, nested in fields.items()
        ):
            return left.pop(at)
    return None


def _plan_region(draft: Draft, region: str) -> None:
    given = draft.config.get("region")
    path: Path = (GetAttr("region"),)
    if path in draft.replace:
        draft.replace.remove(path)
    if type(given) is Unknown:
        draft.planned["region"] = given
        return
    wanted = given or region
    draft.planned["region"] = wanted
    before = None if draft.prior is None else draft.prior.get("region")
    if before and before != wanted:
        draft.force_replacement("region")


def _plan_tags(draft: Draft) -> Any:
    tags = planned_tags(draft.planned.get("tags"), draft.settings)
    if draft.prior is None:
        return tags
    before = draft.prior.get("tags_all")
    if not has_unknown(tags) and same(tags, before):
        return before
    return tags
