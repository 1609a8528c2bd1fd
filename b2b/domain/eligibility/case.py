"""The input of every rule: one request and everything that was read for it."""

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
    """The settings that rules depend on."""

    excluded_group: str | None = None
    scope_group: str | None = None
    copy_domains: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    """One request, and what was read about it."""

    request: ConversionRequest
    profile: Profile
    facts: Facts = field(default_factory=Facts)
    send_message: bool = True
    sign_in: str = ""
    wishes: Wishes = Wishes()

    @property
    def account(self) -> Account | None:
        """The account, where the request names exactly one."""
        accounts = self.facts[facts.ACCOUNT]
        return accounts[0] if len(accounts) == 1 else None

    @cached_property
    def address(self) -> str | None:
        """The address that the invitation goes to; None if neither request nor account has one."""
        return addresses.invited_address(self.request, self.account, self.profile)

    @property
    def user(self) -> Account:
        """The account, for rules that are asked only where there is one."""
        if self.account is None:
            raise ValueError("a rule about the account was asked without one")
        return self.account

    @property
    def synced(self) -> bool:
        """Tell whether the account is there and synchronised from Active Directory."""
        return self.account is not None and self.account.synced

    @property
    def copies(self) -> tuple[str, ...]:
        """The addresses that get a copy of the mail."""
        info = self.request.invited_user_message_info
        return tuple(to.email_address.address or "" for to in info.cc_recipients) if info else ()

    @property
    def sponsors(self) -> tuple[str, ...]:
        """The object ids of the sponsors that the request names, lower case."""
        return tuple(sponsor.lower() for sponsor in self.request.invited_user_sponsors)

    @property
    def unlicensed_mailbox(self) -> bool:
        """Tell whether the account may be a mailbox without a licence: its primary address is the tenant's own."""
        primary = self.user.primary_address
        own = self.facts[facts.DOMAINS].own(addresses.domain_of(primary or ""))
        return own is not None and not self.user.has_mailbox

    @property
    def domain(self) -> str:
        """The domain of the invited address, lower case."""
        return addresses.domain_of(self.address or "")
