"""Fuzz one target with atheris: `python -m benchmarks.fuzz TARGET [CORPUS] [libFuzzer options]`.

Inputs that are found interesting go to the corpus directory when one is named. Ends at the first bug, with the
input in a file; `-max_total_time=60` ends earlier.
"""

from __future__ import annotations

import sys
import time

LIMIT = 2.0
"""How long one input may take, in seconds for 4,096 characters: far more than linear time needs."""


def main(arguments: list[str]) -> int:
    """Run atheris, which does not come back."""
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
        text = atheris.FuzzedDataProvider(data).ConsumeUnicodeNoSurrogates(4096)
        start = time.monotonic()
        target(text)
        assert time.monotonic() - start < LIMIT, f"{len(text)} characters took more than {LIMIT} s"

    atheris.Setup([sys.argv[0], *arguments[1:]], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
