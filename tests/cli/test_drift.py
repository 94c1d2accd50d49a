"""`twinfra drift`: what was changed by hand in the emulated cloud is told, repaired, or accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory

from twinfra.sandbox import faults

pytestmark = pytest.mark.emulator

MAIN = """\
variable "days" {
  default = 7
}

resource "aws_s3_bucket" "data" {
  bucket = "drift-data"
  tags = {
    Name = "data" # its name
    Team = "ml"
  }
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_cloudwatch_log_group" "logs" {
  count             = 2
  name              = "drift-${count.index}"
  retention_in_days = var.days
}
"""


@pytest.fixture
def applied(twinfra: Directory, aws: Callable[..., Any]) -> Directory:
    twinfra.write(main_tf=MAIN)
    twinfra.ok("apply", "-auto-approve")
    return twinfra


def main(directory: Directory) -> str:
    return (directory.path / "main.tf").read_text()


def retag(aws: Callable[..., Any], **tags: str) -> None:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    aws("s3").put_bucket_tagging(Bucket="drift-data", Tagging={"TagSet": pairs})


def suspend(aws: Callable[..., Any]) -> None:
    aws("s3").put_bucket_versioning(Bucket="drift-data", VersioningConfiguration={"Status": "Suspended"})


def drift_half_repairable(aws: Callable[..., Any], sandbox: Any) -> None:
    """Two things drift, and the cloud lets only one of them be put right until it is healed."""
    suspend(aws)
    aws("logs").delete_log_group(logGroupName="drift-0")
    faults.inject(
        sandbox, "s3", "PutBucketVersioning", code="AccessDenied", message="no", status=403, times=9
    )


def test_nothing_drifted(applied: Directory) -> None:
    ran = applied.ok("drift")
    assert ran.out.endswith("No drift: 4 objects looked at.\n")
    document = json.loads(applied.ok("drift", "-json").out)
    assert (document["checked"], document["findings"]) == (4, [])


def test_a_change_is_told_with_both_values_its_argument_and_what_repairs_it(
    applied: Directory, aws: Callable[..., Any]
) -> None:
    suspend(aws)
    retag(aws, Name="other", Team="ml")
    before = (applied.path / "terraform.tfstate").read_bytes()
    ran = applied("drift")
    assert ran.code == 2
    assert 'versioning_configuration[0].status: "Enabled" -> "Suspended"' in ran.out
    assert "violates main.tf:16" in ran.out
    assert 'tags["Name"]: "data" -> "other"' in ran.out
    assert "violates main.tf:8" in ran.out
    assert ran.out.count("An apply would put it back.") == 2
    assert ran.out.endswith("Drift: 2 changed, 0 gone, of 4 objects. 2 declared values violated.\n")
    assert "tags_all" not in ran.out, "it says the same again"
    assert (applied.path / "terraform.tfstate").read_bytes() == before


def test_who_did_it_is_told(applied: Directory, aws: Callable[..., Any]) -> None:
    suspend(aws)
    text = " ".join(applied("drift").out.split())
    assert "by arn:aws:" in text
    assert "(PutBucketVersioning)" in text
    (finding,) = json.loads(applied("drift", "-json").out)["findings"]
    (change,) = finding["changes"]
    assert (change["what"], change["address"]) == ("PutBucketVersioning", "127.0.0.1")
    (quiet,) = json.loads(applied("drift", "-json", "-who=false").out)["findings"]
    assert quiet["changes"] == []


def test_where_nobody_may_ask_who_it_was_drift_is_told_all_the_same(
    applied: Directory, aws: Callable[..., Any], sandbox: Any
) -> None:
    suspend(aws)
    faults.inject(
        sandbox, "cloudtrail", "LookupEvents", code="AccessDeniedException", message="no", status=400, times=9
    )
    ran = applied("drift")
    assert ran.code == 2
    assert "AccessDenied" in ran.err
    assert "Drift: 1 changed" in ran.out


def test_the_document_has_every_difference_with_its_place(
    applied: Directory, aws: Callable[..., Any]
) -> None:
    suspend(aws)
    aws("logs").delete_log_group(logGroupName="drift-1")
    ran = applied("drift", "-json")
    assert ran.code == 2
    document = json.loads(ran.out)
    gone, changed = sorted(document["findings"], key=lambda one: one["address"])
    assert (gone["address"], gone["kind"], gone["repair"]) == (
        "aws_cloudwatch_log_group.logs[1]",
        "gone",
        "create",
    )
    (attribute,) = changed["attributes"]
    assert attribute == {
        "path": "versioning_configuration[0].status",
        "element": False,
        "before": "Enabled",
        "after": "Suspended",
        "sensitive": False,
        "declared": {"filename": "main.tf", "line": 16, "column": 14},
        "restored": True,
        "violates": True,
        "echo": False,
    }
    assert (document["drifted"], document["gone"], document["violations"]) == (2, 1, 2)


def test_what_nobody_declared_is_told_as_that(twinfra: Directory, aws: Callable[..., Any]) -> None:
    twinfra.write(main_tf='resource "aws_security_group" "web" {\n  name = "web"\n}\n')
    twinfra.ok("apply", "-auto-approve")
    group = json.loads(twinfra.ok("show", "-json").out)["values"]["root_module"]["resources"][0]["values"][
        "id"
    ]
    aws("ec2").authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        ],
    )
    ran = twinfra("drift")
    assert ran.code == 2
    assert "+ ingress: {" in ran.out
    assert "nobody declared it; an apply would leave it" in ran.out
    assert twinfra("drift", "-accept", "-auto-approve").code == 0
    assert twinfra("drift").code == 0


def test_repair_puts_back_what_drifted_and_nothing_else(applied: Directory, aws: Callable[..., Any]) -> None:
    suspend(aws)
    aws("logs").delete_log_group(logGroupName="drift-0")
    ran = applied("drift", "-repair", "-auto-approve")
    assert ran.code == 0, ran.all
    assert "1 added, 1 changed, 0 destroyed" in ran.out
    assert "-target" not in ran.all
    assert aws("s3").get_bucket_versioning(Bucket="drift-data")["Status"] == "Enabled"
    assert applied("plan", "-detailed-exitcode").code == 0


def test_repair_refuses_to_apply_what_was_edited_too(applied: Directory, aws: Callable[..., Any]) -> None:
    suspend(aws)
    retag(aws, Name="data", Team="other")
    text = main(applied).replace('"drift-data"\n', '"drift-data"\n  force_destroy = true\n')
    (applied.path / "main.tf").write_text(text)
    ran = applied("drift", "-repair", "-auto-approve")
    assert ran.code == 1
    assert "Not only a repair" in ran.err
    assert "force_destroy" in ran.err
    assert aws("s3").get_bucket_versioning(Bucket="drift-data")["Status"] == "Suspended"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('Team = "ml"', 'Team = "web"'),
        ('Name = "data" # its name', 'Name = "third"'),
        ('bucket = "drift-data"', 'bucket = "drift-moved"'),
    ],
    ids=["beside what drifted", "what drifted", "what replaces it"],
)
def test_repair_applies_no_edit_of_the_object_that_drifted(
    applied: Directory, aws: Callable[..., Any], old: str, new: str
) -> None:
    retag(aws, Name="other", Team="ml")
    (applied.path / "main.tf").write_text(main(applied).replace(old, new))
    ran = applied("drift", "-repair", "-auto-approve")
    assert ran.code == 1
    assert "Not only a repair" in ran.err
    tags = aws("s3").get_bucket_tagging(Bucket="drift-data")["TagSet"]
    assert {one["Key"]: one["Value"] for one in tags} == {"Name": "other", "Team": "ml"}


def test_repair_makes_nothing_anew_that_was_edited(applied: Directory, aws: Callable[..., Any]) -> None:
    aws("logs").delete_log_group(logGroupName="drift-0")
    (applied.path / "main.tf").write_text(main(applied).replace("= var.days", "= 30"))
    ran = applied("drift", "-repair", "-auto-approve")
    assert ran.code == 1
    assert "retention_in_days" in ran.err
    assert [one["logGroupName"] for one in aws("logs").describe_log_groups()["logGroups"]] == ["drift-1"]


def test_repair_destroys_nothing_that_is_not_declared_any_more(
    applied: Directory, aws: Callable[..., Any]
) -> None:
    suspend(aws)
    text = main(applied)
    start = text.index('resource "aws_s3_bucket_versioning"')
    (applied.path / "main.tf").write_text(text[:start] + text[text.index('resource "aws_cloudwatch') :])
    ran = applied("drift", "-repair", "-auto-approve")
    assert ran.code == 1
    assert "would be destroyed" in ran.err
    assert "aws_s3_bucket_versioning.data" in applied.ok("state", "list").out


def test_repair_goes_on_telling_of_what_nobody_declared(twinfra: Directory, aws: Callable[..., Any]) -> None:
    twinfra.write(
        main_tf="""
        resource "aws_security_group" "web" {
          name = "web"
        }
        resource "aws_security_group" "other" {
          name        = "other"
          tags        = { Of = aws_security_group.web.id }
        }
        """
    )
    twinfra.ok("apply", "-auto-approve")
    resources = json.loads(twinfra.ok("show", "-json").out)["values"]["root_module"]["resources"]
    ids = {one["name"]: one["values"]["id"] for one in resources}
    aws("ec2").authorize_security_group_ingress(
        GroupId=ids["web"],
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        ],
    )
    aws("ec2").create_tags(Resources=[ids["other"]], Tags=[{"Key": "Of", "Value": "me"}])
    ran = twinfra("drift", "-repair", "-auto-approve")
    assert ran.code == 2, ran.all
    assert "0 added, 1 changed" in ran.out
    assert "Still drifted, since nobody declared it otherwise: aws_security_group.web." in ran.out
    (finding,) = json.loads(twinfra("drift", "-json").out)["findings"]
    assert finding["address"] == "aws_security_group.web"


def test_a_rule_is_not_called_unused_where_only_a_part_is_looked_at(applied: Directory) -> None:
    (applied.path / "twinfra.toml").write_text(
        '[[drift.ignore]]\naddress = "aws_s3_bucket.*"\nreason = "scanner"\nexpires = 2999-01-01\n'
    )
    assert "Drift rule is not used" in applied.ok("drift").err
    assert applied.ok("drift", "-target=aws_cloudwatch_log_group.logs").err == ""


def test_only_what_a_target_covers_is_looked_at_and_counted(
    applied: Directory, aws: Callable[..., Any]
) -> None:
    suspend(aws)
    ran = applied.ok("drift", "-target=aws_cloudwatch_log_group.logs")
    assert ran.out.endswith("No drift: 2 objects looked at.\n")
    assert applied("drift", "-target=aws_s3_bucket_versioning.data").code == 2
    wrong = applied("drift", "-target=aws_s3_bucket_versionin.data")
    assert wrong.code == 1
    assert 'Did you mean "aws_s3_bucket_versioning.data"?' in " ".join(wrong.err.split())


def test_what_the_code_says_by_now_is_no_violation(applied: Directory, aws: Callable[..., Any]) -> None:
    suspend(aws)
    text = main(applied)
    (applied.path / "main.tf").write_text(text.replace('"Enabled"', '"Suspended"'))
    ran = applied("drift")
    assert ran.code == 2
    assert "declared at main.tf:16; an apply would leave it" in ran.out
    assert "0 declared values violated" in ran.out
    retag(aws, Name="other", Team="ml")
    (applied.path / "main.tf").write_text(text.replace('Name = "data"', 'Name = "third"'))
    ran = applied("drift", "-target=aws_s3_bucket.data")
    assert "violates main.tf:8, which is not as it was applied last" in ran.out
    assert "1 declared value violated" in ran.out


def test_repair_asks_and_takes_no_for_an_answer(applied: Directory, aws: Callable[..., Any]) -> None:
    suspend(aws)
    ran = applied("drift", "-repair", stdin="no\n")
    assert ran.code == 2
    assert "Nothing was done." in ran.out
    assert aws("s3").get_bucket_versioning(Bucket="drift-data")["Status"] == "Suspended"


def test_accept_rewrites_literals_and_keeps_all_else(applied: Directory, aws: Callable[..., Any]) -> None:
    suspend(aws)
    retag(aws, Name="other", Owner="me")
    before = main(applied)
    ran = applied("drift", "-accept", "-auto-approve")
    assert ran.code == 0, ran.all
    expected = (
        before.replace('Name = "data" # its name', 'Name  = "other" # its name')
        .replace('Team = "ml"', 'Owner = "me"')
        .replace('"Enabled"', '"Suspended"')
    )
    assert main(applied) == expected
    assert "Written: main.tf." in ran.out
    assert applied("plan", "-detailed-exitcode").code == 0
    assert applied("drift").code == 0


def test_accept_says_which_expression_to_change(applied: Directory, aws: Callable[..., Any]) -> None:
    for name in ("drift-0", "drift-1"):
        aws("logs").put_retention_policy(logGroupName=name, retentionInDays=30)
    before = main(applied)
    ran = applied("drift", "-accept", "-auto-approve")
    assert ran.code == 2
    assert "change var.days" in ran.out
    assert "main.tf:23" in ran.out
    assert main(applied) == before


def test_a_literal_of_several_objects_is_accepted_only_if_all_agree(
    applied: Directory, aws: Callable[..., Any]
) -> None:
    (applied.path / "main.tf").write_text(main(applied).replace("= var.days", "= 7"))
    aws("logs").put_retention_policy(logGroupName="drift-0", retentionInDays=30)
    ran = applied("drift", "-accept", "-auto-approve")
    assert ran.code == 2
    assert "makes 2 objects" in " ".join(ran.out.split())
    aws("logs").put_retention_policy(logGroupName="drift-1", retentionInDays=30)
    assert applied("drift", "-accept", "-auto-approve").code == 0
    assert "= 30" in main(applied)


def test_accept_keeps_the_permissions_of_the_file(applied: Directory, aws: Callable[..., Any]) -> None:
    path = applied.path / "main.tf"
    path.chmod(0o640)
    suspend(aws)
    assert applied("drift", "-accept", "-auto-approve").code == 0
    assert path.stat().st_mode & 0o777 == 0o640


def test_rules_leave_noise_out_and_are_told_when_they_expire(
    applied: Directory, aws: Callable[..., Any]
) -> None:
    retag(aws, Name="other", Team="ml")
    rule = '[[drift.ignore]]\naddress = "aws_s3_bucket.*"\nattribute = "tags*"\nreason = "scanner"\n'
    file = applied.path / "twinfra.toml"
    file.write_text(rule + "expires = 2999-01-01\n")
    quiet = applied("drift")
    assert quiet.code == 0
    assert "left out by the rules" in quiet.out
    file.write_text(rule + "expires = 2020-01-01\n")
    loud = applied("drift")
    assert loud.code == 2
    assert "Drift rule has expired" in loud.err


def test_the_summary_grows_by_a_line_each_time(applied: Directory, aws: Callable[..., Any]) -> None:
    applied.ok("drift", "-summary=trend.jsonl")
    suspend(aws)
    assert applied("drift", "-summary=trend.jsonl").code == 2
    first, second = map(json.loads, (applied.path / "trend.jsonl").read_text().splitlines())
    assert (first["drifted"], second["drifted"]) == (0, 1)
    assert second["types"] == {"aws_s3_bucket_versioning": 1}


def test_the_summary_that_cannot_be_written_is_an_error(applied: Directory) -> None:
    ran = applied("drift", "-summary=no/such/directory/trend.jsonl")
    assert ran.code == 1
    assert "append the summary" in ran.err
    assert "No drift" in ran.out, "what was found out is told all the same"


def test_a_repair_that_fails_half_way_is_told_and_goes_on_later(
    applied: Directory, aws: Callable[..., Any], sandbox: Any
) -> None:
    drift_half_repairable(aws, sandbox)
    ran = applied("drift", "-repair", "-auto-approve")
    assert ran.code == 1
    assert "AccessDenied" in ran.err
    faults.heal(sandbox)
    (left,) = json.loads(applied("drift", "-json").out)["findings"]
    assert left["address"] == "aws_s3_bucket_versioning.data"
    assert applied("drift", "-repair", "-auto-approve").code == 0
    assert applied("drift").code == 0


def test_what_an_apply_that_failed_has_found_is_still_told(
    applied: Directory, aws: Callable[..., Any], sandbox: Any
) -> None:
    drift_half_repairable(aws, sandbox)
    assert applied("apply", "-auto-approve").code == 1
    faults.heal(sandbox)
    (left,) = json.loads(applied("drift", "-json").out)["findings"]
    assert (left["address"], left["attributes"][0]["before"]) == ("aws_s3_bucket_versioning.data", "Enabled")
    assert left["attributes"][0]["violates"]
    applied.ok("apply", "-auto-approve")
    assert applied("drift").code == 0


@pytest.mark.parametrize(
    "flags", [("-repair", "-accept"), ("-json", "-repair"), ("-auto-approve",)], ids=" ".join
)
def test_flags_that_contradict_each_other_are_refused(twinfra: Directory, flags: tuple[str, ...]) -> None:
    assert twinfra("drift", *flags).code == 1


def test_secrets_that_drift_are_not_shown(
    twinfra: Directory, aws: Callable[..., Any], tmp_path: Path
) -> None:
    twinfra.write(
        main_tf="""
        variable "secret" {
          sensitive = true
          default   = "planted-secret"
        }
        resource "aws_s3_bucket" "data" {
          bucket = "drift-data"
          tags   = { Name = var.secret }
        }
        """
    )
    twinfra.ok("apply", "-auto-approve")
    retag(aws, Name="planted-other")
    for flags in ((), ("-json",), ("-accept", "-auto-approve")):
        ran = twinfra("drift", *flags)
        assert ran.code == 2
        assert "planted" not in ran.all, flags


def test_where_nothing_was_applied_that_is_told(twinfra: Directory) -> None:
    wrong = twinfra("drift")
    assert wrong.code == 1
    assert "No configuration" in wrong.err
    twinfra.write(main_tf='resource "terraform_data" "one" {}\n')
    assert twinfra.ok("drift").out == "Nothing was applied here yet, so there is no drift.\n"
