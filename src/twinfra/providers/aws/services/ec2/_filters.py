"""Filters that people write for data sources of EC2."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.fields import Field, block_set, string, string_list
from twinfra.providers.aws.resource import Api


def filter_field(page: str) -> Field:
    """The `filter` blocks; `page` names the API call whose filters they are."""
    return block_set(
        {
            "name": string("", required=True, about="Name of the filter."),
            "values": string_list("", required=True, about="Values, any of which is taken."),
        },
        "",
        about=f"Filters, all of which must hold, as {page} takes them.",
    )


def request_filters(blocks: Any) -> list[Api]:
    """Those blocks as a request has them."""
    return [{"Name": one["name"], "Values": [str(value) for value in one["values"]]} for one in blocks or ()]
