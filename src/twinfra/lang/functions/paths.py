"""Paths of files as functions take them: cleaned, a leading `~` replaced, relative to the configuration."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from twinfra.lang.functions.declaration import FunctionError


def clean_path(path: str) -> str:
    """The shortest path that means the same, without looking at the disk; `.` for an empty one.

    >>> clean_path("a//b/../c/")
    'a/c'
    """
    cleaned = os.path.normpath(path) if path else "."
    return "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned


def expand_home(path: str, argument: int | None = None) -> str:
    """The path with a leading `~` replaced by the home directory of whoever runs this."""
    if not path.startswith("~"):
        return path
    if len(path) > 1 and path[1] != "/":
        raise FunctionError("only ~ alone stands for a home directory, not ~ with a name", argument)
    home = os.environ.get("HOME") or str(Path.home())
    return clean_path(home + "/" + path[1:])


def resolve(base: Path, path: str, argument: int | None = None) -> tuple[str, str]:
    """A path as messages name it, and the same as the operating system is to be asked for it."""
    named = clean_path(expand_home(path, argument))
    if "\0" in named:
        raise FunctionError("a path cannot contain a zero character", argument)
    return named, os.path.join(base, named)


def read_file(base: Path, path: str, argument: int | None) -> bytes:
    """The content of a file. Raises `FunctionError` that blames `argument`."""
    named, real = resolve(base, path, argument)
    try:
        with open(real, "rb") as file:
            return file.read()
    except OSError as failure:
        raise FunctionError(_why(named, failure), argument) from failure


def read_text(base: Path, path: str, argument: int | None) -> str:
    """The content of a file of UTF-8 text."""
    data = read_file(base, path, argument)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as failure:
        raise FunctionError(
            f'"{path}" is not UTF-8 text; filebase64 reads any file, and filesha256 and its like hash one'
        ) from failure


def _why(named: str, failure: OSError) -> str:
    if isinstance(failure, FileNotFoundError):
        return (
            f'there is no file "{named}"; functions read only files that are there beforehand,'
            " not those that a resource makes"
        )
    if isinstance(failure, IsADirectoryError):
        return f'"{named}" is a directory, not a file'
    return f'"{named}" cannot be read: {(failure.strerror or str(failure)).lower()}'


def is_regular_file(base: Path, path: str) -> bool:
    """Whether there is a file; raises `FunctionError` when something else is there."""
    named, real = resolve(base, path)
    try:
        mode = os.stat(real).st_mode
    except FileNotFoundError:
        return False
    except OSError as failure:
        raise FunctionError(_why(named, failure)) from failure
    if stat.S_ISREG(mode):
        return True
    kinds = ((stat.S_ISDIR, "a directory"), (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"))
    kind = next((words for test, words in kinds if test(mode)), "a device")
    raise FunctionError(f'"{named}" is {kind}, not a file')
