"""The command line itself: flags as in Terraform, usage errors with hints, help."""

import json

import pytest
from tests.cli.conftest import Directory

from twinfra.cli.command import UsageProblem, command, flag, normalise, value
from twinfra.cli.document import commands_page
from twinfra.cli.main import COMMANDS
from twinfra.cli.options import seconds
from twinfra.cli.render.style import PLAIN, Style


@command("sample")
@flag("json", "JSON")
@flag("refresh", "refresh", default=True)
@value("var", "a variable", multiple=True)
def sample(json: bool, refresh: bool, var: tuple[str, ...]) -> None:
    """A sample."""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["-json"], ["-json=true"]),
        (["--json"], ["-json=true"]),
        (["-refresh=false"], ["-refresh=false"]),
        (["-refresh=0"], ["-refresh=0"]),
        (["-var", "a=b"], ["-var=a=b"]),
        (["--var=a=b"], ["-var=a=b"]),
        (["-var", "-json"], ["-var=-json"]),
        (["x", "-json", "--", "-var"], ["x", "-json=true", "--", "-var"]),
        (["-h"], ["-help"]),
        (["-"], ["-"]),
        (["--sandbox", "-json"], ["-json=true"]),
    ],
)
def test_flags_in_every_way_people_write_them(given: list[str], expected: list[str]) -> None:
    assert normalise(given, sample) == expected


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["-refesh"], 'Did you mean "-refresh"?'),
        (["-refresh=maybe"], "either true or false"),
        (["-var"], "needs a value"),
    ],
)
def test_wrong_flags_are_explained(given: list[str], told: str) -> None:
    with pytest.raises(UsageProblem, match=told.replace("?", r"\?")):
        normalise(given, sample)


@pytest.mark.parametrize(
    ("text", "expected"), [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("0", 0), ("1h", 3600)]
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["30", "s", "5 minutes", "-1s"])
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(UsageProblem, match="duration"):
        seconds(text)


def test_unknown_commands_get_a_suggestion(twinfra: Directory) -> None:
    ran = twinfra("aply")
    assert ran.code == 1
    assert 'Did you mean "apply"?' in ran.err


def test_help_lists_every_command(twinfra: Directory) -> None:
    told = twinfra.ok("-help").out
    assert all(name in told for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(twinfra: Directory, name: str) -> None:
    assert "Usage: twinfra " + name in twinfra.ok(name, "-help").out


def test_version(twinfra: Directory) -> None:
    from twinfra import __version__

    assert twinfra.ok("version").out.startswith(f"Twinfra v{__version__} on ")
    document = json.loads(twinfra.ok("version", "-json").out)
    assert document["terraform_version"] == "1.11.4"
    assert document.keys() >= {"platform", "provider_selections", "terraform_outdated"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("state", "rm", "--no-color", "terraform_data.a"),
        ("state", "rm", "terraform_data.b", "-no-color=true"),
        ("-env", "nowhere", "state", "list", "-no-color"),
    ],
)
def test_no_colour_in_warnings_and_errors_whoever_tells_them(
    twinfra: Directory, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    twinfra.write(main_tf='resource "terraform_data" "a" {}\n', twinfra_toml="")
    twinfra.ok("apply", "-auto-approve")
    asked = []

    def style(stream: object, no_color: bool = False) -> Style:
        asked.append(no_color)
        return PLAIN

    monkeypatch.setattr("twinfra.cli.terminal.style_for", style)
    twinfra(*arguments)
    assert set(asked) == {True}


def test_a_directory_that_is_not_there(twinfra: Directory) -> None:
    ran = twinfra("-chdir=nowhere", "plan")
    assert ran.code == 1
    assert "nowhere" in ran.err


def test_the_page_of_commands_is_what_the_declarations_say() -> None:
    from pathlib import Path

    page = Path(__file__).parents[2] / "docs" / "commands.md"
    assert page.read_text(encoding="utf-8") == commands_page(), "run: make docs"
