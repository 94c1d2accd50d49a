"""Which provider configuration serves a resource."""

from __future__ import annotations

from tests.config.projects import Project

from twinfra.addresses import MANAGED, ModulePath, Resource
from twinfra.config.provider_resolution import ProviderResolution, resolve_providers


def _resolve(project: Project, files: dict[str, str] | str) -> ProviderResolution:
    configuration, found = project.load(files)
    assert not found.has_errors, list(found)
    return resolve_providers(configuration)


def _of(resolution: ProviderResolution, path: ModulePath, type: str, name: str) -> str:
    module = resolution.configuration.modules[path]
    return str(resolution.of(path, module.resources[Resource(MANAGED, type, name)]))


def test_a_provider_is_implied_by_the_type(project: Project) -> None:
    found = _resolve(project, 'resource "aws_vpc" "a" {}\nresource "terraform_data" "b" {}\n')

    assert _of(found, (), "aws_vpc", "a") == 'provider["registry.terraform.io/hashicorp/aws"]'
    assert _of(found, (), "terraform_data", "b") == 'provider["terraform.io/builtin/terraform"]'


def test_an_alias_is_followed(project: Project) -> None:
    found = _resolve(
        project,
        'provider "aws" {\n  alias = "w"\n  region = "x"\n}\nresource "aws_vpc" "a" {\n  provider = aws.w\n}\n',
    )

    assert _of(found, (), "aws_vpc", "a") == 'provider["registry.terraform.io/hashicorp/aws"].w'
    assert [str(one.config) for one in found.declared(())] == [
        'provider["registry.terraform.io/hashicorp/aws"].w'
    ]


def test_local_names_may_differ_from_types(project: Project) -> None:
    found = _resolve(
        project,
        'terraform {\n  required_providers {\n    cloud = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
        'resource "aws_vpc" "a" {\n  provider = cloud\n}\nresource "cloud_x" "b" {}\n',
    )

    assert _of(found, (), "aws_vpc", "a") == 'provider["registry.terraform.io/hashicorp/aws"]'
    assert _of(found, (), "cloud_x", "b") == 'provider["registry.terraform.io/hashicorp/aws"]'


def test_a_default_configuration_is_inherited_through_modules(project: Project) -> None:
    found = _resolve(
        project,
        {
            "main.tf": 'provider "aws" {\n  region = "x"\n}\nmodule "a" {\n  source = "./a"\n}\n',
            "a/main.tf": 'module "b" {\n  source = "../b"\n}\n',
            "b/main.tf": 'resource "aws_vpc" "v" {}\n',
        },
    )

    assert _of(found, ("a", "b"), "aws_vpc", "v") == 'provider["registry.terraform.io/hashicorp/aws"]'


def test_inheritance_goes_by_the_provider_not_by_its_local_name(project: Project) -> None:
    required = (
        'terraform {\n  required_providers {\n    %s = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
    )
    found = _resolve(
        project,
        {
            "main.tf": required % "cloud"
            + 'provider "cloud" {\n  region = "x"\n}\nmodule "a" {\n  source = "./a"\n}\n',
            "a/main.tf": required % "aws" + 'resource "aws_vpc" "v" {}\n',
        },
    )

    assert _of(found, ("a",), "aws_vpc", "v") == 'provider["registry.terraform.io/hashicorp/aws"]'
    (declared,) = found.declared(())
    assert declared.config == found.of(
        ("a",), next(iter(found.configuration.modules[("a",)].resources.values()))
    )


def test_passed_configurations_are_followed_to_where_they_are_declared(project: Project) -> None:
    aliases = (
        "terraform {\n  required_providers {\n    aws = {\n"
        '      source = "hashicorp/aws"\n      configuration_aliases = [aws.one]\n    }\n  }\n}\n'
    )
    found = _resolve(
        project,
        {
            "main.tf": 'provider "aws" {\n  alias = "w"\n  region = "x"\n}\n'
            'module "a" {\n  source = "./a"\n  providers = {\n    aws.one = aws.w\n    aws = aws.w\n  }\n}\n',
            "a/main.tf": aliases
            + 'module "b" {\n  source = "../b"\n  providers = {\n    aws.one = aws.one\n  }\n}\n'
            'resource "aws_vpc" "v" {}\n',
            "b/main.tf": aliases
            + 'resource "aws_vpc" "v" {\n  provider = aws.one\n}\nresource "aws_vpc" "d" {}\n',
        },
    )

    west = 'provider["registry.terraform.io/hashicorp/aws"].w'
    assert not found.diagnostics
    assert _of(found, ("a",), "aws_vpc", "v") == west
    assert _of(found, ("a", "b"), "aws_vpc", "v") == west
    assert _of(found, ("a", "b"), "aws_vpc", "d") == west


def test_a_module_may_configure_its_own(project: Project) -> None:
    files = {
        "main.tf": 'module "a" {\n  source = "./a"\n}\n',
        "a/main.tf": 'provider "aws" {\n  region = "x"\n}\nresource "aws_vpc" "v" {}\n',
    }
    found = _resolve(project, files)

    assert _of(found, ("a",), "aws_vpc", "v") == 'module.a.provider["registry.terraform.io/hashicorp/aws"]'

    files["main.tf"] = 'module "a" {\n  source = "./a"\n  count = 1\n}\n'
    found = _resolve(project, files)

    assert [one.summary for one in found.diagnostics] == ["Module configures its own provider"]


def test_an_alias_that_nothing_declares(project: Project) -> None:
    found = _resolve(
        project,
        'provider "aws" {\n  alias = "west"\n}\nresource "aws_vpc" "a" {\n  provider = aws.wets\n}\n',
    )

    (one,) = found.diagnostics
    assert one.summary == "No such provider configuration"
    assert one.mend == 'Did you mean "aws.west"?'
