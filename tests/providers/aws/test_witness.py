"""The public provider for AWS, version 3.39.0, as a witness: what it makes, we make.

For each configuration in `tests/data/aws/witness/*.tf` (written without provider and terraform blocks) both
providers apply it, each in an empty cloud. The same things must then be there, seen with boto3; attribute values
in state must be equal, but for those in `differences.json` (versions 3 and 6 differ there, each with the reason);
and our plan on the state that the public provider left must change nothing.

To have the witness, put the original release of the provider into a directory laid out as a filesystem mirror
(`registry.terraform.io/hashicorp/aws/3.39.0/linux_amd64/...`) and name it in TWINFRA_OFFICIAL_AWS; `terraform`
must be on the PATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.cloud_picture import alike, picture

from twinfra.sandbox import faults
from twinfra.sandbox.server import Sandbox

DATA = Path(__file__).parents[2] / "data" / "aws" / "witness"
MIRROR = os.environ.get("TWINFRA_OFFICIAL_AWS", "")
TERRAFORM = shutil.which("terraform")
VERSION = "3.39.0"

pytestmark = [
    pytest.mark.skipif(
        not MIRROR, reason="the public provider is not installed (TWINFRA_OFFICIAL_AWS names its mirror)"
    ),
    pytest.mark.skipif(TERRAFORM is None, reason="stock terraform is not on the PATH"),
]

PROVIDER = """
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "{version}"
    }}
  }}
}}
provider "aws" {{
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_force_path_style         = true
  endpoints {{
{endpoints}
  }}
}}
"""

SERVICES = {
    "s3": "s3", "iam": "iam", "sts": "sts", "ec2": "ec2", "eks": "eks", "elbv2": "elb", "cloudwatch": "cloudwatch",
    "logs": "cloudwatchlogs", "ecr": "ecr", "kms": "kms",
}  # fmt: skip
"""botocore's name of a service to that in the `endpoints` block."""

_PREFIXES = (
    ("aws_s3_", "s3"), ("aws_iam_", "iam"), ("aws_eks_", "eks"), ("aws_lb", "elbv2"), ("aws_cloudwatch_log_", "logs"),
    ("aws_cloudwatch_", "cloudwatch"), ("aws_ecr_", "ecr"), ("aws_", "ec2"),
)  # fmt: skip

Clients = Callable[..., Any]


def environment() -> dict[str, str]:
    """The variables that programs under test see: nothing of AWS or Terraform but what is set here."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_", "TWINFRA_"))
    }
    return kept | {"CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true", "NO_COLOR": "1"}


def run(
    command: list[str], directory: Path, variables: dict[str, str], allowed: tuple[int, ...] = (0,)
) -> str:
    """Run a program; its output. Fails the test with that output when it exits otherwise than allowed."""
    done = subprocess.run(
        command, cwd=directory, env=variables, capture_output=True, text=True, timeout=300, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode in allowed, f"{' '.join(command)} exited {done.returncode}\n{said}"
    return said


class Stock:
    """Stock Terraform with the public provider, initialised once."""

    def __init__(self, directory: Path, endpoint: str) -> None:
        self.directory = directory
        listed = "\n".join(f'    {name} = "{endpoint}"' for name in SERVICES.values())
        self.provider = PROVIDER.format(version=VERSION, endpoints=listed)
        settings = directory / "terraformrc"
        settings.write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path    = "{Path(MIRROR).resolve()}"\n  }}\n}}\n'
        )
        self.variables = environment() | {"TF_CLI_CONFIG_FILE": str(settings)}
        (directory / "provider.tf").write_text(self.provider)
        self.terraform(directory, "init", "-input=false")

    def terraform(self, directory: Path, *arguments: str) -> str:
        """Run it in a directory."""
        variables = self.variables | {"TF_DATA_DIR": str(self.directory / ".terraform")}
        return run([str(TERRAFORM), *arguments, "-no-color"], directory, variables)

    def apply(self, directory: Path, configuration: str) -> dict[str, Any]:
        """Apply a configuration in a new directory; the state.

        It is refreshed: objects that others changed by the way are recorded there as they were before. A refresh drops
        data sources that read managed objects, so these are taken from before.
        """
        directory.mkdir()
        (directory / "main.tf").write_text(configuration)
        (directory / "provider.tf").write_text(self.provider)
        shutil.copy(self.directory / ".terraform.lock.hcl", directory)
        self.terraform(directory, "apply", "-auto-approve", "-input=false")
        applied = json.loads((directory / "terraform.tfstate").read_text())
        self.terraform(directory, "refresh", "-input=false")
        state: dict[str, Any] = json.loads((directory / "terraform.tfstate").read_text())
        kept = {(one["mode"], one["type"], one["name"]) for one in state["resources"]}
        state["resources"] += [
            one
            for one in applied["resources"]
            if one["mode"] == "data" and (one["mode"], one["type"], one["name"]) not in kept
        ]
        return state


class Ours:
    """Our command on the same emulator."""

    def __init__(self, endpoint: str) -> None:
        self.variables = environment() | {
            "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
        }  # fmt: skip

    def twinfra(self, directory: Path, *arguments: str) -> str:
        """Run it in a directory."""
        return run([sys.executable, "-m", "twinfra", *arguments], directory, self.variables)

    def apply(self, directory: Path, configuration: str) -> dict[str, Any]:
        """Apply a configuration in a new directory; the state."""
        directory.mkdir()
        (directory / "main.tf").write_text(configuration)
        self.twinfra(directory, "init")
        self.twinfra(directory, "apply", "-auto-approve", "-input=false")
        state: dict[str, Any] = json.loads((directory / "terraform.tfstate").read_text())
        return state

    def plan_on(self, directory: Path, configuration: str, state: Path) -> None:
        """Plan a configuration on somebody's state; anything but no changes fails."""
        directory.mkdir()
        (directory / "main.tf").write_text(configuration)
        shutil.copy(state, directory / "terraform.tfstate")
        self.twinfra(directory, "init")
        # Exit code 2 would say that there are changes.
        self.twinfra(directory, "plan", "-detailed-exitcode", "-input=false")


@pytest.fixture(scope="session")
def stock(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """The witness."""
    return Stock(tmp_path_factory.mktemp("stock"), running_sandbox.endpoint)


def instances(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Attributes of all managed instances of a state, by address."""
    return {
        f"{one['type']}.{one['name']}[{instance.get('index_key', '')}]": instance["attributes"]
        for one in state["resources"]
        for instance in one["instances"]
    }


def bare(value: Any) -> Any:
    """A value in which null, nothing and false are alike: version 3 did not tell them apart."""
    value = alike(value)
    if isinstance(value, dict):
        return {key: kept for key, one in value.items() if (kept := bare(one)) is not None} or None
    if isinstance(value, list):
        return [bare(one) for one in value] or None
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.dumps(json.loads(value), sort_keys=True)
        except ValueError:
            return value
    return None if value in ("", False, 0) else value


def differing(theirs: Any, ours: Any, allowed: set[str], path: str) -> Iterator[str]:
    """Paths at which two values differ, but for those allowed; what only one of them knows does not count."""
    if path in allowed:
        return
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() & ours.keys()):
            yield from differing(theirs[key], ours[key], allowed, f"{path}.{key}".lstrip("."))
        return
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        # A state does not tell sets, which have an order of their own in it, from lists.
        orders = ((theirs, ours), (sorted(theirs, key=_text), sorted(ours, key=_text)))
        found = [
            [text for one, other in zip(*order, strict=True) for text in differing(one, other, allowed, path)]
            for order in orders
        ]
        yield from min(found, key=len)
        return
    if bare(theirs) != bare(ours):
        yield f"{path}: {theirs!r} there, {ours!r} here"


def _text(value: Any) -> str:
    return json.dumps(bare(value), sort_keys=True)


def cases() -> list[str]:
    """Names of the configurations."""
    return sorted(file.stem for file in DATA.glob("*.tf"))


@pytest.mark.parametrize("name", cases())
def test_what_the_public_provider_makes_we_make(
    name: str, stock: Stock, sandbox: Sandbox, client: Clients, tmp_path: Path
) -> None:
    configuration = (DATA / f"{name}.tf").read_text()
    services = frozenset(service_of(kind) for kind in re.findall(r'resource\s+"(\w+)"', configuration))
    ours = Ours(sandbox.endpoint)
    # An argument that later versions do not have any more stands behind this mark.
    their_state = stock.apply(tmp_path / "theirs", configuration.replace("# version 3: ", ""))
    their_cloud = picture(client, services)
    ours.plan_on(tmp_path / "taken-over", configuration, tmp_path / "theirs" / "terraform.tfstate")
    faults.empty(sandbox)
    our_state = ours.apply(tmp_path / "ours", configuration)
    assert picture(client, services) == their_cloud
    theirs, mine = instances(their_state), instances(our_state)
    assert mine.keys() == theirs.keys()
    known = json.loads((DATA / "differences.json").read_text())
    problems = [
        f"{address}: {problem}"
        for address in sorted(theirs)
        for problem in differing(
            theirs[address],
            mine[address],
            set(known["*"]) | set(known.get(address.partition(".")[0], {})),
            "",
        )
    ]
    assert problems == []


def service_of(kind: str) -> str:
    """botocore's name of the service that a type belongs to."""
    return next(service for prefix, service in _PREFIXES if kind.startswith(prefix))
