"""What a rule is: its test, severities, fix and source as one row. The rows stand in `rules`, each beside its test."""

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
    """What a rule is about. A rule is asked only if its subject is there."""

    REQUEST = "request"
    TENANT = "tenant"
    ACCOUNT = "account"
    ADDRESS = "address"
    """An address that Graph can use; about one that it cannot, nothing is looked up."""


class Hit(NamedTuple):
    """What a rule found, in words. ``at_most`` and ``fix`` replace the rule's own severity and fix for this case."""

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
    """When it hits, for docs/reference/rules.md: the docstring of the test."""
    fix: str
    source: str
    needs: frozenset[Fact[Any]] = frozenset()
    """Facts that can be missing. Without them, and without a hit from the others, the rule cannot be decided."""
    reads: frozenset[str] = frozenset()
    """Properties of the account, by their names in Graph, that can be missing in its answer."""
    legacy_fix: str | None = None
    """The fix under the 2020 article, where it differs."""
    refused_fix: str | None = None
    """The fix where Graph refuses although the rule had nothing to say: the request has then ended `blocked`."""
    sets_address: bool = False
    """The fix is to set an address of the account, which Active Directory or Exchange may be in charge of instead."""
    pinned: bool = False
    """Where it hits, there is nothing to invite, so settings cannot soften it."""
    only_with: str = ""
    """The field of `Settings` without which the rule is off: there is nothing to compare with."""
    applies: Callable[[Case], bool] = _always
    """False where the rule has nothing to say, whatever the facts are."""
    enforced_by_graph: bool = False
    """Graph refuses such an invitation itself, so an undecided rule costs a failed call and nothing else."""

    def severity(self, profile: Profile, overrides: Mapping[str, Severity]) -> Severity:
        """Return the severity in force."""
        return overrides.get(self.id, self.legacy if profile is Profile.LEGACY else self.current)

    @property
    def fix_after_refusal(self) -> str:
        """Return what to do where Graph itself refuses the invitation."""
        return self.refused_fix or self.fix

    def fix_under(self, profile: Profile) -> str:
        """Return the fix in the words of the profile's article."""
        return self.legacy_fix or self.fix if profile is Profile.LEGACY else self.fix


def rule(
    rule_id: str, subject: Subject, current: Severity, legacy: Severity, *needs: Fact[Any] | str, **more: Any
) -> Callable[[Test], Rule]:
    """Make a rule of the test below: its row in one place. ``needs`` are facts and properties of the account.

    The other fields of `Rule` go by their names.
    """

    def of(test: Test) -> Rule:
        hits = " ".join((test.__doc__ or "").split())
        reads = frozenset(need for need in needs if isinstance(need, str))
        facts = frozenset(need for need in needs if isinstance(need, Fact))
        return Rule(rule_id, subject, current, legacy, test, hits, needs=facts, reads=reads, **more)

    return of
