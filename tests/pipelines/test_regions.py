"""Generated regions of a file that people work in, too."""

from __future__ import annotations

import pytest

from twinfra.diagnostics import DiagnosticError
from twinfra.pipelines.regions import Region, merge, new_file

ONE, TWO = Region("one", "a: 1\n"), Region("two", "  b: 2\n", "  ")


def test_a_new_file_has_the_regions_in_their_order() -> None:
    lines = new_file([ONE, TWO], "#").splitlines()
    assert lines[0].startswith("# >>> twinfra one ")
    assert lines[1:3] == ["a: 1", "# <<< twinfra one"]
    assert lines[3].startswith("  # >>> twinfra two ")


def test_what_people_write_around_regions_stays() -> None:
    text = "# mine\n" + new_file([ONE], "#") + "between: true\n" + new_file([TWO], "#") + "after: true\n"
    merged = merge(text, "f.yml", [Region("one", "a: 3\n"), TWO], "#")
    assert not merged.edited
    assert merged.text == text.replace("a: 1", "a: 3").replace(
        new_file([ONE], "#").splitlines()[0], new_file([Region("one", "a: 3\n")], "#").splitlines()[0]
    )


def test_merging_the_same_regions_changes_nothing() -> None:
    text = "# mine\n" + new_file([ONE, TWO], "#")
    assert merge(text, "f.yml", [ONE, TWO], "#").text == text


def test_a_region_that_was_edited_is_told_with_its_place() -> None:
    text = "x\n" + new_file([ONE, TWO], "#").replace("b: 2", "b: 7")
    merged = merge(text, "f.yml", [ONE, TWO], "#")
    (told,) = merged.edited
    assert '"two"' in told.detail
    assert told.subject is not None
    assert str(told.subject).startswith("f.yml:5")
    assert "b: 2" in merged.text


def test_line_ends_of_another_system_are_no_edit() -> None:
    text = new_file([ONE], "#").replace("\n", "\r\n")
    assert not merge(text, "f.yml", [ONE], "#").edited


def test_a_new_region_goes_behind_the_one_before_it() -> None:
    text = new_file([ONE], "#") + "mine\n" + new_file([TWO], "#")
    merged = merge(text, "f.yml", [ONE, Region("new", "c\n"), TWO], "#").text
    assert merged == new_file([ONE, Region("new", "c\n")], "#") + "mine\n" + new_file([TWO], "#")


def test_a_new_first_region_goes_before_all_others() -> None:
    text = "mine\n" + new_file([TWO], "#")
    assert merge(text, "f", [ONE, TWO], "#").text == "mine\n" + new_file([ONE, TWO], "#")


def test_a_region_that_is_not_generated_any_more_goes() -> None:
    text = new_file([ONE], "//") + "mine\n" + new_file([TWO], "//")
    assert merge(text, "f", [TWO], "//").text == "mine\n" + new_file([TWO], "//")


def test_a_file_without_regions_is_not_overwritten() -> None:
    with pytest.raises(DiagnosticError, match="there already"):
        merge("all mine\n", "f", [ONE], "#")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("# <<< twinfra one\n", ""),
        lambda text: text + text,
        lambda text: text.splitlines(keepends=True)[-1],
        lambda text: text.replace("# <<< twinfra one", "# <<< twinfra other"),
    ],
)
def test_marks_out_of_order_are_told(spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(DiagnosticError, match=r"Marks|there already"):
        merge(spoil(new_file([ONE], "#")), "f", [ONE], "#")
