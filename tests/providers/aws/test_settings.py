"""The provider block: credentials, endpoints, roles, accounts, and what goes wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.rig import Rig, value_of

from twinfra.providers.aws import AwsProvider
from twinfra.providers.aws.settings import Settings, provider_block, take
from twinfra.providers.protocol import Proposal, ProviderError, Stored
from twinfra.values.types import STRING
from twinfra.values.value import Unknown

CLEAN = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
    "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
)  # fmt: skip


ROLE = "arn:aws:iam::123456789012:role/deployer"


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine that knows nothing of AWS."""
    for name in CLEAN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def settings(**given: Any) -> Settings:
    """The settings of a provider block."""
    return take(value_of(provider_block(), given), {})


def provider(**given: Any) -> AwsProvider:
    """A configured provider that heeds the process's environment."""
    made = AwsProvider()
    made.configure(value_of(provider_block(), given))
    return made


def refusal(action: Any, *arguments: Any) -> str:
    """The first diagnostic of what an action raises, all of it."""
    with pytest.raises(ProviderError) as caught:
        action(*arguments)
    found = caught.value.diagnostics[0]
    return f"{found.summary}: {found.detail} {found.mend}"


def test_keys_region_and_endpoints_of_the_block_are_used(
    rig: Rig, no_environment: pytest.MonkeyPatch
) -> None:
    made = provider(
        region="eu-west-1",
        access_key="a",
        secret_key="b",
        endpoints=[{"sts": rig.endpoint}],
        skip_credentials_validation=True,
    )
    found = made.identity()
    assert (found["region"], found["partition"], found["cloud"]) == ("eu-west-1", "aws", "custom")
    assert found["account"] == "123456789012"


def test_a_profile_of_the_shared_files_gives_region_and_keys(
    rig: Rig, no_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text("[profile ml]\nregion = eu-central-1\n")
    credentials.write_text("[ml]\naws_access_key_id = a\naws_secret_access_key = b\n")
    no_environment.setenv("AWS_ENDPOINT_URL", rig.endpoint)
    made = provider(
        profile="ml", shared_config_files=[str(config)], shared_credentials_files=[str(credentials)]
    )
    assert made.identity()["region"] == "eu-central-1"


def test_a_role_is_assumed_and_the_next_from_it(rig: Rig, no_environment: pytest.MonkeyPatch) -> None:
    no_environment.setenv("AWS_ENDPOINT_URL", rig.endpoint)
    role = "arn:aws:iam::{}:role/deployer"
    made = provider(
        region="us-east-1", access_key="a", secret_key="b",
        assume_role=[
            {"role_arn": role.format("111111111111"), "session_name": "run", "duration": "1h", "external_id": "xx", "tags": {"a": "b"}},
            {"role_arn": role.format("222222222222"), "policy": "{}", "transitive_tag_keys": ["a"]},
        ],
    )  # fmt: skip
    assert made.identity()["account"] == "222222222222"


def test_an_account_that_is_ruled_out_is_never_acted_on(rig_with: Any) -> None:
    rig = rig_with(forbidden_account_ids=["123456789012"])
    stored = Stored(rig.config("aws_s3_bucket", {"bucket": "b"}))
    assert "Account not allowed" in refusal(rig.provider.read, "aws_s3_bucket", stored)
    other = rig_with(allowed_account_ids=["999999999999"])
    assert "allowed_account_ids" in refusal(other.provider.identity)
    assert rig_with(allowed_account_ids=["123456789012"]).provider.identity()["account"] == "123456789012"


def test_handed_in_variables_win_over_the_block(rig_with: Any) -> None:
    rig = rig_with(
        access_key="real", secret_key="real", profile="real", endpoints=[{"s3": "https://s3.example.com"}],
        assume_role=[{"role_arn": "arn:aws:iam::111111111111:role/real"}],
        assume_role_with_web_identity=[{"role_arn": ROLE}],
    )  # fmt: skip
    assert rig.provider.identity() == {
        "cloud": "sandbox", "region": "us-east-1", "partition": "aws", "account": "123456789012",
    }  # fmt: skip
    rig.apply("aws_s3_bucket", {"bucket": "b-one"})
    assert [one["Name"] for one in rig.client("s3").list_buckets()["Buckets"]] == ["b-one"]


def test_nothing_to_sign_with_is_said_with_a_mend(no_environment: pytest.MonkeyPatch) -> None:
    said = refusal(provider(region="us-east-1").look_for_credentials)
    assert said.startswith("No usable AWS credentials")
    assert "AWS_ACCESS_KEY_ID" in said


def test_who_wants_it_plans_without_credentials(no_environment: pytest.MonkeyPatch) -> None:
    made = provider(region="us-east-1", skip_credentials_validation=True)
    made.look_for_credentials()
    assert refusal(made.identity).startswith("No usable AWS credentials")


def test_a_profile_that_does_not_exist_is_said(no_environment: pytest.MonkeyPatch) -> None:
    assert "nowhere" in refusal(provider(region="us-east-1", profile="nowhere").look_for_credentials)


def test_no_region_is_said_when_one_is_needed(no_environment: pytest.MonkeyPatch) -> None:
    assert "No AWS region" in refusal(provider(access_key="a", secret_key="b").identity)


def test_an_endpoint_that_nobody_answers_is_said_soon(no_environment: pytest.MonkeyPatch) -> None:
    made = provider(
        region="us-east-1", access_key="a", secret_key="b", endpoints=[{"sts": "http://127.0.0.1:9"}]
    )
    said = refusal(made.identity)
    assert said.startswith("AWS not reachable")
    assert "127.0.0.1:9" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"retry_mode": "never"}, "retry_mode"),
        ({"endpoints": [{"s3": "example.com"}]}, "is not a URL"),
        ({"allowed_account_ids": ["1"], "forbidden_account_ids": ["2"]}, "cannot both be given"),
        ({"token_bucket_rate_limiter_capacity": 5}, "not supported"),
        ({"tag_policy_compliance": "error"}, "not supported"),
        ({"shared_config_files": ["a", "b"]}, "takes one file"),
        ({"assume_role": [{"session_name": "x"}]}, "needs role_arn"),
        ({"skip_metadata_api_check": "maybe"}, "true or false"),
        ({"region": "us-east1"}, "no name of a region"),
        ({"max_retries": -1}, "0 or more"),
        ({"s3_us_east_1_regional_endpoint": "global"}, "legacy"),
        ({"ec2_metadata_service_endpoint_mode": "IPv5"}, "IPv6"),
        ({"assume_role": [{"role_arn": "deployer"}]}, "not the ARN of a role"),
        ({"assume_role": [{"role_arn": ROLE, "duration": "soon"}]}, "between 15 minutes and 12 hours"),
        ({"assume_role": [{"role_arn": ROLE, "duration": "1m"}]}, "between 15 minutes and 12 hours"),
        ({"assume_role_with_web_identity": [{"web_identity_token": "x"}]}, "needs role_arn"),
        ({"assume_role_with_web_identity": [{"role_arn": ROLE}]}, "no token to show"),
    ],
)
def test_what_the_block_may_not_say_is_refused(given: dict[str, Any], said: str) -> None:
    assert said in refusal(lambda: settings(**given))


def test_a_web_identity_becomes_a_role_by_its_token_file(
    rig: Rig, no_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_environment.setenv("AWS_ENDPOINT_URL", rig.endpoint)
    no_environment.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    web = {"role_arn": ROLE, "session_name": "ci"}
    assert "cannot be read" in refusal(
        provider(region="us-east-1", assume_role_with_web_identity=[web]).identity
    )
    (tmp_path / "token").write_text("header.claims.signature\n")
    made = provider(region="us-east-1", assume_role_with_web_identity=[web])
    assert made.session.caller()[1].endswith("assumed-role/deployer/ci")


def test_settings_not_known_yet_are_refused_only_when_acting(no_environment: pytest.MonkeyPatch) -> None:
    made = AwsProvider()
    made.configure(value_of(provider_block(), {"region": "us-east-1"}) | {"access_key": Unknown(STRING)})
    config = value_of(made.schema().resources["aws_s3_bucket"].block, {"bucket": "b-one"})
    assert made.plan("aws_s3_bucket", Proposal(None, config, config)).planned is not None
    assert "access_key" in refusal(made.read, "aws_s3_bucket", Stored(config))


def test_retries_path_style_and_proxies_reach_the_client(no_environment: pytest.MonkeyPatch) -> None:
    made = provider(
        region="us-east-1", access_key="a", secret_key="b", max_retries=3, retry_mode="standard", s3_use_path_style=True,
        http_proxy="http://proxy:1", no_proxy="example.com", use_fips_endpoint=True, user_agent=["mine/1"],
    )  # fmt: skip
    config = made.session.client("s3").meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
    assert config.s3["addressing_style"] == "path"
    assert config.proxies == {"http": "http://proxy:1", "https": "http://proxy:1"}
    assert "mine/1" in config.user_agent_extra
    assert config.max_pool_connections >= 64
    assert "fips" in made.session.client("s3").meta.endpoint_url


def test_planning_a_new_bucket_loads_no_sdk() -> None:
    import subprocess
    import sys

    code = """
import sys
from twinfra.providers.aws import AwsProvider
from twinfra.providers.protocol import Proposal
p = AwsProvider({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "us-east-1"})
s = p.schema()
p.configure(dict.fromkeys(s.provider.type.attributes))
t = s.resources["aws_s3_bucket"].block.type
c = dict.fromkeys(t.attributes) | {"bucket": "b-one"}
assert not p.validate("aws_s3_bucket", c)
p.plan("aws_s3_bucket", Proposal(None, c, c))
heavy = {"botocore", "boto3", "urllib3", "gmpy2"} & set(sys.modules)
assert not heavy, heavy
others = [m for m in sys.modules if ".services." in m and ".s3" not in m]
assert not others, others
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
