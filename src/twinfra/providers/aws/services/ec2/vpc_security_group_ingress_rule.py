"""Rules of security groups about what may come in."""

from __future__ import annotations

from twinfra.providers.aws.services.ec2._group_rule import rule_resource

RESOURCE = rule_resource("ingress", "One rule about what may come in.", "that may come in")
