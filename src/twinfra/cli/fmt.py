"""`twinfra fmt`: configuration files in the canonical format."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from twinfra.cli.command import command, flag
from twinfra.cli.terminal import print_diagnostics
from twinfra.diagnostics import Diagnostics, Source, error

SUFFIXES = (".tf", ".tfvars", ".tftest.hcl")


@command("fmt")
@flag("list", "list the files whose format differs", default=True)
@flag("write", "write the files back", default=True)
@flag("diff", "show what changes")
@flag("check", "change nothing; exit with 3 when a file is not in the canonical format")
@flag("recursive", "also in directories below")
@flag("no-color", "no colour")
@click.argument("targets", nargs=-1)
def fmt(
    list: bool,
    write: bool,
    diff: bool,
    check: bool,
    recursive: bool,
    no_color: bool,
    targets: tuple[str, ...],
) -> int:
    """Rewrite configuration files in the canonical format; `-` reads standard input."""
    from twinfra.lang.formatter import format_source
    from twinfra.lang.parser import parse_config

    found = Diagnostics()
    changed = False
    if targets == ("-",):
        text = sys.stdin.read()
        _, problems = parse_config(Source("<stdin>", text))
        if problems:
            print_diagnostics(problems, no_color)
            return 2
        formatted = format_source(text)
        if not check:
            sys.stdout.write(_difference("<stdin>", text, formatted) if diff else formatted)
        return 3 if check and formatted != text else 0
    for path in _files(targets or (".",), recursive, found):
        try:
            text = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as reason:
            found.add(error("Cannot read file", f"{path}: {reason}."))
            continue
        _, problems = parse_config(Source(str(path), text))
        if problems:
            found.extend(problems)
            continue
        formatted = format_source(text)
        if formatted == text:
            continue
        changed = True
        if list:
            print(path)
        if diff:
            sys.stdout.write(_difference(str(path), text, formatted))
        if write and not check:
            try:
                path.write_bytes(formatted.encode("utf-8"))
            except OSError as reason:
                found.add(error("Cannot write file", f"{path}: {reason.strerror}."))
    if found:
        print_diagnostics(found, no_color)
        return 2
    return 3 if check and changed else 0


def _files(targets: tuple[str, ...], recursive: bool, found: Diagnostics) -> Iterator[Path]:
    for target in targets:
        path = Path(target)
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from _directory(path, recursive)
        else:
            found.add(error("No such file or directory", f"There is nothing at {target}."))


def _directory(directory: Path, recursive: bool) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file() and path.name.endswith(SUFFIXES):
            yield path
        elif recursive and path.is_dir():
            yield from _directory(path, recursive)


def _difference(name: str, before: str, after: str) -> str:
    from difflib import unified_diff

    return "".join(
        unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), f"old/{name}", f"new/{name}"
        )
    )


COMMANDS = {"fmt": fmt}
