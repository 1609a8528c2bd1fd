"""Routes for groups, contacts, domains, the organization, federation and policies."""

from rehearsal.tenant.directory.schema import B2B_POLICY, DOMAIN, FEDERATION, GROUP, ORG_CONTACT, ORGANIZATION
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.gateway.routing import Call, Route, ok
from rehearsal.tenant.odata.query import READ_MANY, READ_ONE, project
from rehearsal.tenant.protocol import errors, permissions
from rehearsal.tenant.protocol.messages import Answer
from rehearsal.tenant.routes.listing import listing


def list_groups(call: Call) -> Answer:
    """GET /groups."""
    return listing(call, call.directory.groups.values(), GROUP, "groups")


def list_contacts(call: Call) -> Answer:
    """GET /contacts."""
    return listing(call, call.directory.contacts.values(), ORG_CONTACT, "contacts")


def list_domains(call: Call) -> Answer:
    """GET /domains."""
    return listing(call, call.tenant.policies.domains, DOMAIN, "domains")


def get_domain(call: Call) -> Answer:
    """GET /domains/{name}."""
    wanted = call.params["id"].lower()
    domain = next((d for d in call.tenant.policies.domains if d["id"].lower() == wanted), None)
    if domain is None:
        raise errors.resource_not_found(call.params["id"])
    shown = project(domain, DOMAIN, call.options.names)
    return ok({"@odata.context": call.context(call.selected("domains") + "/$entity"), **shown})


def get_organization(call: Call) -> Answer:
    """GET /organization: a collection that holds only the tenant itself."""
    return listing(call, [call.tenant.policies.organization], ORGANIZATION, "organization")


def list_federations(call: Call) -> Answer:
    """GET /directory/federationConfigurations, with or without a type cast: partners' SAML and WS-Fed providers."""
    for name in call.options.expansions:
        if name != "domains":
            raise errors.unknown_option(f"$expand={name}")
    with_domains = "domains" in call.options.expansions or call.tenant.switches["federated-domains"] == "always"
    typed = call.request.path == _FEDERATION

    def extra(federation: JSON) -> JSON:
        tag = {"@odata.type": f"#{_FEDERATION_TYPE}"} if typed else {}
        return tag | ({"domains": federation["domains"]} if with_domains else {})

    fragment = "directory/federationConfigurations" + ("" if typed else f"/{_FEDERATION_TYPE}")
    return listing(call, call.tenant.policies.federations, FEDERATION, fragment, extra=extra)


def get_authorization_policy(call: Call) -> Answer:
    """GET /policies/authorizationPolicy."""
    policy = call.tenant.policies.authorization
    names = call.options.names
    for name in names or ():
        if name not in policy:
            raise errors.unknown_property(name, "authorizationPolicy")
    shown = policy if names is None else {name: policy[name] for name in names}
    return ok({"@odata.context": call.context("policies/authorizationPolicy/$entity"), **shown})


def get_cross_tenant_default(call: Call) -> Answer:
    """GET /policies/crossTenantAccessPolicy/default."""
    context = call.context("policies/crossTenantAccessPolicy/default/$entity")
    return ok({"@odata.context": context, **call.tenant.policies.cross_tenant["default"]})


def list_cross_tenant_partners(call: Call) -> Answer:
    """GET /policies/crossTenantAccessPolicy/partners."""
    page = call.paging().page(call.tenant.policies.cross_tenant["partners"], call.options, dict)
    return ok({"@odata.context": call.context("policies/crossTenantAccessPolicy/partners"), **page})


def get_cross_tenant_partner(call: Call) -> Answer:
    """GET /policies/crossTenantAccessPolicy/partners/{tenant id}; 404 for a tenant without an entry."""
    wanted = call.params["id"].lower()
    for partner in call.tenant.policies.cross_tenant["partners"]:
        if partner["tenantId"].lower() == wanted:
            return ok({"@odata.context": call.context("policies/crossTenantAccessPolicy/partners/$entity"), **partner})
    raise errors.resource_not_found(call.params["id"])


def list_b2b_policies(call: Call) -> Answer:
    """GET /beta/policies/b2bManagementPolicies: the allow or deny list; v1.0 has no such route."""
    return listing(call, call.tenant.policies.b2b_management, B2B_POLICY, "policies/b2bManagementPolicies")


def find_tenant(call: Call) -> Answer:
    """GET /tenantRelationships/findTenantInformationByDomainName; 404 if no Entra tenant has the domain."""
    domain = call.params["domain"].replace("''", "'").lower()
    tenant_id = call.tenant.policies.home_tenants.get(domain)
    if tenant_id is None:
        raise errors.GraphError(404, "Directory_ObjectNotFound", f"Unable to find a tenant for the domain '{domain}'.")
    information = {
        "tenantId": tenant_id,
        "federationBrandName": None,
        "displayName": domain.partition(".")[0].capitalize(),
        "defaultDomainName": domain,
    }
    return ok({"@odata.context": call.context("microsoft.graph.tenantInformation"), **information})


_FEDERATION = "/directory/federationConfigurations"
_FEDERATION_TYPE = "microsoft.graph.samlOrWsFedExternalDomainFederation"
_FEDERATION_OPTIONS = frozenset({"$select", "$expand", "$top", "$skiptoken"})
_CROSS_TENANT = "/policies/crossTenantAccessPolicy"
_PAGED = frozenset({"$top", "$skiptoken"})

ROUTES = (
    Route("GET", "/groups", list_groups, permissions.GROUPS_READ, READ_MANY),
    Route("GET", "/contacts", list_contacts, permissions.CONTACTS_READ, READ_MANY),
    Route("GET", "/domains", list_domains, permissions.DOMAINS_READ, READ_ONE | {"$skiptoken"}),
    Route("GET", "/domains/{id}", get_domain, permissions.DOMAINS_READ, READ_ONE),
    Route("GET", "/organization", get_organization, permissions.ORGANIZATION_READ, READ_ONE | {"$skiptoken"}),
    *(
        Route("GET", _FEDERATION + cast, list_federations, permissions.FEDERATION_READ, _FEDERATION_OPTIONS)
        for cast in ("", "/graph.samlOrWsFedExternalDomainFederation", f"/{_FEDERATION_TYPE}")
    ),
    Route(
        "GET",
        "/policies/authorizationPolicy",
        get_authorization_policy,
        permissions.AUTHORIZATION_POLICY_READ,
        READ_ONE,
    ),
    Route("GET", f"{_CROSS_TENANT}/default", get_cross_tenant_default, permissions.CROSS_TENANT_POLICY_READ),
    Route("GET", f"{_CROSS_TENANT}/partners", list_cross_tenant_partners, permissions.CROSS_TENANT_POLICY_READ, _PAGED),
    Route("GET", f"{_CROSS_TENANT}/partners/{{id}}", get_cross_tenant_partner, permissions.CROSS_TENANT_POLICY_READ),
    Route(
        "GET",
        "/policies/b2bManagementPolicies",
        list_b2b_policies,
        permissions.B2B_POLICY_READ,
        _PAGED | READ_ONE,
        versions=("beta",),
    ),
    Route(
        "GET",
        "/tenantRelationships/findTenantInformationByDomainName(domainName='{domain}')",
        find_tenant,
        permissions.TENANT_INFORMATION_READ,
    ),
)
