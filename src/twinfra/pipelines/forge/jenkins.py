"""Artifacts that Jenkins keeps, of the jobs of a multibranch pipeline: `PR-12` beside `main`."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from urllib.parse import quote

from twinfra.diagnostics import DiagnosticError
from twinfra.pipelines.forge.http import Api, Refused
from twinfra.pipelines.forge.protocol import PullRequest


class Jenkins:
    """The jobs beside one. `api` is the address of the job itself; `directory` where its builds keep plans.

    `prefixes`: how the jobs of pull requests are named before the number.
    """

    def __init__(self, api: Api, directory: str, prefixes: tuple[str, ...] = ("PR-", "MR-")) -> None:
        self._api = api
        self._directory = directory.strip("/")
        self._prefixes = prefixes

    def of_pull_request(self, request: PullRequest, environment: str) -> Iterator[bytes]:
        for prefix in self._prefixes:
            yield from self._archives(f"../{prefix}{request.number}/lastCompletedBuild", environment)

    def of_commit(self, commit: str, environment: str) -> Iterator[bytes]:
        return self._archives("lastCompletedBuild", environment)

    def _archives(self, build: str, environment: str) -> Iterator[bytes]:
        at = f"{build}/artifact/{quote(self._directory)}/{environment}"
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for kind in ("plan", "json"):
                try:
                    archive.writestr(f"{environment}.{kind}", self._api.download(f"{at}.{kind}"))
                except Refused as refused:
                    if not refused.missing:
                        raise DiagnosticError(refused.problem) from None
            found = bool(archive.namelist())
        if found:
            yield content.getvalue()
