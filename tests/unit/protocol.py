"""Rows, accounts and times for the tests of the protocol."""

from datetime import UTC, datetime, timedelta
from typing import Any

from b2b.domain.account import Account
from b2b.domain.conversion.assessment import Assessment, Sighting
from b2b.domain.conversion.records import Change, Conversion, Doubt, Source
from b2b.domain.conversion.situation import Limits
from b2b.domain.conversion.stages import Stage
from b2b.domain.findings import Finding, Severity
from b2b.domain.request.record import RequestRecord
from b2b.domain.request.subject import address_key
from tests.unit.cases import ADDRESS, ANNA, user

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WINDOW = timedelta(seconds=360)
LIMITS = Limits(fence=10 * SECOND, lease=2 * MINUTE, window=WINDOW, give_up=DAY)
TENANT = "11111111-0000-4000-8000-000000000000"

INTERNAL = user()
PENDING = user(externalUserState="PendingAcceptance", externalUserStateChangeDateTime="2026-11-22T11:00:00Z")
ACCEPTED = user(externalUserState="Accepted", externalUserStateChangeDateTime="2026-11-22T11:30:00Z")
REDEEMED_AT = datetime(2026, 11, 22, 11, 30, tzinfo=UTC)
RESET_AT = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


def conversion(stage: Stage = Stage.INVITING, **columns: Any) -> Conversion:
    """Return a conversion of Anna's account that request r-1 leads."""
    given = {"user_id": ANNA, "request_id": "r-1", "invited_user_email_address": ADDRESS, **columns}
    return Conversion(stage=stage, **given)


def record(stage: Stage = Stage.REQUESTED, **columns: Any) -> RequestRecord:
    """Return request r-1 for Anna's account."""
    given = {
        "request_id": "r-1",
        "body_hash": "h",
        "source": Source.HTTP,
        "requested_at": NOW - HOUR,
        "user_id": ANNA,
        **columns,
    }
    return RequestRecord(stage=stage, **given)


def doubt(
    ago: timedelta, *, attempt: str = "a-1", silent: bool = False, waived: bool = False, elsewhere: bool = False
) -> Doubt:
    """Return the doubt of a call that ended `ago` before NOW and lasted half a minute."""
    return Doubt(attempt, NOW - ago - 30 * SECOND, NOW - ago, silent, address_key(ADDRESS), waived, elsewhere)


def seen(account: Account | None, *, in_bin: bool = False) -> Sighting:
    """Return a read of an account at NOW."""
    return Sighting(NOW, account, in_bin)


def finding(rule: str = "directory-role", severity: str = "review", message: str = "") -> Finding:
    """Return a finding of a rule."""
    return Finding(rule, Severity(severity), message or f"about {rule}", "fix", "https://learn.microsoft.com/")


def judged(*findings: Finding, account: Account | None = INTERNAL, address: str | None = ADDRESS) -> Assessment:
    """Return an assessment made at NOW; without findings the account is ready."""
    return Assessment(account, address, TENANT, findings, NOW)


def kinds(change: Change[Any]) -> list[str]:
    """Return the kinds of a change's events, in order."""
    return [event.kind for event in change.events]
