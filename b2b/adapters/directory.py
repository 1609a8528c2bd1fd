"""Facts about accounts and the tenant: which Graph calls answer a question, and what their answers mean.

Calls: https://learn.microsoft.com/graph/api/overview?view=graph-rest-1.0; the allow and deny list exists in beta only.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.graph_service_client import GraphServiceClient

from b2b.adapters.batch import Answer, Call, unlicensed
from b2b.adapters.graph import FORBIDDEN, NOT_FOUND, Graph
from b2b.domain.account import SELECT, Account, from_graph
from b2b.domain.errors import GRAPH, AccessDenied, Transient
from b2b.domain.facts import ACCOUNT_FACTS, PERMISSIONS, Fact
from b2b.domain.readings import Memberships, NotReadable, NotThere
from b2b.domain.request import InvitedUser
from b2b.domain.tenant import CrossTenantAccess, DomainList, Domains

EVENTUAL = {"ConsistencyLevel": "eventual"}
"""Advanced queries need this header and `$count=true` (https://learn.microsoft.com/graph/aad-advanced-queries)."""
FEDERATIONS_URL = (
    "/directory/federationConfigurations/microsoft.graph.samlOrWsFedExternalDomainFederation?%24expand=domains"
)
DOMAIN_LIST_URL = "/policies/b2bManagementPolicies"
"""Beta. The lists sit as JSON text in `definition[0]` of the organisation's default policy."""
LARGEST_PAGE = 999
MAY_BE_ABSENT = frozenset({Fact.ACCOUNT, Fact.DELETED_ACCOUNT, Fact.HOME_TENANT}) | ACCOUNT_FACTS
"""What a 404 says something about; a collection is always there, if empty."""
OWN_TROUBLE = frozenset({400, 500, 502})
NOBODY = "00000000-0000-0000-0000-000000000000"


class Directory:
    """Reads facts. A question is a fact and its subject: an account's id, an address, a domain."""

    def __init__(self, graph: Graph) -> None:
        """Use a Graph client."""
        self._graph = graph

    async def read(self, questions: Mapping[Fact, Any]) -> dict[Fact, Any]:
        """Answer all questions in as few round trips as `$batch` allows.

        A fact whose permission is missing is answered with `NotReadable`, an object that is not there with `NotThere`.

        Raises:
            Transient: Graph is throttled, down or behind its own writes.
            AccessDenied: accounts themselves cannot be read: nothing can be decided without.

        """
        calls = {fact: _READS[fact].calls(self._graph.client, subject) for fact, subject in questions.items()}
        answers = iter(await self._graph.read([call for group in calls.values() for call in group]))
        found = {fact: _answer(fact, [next(answers) for _ in group]) for fact, group in calls.items()}
        if isinstance(found.get(Fact.ACCOUNT), NotReadable):
            raise AccessDenied(GRAPH, f"accounts cannot be read without {PERMISSIONS[Fact.ACCOUNT]}")
        return found

    async def accounts(self, user_ids: Sequence[str]) -> dict[str, Account | None]:
        """Read many accounts by id; None for one that is not there, and no entry for one that cannot be read.

        Many are read together, so the trouble of one is not the trouble of all.

        Raises:
            Transient: as `read`.
            AccessDenied: as `read`.

        """
        answers = await self._graph.read([_user(self._graph.client, user_id) for user_id in user_ids], OWN_TROUBLE)
        if any(answer.status == FORBIDDEN for answer in answers):
            raise AccessDenied(GRAPH, f"accounts cannot be read without {PERMISSIONS[Fact.ACCOUNT]}")
        found: dict[str, Account | None] = {}
        for user_id, answer in zip(user_ids, answers, strict=True):
            with suppress(ValueError):
                if answer.status not in OWN_TROUBLE:
                    found[user_id] = None if answer.status == NOT_FOUND else from_graph(answer.body)
        return found

    async def check(self) -> None:
        """Ask Graph for an account that nobody has: "not there" shows that it answers and lets us look.

        Raises:
            Transient: Graph does not answer.
            AccessDenied: accounts cannot be read.

        """
        (answer,) = await self._graph.read([_user(self._graph.client, NOBODY)])
        if answer.status == FORBIDDEN:
            raise AccessDenied(GRAPH, f"accounts cannot be read without {PERMISSIONS[Fact.ACCOUNT]}")


@dataclass(frozen=True)
class _Read:
    """How one fact is read: the calls for its subject, and what their bodies say."""

    calls: Callable[[GraphServiceClient, Any], list[Call]]
    parse: Callable[[list[dict[str, Any]]], Any]


def _answer(fact: Fact, answers: list[Answer]) -> Any:
    statuses = {answer.status for answer in answers}
    if FORBIDDEN in statuses:
        return NotReadable()
    if NOT_FOUND in statuses:
        if fact not in MAY_BE_ABSENT:
            raise Transient(GRAPH, f"nothing is there to read {fact} from")
        return NotThere()
    if any(unlicensed(answer.body) for answer in answers):
        if fact is not Fact.ROLE_ELIGIBILITIES:
            raise Transient(GRAPH, f"{fact} needs a licence that the tenant lacks")
        return ()  # without Entra ID P2 there is no privileged identity management, and nobody is eligible for a role
    try:
        return _READS[fact].parse([answer.body for answer in answers])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Transient(GRAPH, f"the answer for {fact} cannot be read: {type(error).__name__}") from error


def _call(builder: Any, headers: Mapping[str, str] | None = None, **query: Any) -> Call:
    """Build the call with the SDK's request builder, so that names and escaping are the SDK's."""
    kinds = [kind for name, kind in vars(type(builder)).items() if name.endswith("GetQueryParameters")]
    configuration: RequestConfiguration[Any] | None = (
        RequestConfiguration(query_parameters=kinds[0](**query)) if query else None
    )
    return Call(builder.to_get_request_information(configuration).url, headers or {})


def _quoted(text: str) -> str:
    """An OData string literal."""
    return "'" + text.replace("'", "''") + "'"


def _user(client: GraphServiceClient, name: str) -> Call:
    return _call(client.users.by_user_id(name), select=list(SELECT))


def _find(client: GraphServiceClient, user: InvitedUser) -> list[Call]:
    if user.mail is None:
        return [_user(client, user.id or user.user_principal_name or "")]
    mail = _quoted(user.mail)
    found = f"mail eq {mail} or otherMails/any(o:o eq {mail})"
    return [_call(client.users, filter=found, select=list(SELECT))]


def _accounts(bodies: list[dict[str, Any]]) -> tuple[Account, ...]:
    body = bodies[0]
    return tuple(from_graph(user) for user in body.get("value", [body]))


def _holder_filter(address: str) -> str:
    """`proxyAddresses` is compared with case in its prefix: the primary address has SMTP, the others smtp."""
    mail, primary, other = _quoted(address), _quoted(f"SMTP:{address}"), _quoted(f"smtp:{address}")
    return f"mail eq {mail} or proxyAddresses/any(p:p eq {primary}) or proxyAddresses/any(p:p eq {other})"


def _user_filter(address: str) -> str:
    mail = _quoted(address)
    return f"{_holder_filter(address)} or userPrincipalName eq {mail} or otherMails/any(o:o eq {mail})"


def _ids(bodies: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(item["id"].lower() for item in bodies[0]["value"])


def _principal(user_id: str) -> str:
    return f"principalId eq {_quoted(user_id)}"


def _role_ids(bodies: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted({item["roleDefinitionId"] for item in bodies[0]["value"]}))


def _memberships(bodies: list[dict[str, Any]]) -> Memberships:
    members = bodies[0]["value"]
    groups = [item for item in members if item["@odata.type"].endswith(".group")]
    return Memberships(
        groups=frozenset(group["id"].lower() for group in groups),
        roles=tuple(
            item.get("displayName") or item["id"] for item in members if item["@odata.type"].endswith(".directoryRole")
        ),
        role_assignable_groups=tuple(group["id"] for group in groups if group.get("isAssignableToRole")),
        details_readable=all(group.get("displayName") is not None for group in groups),
    )


def _domains(bodies: list[dict[str, Any]]) -> Domains:
    domains = bodies[0]["value"]
    return Domains(
        verified=frozenset(domain["id"].lower() for domain in domains if domain["isVerified"]),
        federated=frozenset(domain["id"].lower() for domain in domains if domain["authenticationType"] == "Federated"),
    )


def _federations(bodies: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(domain["id"].lower() for item in bodies[0]["value"] for domain in item.get("domains") or ())


def _cross_tenant_access(bodies: list[dict[str, Any]]) -> CrossTenantAccess:
    default, partners = bodies
    return CrossTenantAccess(
        default.get("b2bCollaborationInbound") or {},
        {
            partner["tenantId"].lower(): partner["b2bCollaborationInbound"]
            for partner in partners["value"]
            if partner.get("b2bCollaborationInbound")
        },
    )


def _domain_list(bodies: list[dict[str, Any]]) -> DomainList:
    default = next((policy for policy in bodies[0]["value"] if policy.get("isOrganizationDefault")), None)
    if default is None or not default.get("definition"):
        return DomainList()
    definition = json.loads(default["definition"][0])
    lists = definition.get("B2BManagementPolicy", {}).get("InvitationsAllowedAndBlockedDomainsPolicy") or {}
    return DomainList(
        *(frozenset(map(str.lower, lists.get(name) or ())) for name in ("AllowedDomains", "BlockedDomains"))
    )


_READS: dict[Fact, _Read] = {
    Fact.ACCOUNT: _Read(_find, _accounts),
    Fact.DELETED_ACCOUNT: _Read(
        lambda client, user_id: [_call(client.directory.deleted_items.by_directory_object_id(user_id))],
        lambda _bodies: True,
    ),
    Fact.MEMBERSHIPS: _Read(
        lambda client, user_id: [
            _call(
                client.users.by_user_id(user_id).transitive_member_of,
                select=["id", "displayName", "isAssignableToRole", "roleTemplateId"],
                top=LARGEST_PAGE,
            )
        ],
        _memberships,
    ),
    Fact.ROLE_ASSIGNMENTS: _Read(
        lambda client, user_id: [_call(client.role_management.directory.role_assignments, filter=_principal(user_id))],
        _role_ids,
    ),
    Fact.ROLE_ELIGIBILITIES: _Read(
        lambda client, user_id: [
            _call(client.role_management.directory.role_eligibility_schedules, filter=_principal(user_id))
        ],
        _role_ids,
    ),
    Fact.USERS_WITH_ADDRESS: _Read(
        lambda client, address: [_call(client.users, filter=_user_filter(address), select=["id"])], _ids
    ),
    Fact.DELETED_WITH_ADDRESS: _Read(
        lambda client, address: [
            _call(
                client.directory.deleted_items.graph_user,
                EVENTUAL,
                filter=_user_filter(address),
                select=["id"],
                count=True,
            )
        ],
        _ids,
    ),
    Fact.GROUPS_WITH_ADDRESS: _Read(
        lambda client, address: [_call(client.groups, filter=_holder_filter(address), select=["id"])], _ids
    ),
    Fact.CONTACTS_WITH_ADDRESS: _Read(
        lambda client, address: [_call(client.contacts, filter=_holder_filter(address), select=["id"])], _ids
    ),
    Fact.HOME_TENANT: _Read(
        lambda client, domain: [
            _call(client.tenant_relationships.find_tenant_information_by_domain_name_with_domain_name(domain))
        ],
        lambda bodies: bodies[0]["tenantId"].lower(),
    ),
    Fact.DOMAINS: _Read(
        lambda client, _: [_call(client.domains, select=["id", "isVerified", "authenticationType"])], _domains
    ),
    Fact.FEDERATIONS: _Read(lambda _client, _: [Call(FEDERATIONS_URL)], _federations),
    Fact.INVITATION_POLICY: _Read(
        lambda client, _: [_call(client.policies.authorization_policy)],
        lambda bodies: bodies[0]["allowInvitesFrom"],
    ),
    Fact.CROSS_TENANT_ACCESS: _Read(
        lambda client, _: [
            _call(client.policies.cross_tenant_access_policy.default),
            _call(client.policies.cross_tenant_access_policy.partners),
        ],
        _cross_tenant_access,
    ),
    Fact.DOMAIN_LIST: _Read(lambda _client, _: [Call(DOMAIN_LIST_URL, beta=True)], _domain_list),
}
