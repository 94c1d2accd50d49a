"""GitLab's REST API (https://docs.gitlab.com/api/rest/): notes, merge requests of a commit, artifacts of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from twinfra.diagnostics import DiagnosticError
from twinfra.pipelines.forge.http import Api, Refused
from twinfra.pipelines.forge.protocol import Comment, PullRequest

PLANNING, APPLYING = "plan:{environment}", "apply:{environment}"
"""How the jobs are named that keep plans."""


class GitLab:
    """A project at GitLab. `number`: the merge request that the job is for, None for none."""

    limit = 900_000

    def __init__(self, api: Api, project: str, number: int | None) -> None:
        self._api = api
        self._at = f"projects/{quote(project, safe='')}"
        self._number = number

    def current(self) -> int | None:
        return self._number

    def merged(self, commit: str) -> PullRequest | None:
        found = [
            one
            for one in self._list(f"{self._at}/repository/commits/{commit}/merge_requests")
            if one.get("state") == "merged"
        ]
        found.sort(
            key=lambda one: (
                commit in (one.get("merge_commit_sha"), one.get("squash_commit_sha")),
                str(one.get("merged_at")),
            )
        )
        return PullRequest(int(found[-1]["iid"]), str(found[-1]["sha"])) if found else None

    def comments(self, number: int) -> Iterator[Comment]:
        for one in self._list(f"{self._at}/merge_requests/{number}/notes?sort=asc&order_by=created_at"):
            if not one.get("system"):
                yield Comment(int(one["id"]), str(one.get("body") or ""))

    def comment(self, number: int, body: str) -> int:
        try:
            made = self._api.send("POST", f"{self._at}/merge_requests/{number}/notes", {"body": body})
        except Refused as refused:
            raise DiagnosticError(refused.problem) from None
        return int(made["id"])

    def change(self, number: int, id: int, body: str) -> bool:
        return self._api.sent("PUT", f"{self._at}/merge_requests/{number}/notes/{id}", {"body": body})

    def remove(self, number: int, id: int) -> None:
        self._api.sent("DELETE", f"{self._at}/merge_requests/{number}/notes/{id}", {})

    def of_pull_request(self, request: PullRequest, environment: str) -> Iterator[bytes]:
        pipelines = list(self._list(f"{self._at}/merge_requests/{request.number}/pipelines"))
        newest = sorted(pipelines, key=lambda one: int(one["id"]), reverse=True)
        # A pipeline for the result of a merge has a commit of its own: the newest one is that of the head.
        of_head = [one for one in newest if one.get("sha") == request.head] or newest[:1]
        return self._archives(of_head, PLANNING.format(environment=environment))

    def of_commit(self, commit: str, environment: str) -> Iterator[bytes]:
        pipelines = list(self._list(f"{self._at}/pipelines?sha={commit}"))
        newest = sorted(pipelines, key=lambda one: int(one["id"]), reverse=True)
        return self._archives(newest, APPLYING.format(environment=environment))

    def _archives(self, pipelines: list[Any], name: str) -> Iterator[bytes]:
        for pipeline in pipelines:
            jobs = [
                one
                for one in self._list(f"{self._at}/pipelines/{int(pipeline['id'])}/jobs?include_retried=true")
                if one.get("name") == name and one.get("artifacts_file")
            ]
            for job in sorted(jobs, key=lambda one: int(one["id"]), reverse=True):
                try:
                    yield self._api.download(f"{self._at}/jobs/{int(job['id'])}/artifacts")
                except Refused as refused:
                    if not refused.missing:
                        raise DiagnosticError(refused.problem) from None

    def _list(self, path: str) -> Iterator[Any]:
        try:
            yield from self._api.pages(path)
        except Refused as refused:
            raise DiagnosticError(refused.problem) from None
