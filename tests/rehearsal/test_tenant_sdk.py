"""The unmodified msgraph-sdk reads every field that the tenant returns, and no field is left over."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from msgraph.generated.models.invitation import Invitation
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.saml_or_ws_fed_external_domain_federation import SamlOrWsFedExternalDomainFederation
from msgraph.generated.models.user import User
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from rehearsal.tenant import create_app
from rehearsal.tenant.directory import schema
from rehearsal.tenant.directory.schema import COLLECTION, COMPLEX_TYPES
from tests.rehearsal.tenant_support import ANNA, BEN, EXCHANGE_PLAN_2, GONE, GRAPH, GUEST, OPERATORS, changed, token

FULL: dict[str, Any] = {
    "assignedPlans": [EXCHANGE_PLAN_2],
    "assignedLicenses": [{"skuId": "6fd2c87f-b296-42f0-b197-1e91e994b900", "disabledPlans": []}],
    "licenseAssignmentStates": [
        {
            "skuId": "6fd2c87f-b296-42f0-b197-1e91e994b900",
            "disabledPlans": [],
            "assignedByGroup": None,
            "state": "Active",
            "error": "None",
            "lastUpdatedDateTime": "2023-01-10T08:00:00Z",
        }
    ],
    "provisionedPlans": [{"capabilityStatus": "Enabled", "provisioningStatus": "Success", "service": "exchange"}],
    "onPremisesSyncEnabled": True,
    "onPremisesLastSyncDateTime": "2024-03-01T02:00:00Z",
    "onPremisesUserPrincipalName": None,
    "businessPhones": ["+1 425 555 0109"],
    "isManagementRestricted": False,
}


class IssuedToken:
    """A credential that holds one token from the tenant's identity endpoint."""

    def __init__(self, issued: dict[str, str]) -> None:
        self._token = AccessToken(issued["access_token"], int(issued["expires_on"]))

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return self._token

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def client() -> AsyncIterator[GraphServiceClient]:
    app = create_app(changed(**FULL))
    app.state.tenant.roles |= {"Directory.Read.All"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{GRAPH}/v1.0") as http:
        credential = IssuedToken(await token(app))
        provider = AzureIdentityAuthenticationProvider(credential, scopes=[f"{GRAPH}/.default"])
        adapter = GraphRequestAdapter(provider, client=http)
        adapter.base_url = f"{GRAPH}/v1.0"
        yield GraphServiceClient(request_adapter=adapter)


def leftovers(model: Any, path: str = "") -> list[str]:
    """Return the fields, in a model and in all models inside it, that the SDK's classes do not declare."""
    if isinstance(model, list):
        return [name for index, item in enumerate(model) for name in leftovers(item, f"{path}[{index}]")]
    if not hasattr(model, "get_field_deserializers"):
        return []
    found = [f"{path}.{name}" for name in model.additional_data if not name.startswith("@")]
    fields = {name: value for name, value in vars(model).items() if name not in ("additional_data", "backing_store")}
    return found + [name for key, value in fields.items() for name in leftovers(value, f"{path}.{key}")]


def every_user_property() -> list[str]:
    return list(schema.USER.properties)


def test_leftovers_finds_fields_that_the_sdk_does_not_know() -> None:
    raw = b'{"id": "1", "shoeSize": 44, "identities": [{"issuer": "mail", "colour": "red"}]}'
    user = JsonParseNodeFactory().get_root_parse_node("application/json", raw).get_object_value(User)
    assert sorted(leftovers(user)) == [".identities[0].colour", ".shoeSize"]


async def test_the_sdks_models_have_every_field_that_the_tenant_returns(client: GraphServiceClient) -> None:
    everything = RequestConfiguration(
        query_parameters=UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(select=every_user_property())
    )
    graph_user = client.users.by_user_id
    directory = client.role_management.directory
    cross_tenant = client.policies.cross_tenant_access_policy
    answers = {
        "user": await graph_user(ANNA).get(everything),
        "plain user": await graph_user(ANNA).get(),
        "users": await client.users.get(),
        "memberOf": await graph_user(BEN).transitive_member_of.get(),
        "appRoleAssignments": await graph_user(ANNA).app_role_assignments.get(),
        "groups": await client.groups.get(),
        "contacts": await client.contacts.get(),
        "deleted": await client.directory.deleted_items.graph_user.get(),
        "deleted item": await client.directory.deleted_items.by_directory_object_id(GONE).get(),
        "domains": await client.domains.get(),
        "organization": await client.organization.get(),
        "authorizationPolicy": await client.policies.authorization_policy.get(),
        "default": await cross_tenant.default.get(),
        "partners": await cross_tenant.partners.get(),
        "roleAssignments": await directory.role_assignments.get(),
        "eligibilities": await directory.role_eligibility_schedules.get(),
        "tenant": await client.tenant_relationships.find_tenant_information_by_domain_name_with_domain_name(
            "fabrikam.com"
        ).get(),
        "federation": await client.directory.federation_configurations.get(),
    }
    assert all(answer is not None for answer in answers.values())
    assert {name: leftovers(answer) for name, answer in answers.items() if leftovers(answer)} == {}


@pytest.mark.parametrize("cast", ["graph", "microsoft.graph"])
async def test_the_sdk_reads_federated_domains_under_both_type_names(client: GraphServiceClient, cast: str) -> None:
    configurations = client.directory.federation_configurations
    url = f"{GRAPH}/v1.0/directory/federationConfigurations/{cast}.samlOrWsFedExternalDomainFederation?$expand=domains"
    raw: Any = await client.request_adapter.send_primitive_async(
        configurations.with_url(url).to_get_request_information(), "bytes", {"XXX": ODataError}
    )
    root = JsonParseNodeFactory().get_root_parse_node("application/json", raw)
    value = root.get_child_node("value")
    assert value is not None
    federations = value.get_collection_of_object_values(SamlOrWsFedExternalDomainFederation)
    assert federations is not None
    assert [domain.id for federation in federations for domain in federation.domains or []] == ["adatum.com"]
    assert leftovers(federations) == []


async def test_the_sdk_reads_the_values_and_types_of_a_user(client: GraphServiceClient) -> None:
    everything = RequestConfiguration(
        query_parameters=UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(select=every_user_property())
    )
    user = await client.users.by_user_id(ANNA).get(everything)
    assert user is not None
    assert user.identities is not None
    assert user.assigned_plans is not None
    assert user.created_date_time is not None
    assert user.created_date_time.year == 2021
    assert (user.identities[0].sign_in_type, user.identities[0].issuer) == ("userPrincipalName", "contoso.com")
    assert str(user.assigned_plans[0].service_plan_id) == EXCHANGE_PLAN_2["servicePlanId"]
    assert user.on_premises_sync_enabled is True
    members = await client.users.by_user_id(BEN).transitive_member_of.get()
    assert members is not None
    assert [member.odata_type for member in members.value or []] == [
        "#microsoft.graph.group",
        "#microsoft.graph.directoryRole",
    ]
    assert (members.value or [])[0].id == OPERATORS


async def test_the_tenant_answers_the_sdks_advanced_queries(client: GraphServiceClient) -> None:
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
        filter="endsWith(mail,'@litware.com') and userType ne 'Member'", select=["id"], count=True, top=5
    )
    configuration = RequestConfiguration(query_parameters=query)
    configuration.headers.add("ConsistencyLevel", "eventual")
    found = await client.users.get(configuration)
    assert found is not None
    assert ([user.id for user in found.value or []], found.odata_count) == ([GUEST], 1)


async def test_the_sdk_invites_and_knows_every_field_of_the_answer(client: GraphServiceClient) -> None:
    invitation = Invitation(
        invited_user_email_address="anna@fabrikam.com",
        invite_redirect_url="https://myapps.microsoft.com",
        invited_user=User(id=ANNA),
        send_invitation_message=False,
    )
    answer = await client.invitations.post(invitation)
    assert answer is not None
    assert answer.invited_user is not None
    assert (answer.invited_user.id, answer.status) == (ANNA, "PendingAcceptance")
    assert leftovers(answer) == []


async def test_the_sdk_raises_a_typed_error_and_knows_all_its_fields(client: GraphServiceClient) -> None:
    with pytest.raises(ODataError) as raised:
        await client.users.by_user_id(GONE).get()
    refusal = raised.value
    assert refusal.error is not None
    assert (refusal.response_status_code, refusal.error.code) == (404, "Request_ResourceNotFound")
    assert leftovers(refusal) == []


@pytest.mark.parametrize(
    ("resource", "module", "model"),
    [
        (schema.USER, "user", "User"),
        (schema.GROUP, "group", "Group"),
        (schema.ORG_CONTACT, "org_contact", "OrgContact"),
        (schema.DIRECTORY_ROLE, "directory_role", "DirectoryRole"),
        (schema.DOMAIN, "domain", "Domain"),
        (schema.ORGANIZATION, "organization", "Organization"),
        (schema.ROLE_ASSIGNMENT, "unified_role_assignment", "UnifiedRoleAssignment"),
        (schema.ROLE_ELIGIBILITY, "unified_role_eligibility_schedule", "UnifiedRoleEligibilitySchedule"),
        (schema.APP_ROLE_ASSIGNMENT, "app_role_assignment", "AppRoleAssignment"),
        (schema.APPLICATION, "application", "Application"),
        (schema.SERVICE_PRINCIPAL, "service_principal", "ServicePrincipal"),
        (schema.DEVICE, "device", "Device"),
        (schema.DIRECTORY_AUDIT, "directory_audit", "DirectoryAudit"),
        (schema.FEDERATION, "saml_or_ws_fed_external_domain_federation", "SamlOrWsFedExternalDomainFederation"),
    ],
)
def test_the_sdk_knows_every_property_in_the_tenants_tables(
    resource: schema.ResourceType, module: str, model: str
) -> None:
    source = pytest.importorskip(f"msgraph.generated.models.{module}")
    known = set(getattr(source, model)().get_field_deserializers())
    assert resource.properties.keys() <= known
    assert resource.filters.keys() <= resource.properties.keys()
    assert set(resource.plain) <= resource.properties.keys()


def test_complex_types_have_the_same_members_as_in_the_sdk() -> None:
    kinds = (*schema.USER.properties.values(), *schema.DIRECTORY_AUDIT.properties.values())
    used = {kind.removesuffix(COLLECTION) for kind in kinds}
    for name, members in COMPLEX_TYPES.items():
        module = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        source = pytest.importorskip(f"msgraph.generated.models.{module}")
        model = getattr(source, name[0].upper() + name[1:])()
        assert set(model.get_field_deserializers()) - {"@odata.type"} == members
        assert name in used
