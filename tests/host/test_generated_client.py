"""A client that kiota generates from the app's OpenAPI document works on the running host."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rehearsal.rig import HostedRig
from tests.contracts.pages import ROOT
from tests.host.rig import user_id
from tests.support.tools import missing

SCRIPT = """
import asyncio, os, sys
from kiota_abstractions.authentication.api_key_authentication_provider import ApiKeyAuthenticationProvider, KeyLocation
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_http.httpx_request_adapter import HttpxRequestAdapter
from client.api_client import ApiClient
from client.models.approval import Approval
from client.campaigns.item.members.members_request_builder import MembersRequestBuilder
from client.models.campaign_state import CampaignState
from client.models.choice import Choice
from client.models.list_row import ListRow
from client.models.member_list import MemberList
from client.models.members_approval import MembersApproval
from client.models.members_release import MembersRelease
from client.models.members_wanted import MembersWanted
from client.models.new_campaign import NewCampaign
from client.models.conversion_request import ConversionRequest
from client.models.invited_user import InvitedUser
from client.models.problem import Problem
from client.models.release import Release
from client.models.search import Search
from client.models.stage import Stage
from client.requests.requests_request_builder import RequestsRequestBuilder

async def until(app, request_id, stage):
    for _ in range(200):
        status = await app.requests.by_request_id(request_id).get()
        if status.stage == stage:
            return status
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{request_id} is {status.stage}")

async def run(campaign, ordered):
    for _ in range(200):
        if ordered.finished:
            return {each.name: each.count for each in ordered.outcomes}
        await asyncio.sleep(0.1)
        ordered = await campaign.runs.by_run_id(ordered.run_id).get()
    raise TimeoutError(f"the run has seen to {ordered.done} members")

async def campaign(app):
    made = await app.campaigns.post(NewCampaign(campaign_id="generated", name="Suppliers"))
    assert made.state == CampaignState.Open, made
    spring = app.campaigns.by_campaign_id("generated")
    rows = [
        ListRow(id=os.environ["OTHER"], reference="1"),
        ListRow(id=os.environ["COPIED"], reference="2", cc_recipient="boss@adatum.com"),
    ]
    taken = await spring.members.post(MemberList(members=rows))
    assert [row.outcome for row in taken.rows] == ["taken", "taken"], taken
    assert await run(spring, await spring.judge.post(MembersWanted())) == {"ready": 1, "needsReview": 1}
    (group,) = (await spring.decisions.get()).groups
    (shown,) = group.members
    choice = Choice(member=shown.member, findings=shown.findings)
    word = MembersApproval(approved_by="ops@contoso.com", reason="known", members=[choice])
    decided = await spring.approve.post(word)
    assert (decided.decided, decided.refused) == (1, 0), decided
    release = MembersRelease(released_by="ops@contoso.com", reason="wave 1")
    assert await run(spring, await spring.release.post(release)) == {"released": 2}
    query = MembersRequestBuilder.MembersRequestBuilderGetQueryParameters(stage="invited")
    for _ in range(100):
        page = await spring.members.get(RequestConfiguration(query_parameters=query))
        if len(page.members) == 2:
            break
        await asyncio.sleep(0.1)
    else:
        raise TimeoutError("the members are not invited")
    table = (await spring.members_csv.get()).decode("utf-8-sig")
    assert len(table.splitlines()) == 3, table

async def main():
    key = ApiKeyAuthenticationProvider(KeyLocation.Header, os.environ["KEY"], "x-functions-key")
    adapter = HttpxRequestAdapter(key)
    adapter.base_url = os.environ["API"]
    app = ApiClient(adapter)
    body = ConversionRequest(
        request_id="generated-1", dry_run=True, invited_user=InvitedUser(id=os.environ["ACCOUNT"])
    )
    taken = await app.requests.post(body)
    assert taken.request_id == "generated-1", taken
    await until(app, "generated-1", Stage.Assessed)
    query = RequestsRequestBuilder.RequestsRequestBuilderGetQueryParameters(stage="assessed")
    for _ in range(50):
        page = await app.requests.get(RequestConfiguration(query_parameters=query))
        if "generated-1" in [line.request_id for line in page.requests]:
            break
        await asyncio.sleep(0.1)
    else:
        raise TimeoutError("the list does not follow")
    word = Release(released_by="ops@contoso.com", reason="wave 1")
    await app.requests.by_request_id("generated-1").release.post(word)
    status = await until(app, "generated-1", Stage.Invited)
    found = await app.search.post(Search(name=status.user_principal_name))
    assert [line.request_id for line in found.requests] == ["generated-1"], found
    history = await app.requests.by_request_id("generated-1").history.get()
    actors = {event.kind: event.actor.kind.value for event in history.events}
    assert actors == {"requested": "key", "assessed": "queue", "released": "stated", "invited": "queue"}, actors
    await campaign(app)
    try:
        await app.requests.by_request_id("generated-1").approve.post(Approval(approved_by="ops", reason="again"))
    except Problem as problem:
        print(problem.error.code)

asyncio.run(main())
"""


NAMED = ("-l", "python", "-c", "ApiClient", "-n", "client", "--clean-output")


def find_kiota() -> str | None:
    """Return the path of kiota from the variable KIOTA, from PATH, or next to the repository; None if there is none."""
    beside = ROOT.parent / "shared" / "tools" / "kiota"
    return os.environ.get("KIOTA") or shutil.which("kiota") or (str(beside) if beside.exists() else None)


def test_a_generated_client_converts_one_account_and_runs_a_campaign(converting: HostedRig, tmp_path: Path) -> None:
    kiota = find_kiota()
    if kiota is None:
        missing("no kiota: put it on PATH, or its path into KIOTA")
    document = tmp_path / "openapi.json"
    document.write_bytes(converting.call("GET", "/api/openapi.json").content)
    made = subprocess.run(  # noqa: S603  the tool chosen by the caller
        [kiota, "generate", "-d", str(document), "-o", str(tmp_path / "client"), *NAMED],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path),
        "KEY": converting.host.function_key,
        "API": f"{converting.host.base}/api",
        "ACCOUNT": user_id(20),
        "OTHER": user_id(28),
        "COPIED": user_id(29),
    }
    done = subprocess.run(  # noqa: S603  the client generated above
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "NotAwaitingApproval"), done.stderr
