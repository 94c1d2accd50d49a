"""Functions about files, on a real disk. What they must answer was seen with stock Terraform."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from twinfra.lang.functions import lookup
from twinfra.lang.functions.call import call
from twinfra.lang.functions.declaration import FunctionError
from twinfra.lang.scope import EvaluationContext
from twinfra.values.types import STRING
from twinfra.values.value import SENSITIVE, Marked, Set, Unknown


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name, content in {
        "a.txt": b"hello\n",
        "nfd.txt": b"e\xcc\x81",
        "bin.dat": b"\xff\xfe",
        "d/x.txt": b"x",
        "d/y.md": b"y",
        "d/.hidden": b"h",
        "d/sub/z.txt": b"z",
        "d/sub/deep/w.txt": b"w",
        "we[ird/q.txt": b"q",
        "uni é.txt": b"v",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "link.txt").symlink_to("a.txt")
    (tmp_path / "linkdir").symlink_to("d")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


def run(base: Path, name: str, *arguments: Any) -> Any:
    function = lookup(name)
    assert function is not None
    return call(function, list(arguments), EvaluationContext(base, "2020-01-01T00:00:00Z"))


def failure(base: Path, name: str, *arguments: Any) -> FunctionError:
    with pytest.raises(FunctionError) as caught:
        run(base, name, *arguments)
    return caught.value


def test_files_are_read_relative_to_the_configuration(base: Path) -> None:
    assert run(base, "file", "a.txt") == "hello\n"
    assert run(base, "file", "d/../a.txt") == "hello\n"
    assert run(base, "file", str(base / "a.txt")) == "hello\n"
    assert run(base, "file", "link.txt") == "hello\n"


def test_text_is_read_in_normal_form(base: Path) -> None:
    assert run(base, "file", "nfd.txt") == "é"


def test_a_missing_file_blames_the_path_and_says_so(base: Path) -> None:
    for name in ("file", "filebase64"):
        caught = failure(base, name, "nope")
        assert caught.argument == 0
        assert 'there is no file "nope"' in caught.reason


def test_a_missing_file_to_hash_blames_the_call(base: Path) -> None:
    assert failure(base, "filesha256", "nope").argument is None


def test_bytes_that_are_not_text_are_refused_with_what_to_use_instead(base: Path) -> None:
    assert "filebase64" in failure(base, "file", "bin.dat").reason
    assert run(base, "filebase64", "bin.dat") == "//4="


def test_a_directory_is_no_file(base: Path) -> None:
    assert "directory" in failure(base, "file", "d").reason
    assert "directory" in failure(base, "file", "").reason
    assert "directory" in failure(base, "filemd5", "d").reason


def test_paths_of_other_users_and_with_zero_characters_are_refused(base: Path) -> None:
    assert "~" in failure(base, "file", "~nobody/x").reason
    assert "zero" in failure(base, "file", "a\0b").reason


def test_a_home_directory_is_put_in(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(base / "d"))
    assert run(base, "file", "~/x.txt") == "x"
    assert run(base, "pathexpand", "~/sub/../y") == str(base / "d" / "y")
    assert run(base, "pathexpand", "~") == str(base / "d")


def test_files_are_hashed(base: Path) -> None:
    assert run(base, "filemd5", "a.txt") == "b1946ac92492d2347c6235b4d2611184"
    assert run(base, "filesha1", "a.txt") == "f572d396fae9206628714fb2ce00f72e94f2258f"
    assert run(base, "filesha256", "a.txt").startswith("5891b5b522d5df08")
    assert run(base, "filesha512", "a.txt").startswith("e7c22b994c59d9cf")
    assert run(base, "filebase64sha256", "a.txt") == "WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="
    assert run(base, "filebase64sha512", "a.txt").startswith("58IrmUxZ2c8rSOVJseJGZmNg")


@pytest.mark.parametrize(
    ("path", "expected"), [("a.txt", True), ("nope", False), ("link.txt", True), ("dangling", False)]
)
def test_whether_a_file_exists(base: Path, path: str, expected: bool) -> None:
    assert run(base, "fileexists", path) is expected


@pytest.mark.parametrize("path", ["d", "linkdir", "", "fifo", "a.txt/x"])
def test_what_exists_but_is_no_file_is_an_error(base: Path, path: str) -> None:
    assert failure(base, "fileexists", path).argument is None


def test_a_sensitive_path_makes_a_sensitive_result_and_stays_out_of_errors(base: Path) -> None:
    secret = frozenset((SENSITIVE,))
    assert run(base, "fileexists", Marked("a.txt", secret)) == Marked(True, secret)
    assert "hunter2" not in failure(base, "file", Marked("hunter2", secret)).reason


def test_an_unknown_path_makes_an_unknown_result(base: Path) -> None:
    assert type(run(base, "file", Unknown(STRING))) is Unknown


def test_a_path_is_made_absolute(base: Path) -> None:
    assert run(base, "abspath", "a/../b") == str(base / "b")
    assert run(base, "abspath", "") == str(base)
    assert run(base, "abspath", "~") == str(base / "~")


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("d", "**", [".hidden", "sub/deep/w.txt", "sub/z.txt", "x.txt", "y.md"]),
        ("d", "**/*", [".hidden", "sub/deep/w.txt", "sub/z.txt", "x.txt", "y.md"]),
        ("d", "**/*.txt", ["sub/deep/w.txt", "sub/z.txt", "x.txt"]),
        ("d", "*", [".hidden", "x.txt", "y.md"]),
        ("d", "*/*", ["sub/z.txt"]),
        ("d", "{x,y}.*", ["x.txt", "y.md"]),
        ("d", "[xy].*", ["x.txt", "y.md"]),
        ("d", "[!x].*", ["x.txt"]),
        ("d", "[^x].*", ["y.md"]),
        ("d", "[a-x].*", ["x.txt"]),
        ("d", "?.txt", ["x.txt"]),
        ("d", "sub/**", ["sub/deep/w.txt", "sub/z.txt"]),
        ("d", "**/deep/*", ["sub/deep/w.txt"]),
        ("d", "sub/**/*.txt", ["sub/deep/w.txt", "sub/z.txt"]),
        ("d", "**/**/*.txt", ["sub/deep/w.txt", "sub/z.txt"]),
        ("d", "**/sub/**", ["sub/deep/w.txt", "sub/z.txt"]),
        ("d", "sub/**/deep/**/w.txt", ["sub/deep/w.txt"]),
        ("d", "s**/z.txt", ["sub/z.txt"]),
        ("d", ".*", [".hidden"]),
        ("d/", "*.txt", ["x.txt"]),
        ("./d", "*.txt", ["x.txt"]),
        ("d/sub/..", "*.txt", ["x.txt"]),
        ("nope", "*", []),
        ("nope", "[", []),
        ("d", "nope*", []),
        ("d", "", []),
        ("", "a.*", ["a.txt"]),
        ("d", "../a*", ["../a.txt"]),
        ("d", "sub/../x.txt", ["x.txt"]),
        ("d", "x.txt", ["x.txt"]),
        ("linkdir", "*", [".hidden", "x.txt", "y.md"]),
        (".", "linkdir/*", ["linkdir/.hidden", "linkdir/x.txt", "linkdir/y.md"]),
        (".", "link*", ["link.txt"]),
        ("d", "\\x.txt", ["x.txt"]),
        ("d", "sub", []),
        ("d", "sub/", []),
        ("d", "/x.txt", ["x.txt"]),
        ("d", "***", [".hidden", "x.txt", "y.md"]),
        ("d", "**.txt", ["x.txt"]),
        ("d", "*.{txt,md}", ["x.txt", "y.md"]),
        (".", "uni *", ["uni é.txt"]),
        ("d", "x.TXT", []),
        ("a.txt", "*", []),
        ("d", "[[:alpha:]].txt", []),
        ("d", "{}", []),
        ("d", "{x.txt}", ["x.txt"]),
        ("d", "{{x,y}.txt}", ["x.txt"]),
        ("d", "{x\\,y,x}.txt", ["x.txt"]),
        ("d", "[x-a]*", []),
        ("d", "[^]*", [".hidden", "x.txt", "y.md"]),
        ("d", "[\\x]*", ["x.txt"]),
        ("d", "[x\\-z]*", ["x.txt"]),
        ("d", "[^x-z]*", [".hidden"]),
        ("d", "x.txt{", []),
        ("d", "zzz[", []),
        ("d", "{,x}.txt", ["x.txt"]),
        ("d", "x{,.txt}", ["x.txt"]),
        ("d", "{*}.txt", ["x.txt"]),
        ("d", "{[xy],z}.*", ["x.txt", "y.md"]),
    ],
)
def test_files_are_found_by_pattern(base: Path, path: str, pattern: str, expected: list[str]) -> None:
    found = run(base, "fileset", path, pattern)
    assert found == Set(expected, STRING)
    assert found.element == STRING


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("d", "["),
        ("d", "{a"),
        ("we[ird", "*"),
        ("d", "{x.txt,sub/z.txt}"),
        ("d", "[]x].txt"),
        ("d", "[x-]*"),
        ("d", "[-x]*"),
        ("d", "[a-c-x]*"),
        ("d", "[]"),
        ("d", "\\"),
    ],
)
def test_a_malformed_pattern_is_an_error(base: Path, path: str, pattern: str) -> None:
    assert failure(base, "fileset", path, pattern).argument is None


def test_a_link_that_leads_nowhere_is_an_error_only_where_it_is_named(base: Path) -> None:
    assert "dangling" in failure(base, "fileset", ".", "*").reason
    assert "dangling" not in run(base, "fileset", ".", "**")


def test_a_link_to_a_directory_above_ends(base: Path) -> None:
    (base / "d" / "loop").symlink_to("..")
    assert "x.txt" in run(base, "fileset", "d", "**")


def test_many_stars_take_no_time(base: Path) -> None:
    (base / ("a" * 200)).write_text("")
    assert run(base, "fileset", ".", "*a" * 50 + "b") == Set((), STRING)
