"""The type of a rule: test, severities, fix and source in one row. Package `rules` has the rows beside their tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.fact import Fact
from b2b.domain.findings import Profile, Severity

_LEARN = "https://learn.microsoft.com/"
ARTICLE = _LEARN + "entra/external-id/invite-internal-users"
ORIGINAL = _LEARN + "azure/active-directory/external-identities/invite-internal-users"
LIMITS = _LEARN + "entra/external-id/troubleshoot"
PROPERTIES = _LEARN + "entra/external-id/user-properties"
REDEMPTION = _LEARN + "entra/external-id/redemption-experience"
USER = _LEARN + "graph/api/resources/user"
INVITATION = _LEARN + "graph/api/resources/invitation"
INVITING = _LEARN + "graph/api/invitation-post"


class Subject(Enum):
    """What a rule is about. A rule is asked only if the case has its subject."""

    REQUEST = "request"
    TENANT = "tenant"
    ACCOUNT = "account"
    ADDRESS = "address"
    """An address that Graph can use. Nothing is looked up about any other address."""


class Hit(NamedTuple):
    """What a rule found, in words. ``fix`` replaces the rule's fix for this case; ``at_most`` limits its severity."""

    message: str
    at_most: Severity | None = None
    fix: str | None = None


Result = str | Hit | None
Test = Callable[[Case], Result]


def _always(_case: Case) -> bool:
    return True


@dataclass(frozen=True)
class Rule:
    """One reason why an account may not, or should not, be converted."""

    id: str
    subject: Subject
    current: Severity
    legacy: Severity
    test: Test
    hits: str
    """When the rule hits: the docstring of its test, which docs/reference/rules.md shows."""
    fix: str
    source: str
    needs: frozenset[Fact[Any]] = frozenset()
    """Facts that may be unreadable. If one is, and the others give no hit, the rule cannot be decided."""
    reads: frozenset[str] = frozenset()
    """Properties of the account, by their names in Graph, that Graph may leave out of its answer."""
    legacy_fix: str | None = None
    """The fix under the 2020 article; None if it is ``fix``."""
    refused_fix: str | None = None
    """The fix if Graph refuses the invitation for this rule's reason although the rule found nothing; None if it is
    ``fix``. The request has then ended `blocked`."""
    sets_address: bool = False
    """Whether the fix sets an address of the account. Active Directory or Exchange may be in charge of it."""
    pinned: bool = False
    """Whether settings cannot change the severity, because nothing can be invited if the rule hits."""
    only_with: str = ""
    """The field of `Settings` that the rule compares with. If it is not set, the rule is off."""
    applies: Callable[[Case], bool] = _always
    """Returns False if the rule cannot hit in a case, regardless of the facts."""
    enforced_by_graph: bool = False
    """Whether Graph itself refuses such an invitation, so that an undecided rule costs at most a failed call."""

    def severity(self, profile: Profile, overrides: Mapping[str, Severity]) -> Severity:
        """Return the severity in force: the rule's entry in ``overrides``, or else the rule's own for the profile."""
        return overrides.get(self.id, self.legacy if profile is Profile.LEGACY else self.current)

    @property
    def fix_after_refusal(self) -> str:
        """The fix if Graph itself refuses the invitation."""
        return self.refused_fix or self.fix

    def fix_under(self, profile: Profile) -> str:
        """Return the fix that the profile's article gives."""
        return self.legacy_fix or self.fix if profile is Profile.LEGACY else self.fix


def rule(
    rule_id: str, subject: Subject, current: Severity, legacy: Severity, *needs: Fact[Any] | str, **more: Any
) -> Callable[[Test], Rule]:
    """Turn the decorated test into a `Rule`.

    ``needs`` are the facts, and the names of the account's properties, that the test uses. ``more`` are further fields
    of `Rule`.
    """

    def of(test: Test) -> Rule:
        hits = " ".join((test.__doc__ or "").split())
        reads = frozenset(need for need in needs if isinstance(need, str))
        facts = frozenset(need for need in needs if isinstance(need, Fact))
        return Rule(rule_id, subject, current, legacy, test, hits, needs=facts, reads=reads, **more)

    return of
