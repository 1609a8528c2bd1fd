"""Read from a query or a body which members a caller selects."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from b2b.api.campaigns.bodies import MembersWanted
from b2b.api.route import Parameter
from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import MemberStage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import RequestRefused
from b2b.domain.findings import Verdict

LONGEST_WAIT: Final = 3650
"""The most days that a caller may give for how long members have waited."""
_DAYS = "waitsLongerThanDays"
QUERY: Final = (
    Parameter("stage", "Only members of this stage.", MemberStage),
    Parameter("verdict", "Only members with this verdict.", Verdict),
    Parameter("rule", "Only members about whom this rule has something to say."),
    Parameter("domain", "Only members with an address of this domain."),
    Parameter("waiting", "Only members that wait for this reason.", WaitReason),
    Parameter(
        _DAYS,
        "Only members that have waited for more than so many days.",
        int,
        {"minimum": 0, "maximum": LONGEST_WAIT},
    ),
)


def of_query(query: Mapping[str, str]) -> Filter:
    """Return the filter in a query.

    Raises:
        RequestRefused: values are invalid; the error names each of them.

    """
    faults, read = list[RequestRefused](), dict[str, Any]()
    for parameter in QUERY:
        text = query.get(parameter.name)
        try:
            read[parameter.name] = parameter.kind(text) if text else None
        except ValueError:
            expected = f"one of {', '.join(parameter.choices)}" if parameter.choices else "a whole number"
            said = f"{parameter.name}: expected {expected}"
            faults.append(RequestRefused(ErrorCode.INVALID_VALUE, said, parameter.name))
    if faults:
        raise faults[0].with_others(faults[1:])
    return Filter(
        stage=read["stage"],
        verdict=read["verdict"],
        rule=read["rule"] or "",
        domain=read["domain"] or "",
        waiting=read["waiting"],
        waits_longer_than=_longer_than(read[_DAYS]),
    )


def of_body(body: MembersWanted) -> Filter:
    """Return the filter in a body.

    Raises:
        RequestRefused: the body has both members and conditions, or a time is out of range.

    """
    wanted = Filter(
        stage=body.stage,
        verdict=body.verdict,
        rule=body.rule or "",
        domain=body.domain or "",
        waiting=body.waiting,
        waits_longer_than=_longer_than(body.waits_longer_than_days),
    )
    if body.members and wanted != Filter():
        said = "members: expected either members or conditions, not both"
        raise RequestRefused(ErrorCode.INVALID_VALUE, said, "members")
    return wanted


def _longer_than(days: int | None) -> timedelta | None:
    if days is None:
        return None
    if not 0 <= days <= LONGEST_WAIT:
        raise RequestRefused(ErrorCode.INVALID_VALUE, f"{_DAYS}: expected 0 to {LONGEST_WAIT}", _DAYS)
    return timedelta(days=days)
