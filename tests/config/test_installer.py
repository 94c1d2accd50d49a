"""The tree of modules."""

from __future__ import annotations

from pathlib import Path

from tests.config.projects import Project

from twinfra.config.installer import load, load_texts


def test_modules_are_found_by_local_paths(project: Project) -> None:
    configuration, found = project.load(
        {
            "main.tf": 'module "a" {\n  source = "./mods/a"\n}\nmodule "b" {\n  source = "./mods/b"\n}\n',
            "mods/a/main.tf": 'module "b" {\n  source = "../b"\n}\n',
            "mods/b/main.tf": "locals {\n  x = 1\n}\n",
        }
    )

    assert not found
    assert list(configuration.modules) == [(), ("a",), ("a", "b"), ("b",)]
    assert configuration.modules[("a", "b")].directory == Path("mods/b")
    assert set(configuration.files) == {"main.tf", "mods/a/main.tf", "mods/b/main.tf"}


def test_a_module_may_lie_above_the_root(project: Project) -> None:
    project.write({"root/main.tf": 'module "a" {\n  source = "../shared"\n}\n', "shared/main.tf": ""})

    configuration, found = load(Path("root"))

    assert not found
    assert configuration.modules[("a",)].directory == Path("shared")


def test_texts_give_the_same_configuration_without_files(project: Project) -> None:
    configuration, _ = project.load(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n}\nmodule "e" {\n  source = "./empty"\n}\n',
            "a/main.tf": 'variable "x" {\n  default = 1\n}\n',
            "a/override.tf": 'variable "x" {\n  default = 2\n}\n',
            "empty/README": "",
        }
    )
    for path in project.directory.rglob("*.tf"):
        path.unlink()

    again, found = load_texts(configuration.root_directory, configuration.files)

    assert not found
    assert list(again.modules) == [(), ("a",), ("e",)]
    assert again.modules[("a",)].variables["x"].default == 2


def test_a_directory_without_configuration_is_an_empty_module(project: Project) -> None:
    configuration, found = load(Path())

    assert not found
    assert not configuration.files
    assert not configuration.root.resources


def test_a_module_that_contains_itself_is_refused(project: Project) -> None:
    _, found = project.load(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n}\n',
            "a/main.tf": 'module "b" {\n  source = "../b"\n}\n',
            "b/main.tf": 'module "a" {\n  source = "../a"\n}\n',
        }
    )

    (one,) = found
    assert one.summary == "Module calls itself"
    assert "a -> b -> a" in one.detail
    assert one.subject is not None
    assert one.subject.filename == "b/main.tf"


def test_sources_that_cannot_be_loaded(project: Project) -> None:
    texts = {
        "hashicorp/vpc/aws": ("Unsupported module source", 1),
        "git::https://example.com/x.git": ("Unsupported module source", 1),
        "/etc": ("Unsupported module source", 2),
        "": ("Unsupported module source", 2),
        "./missing": ("No such module", 1),
    }
    for source, (summary, line) in texts.items():
        _, found = project.load(f'module "a" {{\n  source = "{source}"\n}}\n')

        assert [one.summary for one in found] == [summary], source
        assert found.items[0].subject is not None
        assert found.items[0].subject.first.line == line


def test_modules_are_not_looked_into_before_the_root_module_can_be_read(project: Project) -> None:
    _, found = project.load(
        {
            "main.tf": 'variable "x" {\n  bogus = 1\n}\nmodule "a" {\n  source = "./a"\n}\n',
            "a/main.tf": "bogus = 1\n",
        }
    )

    assert [one.subject.filename for one in found if one.subject] == ["main.tf"]


def test_a_backend_of_a_called_module_is_only_warned_of(project: Project) -> None:
    _, found = project.load(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n}\n',
            "a/main.tf": 'terraform {\n  backend "local" {}\n}\n',
        }
    )

    assert [one.severity for one in found] == ["warning"]
