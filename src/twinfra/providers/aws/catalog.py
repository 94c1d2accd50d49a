"""Which file declares a type: `services/<service>/<type without aws_>.py` has its `RESOURCE`, `DATA`, or
both.

A type registers by its file being there. Only the files of types that are used are imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from twinfra.providers.aws.resource import DataSource, Resource
from twinfra.schema import ResourceSchema


@cache
def files() -> dict[str, str]:
    """Type name to the module that declares it, from the names of the files alone."""
    found: dict[str, str] = {}
    root = Path(__file__).parent / "services"
    for service in sorted(root.iterdir()):
        if not service.is_dir() or service.name.startswith(("_", ".")):
            continue
        for file in sorted(service.iterdir()):
            if file.suffix == ".py" and not file.name.startswith("_"):
                found[f"aws_{file.stem}"] = f"{__package__}.services.{service.name}.{file.stem}"
    return found


def _declared(kind: str, name: str) -> Any:
    module = files().get(kind)
    return None if module is None else getattr(import_module(module), name, None)


@cache
def resource(kind: str) -> Resource | None:
    """The declaration of a resource type, or None."""
    found: Resource | None = _declared(kind, "RESOURCE")
    return found


@cache
def data_source(kind: str) -> DataSource | None:
    """The declaration of a data source, or None."""
    found: DataSource | None = _declared(kind, "DATA")
    return found


class Schemas(dict[str, ResourceSchema]):
    """Schemas by type, each made when first asked for; only listing all of them imports all files."""

    def __init__(self, find: Callable[[str], ResourceSchema | None]) -> None:
        super().__init__()
        self._find = find
        self._whole = False

    def __missing__(self, kind: str) -> ResourceSchema:
        found = self._find(kind)
        if found is None:
            raise KeyError(kind)
        self[kind] = found
        return found

    def get(self, kind: str, default: Any = None) -> Any:
        """The schema of a type, or `default`."""
        try:
            return self[kind]
        except KeyError:
            return default

    def __contains__(self, kind: object) -> bool:
        return isinstance(kind, str) and self.get(kind) is not None

    def _load(self) -> None:
        if not self._whole:
            self._whole = True
            for kind in files():
                self.get(kind)

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(super().keys()))

    def __len__(self) -> int:
        self._load()
        return super().__len__()

    def keys(self) -> Any:
        """All type names, in order."""
        return list(self)

    def values(self) -> Any:
        """All schemas, in the order of names."""
        return [self[kind] for kind in self]

    def items(self) -> Any:
        """All (name, schema), in the order of names."""
        return [(kind, self[kind]) for kind in self]
