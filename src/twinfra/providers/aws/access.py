"""Which account and region a provider acts on, and whether it may: asked before anything is done there."""

from __future__ import annotations

import os
from collections.abc import Mapping

from twinfra.diagnostics import error
from twinfra.providers.aws.explained import Explained
from twinfra.providers.aws.session import Session
from twinfra.providers.permitted import Permitted
from twinfra.providers.protocol import ProviderError
from twinfra.values.value import GetAttr


class Access:
    """What a session acts on; `permitted` says where it may, besides the provider block.

    Methods raise `ProviderError`.
    """

    def __init__(
        self, session: Session, environment: Mapping[str, str] | None, permitted: Permitted | None
    ) -> None:
        self._session = session
        self._settings = session.settings
        self._variables: Mapping[str, str] = os.environ if environment is None else environment
        self._permitted = permitted
        self._identity: dict[str, str] | None = None

    def identity(self) -> dict[str, str]:
        """Account, partition, region and kind of cloud, once they are known to be allowed."""
        if self._identity is None:
            session = self._session
            kind = "aws" if not session.endpoint and not self._settings.endpoints else "custom"
            if self._settings.sandbox or self._variables.get("TWINFRA_SANDBOX"):
                kind = "sandbox"
            with Explained("finding out the account"):
                found = {"cloud": kind, "region": session.region, "partition": session.partition}
                self.check_region(session.region)
                if not self._settings.skip_account or (self._permitted and self._permitted.accounts):
                    found["account"] = session.caller()[0]
            self._check_account(found.get("account", ""))
            self._identity = found
        return dict(self._identity)

    def check_region(self, region: str) -> None:
        """Refuse a region that is not permitted; an empty one is that of the session, checked with the identity."""
        refused = self._permitted.refuse_region(region) if self._permitted is not None and region else None
        if refused is not None:
            raise ProviderError(refused)

    def permit(self) -> None:
        """Refuse to act on an account that is ruled out, or with settings that are not known yet."""
        settings = self._settings
        if settings.allowed_accounts or settings.forbidden_accounts or self._permitted is not None:
            self.identity()
        if settings.unknown:
            names = ", ".join(settings.unknown)
            raise ProviderError(
                error(
                    "Provider settings not known yet",
                    f"{names} of the provider block depend on something that does not exist yet.",
                    mend="Apply what they depend on first, with -target.",
                )
            )

    def _check_account(self, account: str) -> None:
        settings = self._settings
        refused = self._permitted.refuse_account(account) if self._permitted is not None else None
        if refused is not None:
            raise ProviderError(refused)
        if account and (
            account in settings.forbidden_accounts
            or (settings.allowed_accounts and account not in settings.allowed_accounts)
        ):
            name = "forbidden_account_ids" if settings.forbidden_accounts else "allowed_account_ids"
            raise ProviderError(
                error(
                    "Account not allowed",
                    f"These credentials act on account {account}, which {name} rules out.",
                    path=(GetAttr(name),),
                    mend="Use credentials of another account, or change the provider block.",
                )
            )
