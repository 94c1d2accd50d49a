"""Where providers may act, as an environment declares it: accounts and regions, with the place of each."""

from __future__ import annotations

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, SourceRange, error


@dataclass(frozen=True, slots=True)
class Permitted:
    """Accounts and regions, empty for any. `owner` says in words who declares them."""

    owner: str
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    account_place: SourceRange | None = None
    region_place: SourceRange | None = None

    def refuse_account(self, account: str) -> Diagnostic | None:
        """What is wrong with acting on this account."""
        if not self.accounts or account in self.accounts:
            return None
        return error(
            "Not the declared account",
            f"{self.owner} is in {_listed('account', self.accounts)}; these credentials act on account "
            f"{account}. Nothing was done there.",
            self.account_place,
            mend="Use credentials of the declared account (such as AWS_PROFILE), or correct account here.",
        )

    def refuse_region(self, region: str) -> Diagnostic | None:
        """What is wrong with acting in this region."""
        if not self.regions or region in self.regions:
            return None
        return error(
            "Not the declared region",
            f"{self.owner} is in {_listed('region', self.regions)}; this would act in {region}. Nothing was "
            "done there.",
            self.region_place,
            mend="Set the declared region (in the provider block, or AWS_REGION), or add this one to region here.",
        )


def _listed(noun: str, names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return f"{noun} {names[0]}"
    return f"{noun}s {', '.join(names[:-1])} and {names[-1]}"
