"""Functions about files and their paths. Relative paths start at the directory of the root module."""

from __future__ import annotations

import os
import stat

from twinfra.lang.functions.arguments import normal_text
from twinfra.lang.functions.base64_text import write_base64
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.paths import (
    clean_path,
    expand_home,
    is_regular_file,
    read_file,
    read_text,
    resolve,
)
from twinfra.lang.scope import EvaluationContext
from twinfra.values.sets import make_set
from twinfra.values.types import BOOL, STRING, SetType
from twinfra.values.value import Value

_PATH = parameter("path", STRING, "the path")


@function(
    "abspath",
    "Makes a path absolute, without looking whether anything is there.",
    _PATH,
    returns=STRING,
    needs_context=True,
)
def abspath(context: EvaluationContext, path: str) -> str:
    """`..` and double slashes are resolved, links are not."""
    return normal_text(clean_path(os.path.join(os.path.abspath(context.base_dir), path)))


@function("basename", "The last part of a path.", _PATH, returns=STRING)
def basename(path: str) -> str:
    """`.` of an empty path, `/` of the root."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


@function("dirname", "A path without its last part.", _PATH, returns=STRING)
def dirname(path: str) -> str:
    """`.` where nothing is left."""
    before, slash, _ = path.rpartition("/")
    return clean_path(before + slash)


@function("pathexpand", "A path with a leading ~ replaced by the home directory.", _PATH, returns=STRING)
def pathexpand(path: str) -> str:
    """Any other path stays as it is."""
    return normal_text(expand_home(path))


@function(
    "file",
    "Reads a file of UTF-8 text.",
    parameter("path", STRING, "the file"),
    returns=STRING,
    needs_context=True,
)
def file(context: EvaluationContext, path: str) -> str:
    """The whole content, line ends as they are."""
    return normal_text(read_text(context.base_dir, path, 0))


@function(
    "filebase64",
    "Reads any file, as base64.",
    parameter("path", STRING, "the file"),
    returns=STRING,
    needs_context=True,
)
def filebase64(context: EvaluationContext, path: str) -> str:
    """For files that are not text."""
    return write_base64(read_file(context.base_dir, path, 0))


@function(
    "fileexists",
    "Whether there is a file at a path.",
    parameter("path", STRING, "the path"),
    returns=BOOL,
    needs_context=True,
)
def fileexists(context: EvaluationContext, path: str) -> bool:
    """Anything but a regular file there is an error."""
    return is_regular_file(context.base_dir, path)


@function(
    "fileset",
    "Finds the files below a directory whose paths match a pattern.",
    parameter("path", STRING, "the directory"),
    parameter("pattern", STRING, "the pattern: *, ?, [a-z], {a,b}, and ** for any directories"),
    returns=SetType(STRING),
    needs_context=True,
)
def fileset(context: EvaluationContext, path: str, pattern: str) -> Value:
    """Paths relative to the directory, with slashes. Directories are not in it, what links lead to is."""
    from twinfra.lang.functions.globs import PatternError, find_paths

    directory, _ = resolve(context.base_dir, path)
    base = str(context.base_dir)
    try:
        found = [
            normal_text(_relative(match, directory))
            for match in find_paths(base, clean_path(f"{directory}/{pattern}"))
            if stat.S_ISREG(os.stat(os.path.join(base, match)).st_mode)
        ]
    except PatternError:
        raise FunctionError(f'"{directory}/{pattern}" is not a pattern that can be read') from None
    except (OSError, ValueError) as failure:
        raise FunctionError(f"the files cannot be listed: {failure}") from failure
    return make_set(found, STRING)


def _relative(match: str, directory: str) -> str:
    try:
        # Names that are not UTF-8 cannot be strings of the language.
        return os.path.relpath(match, directory).encode("utf-8").decode("utf-8")
    except UnicodeEncodeError as failure:
        raise FunctionError(f"the name of the file {match!r} is not UTF-8") from failure
