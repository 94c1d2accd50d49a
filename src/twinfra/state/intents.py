"""What is journaled before a create: enough to find what it made, should its answer be lost."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from twinfra.addresses import Instance, ProviderConfig
from twinfra.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Intent:
    """A create that is about to be asked for.

    `config` and `planned` are attributes in the JSON form of the state, unknowns as null; `unknown` are the
    names of attributes that the create will choose. `token` is what the provider was given.
    """

    address: Instance
    provider: ProviderConfig
    token: str
    config: dict[str, Any]
    planned: dict[str, Any]
    unknown: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    create_before_destroy: bool = False
    private: dict[str, Any] = field(default_factory=dict)
