"""Reading comma-separated values (RFC 4180), strictly: quotes only around whole fields."""

from __future__ import annotations


class CSVError(Exception):
    """Why a text is not CSV, in words for people; `line` counts from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(f"line {line}: {reason}")
        self.reason = f"line {line}: {reason}"


def read_csv(text: str) -> list[list[str]]:
    """The records of a text; empty lines are no records. Raises `CSVError`."""
    lines = text.split("\n")
    # A carriage return before a line end, or at the very end, belongs to that.
    lines = [line.removesuffix("\r") for line in lines]
    records: list[list[str]] = []
    at = 0
    while at < len(lines):
        if lines[at]:
            record, at = _record(lines, at)
            records.append(record)
            if len(record) != len(records[0]):
                columns = f"{len(record)} fields, but the header has {len(records[0])}"
                raise CSVError(f"this record has {columns}", at)
        else:
            at += 1
    return records


def _record(lines: list[str], at: int) -> tuple[list[str], int]:
    """The record that starts on a line, and the line after it."""
    first = at
    fields: list[str] = []
    line = lines[at]
    position = 0
    while True:
        if not line.startswith('"', position):
            end = line.find(",", position)
            field = line[position:] if end < 0 else line[position:end]
            if '"' in field:
                raise CSVError('a field with " in it must be quoted as a whole', at + 1)
            fields.append(field)
            if end < 0:
                return fields, at + 1
            position = end + 1
            continue
        parts: list[str] = []
        position += 1
        while True:
            end = line.find('"', position)
            if end < 0:
                parts += (line[position:], "\n")
                at += 1
                if at == len(lines):
                    raise CSVError("a quoted field is never closed", first + 1)
                line, position = lines[at], 0
                continue
            parts.append(line[position:end])
            position = end + 1
            if not line.startswith('"', position):
                break
            parts.append('"')
            position += 1
        fields.append("".join(parts))
        if position == len(line):
            return fields, at + 1
        if line[position] != ",":
            raise CSVError(
                'after a quoted field, only a comma may follow (within one, write "" for ")', at + 1
            )
        position += 1
