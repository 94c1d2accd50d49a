"""Places as people and rules name them; each object is named once."""

from __future__ import annotations

from typing import Any

from twinfra.addresses import AbsResource, ModuleInstance, key_order
from twinfra.dataclass import dataclass
from twinfra.engine.nodes import CallNode, Node, ResourceNode
from twinfra.environments.twins.comparison import Place
from twinfra.environments.twins.showing import path_inside
from twinfra.values.value import Path


@dataclass(frozen=True, slots=True)
class Named:
    """A place: the address of the object, its block's without keys, and the path inside; `whole` is all of it."""

    address: str
    block: str
    inside: str
    order: tuple[Any, ...]

    @property
    def whole(self) -> str:
        """Address and path, as rules name places."""
        if not self.inside or self.inside.startswith("["):
            return self.address + self.inside
        return f"{self.address}.{self.inside}"


class Names:
    """Names for the places of one comparison."""

    def __init__(self) -> None:
        self._objects: dict[tuple[Node, ModuleInstance, Any], tuple[str, str, tuple[Any, ...]]] = {}
        self._paths: dict[tuple[Node, Path], str] = {}

    def __call__(self, place: Place) -> Named:
        """The name of a place."""
        known = (place.node, place.module, place.key)
        found = self._objects.get(known)
        if found is None:
            block = str(place.node)
            order = (
                block,
                [(name, key_order(key)) for name, key in place.module.steps],
                key_order(place.key),
            )
            found = self._objects[known] = (address_of(place), block, order)
        address, block, order = found
        inside = "" if place.path is None else self._inside(place.node, place.path)
        return Named(address, block, inside, (*order, inside))

    def _inside(self, node: Node, path: Path) -> str:
        found = self._paths.get((node, path))
        if found is None:
            found = self._paths[node, path] = path_inside(path, _block(node))
        return found


def _block(node: Node) -> Any:
    return node.facts.block if isinstance(node, ResourceNode) else None


def address_of(place: Place) -> str:
    """The address of the object that a place is in, as people write it."""
    node = place.node
    if isinstance(node, ResourceNode):
        text = str(AbsResource(place.module, node.resource).instance(place.key))
    elif isinstance(node, CallNode):
        text = str(place.module.child(node.name, place.key))
    else:
        text = str(node)
    return text.replace('["*"]', "[*]")
