"""Throttling as Entra ID does it: each limit is a token bucket for one application or for the whole tenant.

Limits and headers come from the throttling-limits article, sections on the identity and access service and on the
invitation manager. A refused call still counts (throttling article), so a client that retries at once waits longer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from rehearsal.tenant.clock import Clock
from rehearsal.tenant.faults.retry_after import RetryAfterLedger
from rehearsal.tenant.protocol.auth import Caller
from rehearsal.tenant.protocol.errors import throttled

Tier = Literal["S", "M", "L"]
UNITS: Mapping[str, int] = {"S": 3500, "M": 5000, "L": 8000}
"""Resource units in 10 seconds for each pair of application and tenant, by tier."""
SMALL, LARGE = 50, 500
"""A tenant with fewer than 50 users is small, with more than 500 large."""
CATEGORIES: Mapping[str, str] = {"S": "small", "M": "medium", "L": "large"}
SHOWN_FROM, SHOWN_UP_TO = 0.8, 1.8
"""The header `x-ms-throttle-limit-percentage` reports the used share of a limit from the first value on, and at most
the second."""


class Charge(NamedTuple):
    """What a call costs, in each of the three kinds of charge."""

    units: int = 0
    writes: int = 0
    invitations: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `quota` of one kind of charge in `window` seconds, for each application or for all of them together."""

    name: str
    charged: str
    quota: int
    window: float
    scope: Literal["Tenant_Application", "Tenant"]
    kind: Literal["ReadWrite", "Write"]
    reason: str


LIMITS: tuple[Limit, ...] = (
    Limit("resource-units", "units", 0, 10, "Tenant_Application", "ReadWrite", "ResourceUnitLimitExceeded"),
    Limit("writes", "writes", 3000, 150, "Tenant_Application", "Write", "WriteLimitExceeded"),
    Limit("tenant-writes", "writes", 18000, 300, "Tenant", "Write", "WriteLimitExceeded"),
    Limit("invitations", "invitations", 150, 5, "Tenant", "Write", "WriteLimitExceeded"),
)
"""All limits. A quota of 0 stands for the one of the tenant's tier in `UNITS`."""
SMALLEST_FACTOR = 1 / 150
"""With a smaller factor not even one invitation would fit into its limit."""


@dataclass(slots=True)
class Bucket:
    """How much of one limit was used at the time `at`. The bucket drains evenly."""

    used: float = 0.0
    at: float = 0.0

    def add(self, amount: float, rate: float, now: float) -> None:
        """Drain the bucket up to `now` by `rate` per second, then add `amount`."""
        self.used = max(0.0, self.used - (now - self.at) * rate) + amount
        self.at = now


class Throttling:
    """The buckets of one tenant. Nothing is throttled until `set` turns it on."""

    def __init__(self, clock: Clock, retry_after: RetryAfterLedger) -> None:
        self._clock = clock
        self._retry_after = retry_after
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self.on = False
        self.tier: Tier | None = None
        self.factor = 1.0

    def set(self, given: Mapping[str, Any]) -> None:
        """Set `on`, `tier` (S, M, L, or null for the number of users), `factor` on all limits, and `grace`.

        For `grace` seconds after a refusal, calls are taken to have been sent before the client knew of it: both calls
        that the same bucket refuses, and repetitions of the refused call.
        """
        unknown = given.keys() - {"on", "tier", "factor", "grace"}
        if unknown:
            raise ValueError(f"throttling has no {', '.join(sorted(unknown))}")
        factor, tier = float(given.get("factor", self.factor)), given.get("tier", self.tier)
        grace = float(given.get("grace", self._retry_after.grace))
        if factor < SMALLEST_FACTOR:
            raise ValueError(f"with a factor below 1/150 no invitation would fit, got {factor}")
        if tier not in (None, *UNITS):
            raise ValueError(f"tier is S, M, L or null, got {tier!r}")
        self.on, self.tier, self.factor = bool(given.get("on", self.on)), tier, factor
        self._retry_after.grace = grace
        self._buckets.clear()

    def as_json(self) -> dict[str, Any]:
        """Return the settings, and how full each bucket was when it was last charged."""
        levels = {" ".join(filter(None, key)): round(bucket.used, 3) for key, bucket in self._buckets.items()}
        settings = {"on": self.on, "tier": self.tier, "factor": self.factor, "grace": self._retry_after.grace}
        return {**settings, "used": levels}

    def admit(self, caller: Caller, charge: Charge, *, users: int, tenant_id: str) -> dict[str, str]:
        """Charge a call and return the headers for its answer. Raises `GraphError` (429) if a limit is exceeded."""
        if not self.on:
            return {}
        tier = self.tier or tier_of(users)
        levels = [self._charge(limit, caller, charge, tier) for limit in LIMITS if getattr(charge, limit.charged)]
        shown = _shown(levels)
        text = (
            f"Too many requests from Identifier:{caller.app_id} under category:aadgraph.app.tenant_{CATEGORIES[tier]}. "
            "Please try again later."
        )
        for level in sorted(levels, key=lambda level: level.wait, reverse=True):
            wait, early = self._verdict(caller, level)
            if wait:
                scope = f"{level.limit.scope}/{level.limit.kind}/{caller.app_id}/{tenant_id}"
                reason = {"x-ms-throttle-scope": scope, "x-ms-throttle-information": level.limit.reason}
                headers = {**shown, "Retry-After": str(wait), **reason}
                raise throttled(text, headers=headers, told={_about(level): wait}, early=early)
        return shown

    def _verdict(self, caller: Caller, level: "Level") -> tuple[int, str | None]:
        """Return the seconds that the caller has to wait (0: none), and a description of its breach of Retry-After or
        None.
        """
        breach = self._retry_after.breach(caller.process, _about(level))
        if breach is not None:
            wait = max(level.wait, breach.seconds)
            return math.ceil(wait), f"{level.limit.name}: {breach.early:.1f} s before Retry-After"
        told = self._retry_after.open(caller.process, _about(level))
        held = told.until - self._clock.seconds() if told is not None and told.early else 0.0
        return math.ceil(max(level.wait, held)), None

    def _charge(self, limit: Limit, caller: Caller, charge: Charge, tier: str) -> "Level":
        quota = (limit.quota or UNITS[tier]) * self.factor
        amount = getattr(charge, limit.charged)
        owner = caller.app_id if limit.scope == "Tenant_Application" else ""
        bucket = self._buckets.setdefault((limit.name, owner), Bucket(at=self._clock.seconds()))
        rate = quota / limit.window
        bucket.add(amount, rate, self._clock.seconds())
        missing = bucket.used - quota
        return Level(limit, bucket.used / quota, (missing + amount) / rate if missing > 0 else 0.0)


class Level(NamedTuple):
    """How full one bucket is after a call (1 is its limit), and in how many seconds the call would fit."""

    limit: Limit
    share: float
    wait: float


def tier_of(users: int) -> Tier:
    """Return the tier for a number of users."""
    if users < SMALL:
        return "S"
    return "M" if users <= LARGE else "L"


def _about(level: Level) -> str:
    return f"bucket {level.limit.name}"


def _shown(levels: list[Level]) -> dict[str, str]:
    most = max((level.share for level in levels), default=0.0)
    if most <= SHOWN_FROM:
        return {}
    return {"x-ms-throttle-limit-percentage": f"{min(most, SHOWN_UP_TO):.2f}"}
