"""Convert the rows of campaigns to answers."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from b2b.api import show
from b2b.api.answers import Reply, WaitsFor
from b2b.api.campaigns.answers import (
    CampaignStatus,
    ListStatus,
    MemberColumn,
    MemberLine,
    MemberStatus,
    RunStatus,
    Tally,
)
from b2b.api.campaigns.bodies import CampaignDefaults
from b2b.api.door import Call
from b2b.domain.campaign.filters import rules_of, waits_since
from b2b.domain.campaign.member import Member
from b2b.domain.campaign.outlook import in_the_way, prospect_of, remedy_of
from b2b.domain.campaign.records import Campaign, ListImport
from b2b.domain.campaign.runs import Progress
from b2b.domain.request.approval import Waived


def campaign(row: Campaign) -> CampaignStatus:
    """Show a campaign."""
    return CampaignStatus(
        campaign_id=row.campaign_id,
        name=row.name,
        description=row.description or None,
        state=row.state,
        defaults=msgspec.json.decode(row.defaults or b"{}", type=CampaignDefaults),
        created_at=show.utc(row.created_at),
    )


def listing(row: ListImport) -> ListStatus:
    """Show the result of importing a list."""
    return ListStatus(
        import_id=row.import_id,
        state=row.state,
        started_at=show.utc(row.started_at),
        finished_at=show.time(row.finished_at),
        rows=row.rows,
        taken=row.taken,
        changed=row.changed,
        unchanged=row.unchanged,
        refused=row.refused,
    )


def line(row: Member) -> MemberLine:
    """Show a member on a page of members."""
    return MemberLine(**_line(row))


def member(row: Member) -> MemberStatus:
    """Show everything that the app knows about a member."""
    return MemberStatus(
        **_line(row),
        findings=list(row.findings),
        waived=[Waived(each.rule, each.message) for each in row.waived],
        decided_by=row.decided_by or None,
        decided_because=row.decided_because or None,
        decided_at=show.time(row.decided_at),
        last_error=row.last_error or None,
        listed_at=show.utc(row.listed_at),
        judged_at=show.time(row.judged_at),
        columns=[MemberColumn(header=header, value=value) for header, value in row.kept],
    )


def run(progress: Progress) -> RunStatus:
    """Show the progress of a run."""
    row = progress.run
    return RunStatus(
        run_id=row.run_id,
        kind=row.kind,
        finished=progress.finished,
        members=row.members if row.planned else None,
        done=progress.done,
        outcomes=tallies(progress.counts),
        asked_at=show.utc(row.asked_at),
        asked_by=show.actor(row.asked_by),
        reason=row.because or None,
    )


def ordered(progress: Progress, call: Call) -> Reply:
    """Answer with the progress of a run: 200 if all members are done, otherwise 202 with the address of the run."""
    if progress.finished:
        return Reply(200, run(progress))
    row = progress.run
    location = f"{call.base_url}/api/campaigns/{row.campaign_id}/runs/{row.run_id}"
    return Reply(202, run(progress), {"Location": location, "Retry-After": str(show.RETRY_AFTER)})


def tallies(counts: Mapping[str, int]) -> list[Tally]:
    """Show counts, the largest first."""
    ordered_counts = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [Tally(name=str(name), count=count) for name, count in ordered_counts]


def _line(row: Member) -> dict[str, Any]:
    remedies = [remedy_of(row, finding) for finding in in_the_way(row)]
    waits = None
    if row.waiting is not None:
        since = show.utc(row.waiting.since)
        waits = WaitsFor(reason=row.waiting.reason, text=row.waiting.text, since=since)
    return {
        "member": row.key,
        "user_principal_name": row.user_principal_name or None,
        "invited_user_email_address": row.invited_address or row.address or None,
        "reference": row.reference or None,
        "user_id": row.user_id or None,
        "stage": row.stage,
        "verdict": row.verdict,
        "prospect": prospect_of(row),
        "rules": sorted(rules_of(row)),
        "changes": _each(remedy.change.value for remedy in remedies),
        "needed": _each(remedy.who.value for remedy in remedies),
        "waiting": waits,
        "waits_since": show.time(waits_since(row)),
        "request_id": row.request_id or None,
        "invited_at": show.time(row.invited_at),
        "accepted_at": show.time(row.accepted_at),
    }


def _each(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))
