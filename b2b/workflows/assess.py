"""Read what the rules need about one request, in as few round trips as it takes, and ask them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from b2b.domain import address as addresses
from b2b.domain.account import Account
from b2b.domain.approval import subject_of
from b2b.domain.conversion import ACTIVE, Conversion
from b2b.domain.eligibility import judge, needed_facts
from b2b.domain.envelope import digest
from b2b.domain.errors import GRAPH, Transient
from b2b.domain.facts import ACCOUNT_FACTS, ADDRESS_FACTS, TENANT_FACTS, Case, Fact, Roles
from b2b.domain.findings import Finding, Verdict, verdict_of
from b2b.domain.invitation import Defaults, sends_message, sign_in_address
from b2b.domain.readings import Memberships, NotReadable, NotThere
from b2b.domain.request import ConversionRequest, InvitedUser
from b2b.domain.tenant import CrossTenantAccess, DomainList, Domains, Tenant
from b2b.settings import Settings
from b2b.workflows.ports import Clock, Directory, Identity, Ledger

_DERIVED = frozenset({Fact.GROUP_DETAILS, Fact.RESERVATION})
"""Facts that are not a question to Graph: one comes with the memberships, the other from the ledger."""


@dataclass(frozen=True)
class LookUp:
    """What the first round trip brought: the accounts that the request names, and whatever else could be asked."""

    accounts: tuple[Account, ...]
    facts: Mapping[Fact, Any]

    @property
    def account(self) -> Account | None:
        """The account, where the request names exactly one."""
        return self.accounts[0] if len(self.accounts) == 1 else None


@dataclass(frozen=True)
class Assessment:
    """The rules' word about one request."""

    account: Account | None
    address: str | None
    tenant_id: str
    findings: tuple[Finding, ...]
    at: datetime

    @property
    def subject(self) -> str:
        """What an approval of this would be for."""
        return subject_of(self.account.id if self.account else "", self.address or "")

    @property
    def verdict(self) -> Verdict:
        """What the findings add up to."""
        return verdict_of(self.findings)


def address_key(address: str) -> str:
    """Return the key under which an address is reserved: a hash, because keys carry no personal data."""
    return digest(address.strip().lower().encode())


@dataclass
class _Cache:
    """Tenant facts, until they are too old."""

    read_at: datetime | None = None
    tenant: Tenant = field(default_factory=Tenant)
    unreadable: frozenset[Fact] = frozenset()


class Assessor:
    """Assesses requests; keeps what holds for the whole tenant for a while."""

    def __init__(
        self, directory: Directory, ledger: Ledger, identity: Identity, settings: Settings, clock: Clock
    ) -> None:
        """Use the adapters; nothing is read yet."""
        self._directory, self._ledger, self._identity = directory, ledger, identity
        self._settings, self._clock, self._started = settings, clock, clock()
        self._lifetime = timedelta(seconds=settings.tenant_facts_lifetime)
        self._wanted = needed_facts(settings.profile, settings.rule_overrides)
        self._cache, self._lock = _Cache(), asyncio.Lock()
        self._failure: Transient | None = None
        self._not_before: datetime | None = None
        self._home_tenants: dict[str, tuple[datetime, Any]] = {}
        self.defaults = Defaults(settings.redirect_url, settings.send_message)

    async def look_up(self, request: ConversionRequest) -> LookUp:
        """Find the account, and read along what needs no more than the request to be asked.

        Raises:
            Transient: a service did not answer.
            AccessDenied: accounts cannot be read.

        """
        user = request.invited_user
        questions: dict[Fact, Any] = {Fact.ACCOUNT: user}
        if user.id is not None:
            questions |= dict.fromkeys(self._of(ACCOUNT_FACTS), user.id)
        if request.invited_user_email_address is not None:
            questions |= self._address_questions(request.invited_user_email_address.strip())
        facts = await self._directory.read(questions)
        accounts = facts.pop(Fact.ACCOUNT)
        if user.id is not None and not isinstance(accounts, NotThere) and accounts[0].id.lower() != user.id.lower():
            raise Transient(GRAPH, "it answered with another account than it was asked for")
        return LookUp(() if isinstance(accounts, NotThere) else accounts, facts)

    async def assess(self, request: ConversionRequest, found: LookUp) -> Assessment:
        """Read what is still missing and ask the rules.

        Raises:
            Transient: a service did not answer, or a replica lags behind its own account.

        """
        account, began = found.account, self._clock()
        address = addresses.invited_address(request, account, self._settings.profile)
        tenant, unreadable = await self._tenant()
        facts = {**found.facts, **await self._directory.read(self._rest(request, account, address, found.facts))}
        home_tenant = self._home_tenant(address, facts)
        if account is not None and any(isinstance(facts.get(fact), NotThere) for fact in ACCOUNT_FACTS):
            raise Transient(GRAPH, "the account is there and its relations are not: a replica lags")
        case = Case(
            request=request,
            profile=self._settings.profile,
            tenant=tenant,
            account=account,
            candidates=len(found.accounts),
            deleted=facts.get(Fact.DELETED_ACCOUNT) is True,
            address=address,
            send_message=sends_message(request, self.defaults),
            sign_in=sign_in_address(request, tenant.id, self.defaults),
            excluded_group=self._settings.excluded_group,
            reserved_for=await self._reserved_for(address, account),
            home_tenant=home_tenant,
            unreadable=unreadable | _unreadable(facts),
            **_relations(facts),
            **_holders(facts, account),
        )
        findings = judge(case, self._settings.rule_overrides)
        return Assessment(account, address, tenant.id, findings, began)

    async def recall(self, conversion: Conversion) -> Assessment | None:
        """Return the assessment that a claim was made on, as long as it holds; else None.

        It does while it is young and the account reads as it did, and in the process that has not been started since:
        with a restart come new settings.

        Raises:
            Transient: a service did not answer.
            AccessDenied: accounts cannot be read.

        """
        at, now = conversion.assessed_at, self._clock()
        lifetime = timedelta(seconds=self._settings.assessment_lifetime)
        if at is None or at < self._started or now - at >= lifetime:
            return None
        tenant, _ = await self._tenant()
        accounts = (await self._directory.read({Fact.ACCOUNT: InvitedUser(id=conversion.user_id)}))[Fact.ACCOUNT]
        if isinstance(accounts, NotThere) or accounts[0].fingerprint != conversion.assessed_as:
            return None
        return Assessment(accounts[0], conversion.invited_user_email_address, tenant.id, conversion.findings, at)

    def _of(self, group: frozenset[Fact]) -> frozenset[Fact]:
        return (self._wanted & group) - _DERIVED

    def _address_questions(self, address: str) -> dict[Fact, Any]:
        """A home tenant belongs to the domain and is remembered; an address that Graph cannot use is not looked up."""
        if addresses.problem(address):
            return {}
        domain = addresses.domain_of(address)
        questions: dict[Fact, Any] = dict.fromkeys(self._of(ADDRESS_FACTS) - {Fact.HOME_TENANT}, address)
        read_at, _ = self._home_tenants.get(domain, (None, None))
        if Fact.HOME_TENANT in self._wanted and (read_at is None or self._clock() - read_at >= self._lifetime):
            questions[Fact.HOME_TENANT] = domain
        return questions

    def _rest(
        self, request: ConversionRequest, account: Account | None, address: str | None, known: Mapping[Fact, Any]
    ) -> dict[Fact, Any]:
        questions: dict[Fact, Any] = {}
        if account is not None:
            questions |= dict.fromkeys(self._of(ACCOUNT_FACTS), account.id)
        elif request.invited_user.id is not None:
            questions[Fact.DELETED_ACCOUNT] = request.invited_user.id
        if address is not None:
            questions |= self._address_questions(address)
        return {fact: subject for fact, subject in questions.items() if fact not in known}

    async def _tenant(self) -> tuple[Tenant, frozenset[Fact]]:
        """One asks for all: who waited for an answer that did not come, or comes too early, shares the failure."""
        failure_before = self._failure
        async with self._lock:
            now = self._clock()
            if self._cache.read_at is None or now - self._cache.read_at >= self._lifetime:
                too_early = self._not_before is not None and now < self._not_before
                if self._failure is not None and (too_early or self._failure is not failure_before):
                    raise self._failure.with_traceback(None)
                try:
                    await self._read_tenant(now)
                except Transient as error:
                    self._failure = error
                    self._not_before = now + timedelta(seconds=error.retry_after or 0.0)
                    raise
            return self._cache.tenant, self._cache.unreadable

    async def _read_tenant(self, now: datetime) -> None:
        claims = await self._identity.claims()
        facts = await self._directory.read(dict.fromkeys(self._of(TENANT_FACTS), None))
        self._cache = _Cache(now, _tenant(claims.tenant_id, facts), _unreadable(facts))

    def _home_tenant(self, address: str | None, facts: Mapping[Fact, Any]) -> str | None:
        """Return the tenant of the address's domain, and remember it; what could not be read is asked again."""
        domain = addresses.domain_of(address or "")
        _, known = self._home_tenants.get(domain, (None, None))
        found = facts.get(Fact.HOME_TENANT, known)
        if Fact.HOME_TENANT in facts and not isinstance(found, NotReadable):
            self._home_tenants[domain] = (self._clock(), found)
        return found if isinstance(found, str) else None

    async def _reserved_for(self, address: str | None, account: Account | None) -> str | None:
        """Return the other account that is being converted with this address; a reservation alone proves nothing."""
        if address is None or Fact.RESERVATION not in self._wanted:
            return None
        held = await self._ledger.reservation(address_key(address))
        if held is None or (account is not None and held.user_id == account.id.lower()):
            return None
        holder = await self._ledger.conversions.get(held.user_id)
        same = holder is not None and address_key(holder.invited_user_email_address) == address_key(address)
        return held.user_id if holder is not None and same and holder.stage in ACTIVE else None


def _unreadable(facts: Mapping[Fact, Any]) -> frozenset[Fact]:
    blind = {fact for fact, value in facts.items() if isinstance(value, NotReadable)}
    members = facts.get(Fact.MEMBERSHIPS)
    hidden = isinstance(members, NotReadable) or (isinstance(members, Memberships) and not members.details_readable)
    return frozenset(blind | ({Fact.GROUP_DETAILS} if hidden else set()))


def _value(facts: Mapping[Fact, Any], fact: Fact, default: Any) -> Any:
    value = facts.get(fact, default)
    return default if isinstance(value, NotReadable | NotThere) else value


def _relations(facts: Mapping[Fact, Any]) -> dict[str, Any]:
    members = _value(facts, Fact.MEMBERSHIPS, Memberships())
    return {
        "groups": members.groups,
        "roles": Roles(
            active=(*members.roles, *_value(facts, Fact.ROLE_ASSIGNMENTS, ())),
            eligible=_value(facts, Fact.ROLE_ELIGIBILITIES, ()),
            role_assignable_groups=members.role_assignable_groups,
        ),
    }


def _holders(facts: Mapping[Fact, Any], account: Account | None) -> dict[str, Any]:
    own = account.id.lower() if account else ""
    users = (*_value(facts, Fact.USERS_WITH_ADDRESS, ()), *_value(facts, Fact.DELETED_WITH_ADDRESS, ()))
    return {
        "holders": tuple(user for user in users if user != own),
        "holding_groups": _value(facts, Fact.GROUPS_WITH_ADDRESS, ()),
        "holding_contacts": _value(facts, Fact.CONTACTS_WITH_ADDRESS, ()),
    }


def _tenant(tenant_id: str, facts: Mapping[Fact, Any]) -> Tenant:
    return Tenant(
        id=tenant_id,
        domains=_value(facts, Fact.DOMAINS, Domains()),
        federations=_value(facts, Fact.FEDERATIONS, frozenset()),
        invites_from=_value(facts, Fact.INVITATION_POLICY, ""),
        access=_value(facts, Fact.CROSS_TENANT_ACCESS, CrossTenantAccess()),
        domain_list=_value(facts, Fact.DOMAIN_LIST, DomainList()),
    )
