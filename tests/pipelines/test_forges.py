"""GitHub, GitLab and Jenkins, as far as a server on loopback speaks as they do."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pipelines.forge_server import TOKEN, ForgeServer, archive

from twinfra.diagnostics import DiagnosticError
from twinfra.pipelines.comment import mark
from twinfra.pipelines.fetching import fetch_approved, fetch_reviewed
from twinfra.pipelines.forge.choosing import Platform, find_platform, is_public, secrets_of
from twinfra.pipelines.forge.http import Api, Refused
from twinfra.pipelines.posting import post

MARK = mark()


def github(forge: ForgeServer, **more: str) -> Platform:
    about = {"GITHUB_REPOSITORY": "acme/infra", "GITHUB_API_URL": forge.url, "GITHUB_TOKEN": TOKEN}
    return find_platform(about | more, ".twinfra/ci")


def gitlab(forge: ForgeServer) -> Platform:
    about = {"CI_PROJECT_ID": "42", "CI_API_V4_URL": forge.url, "TWINFRA_CI_TOKEN": TOKEN}
    return find_platform(about, ".twinfra/ci")


def api(forge: ForgeServer, waited: list[float] | None = None) -> Api:
    times = [] if waited is None else waited
    return Api(forge.url, {"Authorization": f"Bearer {TOKEN}"}, "GITHUB_TOKEN", times.append)


# -- comments


@pytest.mark.parametrize("kind", [github, gitlab])
def test_a_comment_is_made_once_and_then_changed(forge: ForgeServer, kind: object) -> None:
    assert callable(kind)
    platform = kind(forge)
    forge.say(5, "a person's own words")
    first = post(platform.forge, 5, lambda before: f"{MARK} one{before}", MARK)
    second = post(platform.forge, 5, lambda before: f"{before}, two", MARK)
    assert (first.new, second.new, first.id) == (True, False, second.id)
    assert forge.bodies(5) == ["a person's own words", f"{MARK} one, two"]


@pytest.mark.parametrize("kind", [github, gitlab])
def test_the_comment_is_found_on_a_later_page(forge: ForgeServer, kind: object) -> None:
    assert callable(kind)
    for number in range(150):
        forge.say(5, f"{number}")
    id = forge.say(5, MARK)
    assert post(kind(forge).forge, 5, lambda _: f"{MARK} new", MARK).id == id


def test_of_two_jobs_that_comment_at_once_one_comment_stays(forge: ForgeServer) -> None:
    def other_job() -> None:
        forge.before_comment = None
        forge.say(5, f"{MARK} of the other job")

    forge.before_comment = other_job
    assert not post(github(forge).forge, 5, lambda _: f"{MARK} mine", MARK).new
    assert forge.bodies(5) == [f"{MARK} mine"]


def test_a_comment_with_the_mark_that_is_somebody_elses_is_left_alone(forge: ForgeServer) -> None:
    id = forge.say(5, f"{MARK} not ours")
    forge.strangers.add(id)
    assert post(github(forge).forge, 5, lambda _: f"{MARK} ours", MARK).new
    assert forge.bodies(5) == [f"{MARK} not ours", f"{MARK} ours"]


# -- requests


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_fails_for_a_moment_is_tried_again(forge: ForgeServer, status: int) -> None:
    waited: list[float] = []
    forge.failures = [status, status]
    assert api(forge, waited).get("repos/acme/infra/issues/1/comments") == []
    assert waited == ([0.0, 0.0] if status == 429 else [1.0, 2.0])


def test_what_fails_for_long_is_told(forge: ForgeServer) -> None:
    forge.failures = [503] * 9
    with pytest.raises(Refused) as caught:
        api(forge).get("repos/acme/infra/issues/1/comments")
    assert "HTTP 503, not now" in caught.value.problem.detail


def test_a_refusal_is_not_tried_again_and_tells_no_token(forge: ForgeServer) -> None:
    with pytest.raises(DiagnosticError) as caught:
        list(github(forge, GITHUB_TOKEN="wrong-token").forge.comments(1))
    (problem,) = caught.value.diagnostics
    assert "HTTP 401" in problem.detail
    assert "GITHUB_TOKEN" in problem.mend
    assert "wrong-token" not in f"{problem!r} {caught.value!r} {caught.value.__cause__!r}"
    assert len(forge.requests) == 1


def test_a_forge_that_is_away_is_told(forge: ForgeServer) -> None:
    forge.stop()
    waited: list[float] = []
    with pytest.raises(DiagnosticError, match="cannot be reached"):
        api(forge, waited).get("x")
    assert waited == [1.0, 2.0, 4.0]


def test_the_token_stays_with_its_host(forge: ForgeServer, tmp_path: Path) -> None:
    (tmp_path / "a.plan").write_text("p")
    forge.artifacts.append(("twinfra-plan-a-h", archive(tmp_path)))
    found = list(github(forge).artifacts.of_commit("h", "a"))
    assert len(found) == 1
    assert ("localhost", "") in forge.tokens
    assert all(TOKEN not in token for host, token in forge.tokens if host == "localhost")


def test_without_a_forge_or_a_token_that_is_told() -> None:
    with pytest.raises(DiagnosticError, match="No forge"):
        find_platform({}, "d")
    with pytest.raises(DiagnosticError, match="No token"):
        find_platform({"GITHUB_REPOSITORY": "a/b"}, "d")


# -- plans


def keep(forge: ForgeServer, directory: Path, name: str, text: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "a.plan").write_text(text)
    forge.artifacts.append((name, archive(directory)))


def test_the_newest_plan_of_the_merged_pull_request_is_fetched(forge: ForgeServer, tmp_path: Path) -> None:
    forge.merged["c"] = (5, "h")
    keep(forge, tmp_path / "kept", "twinfra-plan-a-h", "older")
    keep(forge, tmp_path / "kept", "twinfra-plan-a-h", "newer")
    keep(forge, tmp_path / "kept", "twinfra-plan-a-x", "of another head")
    fetched = fetch_reviewed(github(forge), "c", "a", tmp_path / "reviewed" / "a.plan")
    assert fetched.number == 5
    assert (tmp_path / "reviewed" / "a.plan").read_text() == "newer"


def test_where_nothing_was_kept_nothing_is_fetched(forge: ForgeServer, tmp_path: Path) -> None:
    forge.merged["c"] = (5, "h")
    assert fetch_reviewed(github(forge), "c", "a", tmp_path / "p").digest == ""
    assert fetch_reviewed(github(forge), "other", "a", tmp_path / "p").number == 0
    assert not (tmp_path / "p").exists()


def test_only_the_plan_that_was_approved_is_fetched(forge: ForgeServer, tmp_path: Path) -> None:
    import hashlib

    keep(forge, tmp_path / "kept", "twinfra-plan-a-c", "mine")
    keep(forge, tmp_path / "kept", "twinfra-plan-a-c", "later")
    approved = "sha256:" + hashlib.sha256(b"mine").hexdigest()
    assert fetch_approved(github(forge), "c", "a", approved, tmp_path / "p")
    assert (tmp_path / "p").read_text() == "mine"
    assert not fetch_approved(github(forge), "c", "a", "sha256:" + "0" * 64, tmp_path / "q")


def test_what_is_no_archive_is_told(forge: ForgeServer, tmp_path: Path) -> None:
    forge.merged["c"] = (5, "h")
    forge.artifacts.append(("twinfra-plan-a-h", b"garbage"))
    with pytest.raises(DiagnosticError, match="Cannot read what a job kept"):
        fetch_reviewed(github(forge), "c", "a", tmp_path / "p")


# -- variables


def test_tokens_and_keys_are_secrets_and_their_files_are_not() -> None:
    variables = {
        "GITHUB_TOKEN": "gh-1234567",
        "AWS_SECRET_ACCESS_KEY": "aws-1234567",
        "TF_VAR_x": "my-variable",
        "TWINFRA_SIGNING_KEY_FILE": "/tmp/key-file",
        "SHORT_TOKEN": "abc",
        "HOME": "/home/somebody",
    }
    assert set(secrets_of(variables, ["TF_VAR_x"])) == {"gh-1234567", "aws-1234567", "my-variable"}


def test_a_public_repository_is_known_by_its_event(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text('{"repository": {"private": false}}')
    assert is_public({"GITHUB_EVENT_PATH": str(path)})
    path.write_text('{"repository": {"private": true}}')
    assert not is_public({"GITHUB_EVENT_PATH": str(path)})
    assert is_public({"CI_PROJECT_VISIBILITY": "public"})
    assert not is_public({})
