"""What a pipeline needs of the place where pull requests are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from twinfra.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request (on GitLab a merge request). `head` is the last commit of its branch."""

    number: int
    head: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request."""

    id: int
    body: str


class Forge(Protocol):
    """GitHub or GitLab. All methods raise `DiagnosticError` where it refuses or cannot be reached."""

    limit: int
    """The characters that a comment may have."""

    def current(self) -> int | None:
        """The number of the pull request that the job is for; None where it is for none."""
        ...

    def merged(self, commit: str) -> PullRequest | None:
        """The pull request that a commit of the main branch comes from; None where it comes from none."""
        ...

    def comments(self, number: int) -> Iterator[Comment]:
        """The comments on a pull request, the oldest first."""
        ...

    def comment(self, number: int, body: str) -> int:
        """Add a comment; its ID."""
        ...

    def change(self, number: int, id: int, body: str) -> bool:
        """Change a comment; False where it is not there any more, or somebody else's."""
        ...

    def remove(self, number: int, id: int) -> None:
        """Remove a comment of ours; nothing where it is not there any more."""
        ...


class Artifacts(Protocol):
    """Where the jobs of a pipeline keep their files. Methods raise `DiagnosticError`."""

    def of_pull_request(self, request: PullRequest, environment: str) -> Iterator[bytes]:
        """Archives (ZIP) of the jobs that planned an environment for a pull request's head, the newest first."""
        ...

    def of_commit(self, commit: str, environment: str) -> Iterator[bytes]:
        """Archives of the jobs that prepared an environment at a commit of the main branch, the newest first."""
        ...
