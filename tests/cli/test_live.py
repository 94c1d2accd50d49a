"""The live table of what is in flight."""

import io
import re

import pytest
from rich.console import Console

from twinfra.addresses import AbsResource, Instance, parse_address
from twinfra.cli.render.live import LiveEvents
from twinfra.cli.render.style import Style
from twinfra.engine.changes import Action


def drawn(width: int, note: str = "") -> list[str]:
    """The lines of a table with one long and one short address."""
    events = LiveEvents(Style(True), 54)
    events.console = Console(file=io.StringIO(), width=width, force_terminal=False)
    for text in ('aws_s3_bucket_server_side_encryption_configuration.data["training"]', "aws_vpc.main"):
        named = parse_address(text)
        address = named.instance(None) if isinstance(named, AbsResource) else named
        assert isinstance(address, Instance)
        events._begin(address, Action.DELETE)
        events.apply_progress(address, Action.DELETE, 1.0, note)
    with events.console.capture() as captured:
        events.console.print(events.table())
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_what_is_done_and_for_how_long_is_seen_at_any_width(width: int) -> None:
    lines = drawn(width, "waiting for the thing to go away")
    assert all(len(line) <= width for line in lines)
    assert all(re.search(r"Destroying +\d+s", line) for line in lines[:2])


def test_a_note_has_the_room_that_is_left() -> None:
    assert "waiting" in drawn(200, "waiting")[0]
