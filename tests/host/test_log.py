"""The app's log contains object ids and request ids, but never a person's address."""

from rehearsal.host.process import wait_until
from rehearsal.rig import HostedRig
from tests.host.rig import request


def test_the_log_contains_no_address_and_no_redeem_link(converting: HostedRig) -> None:
    """The log of all earlier tests on this host is checked, too."""
    by_name = {"invitedUser": {"userPrincipalName": "partner20@contoso.com"}, "requestId": "by-name"}
    by_mail = {"invitedUser": {"mail": "partner21@fabrikam.com"}, "requestId": "by-mail"}
    nobody = {"invitedUser": {"mail": "nobody@litware.com"}, "requestId": "nobody"}
    elsewhere = request(26, requestId="elsewhere", invitedUserEmailAddress="partner.elsewhere@proseware.com")
    for body in (by_name, by_mail, nobody, elsewhere):
        converting.send(body)
    stages = converting.settled("by-name", "by-mail", "nobody", "elsewhere")
    assert stages == ["invited", "invited", "blocked", "blocked"]
    converting.send('{"invitedUser": {"mail": "broken@litware.com"}, "requestId": "broken", "x@y.example": 1}')
    assert converting.settled("broken") == ["rejected"]
    converting.call("POST", "/api/assessments", json={"invitedUser": {"mail": "partner23@fabrikam.com"}})
    assert converting.host.run_function("sweep")
    wait_until(converting.host.idle)
    log = converting.host.log()
    assert [line for line in log.splitlines() if "@" in line or "redeem" in line.lower()] == []
    assert "convert" in log
