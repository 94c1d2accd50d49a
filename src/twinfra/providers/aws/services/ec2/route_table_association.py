"""Which route table a subnet or a gateway uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import output, string
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Retry, Update, Wait
from twinfra.values.types import STRING

_CHUNK = 200
_ONE = ("subnet_id", "gateway_id")


def _read_many(context: Context, every: Sequence[Attributes]) -> list[Api | None]:
    """Associations by way of their tables; one that was replaced by another is found by what it binds."""
    by_id = _listed(context, "association.route-table-association-id", (one["id"] for one in every))
    found = [by_id.get(str(one["id"])) for one in every]
    lost = [one for one, there in zip(every, found, strict=True) if there is None]
    if lost:
        for name, filter in (
            ("subnet_id", "association.subnet-id"),
            ("gateway_id", "association.gateway-id"),
        ):
            wanted = [one[name] for one in lost if one[name]]
            bound = _listed(context, filter, wanted, key="SubnetId" if name == "subnet_id" else "GatewayId")
            found = [
                there or (bound.get(str(one[name])) if one[name] else None)
                for one, there in zip(every, found, strict=True)
            ]
    return found


def _listed(
    context: Context, filter: str, values: Iterable[str], key: str = "RouteTableAssociationId"
) -> dict[str, Api]:
    names = sorted({str(one) for one in values if one})
    found: dict[str, Api] = {}
    for start in range(0, len(names), _CHUNK):
        filters = [{"Name": filter, "Values": names[start : start + _CHUNK]}]
        for table in context.pages("describe_route_tables", "RouteTables", Filters=filters):
            found |= {
                one[key]: one
                for one in table.get("Associations", ())
                if key in one and not one.get("Main") and _state(one) != "disassociated"
            }
    return found


def _state(association: Api) -> str:
    return str(association.get("AssociationState", {}).get("State", "associated"))


def _read(context: Context, attributes: Attributes) -> Api | None:
    return _read_many(context, [attributes])[0]


def _create(context: Context, attributes: Attributes) -> Api:
    answer = context.call(
        "associate_route_table",
        RouteTableId=attributes["route_table_id"],
        SubnetId=attributes["subnet_id"] or None,
        GatewayId=attributes["gateway_id"] or None,
    )
    return {"RouteTableAssociationId": answer["AssociationId"]}


def _recover(context: Context, attributes: Attributes, _: str) -> Api | None:
    """An association of the same with the same: there can be one, and it is as planned."""
    found = _read(context, attributes)
    return found if found is not None and found["RouteTableId"] == attributes["route_table_id"] else None


def _replace(context: Context, change: Change) -> None:
    answer = context.call(
        "replace_route_table_association",
        AssociationId=change.planned["id"],
        RouteTableId=change.planned["route_table_id"],
    )
    # It goes by another id from now on.
    change.planned["id"] = answer["NewAssociationId"]


def _delete(context: Context, attributes: Attributes) -> None:
    context.call("disassociate_route_table", AssociationId=attributes["id"])


def _imported(context: Context, attributes: Attributes) -> Attributes:
    """Finds the association that an import id names by what it binds."""
    bound, table = attributes["subnet_id"], attributes["route_table_id"]
    if not bound.startswith("subnet-"):
        attributes |= {"subnet_id": None, "gateway_id": bound}
    found = _read(context, attributes)
    if found is None or found["RouteTableId"] != table:
        return attributes | {"subnet_id": None, "gateway_id": None}
    return attributes | {"id": found["RouteTableAssociationId"]}


RESOURCE = Resource(
    name="aws_route_table_association",
    service="ec2",
    about="Has a subnet or a gateway use a route table.",
    fields={
        "subnet_id": string("", read="SubnetId", force_new=True, exactly_one=_ONE, about="The subnet."),
        "gateway_id": string(
            "", read="GatewayId", force_new=True, exactly_one=_ONE, about="The internet or VPN gateway."
        ),
        "route_table_id": string("", read="RouteTableId", required=True, about="The route table."),
        "id": output(STRING, "", follows=("route_table_id",), about="The association's id."),
    },
    identifiers=("id",),
    id="RouteTableAssociationId",
    import_id="{subnet_id}/{route_table_id}",
    create=_create,
    retry_create=(
        Retry("InvalidRouteTableID.NotFound", seconds=30),
        Retry("InvalidSubnetID.NotFound", seconds=30),
    ),
    read=_read,
    read_many=_read_many,
    delete=_delete,
    updates=(Update(fields=("route_table_id",), call=_replace),),
    created=Wait(
        status=_state,
        target=("associated",),
        failed=("failed",),
        reason="AssociationState.StatusMessage",
        noun="association",
        minutes=5,
    ),
    not_found=("InvalidAssociationID.NotFound", "InvalidRouteTableID.NotFound"),
    timeouts=("create", "update", "delete"),
    recover=_recover,
    imported=_imported,
)
