"""Fuzz one target with atheris: `python -m benchmarks.fuzz TARGET [CORPUS] [libFuzzer options]`.

Starts from the repository's own examples and test data. Inputs that are found interesting go to the corpus directory
when one is named. Ends at the first bug, with the input in a file; `-max_total_time=60` ends earlier.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

LIMIT = 2.0
"""How long one input may take, in seconds for 4,096 characters: far more than linear time needs."""


def main(arguments: list[str]) -> int:
    """Run atheris, which does not come back."""
    from benchmarks.fuzz.seeds import SEEDS
    from benchmarks.fuzz.targets import TARGETS

    if not arguments or arguments[0] not in TARGETS:
        print(f"usage: python -m benchmarks.fuzz {{{'|'.join(TARGETS)}}} [CORPUS] [-max_total_time=SECONDS]")
        return 1
    try:
        import atheris
    except ImportError:
        print(
            "atheris is not installed: pip install --require-hashes -r requirements/fuzz.lock",
            file=sys.stderr,
        )
        return 1
    with atheris.instrument_imports(include=["twinfra"]):
        import twinfra.lang.compiler
        import twinfra.lang.formatter
        import twinfra.lang.functions.catalog
        import twinfra.lang.json_syntax
        import twinfra.lang.parser
        import twinfra.state.v4  # noqa: F401
    target = TARGETS[arguments[0]]

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        start = time.monotonic()
        target(text)
        assert time.monotonic() - start < LIMIT, f"{len(text)} characters took more than {LIMIT} s"

    with tempfile.TemporaryDirectory(prefix="twinfra-fuzz-") as scratch:
        seeds = Path(scratch)
        for number, text in enumerate(SEEDS[arguments[0]]()):
            (seeds / f"seed-{number}").write_text(text, encoding="utf-8")
        corpus = [one for one in arguments[1:] if not one.startswith("-")]
        options = [one for one in arguments[1:] if one.startswith("-")]
        atheris.Setup([sys.argv[0], "-max_len=4096", *options, *corpus, scratch], one)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
