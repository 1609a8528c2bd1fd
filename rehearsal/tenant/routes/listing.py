"""Answer a call for a collection: filter, sort, page and select properties."""

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
    """Return one page of `things`.

    `extra` adds members that are no plain properties, and `shape` changes each object before it is returned. The names
    in `$select` are checked even if nothing is found.
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
