"""`POST /invitations`: its effect on an account, its mails, and its refusals."""

from typing import Any

import pytest

from tests.rehearsal.tenant_support import (
    ANNA,
    BEN,
    EXCHANGE_PLAN_2,
    FABRIKAM,
    GONE,
    GUEST,
    OPERATORS,
    PARTNERS,
    ROLE,
    SEED,
    TENANT_ID,
    USER_ADMINISTRATOR,
    changed,
    contoso,
    error,
)

MISMATCH = (
    "The email you\u2019re using to invite this user doesn\u2019t match any emails on the user object. "
    "Please add this email to the user object and try again."
)
VERIFIED = (
    "This user cannot be invited because the domain of the user's email address is a verified domain of this directory."
)
ALREADY_EXISTS = (
    "The invited user already exists in the directory as object ID: {}. "
    "They can use that account to sign in to shared apps and resources."
)
ONLY_LITWARE = {"b2bManagementPolicy": {"allowedDomains": ["litware.com"]}}
NOBODY_INVITES = {"authorizationPolicy": {"allowInvitesFrom": "none"}}
SCOPED_ROLE = {
    "id": "41a5f8c2-0000-4000-8000-000000000001",
    "principalId": ANNA,
    "roleDefinitionId": USER_ADMINISTRATOR,
    "directoryScopeId": "/administrativeUnits/0f000000-0000-4000-8000-000000000001",
}
NOT_ALLOWED = "Guest invitations not allowed for your company. Contact your company administrator for more details."


async def test_an_invitation_with_an_id_converts_the_account() -> None:
    async with contoso() as tenant:
        before = await tenant.sim(f"users/{ANNA}")
        response = await tenant.invite(ANNA)
        after = await tenant.sim(f"users/{ANNA}")
        everybody = await tenant.sim("users")
    body = response.json()
    assert response.status_code == 201
    assert body.pop("id")
    assert body.pop("inviteRedeemUrl").startswith(
        "https://login.microsoftonline.com/redeem?rd=https%3A%2F%2Finvitations"
    )
    assert body == {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#invitations/$entity",
        "invitedUserDisplayName": None,
        "invitedUserType": "Guest",
        "invitedUserEmailAddress": "anna@fabrikam.com",
        "sendInvitationMessage": True,
        "resetRedemption": False,
        "inviteRedirectUrl": f"https://myapps.microsoft.com?tenantId={TENANT_ID}",
        "status": "PendingAcceptance",
        "invitedUserMessageInfo": {
            "messageLanguage": None,
            "customizedMessageBody": None,
            "ccRecipients": [{"emailAddress": {"name": None, "address": None}}],
        },
        "invitedUser": {"id": ANNA},
    }
    touched = {name for name in before if before[name] != after[name]}
    assert touched == {"externalUserState", "externalUserStateChangeDateTime", "tickets"}
    assert after["externalUserState"] == "PendingAcceptance"
    assert len(everybody) == 4


async def test_without_the_id_an_unknown_address_creates_a_second_account() -> None:
    async with contoso() as tenant:
        response = await tenant.invite(None, "new@proseware.com")
        everybody = await tenant.sim("users")
    made = next(user for user in everybody if user["id"] == response.json()["invitedUser"]["id"])
    assert len(everybody) == 5
    assert made["userPrincipalName"] == "new_proseware.com#EXT#@contoso.onmicrosoft.com"
    assert (made["userType"], made["creationType"], made["externalUserState"]) == (
        "Guest",
        "Invitation",
        "PendingAcceptance",
    )


async def test_without_the_id_a_known_address_is_refused_naming_its_account() -> None:
    async with contoso() as tenant:
        refused = await tenant.invite(None)
        assert error(refused) == (
            400,
            "BadRequest",
            ALREADY_EXISTS.format(ANNA),
        )
        assert await tenant.sim("mails") == []
    async with contoso(changed(accountEnabled=False)) as tenant:
        assert "but the account is blocked from signing in" in error(await tenant.invite(None))[2]


async def test_without_the_id_a_guests_address_invites_the_guest_again() -> None:
    async with contoso() as tenant:
        response = await tenant.invite(None, "carla@litware.com")
        assert len(await tenant.sim("users")) == 4
    assert response.json()["invitedUser"]["id"] == GUEST


@pytest.mark.parametrize(
    ("seed", "target", "address", "expected"),
    [
        (SEED, ANNA, "somebody@fabrikam.com", (400, "BadRequest", MISMATCH)),
        (changed(mail="anna@contoso.com"), ANNA, "anna@contoso.com", (400, "BadRequest", VERIFIED)),
        (
            changed(mail="a@contoso.onmicrosoft.com"),
            ANNA,
            "a@contoso.onmicrosoft.com",
            (400, "BadRequest", "Invitee is in inviter tenant"),
        ),
        (
            changed(onPremisesUserPrincipalName="anna@corp.local"),
            ANNA,
            "anna@fabrikam.com",
            (400, "BadRequest", "Invalid request input."),
        ),
        (SEED | NOBODY_INVITES, ANNA, "anna@fabrikam.com", (403, "Forbidden", NOT_ALLOWED)),
        (
            changed(mail="partners@fabrikam.com"),
            ANNA,
            "partners@fabrikam.com",
            (400, "BadRequest", "Group email address is not supported"),
        ),
        (
            changed(isManagementRestricted=True),
            ANNA,
            "anna@fabrikam.com",
            (403, "Forbidden", "Generic authorization exception."),
        ),
        (
            changed(BEN, mail="carla@litware.com"),
            BEN,
            "carla@litware.com",
            (400, "BadRequest", f"as object ID: {GUEST}."),
        ),
        (changed(accountEnabled=False), ANNA, "anna@fabrikam.com", (400, "BadRequest", "blocked from signing in")),
        (changed(mail="a+b@fabrikam.com"), ANNA, "a+b@fabrikam.com", (400, "BadRequest", "Invalid request input.")),
        (changed(mail=".a@fabrikam.com"), ANNA, ".a@fabrikam.com", (400, "BadRequest", "Invalid request input.")),
        (changed(mail="é@fabrikam.com"), ANNA, "é@fabrikam.com", (400, "BadRequest", "Invalid request input.")),
        (
            changed(mail="a@wingtiptoys.com"),
            ANNA,
            "a@wingtiptoys.com",
            (403, "Forbidden", "collaboration restrictions"),
        ),
        (SEED | ONLY_LITWARE, ANNA, "anna@fabrikam.com", (403, "Forbidden", "collaboration restrictions")),
        (SEED, GONE, "dora@fabrikam.com", (404, "Request_ResourceNotFound", f"Resource '{GONE}' does not exist")),
        (SEED, PARTNERS, "partners@fabrikam.com", (404, "Request_ResourceNotFound", "does not exist")),
    ],
)
async def test_an_unfit_account_or_address_is_refused_without_effect(
    seed: dict[str, Any], target: str, address: str, expected: tuple[int, str, str]
) -> None:
    async with contoso(seed) as tenant:
        before = await tenant.sim("users")
        status, code, message = error(await tenant.invite(target, address))
        assert (status, code) == expected[:2]
        assert expected[2] in message
        assert await tenant.sim("users") == before
        assert await tenant.sim("mails") == []
        assert await tenant.violations() == []


BLOCKED = {
    "usersAndGroups": {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]},
    "applications": {"accessType": "blocked", "targets": [{"target": "AllApplications", "targetType": "application"}]},
}
ALLOWED = {
    "usersAndGroups": {"accessType": "allowed", "targets": [{"target": "AllUsers", "targetType": "user"}]},
    "applications": {"accessType": "allowed", "targets": [{"target": "AllApplications", "targetType": "application"}]},
}


@pytest.mark.parametrize(
    ("default", "partner", "status"),
    [(BLOCKED, None, 403), (BLOCKED, ALLOWED, 201), (ALLOWED, BLOCKED, 403), (ALLOWED, None, 201)],
)
async def test_a_partners_own_setting_overrides_the_default_and_null_does_not(
    default: dict[str, Any], partner: dict[str, Any] | None, status: int
) -> None:
    policy = {
        "default": {"b2bCollaborationInbound": default},
        "partners": [{"tenantId": FABRIKAM, "b2bCollaborationInbound": partner}],
    }
    async with contoso(SEED | {"crossTenantAccessPolicy": policy}) as tenant:
        response = await tenant.invite(ANNA)
    assert response.status_code == status
    if status == 403:
        assert error(response)[2].startswith("This invitation is blocked by cross-tenant access settings.")


async def test_cross_tenant_settings_do_not_apply_to_people_without_an_entra_home() -> None:
    seed = changed(mail="anna@adatum.com") | {
        "crossTenantAccessPolicy": {"default": {"b2bCollaborationInbound": BLOCKED}}
    }
    async with contoso(seed) as tenant:
        assert (await tenant.invite(ANNA, "anna@adatum.com")).status_code == 201


@pytest.mark.parametrize(
    "more",
    [
        {"invitedUserEmailAddress": None},
        {"inviteRedirectUrl": ""},
        {"invitedUserName": "Anna"},
        {"invitedUser": {"objectId": ANNA}},
        {"sendInvitationMessage": "yes"},
        {"status": "Completed"},
        {"invitedUserMessageInfo": {"language": "de"}},
        {"resetRedemption": True, "invitedUser": None},
    ],
)
async def test_a_malformed_invitation_is_refused_and_recorded(more: dict[str, Any]) -> None:
    async with contoso() as tenant:
        assert (await tenant.invite(ANNA, **more)).status_code == 400
        assert len(await tenant.violations()) == 1


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"'])
async def test_a_body_that_is_no_json_object_is_refused(content: bytes) -> None:
    async with contoso() as tenant:
        response = await tenant.http.post("invitations", content=content, headers={"Content-Type": "application/json"})
        assert response.status_code == 400
        untyped = await tenant.http.post("invitations", content=b"{}", headers={"Content-Type": "text/plain"})
        assert "content type header" in error(untyped)[2]
        assert await tenant.violations() == ["malformed-request"] * 2


async def test_each_invitation_that_asks_for_a_mail_sends_exactly_one() -> None:
    async with contoso() as tenant:
        await tenant.invite(ANNA, sendInvitationMessage=False)
        assert await tenant.sim("mails") == []
        await tenant.invite(ANNA)
        await tenant.invite(ANNA)
        mails = await tenant.sim("mails")
    assert [(mail["userId"], mail["address"], mail["language"]) for mail in mails] == [
        (ANNA, "anna@fabrikam.com", "de-DE")
    ] * 2
    assert mails[0]["ticket"] != mails[1]["ticket"]


async def test_a_custom_text_is_dropped_and_makes_graph_ignore_the_language() -> None:
    info = {
        "messageLanguage": "fr-FR",
        "ccRecipients": [{"emailAddress": {"name": None, "address": "boss@contoso.com"}}],
    }
    async with contoso() as tenant:
        await tenant.invite(ANNA, invitedUserMessageInfo=info)
        await tenant.invite(ANNA, invitedUserMessageInfo={**info, "customizedMessageBody": "Welcome"})
        french, german = await tenant.sim("mails")
    assert (french["language"], french["customTextDropped"], french["cc"]) == ("fr-FR", False, ["boss@contoso.com"])
    assert (german["language"], german["customTextDropped"]) == ("de-DE", True)


async def test_known_sponsors_are_kept_and_unknown_ones_refused() -> None:
    async with contoso() as tenant:
        sponsors = [{"@odata.type": "#microsoft.graph.user", "id": BEN}, {"id": PARTNERS}]
        assert (await tenant.invite(ANNA, invitedUserSponsors=sponsors)).status_code == 201
        assert await tenant.ids(f"users/{ANNA}/sponsors") == [BEN, PARTNERS]
        assert (await tenant.invite(ANNA, invitedUserSponsors=[{"id": ROLE}])).status_code == 400


async def test_invitations_cannot_be_listed() -> None:
    async with contoso() as tenant:
        assert (await tenant.get("invitations")).status_code == 405
        assert await tenant.violations() == ["unknown-route"]


async def test_a_reset_invites_again_at_another_address_of_the_account() -> None:
    async with contoso() as tenant:
        await tenant.invite(ANNA)
        await tenant.sim("redeem", {"userId": ANNA})
        response = await tenant.invite(ANNA, "anna.fischer@fabrikam.com", resetRedemption=True)
        assert response.json()["resetRedemption"] is True
        assert (await tenant.sim(f"users/{ANNA}"))["externalUserState"] == "PendingAcceptance"
        identities = (await tenant.sim("redeem", {"userId": ANNA, "identityProvider": "mail"}))["identities"]
    assert [identity["issuer"] for identity in identities] == ["contoso.com", "mail"]


@pytest.mark.parametrize(
    "holding",
    [
        {"roleAssignments": [SCOPED_ROLE]},
        {"groups": [{"id": OPERATORS, "displayName": "Operators", "isAssignableToRole": True, "members": [ANNA]}]},
    ],
)
async def test_an_application_cannot_reset_a_role_holder(holding: dict[str, Any]) -> None:
    async with contoso(SEED | holding) as tenant:
        assert error(await tenant.invite(ANNA, resetRedemption=True)) == (
            403,
            "Forbidden",
            "Generic authorization exception.",
        )


@pytest.mark.parametrize(
    ("properties", "address", "status"),
    [
        ({}, "anna.fischer@fabrikam.com", 201),
        ({}, "anna@fabrikam.com", 400),
        ({"onPremisesSyncEnabled": True}, "anna@fabrikam.com", 201),
        ({"onPremisesSyncEnabled": True}, "anna.fischer@fabrikam.com", 400),
        ({"assignedPlans": [EXCHANGE_PLAN_2]}, "anna.fischer@fabrikam.com", 400),
        ({"assignedPlans": [EXCHANGE_PLAN_2 | {"capabilityStatus": "Deleted"}]}, "anna.fischer@fabrikam.com", 201),
        ({"otherMails": ["anna@adatum.com"]}, "anna@adatum.com", 400),
        ({"otherMails": ["anna@litware.example"]}, "anna@litware.example", 400),
        ({"onPremisesUserPrincipalName": "a@corp.local"}, "anna.fischer@fabrikam.com", 201),
    ],
)
async def test_a_tenant_of_2020_follows_the_article_of_2020(
    properties: dict[str, Any], address: str, status: int
) -> None:
    async with contoso(changed(**properties), switches={"tenant-version": "2020"}) as tenant:
        assert (await tenant.invite(ANNA, address)).status_code == status
