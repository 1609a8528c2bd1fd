"""Read the facts that the rules need about one request, in as few round trips as possible, and judge it."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from b2b.domain.account import Account
from b2b.domain.conversion.assessment import Assessment, Sighting
from b2b.domain.conversion.records import Conversion
from b2b.domain.eligibility import address as addresses
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.case import Case, Wishes
from b2b.domain.eligibility.fact import About, Fact, Facts
from b2b.domain.eligibility.facts import AskedAbout
from b2b.domain.eligibility.judge import judge, may_be_invited, needed_facts
from b2b.domain.errors import GRAPH, Transient
from b2b.domain.findings import Verdict, verdict_of
from b2b.domain.invitation import Defaults, sends_message, sign_in_address
from b2b.domain.lifecycle.snapshot import FACTS, snapshot_of
from b2b.domain.request import ConversionRequest, InvitedUser
from b2b.settings import Mode, Settings
from b2b.workflows.conversion.remembered import Remembered
from b2b.workflows.conversion.reservations import Reservations
from b2b.workflows.ports import Clock, Directory, Identity

Questions = dict[Fact[Any], AskedAbout]


@dataclass(frozen=True)
class LookUp:
    """The result of the first round trip: the accounts that the request names, and other facts that were read along."""

    known: Facts
    at: datetime
    """A time before the first read."""
    named: str | None = None
    """The object id by which the account was read; None if it was looked up by something else."""

    @property
    def account(self) -> Account | None:
        """The account; None unless the request names exactly one."""
        accounts = self.known[facts.ACCOUNT]
        return accounts[0] if len(accounts) == 1 else None


_UNREADABLE = object()


@dataclass
class _Cache:
    """The cached facts about the tenant."""

    read_at: datetime | None = None
    tenant_id: str = ""
    known: Facts = field(default_factory=Facts)


class Assessor:
    """Assesses requests. Caches facts about the tenant, domains and companies."""

    def __init__(
        self,
        directory: Directory,
        reservations: Reservations,
        identity: Identity,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._directory, self._reservations, self._identity = directory, reservations, identity
        self._settings, self._clock, self._started = settings, clock, clock()
        self._lifetime = timedelta(seconds=settings.tenant_facts_lifetime)
        needed = needed_facts(settings.profile, settings.rule_overrides)
        wanted = frozenset(fact.comes_with or fact for fact in needed)
        self._wanted = {about: wanted & facts.facts_about(about) for about in About}
        comparing = settings.compare_access and settings.mode is Mode.CONVERT
        self._access = FACTS if comparing else frozenset[Fact[Any]]()
        self._wishes = Wishes(settings.excluded_group, settings.scope_group, settings.copy_domains)
        self._cache, self._lock = _Cache(), asyncio.Lock()
        self._failure: Transient | None = None
        self._not_before: datetime | None = None
        self._kept = Remembered[Facts]()
        self.defaults = Defaults(settings.redirect_url, settings.send_message)

    async def sight(self, user_id: str) -> Sighting:
        """Read one account by its id. If it does not exist, find out whether it is in the recycle bin.

        Raises:
            Transient: the account cannot be read now.

        """
        found = (await self._directory.accounts([user_id])).get(user_id, _UNREADABLE)
        if isinstance(found, Account) or found is None:
            binned = await self._directory.deleted([user_id]) if found is None else frozenset[str]()
            return Sighting(self._clock(), found, user_id in binned)
        raise Transient(GRAPH, f"the account {user_id} cannot be read")

    async def look_up(self, request: ConversionRequest, bound: str = "") -> LookUp:
        """Find the account, and in the same round trip read the facts that depend on the request alone.

        ``bound`` is the object id to which the request is bound; empty if its account was not found yet.

        Raises:
            AccessDenied: the app may not read accounts.

        """
        user = InvitedUser(id=bound) if bound else request.invited_user
        questions: Questions = {facts.ACCOUNT: user}
        if user.id is not None:
            questions |= dict.fromkeys(self._wanted[About.ACCOUNT], user.id)
        if request.invited_user_email_address is not None:
            questions |= self._address_questions(request.invited_user_email_address.strip())
        if request.invited_user_sponsors:
            sponsors = tuple(sponsor.lower() for sponsor in request.invited_user_sponsors)
            questions |= dict.fromkeys(self._wanted[About.SPONSORS], sponsors)
        began = self._clock()
        known = await self._directory.read(questions)
        if user.id is not None and any(account.id.lower() != user.id.lower() for account in known[facts.ACCOUNT]):
            raise Transient(GRAPH, "it answered with another account than the requested one")
        return LookUp(known, began, user.id)

    async def assess(
        self, request: ConversionRequest, found: LookUp, holder: str | None = None, *, reserves: bool = False
    ) -> Assessment:
        """Read the missing facts and judge the request.

        ``holder`` is another account that is known to hold the address. ``reserves``: the caller reserves the address
        before it invites. For a ready request, this method then does not look for a holder.

        Raises:
            Transient: a lagging replica knows the account but not its relations.

        """
        account, began = found.account, self._clock()
        address = addresses.invited_address(request, account, self._settings.profile)
        tenant_id, of_tenant = await self._tenant()
        case = Case(
            request=request,
            profile=self._settings.profile,
            facts=of_tenant | found.known | Facts({facts.RESERVATION: holder}),
            send_message=sends_message(request, self.defaults),
            sign_in=sign_in_address(request, tenant_id, self.defaults),
            wishes=self._wishes,
        )
        questions = self._rest(found.named, account, address, found.known)
        # Of an account that is blocked already, nothing more is read.
        going_on = reserves and bool(self._access) and may_be_invited(case, self._settings.rule_overrides)
        access = self._access if going_on else frozenset[Fact[Any]]()
        if account is not None:
            questions |= {fact: account.id for fact in access if fact not in found.known}
        known = found.known | await self._directory.read(questions)
        related = {fact for fact in self._wanted[About.ACCOUNT] | access if not fact.optional}
        if account is not None and any(known.absent(fact) for fact in related):
            raise Transient(GRAPH, "the account is there and its relations are not: a replica lags")
        of_domain = self._remembered(About.DOMAIN, addresses.domain_of(address or ""), known)
        of_company = self._remembered(About.COMPANY, (account and account.company_name) or "", known)
        case = replace(case, facts=case.facts | known | of_domain | of_company)
        findings = judge(case, self._settings.rule_overrides)
        if holder is None and not (reserves and verdict_of(findings) is Verdict.READY):
            holder = await self._holder(address, account)
            if holder is not None:
                reserved = replace(case, facts=case.facts | Facts({facts.RESERVATION: holder}))
                findings = judge(reserved, self._settings.rule_overrides)
        snapshot = snapshot_of(account, known, found.at) if account is not None and access else None
        return Assessment(account, address, tenant_id, findings, began, snapshot)

    async def _holder(self, address: str | None, account: Account | None) -> str | None:
        """Return the other account that holds an address; None if there is none, or if no active rule needs it."""
        if address is None or not self._wanted[About.LEDGER]:
            return None
        return await self._reservations.holder(address, account.id.lower() if account else "")

    async def recall(self, conversion: Conversion) -> Assessment | None:
        """Return the assessment on which a claim was based; None if it is no longer valid.

        An assessment is valid for a limited time, while the account has not changed, and until the process restarts,
        because a restart may bring new settings.
        """
        at, now = conversion.assessed_at, self._clock()
        lifetime = timedelta(seconds=self._settings.assessment_lifetime)
        if at is None or at < self._started or now - at >= lifetime:
            return None
        tenant_id, _ = await self._tenant()
        known = await self._directory.read({facts.ACCOUNT: InvitedUser(id=conversion.user_id)})
        account = LookUp(known, now).account
        if account is None or account.fingerprint != conversion.assessed_as:
            return None
        return Assessment(account, conversion.invited_user_email_address, tenant_id, conversion.findings, at)

    def _address_questions(self, address: str) -> Questions:
        """Return the questions about an address and its domain; none if Graph cannot use the address."""
        if addresses.problem(address):
            return {}
        questions: Questions = dict.fromkeys(self._wanted[About.ADDRESS], address)
        return questions | self._shared_questions(About.DOMAIN, addresses.domain_of(address))

    def _shared_questions(self, about: About, subject: str) -> Questions:
        """Return the questions about a domain or a company; none if the cache has fresh answers."""
        read_at, _ = self._kept.get(f"{about} {subject}") or (None, None)
        fresh = read_at is not None and self._clock() - read_at < self._lifetime
        return {} if fresh else dict.fromkeys(self._wanted[about], subject)

    def _rest(self, named: str | None, account: Account | None, address: str | None, known: Facts) -> Questions:
        questions: Questions = {}
        if account is not None:
            questions |= dict.fromkeys(self._wanted[About.ACCOUNT], account.id)
            if account.company_name:
                questions |= self._shared_questions(About.COMPANY, account.company_name)
        elif named is not None:
            questions[facts.DELETED_ACCOUNT] = named
        if address is not None:
            questions |= self._address_questions(address)
        return {fact: subject for fact, subject in questions.items() if fact not in known}

    async def _tenant(self) -> tuple[str, Facts]:
        """Return the tenant's id and facts. If the cache is too old, one caller refreshes it and the others wait.

        If the refresh fails, callers that waited for it, or call before Graph's Retry-After ends, get the same error.
        """
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
            return self._cache.tenant_id, self._cache.known

    async def _read_tenant(self, now: datetime) -> None:
        claims = await self._identity.claims()
        known = await self._directory.read(dict.fromkeys(self._wanted[About.TENANT]))
        self._cache = _Cache(now, claims.tenant_id, known)

    def _remembered(self, about: About, subject: str, known: Facts) -> Facts:
        """Return the facts about a domain or a company, from Graph or the cache. Unreadable facts are not cached."""
        key, found = f"{about} {subject}", known.of(self._wanted[about])
        if not found:
            _, found = self._kept.get(key) or (None, Facts())
        elif not found.unreadable:
            self._kept.put(key, self._clock(), found)
        return found
