"""Records what stock Terraform answers: expressions from standard input, one a line, cases to standard output.

    python tests/lang/functions/record.py < new-expressions.txt >> tests/data/functions/expressions.jsonl

A case has the form that `python -m tests.conformance` reads. Expressions whose answer changes from run to run, or
that need files, are not for this.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

_ENVIRONMENT = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
_SUMMARY = re.compile(r"Error: (?:\x1b\[[0-9;]*m)*([^\x1b\n]+)")


def ask(expression: str, directory: str) -> tuple[str | None, str]:
    """What the console prints for an expression; or the title of the first error, and an empty text."""
    done = subprocess.run(
        ["terraform", "console"],
        input=expression + "\n",
        cwd=directory,
        env=_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode == 0:
        return None, done.stdout.rstrip("\n")
    found = _SUMMARY.search(done.stderr)
    return (found[1].strip() if found else done.stderr.strip()), ""


def record(expression: str, topic: str, directory: str) -> dict[str, object]:
    """The case of one expression."""
    case: dict[str, object] = {
        "id": hashlib.sha256(expression.encode()).hexdigest()[:10],
        "topic": topic,
        "expr": expression,
    }
    error, text = ask(f"base64encode(jsonencode({expression}))", directory)
    if error is None:
        _, kind = ask(f"type({expression})", directory)
        quoted = re.fullmatch(r'"(.*)"', text)
        case |= {"type": kind, "json": base64.b64decode(quoted[1]).decode() if quoted else text}
        return case
    error, text = ask(expression, directory)
    if error is not None:
        return {**case, "error": {"summary": error}}
    _, kind = ask(f"type({expression})", directory)
    return {**case, "type": kind, "console": text}


def main() -> None:
    """Record every line; a line `# topic` sets the topic of those that follow."""
    topic = "functions"
    with tempfile.TemporaryDirectory() as directory:
        for line in sys.stdin:
            expression = line.rstrip("\n")
            if expression.startswith("# "):
                topic = expression[2:]
            elif expression:
                print(json.dumps(record(expression, topic, directory), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
