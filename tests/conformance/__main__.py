"""`python -m tests.conformance DIR`: run the cases of a directory; prints the ids of those that fail, and counts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conformance import configurations, expressions
from tests.conformance.cases import read_cases


def main() -> int:
    """Exit status 0 when all cases pass."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("directory", type=Path, help="has expressions.jsonl, configurations.jsonl or both")
    parser.add_argument("--only", default="", help="only cases whose id contains this")
    parser.add_argument("--verbose", action="store_true", help="also say in what a failing case differs")
    parser.add_argument(
        "--program",
        default="",
        help="run configurations with this program, such as stock terraform, instead of ours",
    )
    arguments = parser.parse_args()
    if not arguments.directory.is_dir():
        parser.error(f"there is no directory {arguments.directory}")
    passed = failed = 0
    for id, differences in _run(arguments):
        if not differences:
            passed += 1
            continue
        failed += 1
        print(f"{id}: {'; '.join(differences)}" if arguments.verbose else id, flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _run(arguments: argparse.Namespace) -> Iterator[tuple[str, list[str]]]:
    if not arguments.program:
        for case in read_cases(arguments.directory / "expressions.jsonl"):
            if arguments.only in case["id"]:
                yield case["id"], expressions.differences(case)
    command = [arguments.program] if arguments.program else [sys.executable, "-m", "twinfra"]
    cases = [
        case
        for case in read_cases(arguments.directory / "configurations.jsonl")
        if arguments.only in case["name"]
    ]
    yield from configurations.run(cases, command)


if __name__ == "__main__":
    sys.exit(main())
