"""Render evidence as an HTML page for the screen and for print. The page has no script and loads nothing."""

from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Any, Final

from b2b.api.answers import ActorShown, DifferenceShown, HistoryEvent, KindShown, SnapshotShown
from b2b.api.evidence.answers import BeliefShown, CredentialShown, Evidence, RequestTold
from b2b.api.evidence.words import EVENTS, GLOSSARY, ISSUERS, KEPT, MATCHES, OPENS, STATE, UNDOCUMENTED, WHO
from b2b.domain.conversion.stages import row_of
from b2b.domain.lifecycle.credentials import NOT_DOCUMENTED, Opens
from b2b.domain.lifecycle.snapshot import label

SHOWN: Final = 20
"""The most objects of one kind that the page names. The JSON names all."""
STYLE: Final = """
body{font:15px/1.45 system-ui,sans-serif;color:#1b1b1b;background:#fff;margin:2rem auto;max-width:60rem;padding:0 1rem}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:1.6rem 0 .4rem;border-bottom:1px solid #999}
h3{font-size:1rem;margin:1rem 0 .2rem}p,ul{margin:.3rem 0}table{border-collapse:collapse;width:100%;margin:.4rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid #ccc;overflow-wrap:break-word}
td:last-child{overflow-wrap:anywhere}.events td:first-child{white-space:nowrap}
th{font-weight:600;background:#f2f2f2}.quiet{color:#555}.mono{font-family:ui-monospace,monospace;font-size:.85em}
@media print{body{font-size:10pt;margin:0;max-width:none;padding:0}h2,h3{break-after:avoid}tr{break-inside:avoid}
thead{display:table-header-group}@page{margin:16mm 14mm}}
"""


def page(told: Evidence) -> bytes:
    """Return the page as UTF-8."""
    parts = (
        f"<h1>{_text(told.title)}</h1>",
        f'<p class="quiet">Given out {_time(told.given_at)} to {_actor(told.given_to)}.</p>',
        f"<p><b>{_text(STATE[told.conversion.stage])}</b> {_text(KEPT)}</p>",
        _summary(told),
        "<h2>Who asked, and what was judged</h2>",
        *map(_request, told.requests),
        f"<p>{told.requests_left_out} more requests are not shown.</p>" if told.requests_left_out else "",
        "<h2>What happened</h2>",
        _events(told.events, cut=told.events_left_out),
        "<h2>What the account has</h2>",
        *_access(told),
        "<h2>Whether the earlier credentials still work</h2>",
        _credentials(told.internal_credential),
        "<h2>What this does not prove</h2>",
        _list(map(_text, told.not_proven)),
        "<h2>Words</h2>",
        _table(("", ""), GLOSSARY),
    )
    body = "\n".join(filter(None, parts))
    return f"<!doctype html>\n{_head(told.title)}<body>\n{body}\n</body></html>\n".encode()


def _head(title: str) -> str:
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return f'<html lang="en"><head>{meta}<title>{_text(title)}</title><style>{STYLE}</style></head>'


def _summary(told: Evidence) -> str:
    found = told.conversion
    differences = "none" if told.access.before and told.access.after else "not compared"
    rows = (
        ("Account", found.user_principal_name or "-"),
        ("Object id", found.user_id),
        ("Invited address", found.invited_user_email_address or "-"),
        ("Stage", found.stage),
        ("Invited", _moment(found.invited_at)),
        ("Redeemed", _moment(found.accepted_at)),
        ("Completed", _moment(found.completed_at)),
        ("Signs in with the invited address", MATCHES[found.sign_in_matches]),
        ("Signs in with", ISSUERS.get(found.signs_in_with or "", found.signs_in_with or "-")),
        ("Differences", "; ".join(each.text for each in told.access.differences) or differences),
    )
    findings = _table(
        ("finding", "severity", "what was found"), [(each.rule, each.severity, each.message) for each in found.findings]
    )
    return _table(("", ""), rows) + ("<h3>Current findings</h3>" + findings if found.findings else "")


def _request(told: RequestTold) -> str:
    title = f'<h3>Request <span class="mono">{_text(told.request_id)}</span></h3>'
    if not told.kept or told.asked_by is None:
        return f"{title}<p>Its row was deleted, or a newer version wrote it.</p>"
    campaign = f", in campaign {_text(told.campaign_id)}" if told.campaign_id else ""
    asked = f"<p>Requested by {_actor(told.asked_by)}, {_time(told.requested_at)}{campaign}.</p>"
    stands = f"<p>Stage <b>{_text(told.stage)}</b>, verdict {_text(told.verdict or 'none')}.</p>"
    found = [(each.rule, each.severity, each.message) for each in told.findings]
    approval = ""
    if told.approval is not None:
        said = f"<p>Approved by {_text(told.approval.by)}, {_time(told.approval.at)}: {_text(told.approval.reason)}</p>"
        waived = [(each.rule, each.message) for each in told.approval.waived]
        approval = said + _table(("waived", "as it was shown"), waived)
    return (
        title
        + asked
        + stands
        + _table(("finding", "severity", "what was found"), found)
        + approval
        + _events(told.events, cut=told.events_left_out)
    )


def _events(events: Iterable[HistoryEvent], *, cut: bool) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("time", "what", "who", "detail"))
    rows = "".join(map(_event, events))
    more = "<p>More events are not shown.</p>" if cut else ""
    return f'<table class="events"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}'


def _event(each: HistoryEvent) -> str:
    entered = each.stage if each.kind == each.stage else None
    meaning = EVENTS.get(entered, row_of(entered).meaning) if entered is not None else ""
    said = [_text(each.detail)] if each.detail else []
    said += [_quiet(meaning)] if meaning else []
    said += [_quiet(f"Graph request-id {each.graph_request_id}")] if each.graph_request_id else []
    cells = (_time(each.at), _text(each.kind), _actor(each.actor), "<br>".join(said))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _quiet(said: str) -> str:
    return f'<span class="quiet">{_text(said)}</span>'


def _access(told: Evidence) -> Iterable[str]:
    report = told.access
    yield (
        "<p>The app compares what the directory grants before the invitation with what it grants afterwards. "
        "It does not see who changed it.</p>"
    )
    yield _compared(report.before, report.after)
    if report.differences:
        yield "<h3>Differences</h3>" + _list(map(_difference, report.differences))
    if report.not_compared:
        unread = [f"{_text(label(each.kind))}: {_text(each.why)}" for each in report.not_compared]
        yield "<h3>Not compared</h3>" + _list(unread)


def _compared(before: SnapshotShown | None, after: SnapshotShown | None) -> str:
    if before is None:
        return "<p>No snapshot was taken before the invitation.</p>"
    later = {each.kind: each for each in after.kinds} if after else {}
    rows = [(label(each.kind), _things(each), _things(later.get(each.kind))) for each in before.kinds]
    head = ("kind", f"before, {_moment(before.taken_at)}", f"after, {_moment(after.taken_at) if after else 'not yet'}")
    return _table(head, rows)


def _things(kind: KindShown | None) -> str:
    if kind is None:
        return "-"
    if kind.unread:
        return f"not readable: {kind.unread}"
    if kind.items is None:
        return f"{kind.count}, too many to keep"
    names = [each.name or each.id for each in kind.items[:SHOWN]]
    more = kind.count - len(names)
    return "; ".join(names) + (f" and {more} more" if more else "") if names else "none"


def _difference(each: DifferenceShown) -> str:
    return _text(each.text)


def _credentials(told: Iterable[CredentialShown]) -> str:
    rows = [(each.name, _belief(each.cloud), _belief(each.on_premises), each.advice) for each in told]
    return _table(("credential", "in the cloud", "on-premises", "what an administrator can do"), rows)


def _belief(each: BeliefShown) -> str:
    if each.opens is Opens.NOTHING:
        return OPENS[each.opens]
    said = UNDOCUMENTED if each.grade == NOT_DOCUMENTED else f"{each.grade}{f', {each.belief}' if each.belief else ''}"
    return f"{OPENS[each.opens]} ({said})"


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return ""
    names = "".join(f"<th>{_text(name)}</th>" for name in head)
    return f"<table>{f'<thead><tr>{names}</tr></thead>' if any(head) else ''}<tbody>{body}</tbody></table>"


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _actor(who: ActorShown) -> str:
    named = f"{who.name} ({WHO[who.kind]})" if who.name else WHO[who.kind]
    return _text(" ".join(filter(None, (named, who.id))))


def _moment(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC" if when else "-"


def _time(when: datetime | None) -> str:
    return _text(_moment(when))


def _text(said: object) -> str:
    return escape(str(said), quote=True)
