"""`GET /auditLogs/directoryAudits`: the log of redemptions. A record appears some minutes after the redemption."""

from datetime import timedelta

from rehearsal.tenant.clock import timestamp
from rehearsal.tenant.directory.schema import DIRECTORY_AUDIT
from rehearsal.tenant.gateway.routing import Call, Route
from rehearsal.tenant.odata.query import READ_MANY
from rehearsal.tenant.protocol import permissions
from rehearsal.tenant.protocol.messages import Answer
from rehearsal.tenant.routes.listing import listing

DELAY = timedelta(minutes=2)
"""How long after its event a record appears: 95 of 100 do within this time (reference-reports-latencies article)."""
KEPT = timedelta(days=30)
"""How long a tenant with a premium licence keeps a record (reference-reports-data-retention article)."""


def directory_audits(call: Call) -> Answer:
    """Return the records that appear by now, newest first."""
    now = call.tenant.clock.now()
    oldest, newest = timestamp(now - KEPT), timestamp(now - DELAY)
    shown = [record for record in call.tenant.audits if oldest <= record["activityDateTime"] <= newest]
    return listing(call, reversed(shown), DIRECTORY_AUDIT, "auditLogs/directoryAudits")


ROUTES = (Route("GET", "/auditLogs/directoryAudits", directory_audits, permissions.AUDIT_LOG_READ, READ_MANY),)
