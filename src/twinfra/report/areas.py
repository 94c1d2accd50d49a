"""Resource types by the service of the cloud that they belong to: fewer names, which people know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_NAMES = {
    "cloudwatch": "CloudWatch",
    "elbv2": "ELB",
    "logs": "Logs",
    "sagemaker": "SageMaker",
    "lambda": "Lambda",
}


def areas(kinds: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Services with their objects, most first, from resource types with theirs; a type of no service is its own."""
    from twinfra.providers.aws.catalog import files

    modules = files()
    found: Counter[str] = Counter()
    for kind, count in kinds:
        module = modules.get(kind)
        service = module.split(".")[-2] if module is not None else ""
        found[_NAMES.get(service, service.upper()) or kind] += count
    return tuple(sorted(found.items(), key=lambda one: (-one[1], one[0])))
