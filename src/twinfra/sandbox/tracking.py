"""Lets go of what is deleted: moto holds on to every object that it ever made.

Each is in a list of its class, for a dashboard; only S3 reads those lists, to close the files of its objects. And two
caches have whole backends, or subnets, for their keys. Without this, a sandbox that runs for long, or is emptied often,
grows by megabytes each time.
"""

from __future__ import annotations

import sys
from typing import Any

_READ = frozenset({"FakeKey", "FakeMultipart"})


def install() -> None:
    """Have moto remember objects of S3 only, and regions by the name of their service."""
    from moto.core.base_backend import AccountSpecificBackend
    from moto.core.common_models import BaseModel

    look_up = AccountSpecificBackend._generate_regions.__wrapped__
    known: dict[str, list[str]] = {}

    def regions(backend: Any, service: str) -> list[str]:
        if service not in known:
            known[service] = look_up(backend, service)
        return known[service]

    def make(cls: Any, *arguments: Any, **named: Any) -> Any:
        instance = object.__new__(cls)
        if cls.__name__ in _READ:
            cls.instances_tracked.append(instance)
        return instance

    AccountSpecificBackend._generate_regions = regions
    BaseModel.__new__ = make


def forget() -> None:
    """Forget all that is remembered, once the cloud is empty."""
    from moto.core.model_instances import reset_model_data

    reset_model_data()
    subnets = sys.modules.get("moto.ec2.models.subnets")
    if subnets is not None:
        subnets.Subnet._base_avail_ip_iterator.cache_clear()
