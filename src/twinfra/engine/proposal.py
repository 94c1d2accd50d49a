"""The object that is proposed to a provider: what is written, with what the provider chose before where
nothing is.

The rules are those of the public plugin protocol (ProposedNewState): a computed attribute that is not
written keeps
its prior value; nested blocks are paired with prior ones by position, key, or (in sets) by what they say.
"""

from __future__ import annotations

from typing import Any

from twinfra.schema import Block, NestedBlock, Nesting
from twinfra.values.equality import identical
from twinfra.values.sets import make_set
from twinfra.values.value import List, Map, Null, Unknown, Value, is_null

Object = dict[str, Any]


def propose(block: Block, computed: tuple[str, ...], prior: Object | None, config: Object) -> Object:
    """The proposed new object for a resource whose prior object is `prior` (None: it is to be created).

    `computed` are the names of the block's computed attributes (`facts.computed`).
    """
    if prior is None:
        return config
    if not block.blocks:
        proposed = config
        for name in computed:
            written = config[name]
            if (written is None or type(written) is Null) and prior[name] is not None:
                if proposed is config:
                    proposed = dict(config)
                proposed[name] = prior[name]
        return proposed
    return _object(block, prior, config)


def _object(block: Block, prior: Value, config: Object) -> Object:
    proposed = dict(config)
    if not isinstance(prior, dict):
        return proposed
    for name, attribute in block.attributes.items():
        if attribute.computed and is_null(config[name]):
            proposed[name] = prior.get(name)
    for name, nested in block.blocks.items():
        proposed[name] = _nested(nested, prior.get(name), config[name])
    return proposed


def _nested(nested: NestedBlock, prior: Value, config: Value) -> Value:
    if is_null(config) or type(config) is Unknown:
        return config
    block = nested.block
    if nested.nesting in (Nesting.SINGLE, Nesting.GROUP):
        return _object(block, prior, config)
    if nested.nesting is Nesting.MAP:
        before = prior if isinstance(prior, dict) else {}
        made = {key: _object(block, before.get(key), item) for key, item in config.items()}
        return Map(made, config.element) if isinstance(config, Map) else made
    before_items = list(prior) if isinstance(prior, tuple) else []
    if nested.nesting is Nesting.LIST:
        items = [
            _element(block, before_items[at] if at < len(before_items) else None, item)
            for at, item in enumerate(config)
        ]
        return List(items, config.element) if isinstance(config, List) else tuple(items)
    items = []
    for item in config:
        found = next((at for at, one in enumerate(before_items) if _could_be(block, one, item)), None)
        items.append(_element(block, before_items.pop(found) if found is not None else None, item))
    return make_set(items, config.element)


def _element(block: Block, prior: Value, item: Value) -> Value:
    if not isinstance(item, dict):
        return item
    return _object(block, prior, item)


def _could_be(block: Block, prior: Value, config: Value) -> bool:
    """Whether a prior element of a set may be the one that is written so: all that is written is equal."""
    if not isinstance(prior, dict) or not isinstance(config, dict):
        return bool(identical(prior, config))
    for name, attribute in block.attributes.items():
        written = config[name]
        if is_null(written):
            if not attribute.computed and not is_null(prior.get(name)):
                return False
        elif not identical(written, prior.get(name)):
            return False
    for name, nested in block.blocks.items():
        before: Value = prior.get(name)
        after: Value = config[name]
        if is_null(before) or is_null(after) or type(after) is Unknown:
            if is_null(before) != is_null(after):
                return False
            continue
        if nested.nesting in (Nesting.SINGLE, Nesting.GROUP):
            if not _could_be(nested.block, before, after):
                return False
        elif len(before) != len(after):
            return False
        elif nested.nesting is Nesting.MAP:
            if before.keys() != after.keys():
                return False
            if not all(_could_be(nested.block, before[key], after[key]) for key in after):
                return False
        elif nested.nesting is Nesting.LIST:
            if not all(_could_be(nested.block, one, other) for one, other in zip(before, after, strict=True)):
                return False
        elif not all(any(_could_be(nested.block, one, other) for one in before) for other in after):
            return False
    return True
