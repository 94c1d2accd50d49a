"""EC2: launch templates whose own tags change and stay out of their versions, listed however many there are."""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.exceptions import InvalidLaunchTemplateIdNotFound
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses import EC2Response
from moto.ec2.utils import parse_user_data

from twinfra.sandbox.overlay import graft


class _Template:
    @property
    def tags(self: Any) -> Any:
        return self.get_tags()

    @tags.setter
    def tags(self: Any, _: Any) -> None:
        """What moto remembers of its tags when it is made is not looked at."""


class _Version:
    @property
    def user_data(self: Any) -> Base64EncodedString | None:
        found: Base64EncodedString | None = parse_user_data(self.data.get("UserData"))
        return found


class _Templates:
    def create_launch_template(self: Any) -> ActionResult:
        self.error_on_dryrun()
        template = self.ec2_backend.create_launch_template(
            self._get_param("LaunchTemplateName"),
            self._get_param("VersionDescription"),
            self._get_param("LaunchTemplateData", {}),
            self._parse_tag_specification(),
        )
        return ActionResult({"LaunchTemplate": _shown(self, template)})

    def describe_launch_templates(self: Any) -> ActionResult:
        self.error_on_dryrun()
        numbers = self._get_param("LaunchTemplateIds", [])
        for number in numbers:
            if number not in self.ec2_backend.launch_templates:
                raise InvalidLaunchTemplateIdNotFound(number)
        found = self.ec2_backend.describe_launch_templates(
            template_names=self._get_param("LaunchTemplateNames", []),
            template_ids=numbers,
            filters=self._filters_from_querystring(),
        )
        return ActionResult({"LaunchTemplates": [_shown(self, one) for one in found]})


def _shown(response: Any, template: Any) -> dict[str, Any]:
    return {
        "CreateTime": template.create_time,
        "CreatedBy": f"arn:{response.partition}:iam::{response.current_account}:root",
        "DefaultVersionNumber": template.default_version_number,
        "LatestVersionNumber": template.latest_version_number,
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Tags": template.tags,
    }


@cache
def install() -> None:
    """Graft onto moto's classes."""
    graft(LaunchTemplate, _Template)
    graft(LaunchTemplateVersion, _Version)
    graft(EC2Response, _Templates)
