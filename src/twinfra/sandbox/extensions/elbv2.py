"""Load balancers: what moto does not keep (addresses, capacity, pools, client certificates), does not refuse
(second ones of a name or port, deleting what is protected), or does not have.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.exceptions import (
    DuplicateListenerError,
    DuplicateLoadBalancerName,
    ELBClientError,
    LoadBalancerNotFoundError,
)
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer
from moto.elbv2.responses import ELBV2Response

from twinfra.sandbox.overlay import graft

_ADDRESS_TYPES = ("ipv4", "dualstack", "dualstack-without-public-ipv4")

_KINDS = {"network": "net", "gateway": "gwy"}
"""How ARNs name kinds of load balancers."""

_NO_LOGS = {
    f"{logs}.s3.{name}": value
    for logs in ("access_logs", "connection_logs", "health_check_logs")
    for name, value in (("enabled", "false"), ("bucket", ""), ("prefix", ""))
}

_ATTRIBUTES: dict[str, dict[str, str]] = {
    "application": _NO_LOGS
    | {
        "client_keep_alive.seconds": "3600",
        "deletion_protection.enabled": "false",
        "idle_timeout.timeout_seconds": "60",
        "load_balancing.cross_zone.enabled": "true",
        "routing.http.desync_mitigation_mode": "defensive",
        "routing.http.drop_invalid_header_fields.enabled": "false",
        "routing.http.preserve_host_header.enabled": "false",
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
        "routing.http.xff_client_port.enabled": "false",
        "routing.http.xff_header_processing.mode": "append",
        "routing.http2.enabled": "true",
        "waf.fail_open.enabled": "false",
        "zonal_shift.config.enabled": "false",
    },
    "network": {name: value for name, value in _NO_LOGS.items() if name.startswith("access_logs.")}
    | {
        "deletion_protection.enabled": "false",
        "dns_record.client_routing_policy": "any_availability_zone",
        "load_balancing.cross_zone.enabled": "false",
        "secondary_ips.auto_assigned.per_subnet": "0",
        "zonal_shift.config.enabled": "false",
    },
    "gateway": {"deletion_protection.enabled": "false", "load_balancing.cross_zone.enabled": "false"},
}
"""What the service tells of a load balancer that nothing was said about, by its kind."""

_TARGETS = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "stickiness.enabled": "false",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}

_HTTP_TARGETS = _TARGETS | {
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
}

_CONNECTION_TARGETS = _TARGETS | {
    "deregistration_delay.connection_termination.enabled": "false",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.type": "source_ip",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}

_GATEWAY_TARGETS = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.type": "source_ip_dest_ip_proto",
    "target_failover.on_deregistration": "no_rebalance",
    "target_failover.on_unhealthy": "no_rebalance",
}


def _attributes_of(group: Any) -> dict[str, str]:
    """What the service tells of a target group that nothing was said about."""
    if group.target_type == "lambda":
        return {"lambda.multi_value_headers.enabled": "false"}
    if group.protocol in ("HTTP", "HTTPS"):
        return dict(_HTTP_TARGETS)
    if group.protocol == "GENEVE":
        return dict(_GATEWAY_TARGETS)
    kept = group.target_type == "instance" or group.protocol in ("UDP", "TCP_UDP")
    return _CONNECTION_TARGETS | {"preserve_client_ip.enabled": "true" if kept else "false"}


class _Zone:
    """A zone of a load balancer with the addresses in it."""

    def __init__(self, subnet: Any, mapping: dict[str, str] | None) -> None:
        self.subnet_id = subnet.id
        self.zone_name = subnet.availability_zone
        names = ("AllocationId", "PrivateIPv4Address", "IPv6Address")
        address = {name: mapping[name] for name in names if mapping and mapping.get(name)}
        self.load_balancer_addresses = [address] if address else []


class _LoadBalancer:
    @property
    def availability_zones(self: Any) -> list[_Zone]:
        mappings = getattr(self, "mappings", {})
        return [_Zone(subnet, mappings.get(subnet.id)) for subnet in self.subnets]


def _balancer(backend: Any, arn: str) -> Any:
    found = backend.load_balancers.get(arn)
    if found is None:
        raise LoadBalancerNotFoundError()
    return found


def _forget(backend: Any, arn: str, listeners: list[Any]) -> None:
    """Target groups that those listeners of a load balancer sent to are sent to no longer."""
    left = [one for one in _balancer(backend, arn).listeners.values() if one not in listeners]
    used = {
        target
        for listener in left
        for rule in listener.rules.values()
        for action in rule.actions
        for target in backend._get_target_group_arns_from(action_data=action.data)
    }
    for target, group in backend.target_groups.items():
        if target not in used:
            group.load_balancer_arns = [one for one in group.load_balancer_arns if one != arn]


def _remember(backend: Any, listener: Any) -> None:
    """Target groups that a listener sends to know its load balancer, once."""
    for action in listener.default_actions:
        for target in backend._get_target_group_arns_from(action_data=action.data):
            group = backend.target_groups[target]
            others = [one for one in group.load_balancer_arns if one != listener.load_balancer_arn]
            group.load_balancer_arns = [*others, listener.load_balancer_arn]


class _Backend:
    def create_load_balancer(self: Any, **asked: Any) -> Any:
        mappings = {one["SubnetId"]: one for one in asked.get("subnet_mappings") or ()}
        wanted = {*(asked.get("subnet_ids") or ()), *mappings}
        for known in self.load_balancers.values():
            if known.name != asked["name"]:
                continue
            same = (known.type, known.scheme, {one.id for one in known.subnets}) == (
                asked.get("loadbalancer_type") or "application",
                asked.get("scheme") or "internet-facing",
                wanted,
            )
            if not same:
                raise DuplicateLoadBalancerName()
            return known
        asked["scheme"] = asked.get("scheme") or "internet-facing"
        address_type = asked.get("ip_address_type") or "ipv4"
        if address_type in _ADDRESS_TYPES:
            asked["ip_address_type"] = "ipv4"  # moto knows fewer of them
        made = _original_create(self, **asked)
        if made.type in _KINDS:
            # moto names all as if they were application load balancers.
            tags = self.tagging_service.list_tags_for_resource(made.arn)["Tags"]
            self.tagging_service.delete_all_tags_for_resource(made.arn)
            del self.load_balancers[made.arn]
            made.arn = made.arn.replace("/app/", f"/{_KINDS[made.type]}/")
            self.load_balancers[made.arn] = made
            self.tagging_service.tag_resource(made.arn, tags)
        made.attrs = dict(_ATTRIBUTES[made.type])
        made.ip_address_type, made.mappings = address_type, mappings
        return made

    def describe_load_balancers(self: Any, arns: list[str] | None, names: list[str] | None) -> list[Any]:
        every = list(self.load_balancers.values())
        for one in every:
            one.activate()
        known = {one.arn: one for one in every} | {one.name: one for one in every}
        wanted = [*(arns or ()), *(names or ())]
        if any(one not in known for one in wanted):
            raise LoadBalancerNotFoundError()
        return list({known[one].arn: known[one] for one in wanted}.values()) if wanted else every

    def delete_load_balancer(self: Any, arn: str) -> None:
        found = self.load_balancers.get(arn)
        if found is None:
            return
        if found.attrs.get("deletion_protection.enabled") == "true":
            raise ELBClientError(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        _forget(self, arn, list(found.listeners.values()))
        _original_delete(self, arn)

    def set_ip_address_type(self: Any, arn: str, ip_type: str) -> None:
        if ip_type not in _ADDRESS_TYPES:
            _original_address_type(self, arn, ip_type)
        _balancer(self, arn).ip_address_type = ip_type

    def set_subnets(self: Any, arn: str, subnets: list[str], subnet_mappings: list[dict[str, Any]]) -> Any:
        found = _balancer(self, arn)
        mappings = {one["SubnetId"]: one for one in subnet_mappings}
        if found.type == "application":
            _original_subnets(self, arn, subnets, subnet_mappings)
        else:
            taken: dict[str, str] = {}
            found.subnets = [self._get_subnet(taken, one) for one in (*subnets, *mappings)]
        found.mappings = {**getattr(found, "mappings", {}), **mappings}
        return found.availability_zones

    def create_listener(self: Any, load_balancer_arn: str, **asked: Any) -> Any:
        balancer = _balancer(self, load_balancer_arn)
        if any(one.port == asked["port"] for one in balancer.listeners.values()):
            raise DuplicateListenerError()
        made = _original_create_listener(self, load_balancer_arn=load_balancer_arn, **asked)
        _remember(self, made)
        if balancer.type == "application":
            made.attributes = {}
        return made

    def modify_listener(self: Any, arn: str, *rest: Any) -> Any:
        (listener,) = self.describe_listeners(load_balancer_arn=None, listener_arns=[arn])
        port, protocol, *others = rest
        known = protocol if protocol in (None, "HTTP", "HTTPS", "TCP") else None
        changed = _original_modify_listener(self, arn, port, known, *others)
        listener.protocol = protocol or listener.protocol
        _forget(self, listener.load_balancer_arn, [])
        _remember(self, listener)
        return changed

    def delete_listener(self: Any, listener_arn: str) -> Any:
        for arn, balancer in self.load_balancers.items():
            if listener_arn in balancer.listeners:
                _forget(self, arn, [balancer.listeners[listener_arn]])
        return _original_delete_listener(self, listener_arn)

    def _validate_actions(self: Any, actions: list[Any]) -> None:
        _original_validate(self, [one for one in actions if one.type != "jwt-validation"])


class _Response:
    def create_load_balancer(self: Any) -> ActionResult:
        answer: ActionResult = _original_answer(self)
        (made,) = answer.result["LoadBalancers"]
        params = self._get_params()
        for member, name in (
            ("IpamPools", "ipam_pools"),
            ("CustomerOwnedIpv4Pool", "customer_owned_ipv4_pool"),
        ):
            if params.get(member):
                setattr(made, name, params[member])
        return answer

    def set_security_groups(self: Any) -> ActionResult:
        found = _balancer(self.elbv2_backend, self._get_param("LoadBalancerArn"))
        enforce = self._get_param("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
        groups = self._get_param("SecurityGroups", [])
        self.elbv2_backend.set_security_groups(found.arn, groups)
        if enforce:
            found.enforce_security_group_inbound_rules_on_private_link_traffic = enforce
        return ActionResult({"SecurityGroupIds": groups})

    def modify_ip_pools(self: Any) -> ActionResult:
        found = _balancer(self.elbv2_backend, self._get_param("LoadBalancerArn"))
        found.ipam_pools = None if self._get_param("RemoveIpamPools") else self._get_param("IpamPools")
        return ActionResult({"IpamPools": found.ipam_pools})

    def modify_capacity_reservation(self: Any) -> ActionResult:
        found = _balancer(self.elbv2_backend, self._get_param("LoadBalancerArn"))
        asked = self._get_param("MinimumLoadBalancerCapacity")
        found.capacity = {"CapacityUnits": int(asked["CapacityUnits"])} if asked else None
        return _capacity(found)

    def describe_capacity_reservation(self: Any) -> ActionResult:
        return _capacity(_balancer(self.elbv2_backend, self._get_param("LoadBalancerArn")))

    def create_target_group(self: Any) -> ActionResult:
        answer: ActionResult = _original_target_group(self)
        (group,) = answer.result["TargetGroups"]
        group.attributes = _attributes_of(group)
        if port := self._get_int_param("TargetControlPort"):
            group.target_control_port = port
        return answer

    def modify_target_group(self: Any) -> ActionResult:
        answer: ActionResult = _original_modify_target_group(self)
        (group,) = answer.result["TargetGroups"]
        if matcher := self._get_param("Matcher"):
            group.matcher = matcher
        return answer

    def create_listener(self: Any) -> ActionResult:
        answer: ActionResult = _original_listener(self)
        return self._with_the_rest(answer)

    def modify_listener(self: Any) -> ActionResult:
        answer: ActionResult = _original_modify(self)
        return self._with_the_rest(answer)

    def _with_the_rest(self: Any, answer: ActionResult) -> ActionResult:
        (listener,) = answer.result["Listeners"]
        if clients := self._get_param("MutualAuthentication"):
            listener.mutual_authentication = clients
        if policy := self._get_param("AlpnPolicy"):
            listener.alpn_policy = policy
        return answer

    def delete_load_balancer(self: Any) -> ActionResult:
        self.elbv2_backend.delete_load_balancer(self._get_param("LoadBalancerArn"))
        return EmptyResult()


def _capacity(balancer: Any) -> ActionResult:
    found = getattr(balancer, "capacity", None)
    return ActionResult(
        {
            "CapacityReservationState": [{"State": {"Code": "provisioned"}}],
            **({"MinimumLoadBalancerCapacity": found} if found else {}),
        }
    )


_original_create = ELBv2Backend.create_load_balancer
_original_delete = ELBv2Backend.delete_load_balancer
_original_address_type = ELBv2Backend.set_ip_address_type
_original_subnets = ELBv2Backend.set_subnets
_original_create_listener = ELBv2Backend.create_listener
_original_modify_listener = ELBv2Backend.modify_listener
_original_delete_listener = ELBv2Backend.delete_listener
_original_validate = ELBv2Backend._validate_actions
_original_answer = ELBV2Response.create_load_balancer
_original_target_group = ELBV2Response.create_target_group
_original_modify_target_group = ELBV2Response.modify_target_group
_original_listener = ELBV2Response.create_listener
_original_modify = ELBV2Response.modify_listener


def install() -> None:
    """Graft onto moto's classes."""
    FakeLoadBalancer.VALID_ATTRS |= {"health_check_logs.s3.bucket", "health_check_logs.s3.prefix"}
    graft(FakeLoadBalancer, _LoadBalancer)
    graft(ELBv2Backend, _Backend)
    graft(ELBV2Response, _Response)
