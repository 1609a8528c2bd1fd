"""Read the sample data. An unknown field raises ValueError, because a misspelt expectation would expect nothing."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.sample.records import (
    Account,
    Change,
    Decision,
    Expectation,
    Malformed,
    Profile,
    Refusal,
    Request,
    Sample,
    Variant,
)

HERE = Path(__file__).parent
PROFILES: tuple[Profile, ...] = ("current", "2020")

ACCOUNT_FIELDS = frozenset(
    {"name", "why", "user", "deleted", "joins", "of", "request", "redeem", "redeemOn", "redeemAs", "expect"}
)
REQUEST_FIELDS = frozenset({"by", "wave", "body"})
MALFORMED_FIELDS = frozenset(
    {"name", "why", "by", "wave", "raw", "body", "repeat", "requestId", "conflictsWith", "poison", "expect"}
)
DECISION_FIELDS = frozenset({"request", "why", "action", "waits", "expect"})
CHANGE_FIELDS = frozenset({"account", "why", "when", "act", "value", "expect"})
VARIANT_FIELDS = frozenset({"name", "why", "patch", "missingRoles", "expect"})
EXPECTATION_FIELDS = frozenset({"stage", "verdict", "findings"})


def load() -> Sample:
    """Read the six files into one sample. Raises ValueError or KeyError if they are malformed."""
    tenant = _read("tenant.json")
    settings = tenant.pop("settings")
    return Sample(
        tenant=tenant,
        settings=settings,
        accounts=_accounts(_read("accounts.json")),
        malformed=tuple(_malformed(entry) for entry in _read("malformed.json")),
        decisions=tuple(_decision(entry) for entry in _read("decisions.json")),
        changes=tuple(_change(entry) for entry in _read("changes.json")),
        variants=tuple(_variant(entry) for entry in _read("variants.json")),
    )


def _read(file: str) -> Any:
    return json.loads((HERE / file).read_text(encoding="utf-8"))


def _known(entry: Mapping[str, Any], fields: frozenset[str]) -> None:
    unknown = entry.keys() - fields
    if unknown:
        raise ValueError(f"{entry.get('name', entry)}: unknown fields {', '.join(sorted(unknown))}")


def _accounts(entries: Sequence[Mapping[str, Any]]) -> tuple[Account, ...]:
    by_name = {entry["name"]: entry for entry in entries}
    return tuple(_account(entry, by_name) for entry in entries)


def _account(entry: Mapping[str, Any], by_name: Mapping[str, Mapping[str, Any]]) -> Account:
    _known(entry, ACCOUNT_FIELDS)
    _known(entry["request"], REQUEST_FIELDS)
    joins, of = entry.get("joins"), entry.get("of")
    source = by_name[joins or of or entry["name"]]
    request = entry["request"]
    return Account(
        name=entry["name"],
        why=entry["why"],
        user=entry.get("user"),
        deleted=entry.get("deleted", False),
        user_id=source["user"]["id"] if source["user"] else None,
        request=Request(name=entry["name"], body=request["body"], by=request["by"], wave=request.get("wave", 1)),
        redeem=entry.get("redeem"),
        redeem_on=entry.get("redeemOn", "soon"),
        redeem_as=entry.get("redeemAs"),
        joins=joins,
        of=of,
        expect=_by_profile((source if joins else entry)["expect"]),
    )


def _by_profile(entry: Mapping[str, Mapping[str, Any]]) -> dict[Profile, Expectation]:
    _known(entry, frozenset(PROFILES))
    return {profile: _expectation(entry[profile]) for profile in PROFILES}


def _expectation(entry: Mapping[str, Any]) -> Expectation:
    _known(entry, EXPECTATION_FIELDS)
    return Expectation(stage=entry["stage"], verdict=entry["verdict"], findings=tuple(entry["findings"]))


def _malformed(entry: Mapping[str, Any]) -> Malformed:
    _known(entry, MALFORMED_FIELDS)
    expect = entry["expect"]
    return Malformed(
        name=entry["name"],
        why=entry["why"],
        by=entry["by"],
        wave=entry.get("wave", 1),
        text=_text(entry),
        request_id=entry["requestId"],
        conflicts_with=entry.get("conflictsWith"),
        poison=entry.get("poison", False),
        expect=Refusal(**expect.get("http", expect)),
    )


def _text(entry: Mapping[str, Any]) -> str:
    """Return the text of a malformed request.

    `raw` is the text itself and `body` is written as JSON. `repeat` gives a prefix and a suffix; `fill` is repeated
    between them until the text has the given number of bytes.
    """
    if "raw" in entry:
        return str(entry["raw"])
    if "body" in entry:
        return json.dumps(entry["body"], ensure_ascii=False)
    repeat = entry["repeat"]
    room = repeat["bytes"] - len((repeat["prefix"] + repeat["suffix"]).encode())
    return str(repeat["prefix"] + repeat["fill"] * room + repeat["suffix"])


def _decision(entry: Mapping[str, Any]) -> Decision:
    _known(entry, DECISION_FIELDS)
    return Decision(
        request=entry["request"],
        why=entry["why"],
        action=entry["action"],
        waits=entry.get("waits"),
        expect=_by_profile(entry["expect"]),
    )


def _change(entry: Mapping[str, Any]) -> Change:
    _known(entry, CHANGE_FIELDS)
    return Change(
        account=entry["account"],
        why=entry["why"],
        when=entry["when"],
        act=entry["act"],
        value=entry.get("value", ""),
        expect=_by_profile(entry["expect"]) if "expect" in entry else None,
    )


def _variant(entry: Mapping[str, Any]) -> Variant:
    _known(entry, VARIANT_FIELDS)
    return Variant(
        name=entry["name"],
        why=entry["why"],
        patch=entry.get("patch", {}),
        missing_roles=tuple(entry.get("missingRoles", ())),
        expect={name: _by_profile(expect) for name, expect in entry["expect"].items()},
    )
