"""The file that may be given away: it says what was seen and names nobody."""

import re

import pytest

from probe import scrub
from probe.run import DONE
from tests.probe.support import ADDRESS, SECOND, Lab
from tests.rehearsal.tenant_support import TENANT_ID


def secrets(lab: Lab) -> set[str]:
    """Whatever names the tenant, an account, a person or a link in a run."""
    found = {TENANT_ID, ADDRESS, SECOND, "fabrikam", "contoso", "b2b-probe-"}
    for change in lab.control.changes():
        found |= {change["id"], str(change["after"].get("displayName", ADDRESS))}
    tickets = [link.rpartition("ticket%3D")[2].partition("%26")[0] for link, _ in lab.person.opened]
    assert all(tickets)
    return found | set(tickets)


def test_nothing_in_the_file_names_the_tenant_an_account_a_person_or_a_link(lab: Lab) -> None:
    assert lab.run() == DONE
    text = (lab.folder / "result.json").read_text("utf-8")
    assert [secret for secret in secrets(lab) if secret.lower() in text.lower()] == []
    assert "<id>" in lab.belief("INV-25")["answer"]["message"], "an answer that named an account is in the file"
    assert "invitations.microsoft.com" not in text
    assert "Bearer" not in text


@pytest.mark.parametrize("taken_out", ["_GUID", "_LINK", "_ADDRESS", "names"])
def test_without_any_part_of_the_scrubbing_a_name_would_be_in_the_file(
    taken_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = f"object {TENANT_ID} of olga@fabrikam.com at https://contoso.com/x?y=z in contoso"
    names = {"contoso"}
    clean = scrub.text(raw, names)
    assert clean == "object <id> of <address> at <link> in <name>"
    if taken_out == "names":
        names = set()
    else:
        monkeypatch.setattr(scrub, taken_out, re.compile("(?!)"))
    assert scrub.text(raw, names) != clean


def test_a_belief_has_its_position_and_the_answer_raw_but_for_the_names(lab: Lab) -> None:
    lab.start_over(address_match="mail-only")
    assert lab.run("INV-06") == DONE
    belief = lab.belief("INV-06")
    answer = belief.pop("answer")
    assert belief == {"id": "INV-06", "ended": "seen", "switch": "address-match", "positions": ["mail-only"]}
    assert (answer["call"], answer["status"], answer["code"]) == ("POST /v1.0/invitations", 400, "BadRequest")
    assert answer["message"].startswith("The email you\N{RIGHT SINGLE QUOTATION MARK}re using to invite this user")
    assert set(answer["shape"]["error"]) == {"code", "message", "innerError"}


def test_a_good_answer_is_kept_as_its_shape_with_the_services_own_words(lab: Lab) -> None:
    assert lab.run("INV-01") == DONE
    shape = lab.belief("INV-01")["answer"]["shape"]
    assert (shape["status"], shape["invitedUserType"]) == ("PendingAcceptance", "Guest")
    assert (shape["inviteRedeemUrl"], shape["invitedUser"]) == ("str", {"id": "str"})


def test_the_tenant_is_described_by_its_kind(lab: Lab) -> None:
    assert lab.run("INV-01") == DONE
    result = lab.result()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", result["date"])
    assert result["tenant"] == {
        "cloud": "public",
        "size": "fewer than 50 users",
        "ownDomain": True,
        "federatedDomain": True,
        "signedInAs": "application",
        "permissions": sorted(lab.app.state.tenant.roles_by_client["main"]),
    }


def test_the_file_is_there_while_the_run_goes_on(lab: Lab) -> None:
    """A run that breaks off has kept what it has seen."""
    with pytest.raises(AssertionError, match="ended before"):
        lab.killed(lab.options("INV-08", "INV-12"), 10_000, behind=True)
    calls = lab.wire.sent
    (lab.folder / "result.json").unlink()
    lab.start_over()
    lab.killed(lab.options("INV-08", "INV-12"), calls - 6, behind=True)
    assert [found["id"] for found in lab.result()["beliefs"]] == ["INV-08"]
