"""The signed-in caller, from App Service authentication's header: read strictly, and refused if anything is wrong."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.api.callers import Role, signed_in
from b2b.domain.actors import Actor, ActorKind
from b2b.domain.errors import RequestRefused
from tests.support.principal import ANNA, BORIS, FLOW, LONG, SUBJECT, application, claim, encoded, person, principal

HEADER = "x-ms-client-principal"


def refused(header: str | None) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        signed_in({} if header is None else {HEADER: header})
    return caught.value


def test_a_person_has_an_object_id_and_roles() -> None:
    caller = signed_in(person("Read", "Decide"))
    assert caller.actor == Actor(ActorKind.PERSON, ANNA)
    assert caller.roles == {Role.READ, Role.DECIDE}


def test_a_caller_whose_subject_is_its_object_id_is_an_application() -> None:
    assert signed_in(application("Request")).actor == Actor(ActorKind.APPLICATION, FLOW)


def test_a_caller_whose_idtyp_claim_is_app_is_an_application() -> None:
    said = principal("Request", object_id=FLOW)
    said["claims"].append(claim("idtyp", "app"))
    assert signed_in({HEADER: encoded(said)}).actor.kind is ActorKind.APPLICATION


def test_short_claim_names_are_accepted() -> None:
    claims = [claim("oid", ANNA.upper()), claim("sub", "x"), claim("roles", "Read")]
    assert signed_in({HEADER: encoded({"auth_typ": "aad", "claims": claims})}).actor.id == ANNA


def test_roles_are_read_from_the_claim_type_that_the_principal_names() -> None:
    role = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
    said = principal(role_typ="urn:role")
    said["claims"] += [claim("urn:role", "Manage"), claim(role, "Read")]
    assert signed_in({HEADER: encoded(said)}).roles == {Role.MANAGE, Role.READ}


@pytest.mark.parametrize("role", ["read", "READ", " Read", "Read,Decide", "Owner", ""])
def test_an_unknown_role_grants_nothing(role: str) -> None:
    assert signed_in(person(role)).roles == frozenset()


def without(kind: str) -> dict[str, Any]:
    said = principal("Decide")
    return {**said, "claims": [each for each in said["claims"] if each["typ"] != kind]}


GOOD = encoded(principal("Decide"))
TWO_IDS = {**principal("Decide"), "claims": [*principal()["claims"], claim("oid", BORIS)]}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        GOOD[:-5],
        GOOD[: len(GOOD) // 2],
        f"{GOOD},{GOOD}",
        f"{GOOD}, {encoded(principal('Manage', object_id=BORIS))}",
        f" {GOOD}",
        "e30=",
        "bnVsbA==",
        base64.b64encode(b"\xff\xfe").decode(),
        json.dumps(principal("Decide")),
        encoded([principal("Decide")]),
        base64.b64encode(b'{"x":' + b"[" * 9000).decode(),
        encoded({**principal("Decide"), "auth_typ": "google"}),
        encoded({**principal("Decide"), "auth_typ": None}),
        encoded({**principal("Decide"), "claims": "all"}),
        encoded({**principal("Decide"), "claims": [{"typ": "oid"}]}),
        encoded(without(f"{LONG}objectidentifier")),
        encoded(without(SUBJECT)),
        encoded(TWO_IDS),
        encoded(principal("Decide", object_id="anna@contoso.com")),
        encoded(principal("Decide", object_id="")),
        encoded(principal("Decide", subject="")),
    ],
)
def test_a_missing_forged_or_truncated_principal_is_not_signed_in(header: str | None) -> None:
    error = refused(header)
    assert (error.code, error.code.status) == ("NotSignedIn", 401)
    assert "Authorization: Bearer" in error.message


@given(st.text())
def test_any_header_text_is_refused_without_an_error(header: str) -> None:
    assert refused(header).code == "NotSignedIn"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["auth_typ", "claims", "typ", "val"]), inner),
    )
)
def test_any_document_in_the_header_is_refused_without_an_error(document: Any) -> None:
    assert refused(encoded(document)).code == "NotSignedIn"
