"""Reading files of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Case = dict[str, Any]


def read_cases(path: Path) -> list[Case]:
    """The cases of a file, one JSON object a line; none where the file is missing."""
    if not path.is_file():
        return []
    # Only line feeds end a line: other separators, such as U+2028, occur inside of strings.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
