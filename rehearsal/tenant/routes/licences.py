"""Routes for licences: list those the tenant has bought (`/subscribedSkus`), and assign one (`assignLicense`)."""

from typing import Any

from rehearsal.tenant.directory.policies import SKU_FIELDS
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.gateway.routing import Call, Route, ok
from rehearsal.tenant.protocol import errors, permissions
from rehearsal.tenant.protocol.messages import Answer


def list_skus(call: Call) -> Answer:
    """GET /subscribedSkus."""
    names = call.options.names
    for name in names or ():
        if name not in SKU_FIELDS:
            raise errors.unknown_property(name, "subscribedSku")
    counted = [sku | {"consumedUnits": _used(call, sku)} for sku in call.tenant.policies.subscriptions]
    shown = [sku if names is None else {name: sku.get(name) for name in names} for sku in counted]
    return ok({"@odata.context": call.context(call.selected("subscribedSkus")), "value": shown})


def assign_license(call: Call) -> Answer:
    """POST /users/{id}/assignLicense: assign licences and add their plans to the account immediately."""
    user = call.directory.user(call.params["id"])
    if user is None:
        raise errors.resource_not_found(call.params["id"])
    plans, licences = list(user["assignedPlans"]), list(user["assignedLicenses"])
    for wanted in _wanted(call.request.body):
        sku = _with_room(call, wanted["skuId"])
        if not user["usageLocation"]:
            message = "License assignment cannot be done for user with invalid usage location."
            raise errors.bad_request(message, code="Request_BadRequest")
        left_out = set(wanted.get("disabledPlans") or ())
        licences.append({"skuId": sku["skuId"], "disabledPlans": sorted(left_out)})
        plans += [
            {
                "assignedDateTime": call.tenant.clock.stamp(),
                "capabilityStatus": "Enabled",
                "service": "exchange" if plan["servicePlanName"].startswith("EXCHANGE") else "other",
                "servicePlanId": plan["servicePlanId"],
            }
            for plan in sku["servicePlans"]
            if plan["servicePlanId"] not in left_out
        ]
    call.tenant.directory.update_user(user["id"], {"assignedPlans": plans, "assignedLicenses": licences})
    return ok({"@odata.context": call.context("users/$entity"), "id": user["id"]})


def _wanted(body: Any) -> list[JSON]:
    if not isinstance(body, dict) or not {"addLicenses", "removeLicenses"} <= body.keys():
        raise errors.malformed("assignLicense needs addLicenses and removeLicenses.")
    if body["removeLicenses"]:
        raise errors.malformed("This tenant takes no licences away.")
    return list(body["addLicenses"])


def _with_room(call: Call, sku_id: str) -> JSON:
    for sku in call.tenant.policies.subscriptions:
        if sku["skuId"].lower() == str(sku_id).lower():
            if _used(call, sku) >= sku["prepaidUnits"]["enabled"]:
                message = f"Subscription with SKU {sku_id} does not have any available licenses."
                raise errors.bad_request(message, code="Request_BadRequest")
            return sku
    raise errors.bad_request(f"License {sku_id} does not correspond to a valid company License.")


def _used(call: Call, sku: JSON) -> int:
    """Return the used units of a licence: those that the seed states plus one for each account that holds it."""
    held: int = sum(
        licence["skuId"] == sku["skuId"]
        for user in call.tenant.directory.users.values()
        for licence in user["assignedLicenses"]
    )
    used: int = sku["consumedUnits"]
    return used + held


ROUTES = (
    Route("GET", "/subscribedSkus", list_skus, permissions.LICENCES_READ, frozenset({"$select"}), cost=3),
    Route("POST", "/users/{id}/assignLicense", assign_license, permissions.LICENCES_ASSIGN),
)
