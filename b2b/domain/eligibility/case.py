"""The input of every rule: a request, and everything that was read for it."""

from dataclasses import dataclass, field
from functools import cached_property

from b2b.domain.account import Account
from b2b.domain.eligibility import address as addresses
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Facts
from b2b.domain.findings import Profile
from b2b.domain.request import ConversionRequest


@dataclass(frozen=True)
class Wishes:
    """The administrator's settings that rules depend on."""

    excluded_group: str | None = None
    scope_group: str | None = None
    copy_domains: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    """A request and everything that was read for it."""

    request: ConversionRequest
    profile: Profile
    facts: Facts = field(default_factory=Facts)
    send_message: bool = True
    sign_in: str = ""
    wishes: Wishes = Wishes()

    @property
    def account(self) -> Account | None:
        """The account; None unless the request names exactly one."""
        accounts = self.facts[facts.ACCOUNT]
        return accounts[0] if len(accounts) == 1 else None

    @cached_property
    def address(self) -> str | None:
        """The address that the invitation goes to; None if neither request nor account has one."""
        return addresses.invited_address(self.request, self.account, self.profile)

    @property
    def user(self) -> Account:
        """The account, for rules that are asked only if there is one.

        Raises:
            ValueError: there is no account. This is a bug.

        """
        if self.account is None:
            raise ValueError("a rule about the account was asked without one")
        return self.account

    @property
    def synced(self) -> bool:
        """Tell whether there is an account that is synchronised from Active Directory."""
        return self.account is not None and self.account.synced

    @property
    def copies(self) -> tuple[str, ...]:
        """The addresses that get a copy of the invitation mail."""
        info = self.request.invited_user_message_info
        return tuple(to.email_address.address or "" for to in info.cc_recipients) if info else ()

    @property
    def sponsors(self) -> tuple[str, ...]:
        """The object ids of the request's sponsors, in lower case."""
        return tuple(sponsor.lower() for sponsor in self.request.invited_user_sponsors)

    @property
    def unlicensed_mailbox(self) -> bool:
        """Tell whether the account may have an unlicensed mailbox. Its primary address is then in a verified domain."""
        primary = self.user.primary_address
        own = self.facts[facts.DOMAINS].own(addresses.domain_of(primary or ""))
        return own is not None and not self.user.has_mailbox

    @property
    def domain(self) -> str:
        """The domain of the invited address in lower case; empty if there is no address."""
        return addresses.domain_of(self.address or "")
