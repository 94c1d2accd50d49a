"""GitHub's REST API (https://docs.github.com/en/rest): comments, pull requests of a commit, artifacts of workflows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from twinfra.diagnostics import DiagnosticError
from twinfra.pipelines.forge.http import Api, Refused
from twinfra.pipelines.forge.protocol import Comment, PullRequest


def artifact_name(environment: str, commit: str, within: str) -> str:
    """How the artifact of a plan is named; `within` is the configuration's directory, `.` for the top."""
    place = "" if within == "." else within.replace("/", ".") + "."
    return f"twinfra-plan-{place}{environment}-{commit}"


class GitHub:
    """A repository at GitHub. `number`: the pull request that the job is for, None for none. `within`: where the
    configuration lies, from the top on.
    """

    limit = 65_000

    def __init__(self, api: Api, repository: str, number: int | None, within: str = ".") -> None:
        self._api = api
        self._at = f"repos/{quote(repository)}"
        self._number = number
        self._within = within

    def current(self) -> int | None:
        return self._number

    def merged(self, commit: str) -> PullRequest | None:
        try:
            found = list(self._api.pages(f"{self._at}/commits/{commit}/pulls"))
        except Refused as refused:
            raise DiagnosticError(refused.problem) from None
        merged = [one for one in found if one.get("merged_at")]
        # Of several, the one that was merged as this very commit.
        merged.sort(key=lambda one: (one.get("merge_commit_sha") == commit, one["merged_at"]))
        return PullRequest(int(merged[-1]["number"]), str(merged[-1]["head"]["sha"])) if merged else None

    def comments(self, number: int) -> Iterator[Comment]:
        try:
            for one in self._api.pages(f"{self._at}/issues/{number}/comments"):
                yield Comment(int(one["id"]), str(one.get("body") or ""))
        except Refused as refused:
            raise DiagnosticError(refused.problem) from None

    def comment(self, number: int, body: str) -> int:
        try:
            return int(self._api.send("POST", f"{self._at}/issues/{number}/comments", {"body": body})["id"])
        except Refused as refused:
            raise DiagnosticError(refused.problem) from None

    def change(self, number: int, id: int, body: str) -> bool:
        return self._api.sent("PATCH", f"{self._at}/issues/comments/{id}", {"body": body})

    def remove(self, number: int, id: int) -> None:
        self._api.sent("DELETE", f"{self._at}/issues/comments/{id}", {})

    def of_pull_request(self, request: PullRequest, environment: str) -> Iterator[bytes]:
        return self._archives(request.head, environment)

    def of_commit(self, commit: str, environment: str) -> Iterator[bytes]:
        return self._archives(commit, environment)

    def _archives(self, commit: str, environment: str) -> Iterator[bytes]:
        name = artifact_name(environment, commit, self._within)
        try:
            listed = self._api.get(f"{self._at}/actions/artifacts?name={quote(name)}&per_page=100")
            found = [one for one in listed["artifacts"] if not one.get("expired") and one.get("name") == name]
            for one in sorted(found, key=lambda one: str(one.get("created_at")), reverse=True):
                yield self._api.download(f"{self._at}/actions/artifacts/{int(one['id'])}/zip")
        except Refused as refused:
            raise DiagnosticError(refused.problem) from None


def number_of_event(variables: Mapping[str, str]) -> int | None:
    """The pull request that a workflow runs for, by the event that GitHub wrote down; None for none."""
    request = event(variables).get("pull_request")
    number = request.get("number") if isinstance(request, dict) else None
    return number if isinstance(number, int) else None


def event(variables: Mapping[str, str]) -> dict[str, Any]:
    """The event that a workflow runs for; empty where there is none."""
    path = variables.get("GITHUB_EVENT_PATH")
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
