"""A collection as a call sees it: page token, filter, order, page, selected properties."""

from collections.abc import Callable, Iterable

from rehearsal.tenant.directory.schema import ResourceType
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.gateway.routing import Call, ok
from rehearsal.tenant.odata.query import project, select
from rehearsal.tenant.protocol.messages import Answer
from rehearsal.tenant.switches import Switches


def listing(
    call: Call,
    things: Iterable[JSON],
    resource: ResourceType,
    fragment: str,
    *,
    extra: Callable[[JSON], JSON] = lambda _: {},
    shape: Callable[[JSON], JSON] = lambda thing: thing,
) -> Answer:
    """One page of `things`. `extra` adds what is no plain property, `shape` changes what is shown of one.

    Names are checked even when nothing is found.
    """
    names = call.options.names
    project(resource.complete({}), resource, names)
    paging = call.paging()
    paging.start(call.options)
    found = select(things, resource, call.options, _exact_properties(call.tenant.switches))
    page = paging.page(found, call.options, lambda thing: shape(project(thing, resource, names)) | extra(thing))
    return ok({"@odata.context": call.context(call.selected(fragment)), **page})


def _exact_properties(switches: Switches) -> Callable[[str], bool]:
    everything = switches["filter-case"] == "exact"
    addresses = switches["proxy-address-case"] == "exact"
    return lambda name: everything or (addresses and name == "proxyAddresses")
