"""A Graph directory in memory: what administrators and invited people do to it, and what an oracle may read."""

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Any

from tests.simulation.directory_accounts import ACCEPTED, PENDING, USER, State, complete, holding
from tests.simulation.directory_invitations import Invitations
from tests.simulation.directory_query import Query
from tests.simulation.directory_reads import Reads
from tests.simulation.directory_refusals import Invite
from tests.simulation.directory_state import Redemption, Refused, TenantState

_TOPICS = ("list", "address", "company", "tenant")


class Directory(TenantState):
    """The directory. An act returns whether it was possible; an act that is not possible changes nothing.

    `reads` and `invitations` are Graph's API. No other method waits for the scheduler or shows a lagging state.
    """

    @cached_property
    def reads(self) -> Reads:
        """The stand-in for Graph's read API."""
        return Reads(self)

    @cached_property
    def invitations(self) -> Invitations:
        """The stand-in for Graph's invitation API."""
        return Invitations(self)

    def truth(self, user_id: str) -> dict[str, Any] | None:
        """Return the account as the primary holds it; None if it does not exist or is deleted."""
        account = self.account(user_id)
        return None if account is None else dict(account)

    def deleted(self, user_id: str) -> dict[str, Any] | None:
        """Return the account from the recycle bin; None if it is not there."""
        account = self.accounts.binned(user_id.lower(), self.moment())
        return None if account is None else dict(account)

    def ids(self) -> tuple[str, ...]:
        """The ids of all accounts that ever existed, in lower case."""
        return tuple(self.accounts)

    def subject(self, queries: Iterable[Query]) -> str:
        """Return the subject of reads: an object id if they concern one account, else `accounts` or a common topic."""
        accounts, topics = set(), set()
        for query in queries:
            if query.account:
                accounts.add(self._id_of(query))
            else:
                topics.add(query.topic)
        if accounts:
            return accounts.pop() if len(accounts) == 1 else "accounts"
        return min(topics, key=_TOPICS.index)

    def add(self, **properties: Any) -> str:
        """Create an account, and return its id in lower case."""
        account = complete(properties)
        key = str(account["id"]).lower()
        assert key not in self.accounts, f"{key} is the id of another account"
        self.accounts.write(self.moment(), account)
        return key

    def redeem(
        self,
        user_id: str,
        secret: str | None = None,
        provider: str = "ExternalAzureAD",
        signed_in: str | None = None,
    ) -> bool:
        """Let a person redeem, by the link with this secret, or else by the newest open link.

        ``signed_in`` is the address of the account that redeems, if it is not the invited one.
        """
        account = self.account(user_id)
        found = [t for t in self.tickets_of(user_id) if t.open and secret in (None, t.secret)]
        if account is None or not found or not account["accountEnabled"]:
            return False
        address = found[-1].address
        if self.tenant.excludes(address.rpartition("@")[2].lower()):
            return False
        for ticket in self.tickets_of(user_id):
            ticket.redeemed = True
        person = signed_in or address
        own_id = person if self.switches["issuer-assigned-id"] == "address" else person.encode().hex()[:21]
        issued = None if provider in ("ExternalAzureAD", "MicrosoftAccount") else own_id
        federated = {"signInType": "federated", "issuer": provider, "issuerAssignedId": issued}
        named = {"signed-in": person, "invited": address, "account": account["userPrincipalName"]}
        name = named[self.switches["audit-redeemer"]]
        self.redemptions.append(Redemption(self.now(), account["id"], person, address, provider, name))
        self._become(account, ACCEPTED, [*_internal(account), federated])
        return True

    def delete(self, user_id: str) -> bool:
        """Move an account to the recycle bin; its object id is put in front of its name there."""
        account = self.account(user_id)
        if account is None:
            return False
        upn = account["id"].replace("-", "") + account["userPrincipalName"]
        self.accounts.discard(self.moment(), {**account, "deletedDateTime": self.stamp(), "userPrincipalName": upn})
        return True

    def restore(self, user_id: str) -> bool:
        """Take an account out of the recycle bin, under the name that it had before."""
        account = self.deleted(user_id)
        if account is None:
            return False
        upn = account["userPrincipalName"].removeprefix(account["id"].replace("-", ""))
        self.accounts.write(self.moment(), {**account, "deletedDateTime": None, "userPrincipalName": upn})
        return True

    def purge(self, user_id: str) -> bool:
        """Delete an account in the recycle bin permanently."""
        if self.deleted(user_id) is None:
            return False
        self.accounts.purge(self.moment(), user_id.lower())
        return True

    def rename(self, user_id: str, upn: str) -> bool:
        """Change the user principal name, unless another account has the new one."""
        account = self.account(user_id)
        names = (holder for holder in self.accounts.holders(upn, self.moment()) if holder is not account)
        if account is None or any(holder["userPrincipalName"].lower() == upn.lower() for holder in names):
            return False
        self.update(account, userPrincipalName=upn)
        return True

    def change(self, user_id: str, **properties: Any) -> bool:
        """Change properties, as an administrator or the synchronisation does.

        A new mail also becomes the primary proxy address. The change is refused if
        another account, deleted or not, or a group has that address.
        """
        if unknown := properties.keys() - USER.keys() or properties.keys() & {"id", "deletedDateTime"}:
            raise ValueError(f"these cannot be changed: {', '.join(sorted(unknown))}")
        account = self.account(user_id)
        if account is None:
            return False
        if "mail" in properties and "proxyAddresses" not in properties:
            proxies = self._proxy_addresses(account, properties["mail"])
            if proxies is None:
                return False
            properties["proxyAddresses"] = proxies
        self.update(account, **properties)
        return True

    def disable(self, user_id: str) -> bool:
        """Block an account from signing in."""
        return self.change(user_id, accountEnabled=False)

    def enable(self, user_id: str) -> bool:
        """Let an account sign in again."""
        return self.change(user_id, accountEnabled=True)

    def set_groups(self, user_id: str, groups: Collection[str], *, ever: bool = False) -> None:
        """Set the groups of the account, by id; create those that do not exist. ``ever``: also for the whole past.

        Reads of groups that are members of other groups do not lag.
        """
        self.tenant.set_groups(user_id, groups)
        self.relate(user_id, "groups", [group.lower() for group in groups], ever=ever)

    def set_roles(self, user_id: str, templates: Collection[str], *, ever: bool = False) -> None:
        """Set the directory roles of the account, by template id, and create those that do not exist."""
        self.tenant.set_roles(user_id, templates)
        self.relate(user_id, "directoryRoles", [each.lower() for each in templates], ever=ever)

    def relate(self, user_id: str, relation: str, held: Collection[str], *, ever: bool = False) -> None:
        """Set what the account is related to by one relation. Groups and roles have methods of their own."""
        if ever:
            self.access.begin(user_id.lower(), relation, held)
        else:
            self.access.write(self.moment(), user_id.lower(), relation, held)

    def convert_back(self, user_id: str) -> bool:
        """Make the account internal again. Its redeem links stop working."""
        account = self.account(user_id)
        if account is None or account["externalUserState"] is None:
            return False
        for ticket in self.tickets_of(user_id):
            ticket.alive = False
        self._become(account, None, _internal(account))
        return True

    def reset_redemption(self, user_id: str, mail: str | None = None) -> bool:
        """Reset the redemption in the portal, so that the person redeems again, with a new address if given."""
        account = self.account(user_id)
        if account is None or account["externalUserState"] is None:
            return False
        if mail is not None and not self.change(user_id, mail=mail):
            return False
        account = self.account(user_id) or account
        self.issue(user_id, mail or account["mail"] or account["userPrincipalName"])
        self._become(account, PENDING, _internal(account))
        return True

    def invite_by_hand(self, user_id: str, *, mail: bool = True) -> bool:
        """Invite an account in the portal. `by_hand` records the invitation, even a refused one."""
        account = self.account(user_id)
        address = account and (account["mail"] or next(iter(account["otherMails"]), None))
        if not address:
            return False
        try:
            self.invitations.take(Invite(user_id, address, mail, {}, by_app=False))
        except Refused:
            return False
        return True

    def _become(self, account: State, external_state: str | None, identities: list[Any]) -> None:
        changed = None if external_state is None else self.stamp()
        self.update(
            account, externalUserState=external_state, externalUserStateChangeDateTime=changed, identities=identities
        )

    def _proxy_addresses(self, account: State, mail: str | None) -> list[str] | None:
        """Return an account's proxy addresses after a change of mail; None if another object holds the new mail."""
        kept = [address for address in account["proxyAddresses"] if not address.startswith("SMTP:")]
        if not mail:
            return kept
        moment = self.moment()
        found = [*self.accounts.holders(mail, moment), *self.accounts.deleted_holders(mail, moment)]
        if any(holder["id"] != account["id"] for holder in found) or holding(self.tenant.groups, mail):
            return None
        if holding(self.tenant.contacts, mail):
            return list(account["proxyAddresses"])
        return [f"SMTP:{mail}", *(address for address in kept if address.lower() != f"smtp:{mail.lower()}")]

    def _id_of(self, query: Query) -> str:
        """Return the object id of the account that a query names by id or by user principal name."""
        name = query.account
        if name in self.accounts:
            return name
        found = self.accounts.holders(name, self.moment())
        return next((str(holder["id"]).lower() for holder in found), "selector" if "@" in name else name)


def _internal(account: State) -> list[Any]:
    """Return the identities of an account, except those from other issuers."""
    return [identity for identity in account["identities"] if identity["signInType"] != "federated"]
