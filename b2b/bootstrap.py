"""The composition root: builds the adapters once per process and hands them to the workflows."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import Any
from uuid import uuid4

import httpx
from azure.core.pipeline.transport import AsyncHttpTransport

from b2b.adapters.clock import Clock, Monotonic, monotonic, system_clock
from b2b.adapters.directory import Directory
from b2b.adapters.graph import Graph, scope_of
from b2b.adapters.identity import Identity
from b2b.adapters.ledger import Ledger
from b2b.adapters.queue import Queue
from b2b.adapters.tables import Observer
from b2b.api import openapi
from b2b.api.door import Workflows
from b2b.api.front import Front
from b2b.api.routes import ROUTES
from b2b.connection import Storage
from b2b.domain.campaign.runs import RunKind
from b2b.domain.conversion.situation import limits_of
from b2b.domain.conversion.tenant_fact import Known, TenantFact
from b2b.domain.pacing import BreakerLimits
from b2b.domain.request import IntakePolicy
from b2b.domain.sweep import Allowance, Part
from b2b.settings import Mode, Settings, load
from b2b.workflows.campaigns.aside import Aside
from b2b.workflows.campaigns.desk import CampaignDesk
from b2b.workflows.campaigns.ending import Ending
from b2b.workflows.campaigns.judging import Judging
from b2b.workflows.campaigns.lists import Lists
from b2b.workflows.campaigns.releasing import Releasing
from b2b.workflows.campaigns.runs import Runs, Step
from b2b.workflows.campaigns.states import CampaignStates
from b2b.workflows.conversion.another_mail import AnotherMail
from b2b.workflows.conversion.assess import Assessor
from b2b.workflows.conversion.claims import Claims
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.conversion.endings import Endings
from b2b.workflows.conversion.facts import TenantFacts
from b2b.workflows.conversion.invite import Inviter
from b2b.workflows.conversion.messages import Messages
from b2b.workflows.conversion.parking import Parking
from b2b.workflows.conversion.process import Converter, Protocol, Steps
from b2b.workflows.conversion.reservations import Reservations
from b2b.workflows.conversion.sender import Sender
from b2b.workflows.decisions import Allowed, Decisions
from b2b.workflows.enquiries import Enquiries
from b2b.workflows.health import Health
from b2b.workflows.intake.intake import Intake
from b2b.workflows.intake.receive import Receiver
from b2b.workflows.lifecycle.accounts import Accounts
from b2b.workflows.lifecycle.evidence import Dossier
from b2b.workflows.lifecycle.way_back import WaysBack
from b2b.workflows.listings import Listings
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Meter, NewId
from b2b.workflows.rate import Rate
from b2b.workflows.sweep.campaigns import RepairCampaigns
from b2b.workflows.sweep.drain import Drain
from b2b.workflows.sweep.follow import Follow
from b2b.workflows.sweep.look import Looks
from b2b.workflows.sweep.measure import Measure, observer
from b2b.workflows.sweep.pending import PendingList
from b2b.workflows.sweep.publish import Publish
from b2b.workflows.sweep.purge import Purge
from b2b.workflows.sweep.repair import Repair
from b2b.workflows.sweep.sweep import Sweep, Work
from b2b.workflows.sweep.verify import Comparing, Verify

log = logging.getLogger(__name__)

TALKATIVE = ("azure", "httpx", "httpcore", "hpack", "msal", "kiota_http")
"""Libraries that log URLs at INFO. Those URLs contain user principal names and filters."""


@dataclass(frozen=True)
class Adapters:
    """The adapters through which the workflows reach Graph, storage and the identity endpoint."""

    graph: Graph
    ledger: Ledger
    queue: Queue
    identity: Identity
    storage_identity: Identity | None = None


@dataclass(frozen=True)
class Services:
    """The services that the triggers call, and the adapters that the tests close."""

    settings: Settings
    api: Front
    receiver: Receiver
    sweep: Sweep
    campaigns: CampaignDesk
    lists: Lists
    runs: Runs
    identity: Identity
    graph: Graph
    ledger: Ledger
    queue: Queue
    storage_identity: Identity | None

    async def aclose(self) -> None:
        """Close every connection. Only tests call this; the Functions worker does not."""
        await self.graph.aclose()
        await self.ledger.aclose()
        await self.queue.aclose()
        await self.identity.aclose()
        if self.storage_identity is not None:
            await self.storage_identity.aclose()


def build(
    settings: Settings,
    clock: Clock = system_clock,
    graph_transport: httpx.AsyncBaseTransport | None = None,
    storage_transport: Callable[[], AsyncHttpTransport[Any, Any]] | None = None,
    meter: Meter | None = None,
) -> Services:
    """Build the adapters and the services, without any network call. Tests pass their own transports.

    If ``meter`` is None, the app records no metrics.
    """
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    identity = Identity(settings.client_id, scope_of(settings.graph_base_url))
    graph = Graph.connect(identity.credential, settings.graph_base_url, settings.graph_timeout, clock, graph_transport)
    ledger, queue, storage_identity = _storage(settings.storage, storage_transport, observer(meter))
    return assemble(settings, clock, Adapters(graph, ledger, queue, identity, storage_identity), meter)


def _new_id() -> str:
    return uuid4().hex


def assemble(
    settings: Settings,
    clock: Clock,
    adapters: Adapters,
    meter: Meter | None = None,
    monotonic: Monotonic = monotonic,
    allowance: Allowance = Allowance(),  # noqa: B008  frozen
    new_id: NewId = _new_id,
) -> Services:
    """Build the workflows with existing adapters."""
    graph, ledger, queue, identity = adapters.graph, adapters.ledger, adapters.queue, adapters.identity
    directory, assess_only = Directory(graph), settings.mode is Mode.ASSESS
    limits = limits_of(settings.graph_timeout, settings.replication_window, settings.give_up_after)
    breaker = BreakerLimits(settings.breaker_share, timedelta(seconds=settings.breaker_window))
    pacer, facts = Pacer(ledger, breaker, clock), TenantFacts(ledger, _configured(settings), clock)
    conversions, messages = Conversions(ledger, clock), Messages(ledger, queue, clock, new_id)
    reservations = Reservations(ledger, directory, limits, clock)
    assessor = Assessor(directory, reservations, identity, settings, clock)
    claims = Claims(conversions, reservations, limits, clock, new_id)
    sender = Sender(graph, claims, pacer, Rate(ledger.instances, new_id(), settings.invitations_per_minute / 60))
    inviter = Inviter(sender, conversions, clock)
    states = CampaignStates(ledger, clock)
    protocol = Protocol(limits, clock, states, paused=settings.paused, assess_only=assess_only)
    endings = Endings(conversions, messages, states, ledger, clock)
    allowed = Allowed(going_on=not assess_only, self_approval=settings.self_approval)
    decisions = Decisions(ledger, conversions, endings, messages, clock, allowed)
    parking = Parking(messages, endings, Aside(endings, decisions), pacer, ledger, limits.give_up, clock)
    converter = Converter(Steps(assessor, inviter, conversions, facts, ledger, protocol), parking, pacer, ledger)
    policy = IntakePolicy(settings.redirect_hosts)
    intake = Intake(ledger, messages, policy, clock, new_id, assess_only=assess_only)
    releasing = Releasing(ledger, messages, clock)
    steps: dict[RunKind, Step] = {
        RunKind.JUDGE: Judging(assessor, pacer, ledger, settings.profile),
        RunKind.RELEASE: releasing,
        RunKind.END: Ending(ledger, decisions, clock),
    }
    runs = Runs(
        ledger, queue, clock, new_id, steps, releasing.give_back, goes_on=not assess_only, size=allowance.members
    )
    looks = Looks(conversions, facts, directory, ledger, limits, clock)
    deadline = timedelta(seconds=settings.compare_deadline)
    comparing = Comparing(limits, deadline, settings.compare_access, settings.read_audit_log)
    listings, enquiries = Listings(ledger), Enquiries(ledger, assessor, pacer, identity)
    accounts = Accounts(listings, conversions, ledger, clock, compares=settings.compare_access)
    listing = PendingList(directory, pacer, allowance, clock)
    parts: dict[Part, Work] = {
        Part.DRAIN: Drain(intake, runs, messages, endings, ledger, queue, clock),
        Part.REPAIR: RepairCampaigns(
            runs, Repair(conversions, endings, messages, ledger, queue, limits.give_up, clock), ledger, clock
        ),
        Part.PUBLISH: Publish(conversions, ledger, clock),
        Part.FOLLOW: Follow(looks, listing, facts, pacer, ledger, limits, clock),
        Part.VERIFY: Verify(conversions, directory, pacer, ledger, comparing, clock),
        Part.PURGE: Purge(ledger, timedelta(days=settings.purge_after_days), clock),
    }
    campaigns, lists = CampaignDesk(ledger, decisions, runs, clock), Lists(ledger, policy, clock)
    measure = Measure(ledger, queue, meter, clock) if meter else None
    sweep = Sweep(parts, ledger, clock, monotonic, measure, allowance.budgets)
    return Services(
        settings=settings,
        api=Front(
            Workflows(
                intake=intake,
                decisions=decisions,
                enquiries=enquiries,
                campaigns=campaigns,
                lists=lists,
                runs=runs,
                listings=listings,
                accounts=accounts,
                dossier=Dossier(accounts, listings, ledger, clock),
                mails=AnotherMail(enquiries, sender, conversions, ledger, decisions.four_eyes, protocol),
                ways_back=WaysBack(listings, assessor, pacer, ledger),
                health=Health(directory, ledger, queue, identity, pacer, settings),
                settings=settings,
                describe=partial(openapi.document, ROUTES),
            )
        ),
        receiver=Receiver(intake, converter, runs, queue),
        campaigns=campaigns,
        lists=lists,
        runs=runs,
        sweep=sweep,
        identity=identity,
        graph=graph,
        ledger=ledger,
        queue=queue,
        storage_identity=adapters.storage_identity,
    )


@cache
def services() -> Services:
    """Return this process's services, built from its environment on the first call.

    Raises:
        SettingsError: a setting is missing or wrong.

    """
    return build(load(os.environ), meter=meter_for(os.environ))


def meter_for(environment: Mapping[str, str]) -> Meter | None:
    """Return the sender of metrics, or None if the environment names no Application Insights.

    An invalid connection string disables metrics and logs a warning; the app still starts.
    """
    connection_string = environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING", "").strip()
    if not connection_string:
        return None
    from b2b.adapters.telemetry import Telemetry  # noqa: PLC0415  the import takes a sixth of a second

    try:
        return Telemetry(connection_string, environment.get("WEBSITE_SITE_NAME", "b2b-conversion"))
    except ValueError as error:
        log.warning("no metrics are sent: APPLICATIONINSIGHTS_CONNECTION_STRING: %s", error)
        return None


def public_base_url(environment: Mapping[str, str], request_url: str) -> str:
    """Return the scheme and host under which callers reach the app.

    Azure and the local hosts set WEBSITE_HOSTNAME. If it is missing, the URL of the call counts, which contains the
    Host header that the caller sent.
    """
    host = environment.get("WEBSITE_HOSTNAME", "")
    if not host:
        url = httpx.URL(request_url)
        return f"{url.scheme}://{url.netloc.decode()}"
    local = host.startswith(("localhost", "127.", "0.0.0.0"))  # noqa: S104  compared, not bound
    return f"{'http' if local else 'https'}://{host}"


def _configured(settings: Settings) -> TenantFact:
    return TenantFact(Known(settings.cloud_accounts_show), Known(settings.synced_accounts_show))


def _storage(
    storage: Storage, transport: Callable[[], AsyncHttpTransport[Any, Any]] | None, observed: Observer
) -> tuple[Ledger, Queue, Identity | None]:
    tables, queues = (dict[str, Any](transport=transport()) if transport else {} for _ in range(2))
    tables["observer"] = observed
    if storage.connection_string:
        text = storage.connection_string
        return Ledger.from_connection_string(text, **tables), Queue.from_connection_string(text, **queues), None
    identity = Identity(storage.client_id)
    ledger = Ledger.from_identity(storage.table_uri, identity.credential, **tables)
    return ledger, Queue.from_identity(storage.queue_uri, identity.credential, **queues), identity
