"""`twinfra fmt`."""

from tests.cli.conftest import Directory

UGLY = 'locals {\n  a=1\n  long_name = "x"\n}\n'
PRETTY = 'locals {\n  a         = 1\n  long_name = "x"\n}\n'


def test_rewrites_what_differs_and_lists_it(twinfra: Directory) -> None:
    twinfra.write(main_tf=UGLY, other_tf=PRETTY)
    assert twinfra.ok("fmt").out == "main.tf\n"
    assert (twinfra.path / "main.tf").read_text() == PRETTY
    assert twinfra.ok("fmt").out == ""


def test_check_changes_nothing(twinfra: Directory) -> None:
    twinfra.write(main_tf=UGLY)
    ran = twinfra("fmt", "-check", "-diff")
    assert ran.code == 3
    assert "-  a=1" in ran.out
    assert "+  a         = 1" in ran.out
    assert (twinfra.path / "main.tf").read_text() == UGLY


def test_standard_input(twinfra: Directory) -> None:
    assert twinfra.ok("fmt", "-", stdin=UGLY).out == PRETTY


def test_directories_below_only_when_asked(twinfra: Directory) -> None:
    (twinfra.path / "below").mkdir()
    (twinfra.path / "below" / "main.tf").write_text(UGLY)
    assert twinfra.ok("fmt").out == ""
    assert twinfra.ok("fmt", "-recursive").out == "below/main.tf\n"


def test_syntax_errors_are_shown_and_the_file_left_alone(twinfra: Directory) -> None:
    twinfra.write(main_tf="locals {\n  a = \n}\n")
    ran = twinfra("fmt")
    assert ran.code == 2
    assert "main.tf" in ran.err
    assert (twinfra.path / "main.tf").read_text() == "locals {\n  a = \n}\n"


def test_a_target_that_is_not_there(twinfra: Directory) -> None:
    ran = twinfra("fmt", "nowhere.tf")
    assert ran.code == 2
    assert "nowhere.tf" in ran.err
