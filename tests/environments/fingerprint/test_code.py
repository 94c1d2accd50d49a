"""The digest of the code."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinfra.config.installer import load_texts
from twinfra.environments.fingerprint import code_digest, read_code
from twinfra.lang.formatter import format_source


def digest_of(**texts: str) -> str:
    """The digest of a root module from texts by name, with `_` for the dot."""
    files = {}
    for name, text in texts.items():
        stem, _, suffix = name.rpartition("_")
        files[f"{stem}.{suffix}"] = text
    configuration, found = load_texts(Path(), files)
    assert not found.has_errors, list(found)
    return code_digest(configuration)


MAIN = """
variable "name" {
  type    = string
  default = "x"
}

locals {
  a = 1
  b = [for k, v in { one = 1, two = 2 } : "${k}-${v}" if v > 0]
}

resource "terraform_data" "one" {
  count = 2
  input = { name = var.name, list = local.b, text = "a${local.a}b" }
  lifecycle {
    ignore_changes = [input]
  }
}

output "all" {
  value = terraform_data.one[*].output
}
"""


def test_formatting_and_comments_make_no_difference() -> None:
    other = """# a comment
variable "name" { # another
    default     =   "x"
  type = string
}
locals {
  b = [
    for k, v in { two = 2
      one = 1 } : /* within */ "${ k }-${ v }" if (v > 0)
  ]
}
output "all" {value = terraform_data.one[*].output}
locals { a = 1.0 }
resource "terraform_data" "one" {
  lifecycle {
    ignore_changes = [input,]
  }
  input = {
    "list" = "${local.b}"
    text   = "a${(local.a)}b" // at the end
    name   : var.name
  }
  count = (2)
}
"""
    assert digest_of(main_tf=MAIN) == digest_of(main_tf=other)


def test_files_and_the_order_of_blocks_make_no_difference() -> None:
    parts = MAIN.strip().split("\n\n")
    assert len(parts) == 4
    split = {f"part{at}_tf": text for at, text in enumerate(reversed(parts))}
    assert digest_of(**split) == digest_of(main_tf=MAIN)


def test_a_heredoc_and_a_quoted_text_are_the_same() -> None:
    quoted = 'output "x" { value = "one\\ntwo ${terraform.workspace}\\n" }'
    heredoc = 'output "x" {\n  value = <<-EOT\n    one\n    two ${terraform.workspace}\n  EOT\n}\n'
    assert digest_of(main_tf=quoted) == digest_of(main_tf=heredoc)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"x"', '"y"'),
        ("count = 2", "count = 3"),
        ("v > 0", "v >= 0"),
        ("[*]", ".*"),
        ("[input]", "all"),
        ('"one"', '"two"'),
        ("string", "number"),
        ('"a${local.a}b"', '"a${local.a}"'),
        ("two = 2", "two = 2, three = 3"),
        ("k, v in", "v, k in"),
    ],
)
def test_a_change_of_meaning_makes_a_difference(old: str, new: str) -> None:
    changed = MAIN.replace(old, new)
    assert changed != MAIN
    configuration, _ = load_texts(Path(), {"main.tf": changed})
    assert code_digest(configuration) != digest_of(main_tf=MAIN)


def test_the_order_of_blocks_of_one_type_inside_a_block_counts() -> None:
    def text(first: str, second: str) -> str:
        return f"""resource "aws_security_group" "x" {{
  {first}
  {second}
}}"""

    one = 'ingress {\n  from_port = 1\n  to_port = 1\n  protocol = "tcp"\n  }'
    two = 'dynamic "ingress" {\n  for_each = []\n  content {}\n  }'
    assert digest_of(main_tf=text(one, two)) != digest_of(main_tf=text(two, one))


def test_settings_in_one_terraform_block_or_in_two_are_the_same() -> None:
    one = 'terraform {\n  required_version = ">= 1.0"\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}'
    two = 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\nterraform {\n  required_version = ">= 1.0"\n}'
    assert digest_of(main_tf=one) == digest_of(main_tf=two)


def test_json_is_blind_to_layout_order_and_comments() -> None:
    one = '{"output": {"x": {"value": "${1 + 2}"}}, "locals": {"a": [1, 2], "b": 1}}'
    two = (
        '{"//": "hello", "locals": {"b": 1.0, "a": [1,\n2]}, "output": {"x": {"//": 1, "value": "${ 1+2 }"}}}'
    )
    three = one.replace("2]", "3]")
    assert digest_json(one) == digest_json(two) != digest_json(three)


def digest_json(text: str) -> str:
    configuration, _ = load_texts(Path(), {"main.tf.json": text})
    return code_digest(configuration)


def test_numbers_beyond_all_count() -> None:
    one, other = (digest_json(f'{{"locals": {{"a": 1e{power}}}}}') for power in (999999999, 99999999))
    assert one != other


def test_what_an_override_file_says_counts() -> None:
    changed = digest_of(main_tf=MAIN, main_override_tf='variable "name" { default = "z" }')
    assert changed != digest_of(main_tf=MAIN)


def test_modules_count(tmp_path: Path) -> None:
    from twinfra.config.installer import load

    (tmp_path / "m").mkdir()
    (tmp_path / "main.tf").write_text('module "m" {\n  source = "./m"\n}\n')
    (tmp_path / "m" / "main.tf").write_text("locals {\n  a = 1\n}\n")
    first = code_digest(load(tmp_path)[0])
    (tmp_path / "m" / "main.tf").write_text("locals {\n  a = 2\n}\n")
    assert code_digest(load(tmp_path)[0]) != first


FILES = {
    "file": 'output "x" {\n  value = file("${path.module}/data.txt")\n}\n',
    "a local": 'locals {\n  at = "./data.txt"\n}\noutput "x" {\n  value = filesha256(local.at)\n}\n',
    "template": 'output "x" {\n  value = templatefile("data.txt", {})\n}\n',
    "list": 'output "x" {\n  value = fileset(".", "*.txt")\n}\n',
    "existence": 'output "x" {\n  value = fileexists("./new.txt")\n}\n',
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_the_code_reads_count(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from twinfra.config.installer import load

    monkeypatch.chdir(tmp_path)
    Path("main.tf").write_text(FILES[name])
    Path("data.txt").write_text("one")
    first = read_code(load(Path())[0])
    assert not first.uncovered
    Path("data.txt").write_text("two")
    Path("new.txt").write_text("")
    assert code_digest(load(Path())[0]) != first.digest


def test_a_file_whose_path_depends_on_inputs_is_told_as_not_covered() -> None:
    text = 'variable "x" {}\noutput "x" {\n  value = file("${var.x}.txt")\n}\n'
    configuration, _ = load_texts(Path(), {"main.tf": text})
    ((function, place),) = read_code(configuration).uncovered
    assert (function, place.first.line) == ("file", 3)


def test_the_place_on_disk_makes_no_difference(tmp_path: Path) -> None:
    from twinfra.config.installer import load

    digests = set()
    for name in ("a", "b"):
        (tmp_path / name / "m").mkdir(parents=True)
        (tmp_path / name / "main.tf").write_text('module "m" {\n  source = "./m"\n}\n')
        (tmp_path / name / "m" / "x.txt").write_text("hello")
        (tmp_path / name / "m" / "main.tf").write_text(
            'output "x" {\n  value = file("${path.module}/x.txt")\n}\n'
        )
        digests.add(code_digest(load(tmp_path / name)[0]))
    assert len(digests) == 1


names = st.sampled_from(["a", "b", "c", "d"])
literals = st.integers(0, 9).map(str) | names.map(lambda one: f'"{one}"') | st.sampled_from(["true", "null"])
expressions = st.recursive(
    literals | names.map(lambda one: f"local.{one}"),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "==", "&&"]), inner).map(lambda one: f"({' '.join(one)})")
        | st.lists(inner, max_size=3).map(lambda all: f"[{', '.join(all)}]")
        | st.dictionaries(names, inner, max_size=3).map(
            lambda all: "{" + ", ".join(f"{key} = {value}" for key, value in all.items()) + "}"
        )
        | inner.map(lambda one: f"try({one}, null)")
        | inner.map(lambda one: f'"x${{{one}}}y"')
        | st.tuples(inner, inner, inner).map(lambda one: f"{one[0]} ? {one[1]} : {one[2]}")
    ),
    max_leaves=8,
)
patient = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
everything = st.dictionaries(names, expressions, min_size=1, max_size=4)


def text_of(all: dict[str, str]) -> str:
    return "locals {\n" + "".join(f"  {name} = {value}\n" for name, value in all.items()) + "}\n"


def any_digest(text: str) -> str:
    configuration, _ = load_texts(Path(), {"main.tf": text})
    return code_digest(configuration)


@patient
@given(everything, st.randoms(use_true_random=False))
def test_whatever_is_written_layout_and_order_make_no_difference(all: dict[str, str], random: object) -> None:
    items = list(all.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    spread = "".join(f"# {name}\nlocals   {{ {name} = ( {value} ) }}\n\n" for name, value in items)
    formatted = format_source(text_of(all))
    assert any_digest(text_of(all)) == any_digest(spread) == any_digest(formatted)


@patient
@given(everything, st.data())
def test_whatever_is_written_another_value_makes_a_difference(
    all: dict[str, str], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(all)))
    assert any_digest(text_of({**all, name: f"[{all[name]}]"})) != any_digest(text_of(all))
    assert any_digest(text_of({**all, "e": "1"})) != any_digest(text_of(all))


def test_a_string_in_json_that_is_no_template_has_a_form_too() -> None:
    """What is wrong with it is told where it is evaluated, and not before."""
    text = '{"locals": {"a": "%s"}}'
    assert digest_of(**{"main.tf_json": text % "${"}) != digest_of(**{"main.tf_json": text % "a ${"})
