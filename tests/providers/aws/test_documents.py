"""The pages in docs/providers/aws say what the declarations say."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinfra.providers.aws import catalog
from twinfra.providers.aws.document import page

PAGES = Path(__file__).parents[3] / "docs" / "providers" / "aws"
AGAIN = "make them again: python -m twinfra.providers.aws.document docs/providers/aws"


@pytest.mark.parametrize("kind", list(catalog.files()))
def test_the_page_of_a_type_is_up_to_date(kind: str) -> None:
    file = PAGES / f"{kind}.md"
    assert file.exists(), AGAIN
    assert file.read_text(encoding="utf-8") == page(kind), AGAIN


def test_the_index_lists_every_type_and_no_other() -> None:
    listed = {
        line.partition("](")[2].partition(".md")[0]
        for line in (PAGES / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("- [")
    }
    assert listed == set(catalog.files()), AGAIN
