"""Rules of security groups about what may go out."""

from __future__ import annotations

from twinfra.providers.aws.services.ec2._group_rule import rule_resource

RESOURCE = rule_resource("egress", "One rule about what may go out.", "that may be reached")
