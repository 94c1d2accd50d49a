"""`twinfra drift -accept`: what was changed by hand comes into the source, entry by entry, or not at all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.conftest import Directory

import twinfra.cli.drift_accept as accepting

pytestmark = pytest.mark.emulator

BUCKET = """\
resource "aws_s3_bucket" "data" {
  bucket = "drift-data"
  tags = {
    Name = "data" # its name
  }
}
"""
VERSIONING = """\
resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration {
    status = "Enabled"
  }
}
"""


def retag(aws: Callable[..., Any], **tags: str) -> None:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    aws("s3").put_bucket_tagging(Bucket="drift-data", Tagging={"TagSet": pairs})


def suspend(aws: Callable[..., Any]) -> None:
    aws("s3").put_bucket_versioning(Bucket="drift-data", VersioningConfiguration={"Status": "Suspended"})


def main(directory: Directory) -> str:
    return (directory.path / "main.tf").read_text()


def test_several_entries_that_came_are_all_written(twinfra: Directory, aws: Callable[..., Any]) -> None:
    twinfra.write(main_tf=BUCKET)
    twinfra.ok("apply", "-auto-approve")
    retag(aws, Name="data", Owner="ana", Cost="12")
    ran = twinfra("drift", "-accept", "-auto-approve")
    assert ran.code == 0, ran.all
    assert '    Name  = "data" # its name\n    Cost  = "12"\n    Owner = "ana"\n  }\n' in main(twinfra)
    assert twinfra("drift").code == 0


def test_what_accepted_objects_depend_on_goes_on_being_told(
    twinfra: Directory, aws: Callable[..., Any]
) -> None:
    bucket = 'variable "name" {\n  default = "data"\n}\n' + BUCKET.replace('"data" # its name', "var.name")
    twinfra.write(main_tf=bucket + VERSIONING)
    twinfra.ok("apply", "-auto-approve")
    retag(aws, Name="other")
    suspend(aws)
    ran = twinfra("drift", "-accept", "-auto-approve")
    assert ran.code == 2
    assert "Accepted: 1 of 2." in ran.out
    (finding,) = json.loads(twinfra("drift", "-json").out)["findings"]
    assert finding["address"] == "aws_s3_bucket.data"


def test_an_object_that_is_neither_there_nor_declared_leaves_the_state(
    twinfra: Directory, aws: Callable[..., Any]
) -> None:
    twinfra.write(main_tf=BUCKET)
    twinfra.ok("apply", "-auto-approve")
    aws("s3").delete_bucket(Bucket="drift-data")
    twinfra.write(main_tf="locals {}\n")
    assert twinfra("drift").code == 2
    assert twinfra("drift", "-accept", "-auto-approve").code == 0
    assert twinfra.ok("state", "list").out == ""


def test_a_literal_in_a_module_called_twice_is_written_once_both_agree(
    twinfra: Directory, aws: Callable[..., Any]
) -> None:
    (twinfra.path / "team").mkdir()
    module = twinfra.path / "team" / "main.tf"
    module.write_text(
        'variable "name" {}\nresource "aws_cloudwatch_log_group" "logs" {\n'
        "  name              = var.name\n  retention_in_days = 30 # a month\n}\n"
    )
    call = 'module "{0}" {{\n  source = "./team"\n  name = "{0}"\n}}\n'
    twinfra.write(main_tf=call.format("alpha") + call.format("beta"))
    twinfra.ok("apply", "-auto-approve")
    aws("logs").put_retention_policy(logGroupName="alpha", retentionInDays=90)
    ran = twinfra("drift", "-accept", "-auto-approve")
    assert ran.code == 2
    assert "a variable of the module" in " ".join(ran.out.split())
    aws("logs").put_retention_policy(logGroupName="beta", retentionInDays=90)
    assert twinfra("drift", "-accept", "-auto-approve").code == 0
    assert "retention_in_days = 90 # a month\n" in module.read_text()
    assert twinfra("drift").code == 0


def test_a_read_only_file_is_not_replaced(twinfra: Directory, aws: Callable[..., Any]) -> None:
    twinfra.write(main_tf=BUCKET + VERSIONING)
    twinfra.ok("apply", "-auto-approve")
    suspend(aws)
    file = twinfra.path / "main.tf"
    file.chmod(0o444)
    ran = twinfra("drift", "-accept", "-auto-approve")
    assert ran.code == 1
    assert "main.tf is read-only. Nothing was written." in ran.err
    assert main(twinfra) == BUCKET + VERSIONING
    assert twinfra("drift").code == 2


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError], ids=lambda one: one.__name__)
def test_what_ends_it_half_way_puts_the_source_back(
    twinfra: Directory,
    aws: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    fault: type[BaseException],
) -> None:
    twinfra.write(main_tf=BUCKET + VERSIONING)
    twinfra.ok("apply", "-auto-approve")
    suspend(aws)
    before = (twinfra.path / "terraform.tfstate").read_bytes()

    def fail(*_: object, **__: object) -> None:
        assert '"Suspended"' in main(twinfra)
        raise fault

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("reports")))
    monkeypatch.setattr(accepting, "perform", fail)
    assert twinfra("drift", "-accept", "-auto-approve").code == (130 if fault is KeyboardInterrupt else 1)
    assert main(twinfra) == BUCKET + VERSIONING
    assert (twinfra.path / "terraform.tfstate").read_bytes() == before


def test_a_file_that_was_changed_meanwhile_is_left_alone(
    twinfra: Directory, aws: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    twinfra.write(main_tf=BUCKET + VERSIONING)
    twinfra.ok("apply", "-auto-approve")
    suspend(aws)
    changed = BUCKET + VERSIONING + "# mine\n"

    def approve(*_: object) -> bool:
        twinfra.write(main_tf=changed)
        return True

    monkeypatch.setattr(accepting, "approved", approve)
    ran = twinfra("drift", "-accept")
    assert ran.code == 1
    assert "Source was changed meanwhile" in ran.err
    assert main(twinfra) == changed


TRUST = """{
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]
  }"""


@pytest.mark.parametrize(
    ("declared", "reason"),
    [(f"jsonencode({TRUST})", "change jsonencode("), (f"<<-EOT\n{TRUST}\nEOT\n", "It is a heredoc")],
    ids=["function", "heredoc"],
)
def test_a_text_that_is_made_is_not_rewritten(
    twinfra: Directory, aws: Callable[..., Any], declared: str, reason: str
) -> None:
    text = f'resource "aws_iam_role" "one" {{\n  name = "one"\n  assume_role_policy = {declared}\n}}\n'
    twinfra.write(main_tf=text)
    twinfra.ok("apply", "-auto-approve")
    other = TRUST.replace("ec2", "eks")
    aws("iam").update_assume_role_policy(RoleName="one", PolicyDocument=other)
    ran = twinfra("drift", "-accept", "-auto-approve")
    assert ran.code == 2
    assert reason in " ".join(ran.out.split())
    assert main(twinfra) == text
    # What differs in the text is told, not two texts to be compared by eye.
    assert 'Principal.Service: "ec2.amazonaws.com" -> "eks.amazonaws.com"' in " ".join(ran.out.split())


def test_a_policy_that_says_the_same_in_other_words_has_not_drifted(
    twinfra: Directory, aws: Callable[..., Any]
) -> None:
    twinfra.write(
        main_tf='resource "aws_iam_role" "one" {\n  name = "one"\n'
        f"  assume_role_policy = jsonencode({TRUST})\n}}\n"
    )
    twinfra.ok("apply", "-auto-approve")
    same = json.dumps(json.loads(TRUST), indent=7, sort_keys=True)
    aws("iam").update_assume_role_policy(RoleName="one", PolicyDocument=same)
    assert twinfra("drift").code == 0


def test_json_syntax_is_left_to_the_person(twinfra: Directory, aws: Callable[..., Any]) -> None:
    text = json.dumps(
        {"resource": {"aws_cloudwatch_log_group": {"logs": {"name": "l", "retention_in_days": 7}}}}
    )
    (twinfra.path / "main.tf.json").write_text(text)
    twinfra.ok("apply", "-auto-approve")
    aws("logs").put_retention_policy(logGroupName="l", retentionInDays=30)
    ran = twinfra("drift", "-accept", "-auto-approve")
    assert ran.code == 2
    assert "It is written in JSON syntax" in ran.out
    assert (twinfra.path / "main.tf.json").read_text() == text


def test_elements_of_lists_in_nested_blocks_are_written(twinfra: Directory, aws: Callable[..., Any]) -> None:
    twinfra.write(
        main_tf="""\
resource "aws_security_group" "web" {
  name = "web"
  ingress {
    from_port = 443
    to_port   = 443
    protocol  = "tcp"
    cidr_blocks = [
      "10.0.0.0/8", # the office
      "10.1.0.0/16",
    ]
  }
}
"""
    )
    twinfra.ok("apply", "-auto-approve")
    before = main(twinfra)
    id = json.loads(twinfra.ok("show", "-json").out)["values"]["root_module"]["resources"][0]["values"]["id"]
    aws("ec2").authorize_security_group_ingress(
        GroupId=id,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}
        ],
    )
    ran = twinfra("drift", "-accept", "-auto-approve")
    assert ran.code == 2
    assert "It is a block" in ran.out, "a rule that is another one now: which block it was nobody can tell"
    assert main(twinfra) == before
