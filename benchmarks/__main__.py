"""Run benchmarks: `python -m benchmarks [NAME ...] [--quick] [--out FILE] [--list]`.

Prints a table and writes all that was measured as JSON. Exits with 1 when a target is missed, but for a quick run,
whose sizes are too small for the targets.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import builtin, cloud, drift, fingerprints, history, startup, states, twins
from benchmarks.bench import BENCHMARKS, Bench
from benchmarks.processes import CommandFailed
from benchmarks.programs import MIRROR, ours, stock
from benchmarks.results import Result, machine, table

MODULES = (startup, builtin, states, fingerprints, cloud, drift, history, twins)


def main(arguments: Sequence[str]) -> int:
    """Run those that are asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, each once")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks.json"), help="where the JSON goes")
    parser.add_argument("--list", action="store_true", help="only tell which there are")
    options = parser.parse_args(arguments)
    if options.list:
        for name, function in BENCHMARKS.items():
            print(f"{name:12} {function.__doc__}")
        return 0
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; --list shows all")
    results: list[Result] = []
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="twinfra-bench-") as directory:
        scratch = Path(directory)
        bench = Bench(scratch, ours(), stock(scratch), options.quick)
        _say("" if bench.stock else "terraform is not on the PATH: only Twinfra is measured.")
        _say("" if MIRROR else "TWINFRA_OFFICIAL_AWS names no mirror: AWS resources by Twinfra only.")
        for name in options.names or BENCHMARKS:
            _say(f"{name} ...")
            try:
                results.extend(BENCHMARKS[name](bench))
            except CommandFailed as failed:
                failures.append(f"{name}: {failed}")
                _say(failures[-1])
    if options.quick:
        results = [replace(result, target=None) for result in results]
    print(table(results))
    document = {
        "machine": machine(),
        "quick": options.quick,
        "failures": failures,
        "results": [result.document() for result in results],
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    missed = [result for result in results if result.reached is False]
    return 1 if failures or (missed and not options.quick) else 0


def _say(text: str) -> None:
    if text:
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
