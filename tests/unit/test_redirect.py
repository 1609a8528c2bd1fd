"""The redirect address reaches Graph unchanged, or is refused and the wrong character named."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from b2b.adapters.invitation import graph_invitation
from b2b.domain.errors import MalformedRequest
from b2b.domain.invitation import Defaults, invitation_for, redirect_url, sign_in_address
from b2b.domain.request import IntakePolicy, parse
from b2b.domain.request.redirect import names_tenant, redirect_problem, sent_as
from tests.unit.cases import ADDRESS, ANNA, CONTOSO, request_for

POLICY = IntakePolicy(frozenset({"partners.contoso.com"}))
DEFAULTS = Defaults("https://myapps.microsoft.com?tenantId=", send_message=True)
TAIL = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='\\<>"#'), max_size=60)
ANY_TAIL = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def parsed(url: str) -> Any:
    return parse(json.dumps({"invitedUser": {"id": ANNA}, "inviteRedirectUrl": url}).encode(), POLICY).request


def sent(url: str) -> str:
    """Return the redirect address that is sent to Graph."""
    invitation = graph_invitation(invitation_for(parsed(url), ANNA, ADDRESS, CONTOSO, DEFAULTS))
    assert invitation.invite_redirect_url is not None
    return str(invitation.invite_redirect_url)


@given(TAIL, TAIL)
def test_an_accepted_redirect_address_reaches_graph_unchanged(query: str, fragment: str) -> None:
    url = f"https://partners.contoso.com/p?{query}#{fragment}"
    assume(redirect_problem(url) is None)
    assume(re.search(r"[?&]tenantid=(&|#|$)", url.partition("#")[0], re.IGNORECASE) is None)
    assert sent(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://partners.contoso.com/p?bad=%FF%FE",
        "https://partners.contoso.com/?/deep/link",
        "https://partners.contoso.com/start?title=Welcome%20page&flag",
        "https://partners.contoso.com/q?e=4%3aAbC&at=9;b=2",
        "https://partners.contoso.com/f?%24filter=name%20eq%20%27x%27",
        "https://partners.contoso.com/s?x=a+b&y=c%2Bd",
        "https://partners.contoso.com/s?sig=a%2Fb%3D%3D",
        "https://partners.contoso.com/#/welcome?tenantId=",
        "https://partners.contoso.com/?tenantId=other&x=",
        "https://partners.contoso.com/?mytenantId=",
        "https://Partners.Contoso.com/A?",
    ],
)
def test_addresses_that_a_url_parser_would_rewrite_stay_unchanged(url: str) -> None:
    assert sent(url) == url


@given(st.sampled_from(["http", "HTTP", "Http"]), TAIL)
def test_http_becomes_https_and_the_rest_stays_unchanged(scheme: str, query: str) -> None:
    url = f"{scheme}://partners.contoso.com/p?x={query}"
    assume(redirect_problem(url) is None)
    assume("tenantid=" not in url.lower())
    assert sent(url) == "https" + url[len(scheme) :]


@given(TAIL, TAIL, st.sampled_from(["tenantId", "tenantid", "TENANTID"]))
def test_an_empty_tenant_id_is_filled_in_anywhere_in_the_query(before: str, after: str, name: str) -> None:
    assume("tenantid" not in (before + after).lower())
    head = f"https://partners.contoso.com/p?{before}&{name}="
    url = f"{head}&{after}#x"
    assume(redirect_problem(url) is None)
    assert sent(url) == f"{head}{CONTOSO}&{after}#x"
    assert names_tenant(sent(url))


def test_every_empty_tenant_id_of_a_query_is_filled_in() -> None:
    assert (
        sent_as("https://x.com?tenantId=&tenantId=", CONTOSO) == f"https://x.com?tenantId={CONTOSO}&tenantId={CONTOSO}"
    )


@given(ANY_TAIL)
def test_a_refused_redirect_address_names_the_character(tail: str) -> None:
    url = f"https://partners.contoso.com/{tail}|"
    try:
        parsed(url)
    except MalformedRequest as error:
        assert error.target == "inviteRedirectUrl"  # noqa: PT017  a refusal is one of two right answers
        found = re.search(r"the character ('.'|U\+[0-9A-F]{4,6}\b)", error.message)
        assert found is not None
    else:
        assert sent(url) == url.strip()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://partners.contoso.com/?tenantId=<tenant id>", "'<'"),
        ("https://partners.contoso.com/a b", "U+0020 SPACE"),
        ("https://partners.contoso.com/a\u200bb", "U+200B ZERO WIDTH SPACE"),
        ("https://partners.contoso.com\\@evil.example/", "'\\'"),
    ],
)
def test_a_character_that_is_easily_overlooked_is_named(url: str, said: str) -> None:
    with pytest.raises(MalformedRequest, match=re.escape(said)):
        parsed(url)


def test_white_space_around_a_redirect_address_is_removed() -> None:
    assert sent(" https://partners.contoso.com/p \t") == "https://partners.contoso.com/p"


@given(TAIL)
def test_the_sign_in_address_has_the_tenant_id_once_and_keeps_the_rest(query: str) -> None:
    assume("tenantid" not in query.lower())
    url = f"https://teams.microsoft.com/l/team?{query}"
    assume(redirect_problem(url) is None)
    found = sign_in_address(request_for(inviteRedirectUrl=url), CONTOSO, DEFAULTS)
    assert found.startswith(url)
    assert urlsplit(found).query.count(f"tenantId={CONTOSO}") == 1


def test_a_redirect_address_from_the_setting_is_treated_alike() -> None:
    assert (
        redirect_url(request_for(), CONTOSO, Defaults("http://x.com/?q=%ff", send_message=True))
        == "https://x.com/?q=%ff"
    )
