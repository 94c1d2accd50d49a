"""Finding functions, and what is said about them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from twinfra.lang.functions import catalog, lookup, suggestion
from twinfra.lang.functions.catalog import _modules
from twinfra.lang.functions.document import markdown, metadata


def test_a_function_is_found_by_its_name_with_or_without_the_namespace() -> None:
    found = lookup("upper")
    assert found is not None
    assert found.name == "upper"
    assert lookup("core::upper") is found


def test_what_does_not_exist_is_not_found() -> None:
    for name in (
        "nope",
        "core::nope",
        "core::core::upper",
        "core::provider::terraform::encode_expr",
        "Upper",
        "",
    ):
        assert lookup(name) is None


def test_the_functions_of_the_built_in_provider_are_found() -> None:
    assert lookup("provider::terraform::encode_expr") is not None


def test_a_suggestion_is_the_nearest_name() -> None:
    assert "upper" in suggestion("uper")
    assert suggestion("zzzzzzzz") == ""


def test_looking_one_up_imports_only_its_own_family() -> None:
    program = (
        "import sys; from twinfra.lang.functions import lookup; lookup('upper');"
        "print('twinfra.lang.functions.strings' in sys.modules, 'twinfra.lang.functions.encoding' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["True", "False"]


def test_every_function_is_found_in_the_sources() -> None:
    assert set(catalog()) == set(_modules())


def test_every_function_and_parameter_is_described() -> None:
    for function in catalog().values():
        assert function.description.endswith("."), function.name


def test_metadata_has_every_function_under_both_names() -> None:
    signatures = metadata()["function_signatures"]
    assert signatures["format"] == signatures["core::format"]
    assert signatures["join"]["parameters"][0]["type"] == "string"
    assert signatures["join"]["variadic_parameter"]["type"] == ["list", "string"]
    assert signatures["format"]["variadic_parameter"]["is_nullable"] is True
    assert not any(name.startswith("provider::") for name in signatures)


def test_the_reference_page_is_what_the_declarations_say() -> None:
    page = Path(__file__).parents[3] / "docs" / "functions.md"
    assert page.read_text(encoding="utf-8") == markdown(), (
        "run: python -m twinfra.lang.functions.document > docs/functions.md"
    )
