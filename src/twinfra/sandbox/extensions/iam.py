"""IAM: who a caller is must not cost the making of five more partitions' worth of managed policies."""

from __future__ import annotations

from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam import models
from moto.iam.models import iam_backends


def _account_of(access_key: str) -> str:
    """The account that an access key belongs to; looks only where something has been made."""
    for account, partitions in list(iam_backends.items()):
        if any(access_key in backend.access_keys for backend in list(partitions.values())):
            return str(account)
    return str(DEFAULT_ACCOUNT_ID)


def install() -> None:
    """Replace moto's search."""
    models.get_account_id_from = _account_of
