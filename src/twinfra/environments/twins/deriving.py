"""Which differences a provider made of others: they go without saying where those are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from twinfra.engine.nodes import Node, ProviderNode, ResourceNode
from twinfra.environments.twins.comparison import Place
from twinfra.environments.twins.report import Entry

_Texts = tuple[str, str]


def derive(entries: Sequence[Entry], places: Sequence[Place]) -> list[Entry]:
    """The entries, with `derived_from` where nothing is written and the same values stand in what is written.

    That is in the same object, or in the settings of its provider. Such an entry has the way of the other.
    """
    written: dict[tuple[object, _Texts], Entry] = {}
    open: list[int] = []
    for at, (entry, place) in enumerate(zip(entries, places, strict=True)):
        if not place.path:
            continue
        if isinstance(place.node, ProviderNode):
            written.setdefault((place.node, _texts(entry)), entry)
        elif isinstance(place.node, ResourceNode):
            if place.node.decoder.range_of(place.path[:1]) is None:
                open.append(at)
            else:
                written.setdefault((_object(place), _texts(entry)), entry)
    found = list(entries)
    for at in open:
        entry, place = entries[at], places[at]
        assert isinstance(place.node, ResourceNode)
        source = written.get((_object(place), _texts(entry)))
        source = source or written.get((place.node.provider, _texts(entry)))
        if source is not None and _inputs(source) == _inputs(entry):
            found[at] = replace(entry, derived_from=source.place, causes=source.causes)
    return found


def _object(place: Place) -> tuple[Node, object, object]:
    return place.node, place.module, place.key


def _texts(entry: Entry) -> _Texts:
    return entry.values[0].text, entry.values[1].text


def _inputs(entry: Entry) -> list[int]:
    return [one.input.number for one in entry.causes]
