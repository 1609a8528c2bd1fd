"""A campaign through the real host: the size limits of lists, their encodings, and the files that the app sends."""

import csv
import io

import httpx
import pytest

from b2b.domain.campaign.csv_out import MARK
from rehearsal.host.process import wait_until
from rehearsal.rig import HostedRig
from tests.host.rig import mails_to, user_id


def send(running: HostedRig, campaign: str, content: bytes, content_type: str = "text/csv") -> httpx.Response:
    running.call("POST", "/api/campaigns", json={"campaignId": campaign, "name": campaign})
    headers = {"content-type": content_type}
    return running.call("POST", f"/api/campaigns/{campaign}/members", content=content, headers=headers)


def rows_of(number: int, width: int = 0) -> bytes:
    rows = (f"{user_id(each)},{'x' * width}\n" for each in range(100, 100 + number))
    return ("id,reference\n" + "".join(rows)).encode()


def test_a_list_larger_than_the_limit_of_a_request_is_accepted(converting: HostedRig) -> None:
    """The host accepts bodies of 100 MB.

    The limit of 48 KiB is the app's own for requests and does not apply to lists.
    """
    content = rows_of(300, 900)
    assert len(content) > 200_000
    taken = send(converting, "large", content)
    assert (taken.status_code, taken.json()["status"]["taken"]) == (200, 300)
    assert send(converting, "large", content).json()["status"]["unchanged"] == 300


@pytest.mark.parametrize("content", [b"id\n" + b"x" * 9_000_000, rows_of(10_001)], ids=["9 MB", "10,001 rows"])
def test_a_list_above_its_limits_gets_413_and_the_remedy(converting: HostedRig, content: bytes) -> None:
    answer = send(converting, "too-large", content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "ListTooLarge")
    assert "split it" in answer.json()["error"]["message"]


def test_the_bytes_of_a_list_reach_the_app_unchanged(converting: HostedRig) -> None:
    """A charset in the header does not make the host decode the body."""
    text = "upn;ref\r\njörg@contoso.com;Größe\r\n"
    for name, codec, charset in (
        ("western", "cp1252", "; charset=windows-1252"),
        ("wide", "utf-16", ""),
        ("marked", "utf-8-sig", "; charset=utf-8"),
    ):
        assert send(converting, name, text.encode(codec), f"text/csv{charset}").json()["status"]["taken"] == 1
        (found,) = converting.call("GET", f"/api/campaigns/{name}/members").json()["members"]
        assert found["reference"] == "Größe"


def test_a_chunked_list_is_refused_as_empty(converting: HostedRig) -> None:
    converting.call("POST", "/api/campaigns", json={"campaignId": "chunked", "name": "x"})
    answer = converting.call("POST", "/api/campaigns/chunked/members", content=iter([b"id\n", b"x\n"]))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "EmptyBody")


def test_csv_and_script_are_sent_as_files(converting: HostedRig) -> None:
    send(converting, "files", f"id;ref\n{user_id(25)};=1+1\n".encode())
    members = converting.call("GET", "/api/campaigns/files/members.csv")
    assert members.headers["content-type"] == "text/csv; charset=utf-8"
    assert members.headers["content-disposition"] == 'attachment; filename="files-members.csv"'
    (row,) = csv.DictReader(io.StringIO(members.content.decode().removeprefix(MARK), newline=""))
    assert row["reference"] == "'=1+1"
    script = converting.call("GET", "/api/campaigns/files/worklist.ps1")
    assert script.headers["content-type"] == "text/plain; charset=utf-8"
    assert script.text.startswith("#Requires")


def test_a_campaign_runs_from_list_to_invitation_on_the_host(converting: HostedRig) -> None:
    send(converting, "host", f"id\n{user_id(26)}\n{user_id(27)}\n".encode())
    for order, outcome in (("judge", "ready"), ("release", "released")):
        run = converting.call("POST", f"/api/campaigns/host/{order}")
        assert run.status_code == 202
        location = run.headers["location"].removeprefix(converting.host.base)
        wait_until(lambda: converting.call("GET", location).status_code == 200, 60, order)  # noqa: B023
        assert converting.call("GET", location).json()["outcomes"] == [{"name": outcome, "count": 2}]

    def invited() -> bool:
        page = converting.call("GET", "/api/campaigns/host/members?stage=invited").json()
        return len(page["members"]) == 2

    wait_until(invited, 60, "both are invited")
    assert [mails_to(converting, number) for number in (26, 27)] == [1, 1]
