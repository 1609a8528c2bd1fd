"""A client for one campaign, with the calls of an administrator's script: send a list, judge, decide, release, read."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from rehearsal.sample import Action

JSON = Mapping[str, Any]
UNTOLD = "application/octet-stream"
"""With this type the app detects by itself whether a list is CSV or JSON."""
MOST_TOGETHER = 500
"""The most members that one call may name."""
UNAVAILABLE = 503
ASK_AGAIN_SECONDS = 5.0
CALL_SECONDS = 300.0
"""Enough for a call about 10,000 members, for each of which Azurite scans the whole campaign."""
WHO = "operations"
BY: Mapping[Action, str] = {"approve": "approvedBy", "refuse": "refusedBy", "release": "releasedBy"}
"""The field that names who decides, by action."""


class RefusedError(Exception):
    """The app refused a call; the text is its error code and message."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row of the list was refused."""

    line: int
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ListTaken:
    """The app's answer to a list."""

    rows: int
    members: tuple[str, ...]
    """The keys of the members, in the order of their rows."""
    columns: Mapping[str, str]
    """The headers of the columns that the app understood, by the name of the column's field."""
    unread: tuple[str, ...]
    """The headers of the other columns."""
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The progress of a run."""

    finished: bool
    done: int
    members: int
    outcomes: Mapping[str, int]

    @property
    def counted(self) -> tuple[int, int]:
        """How many members are done, and of how many. The two are equal only once the run has finished."""
        if self.finished:
            return self.members, self.members
        return self.done, max(self.members, self.done + 1)


class Campaign:
    """The API of one campaign."""

    def __init__(self, api: httpx.Client, campaign_id: str) -> None:
        self._api, self.campaign_id = api, campaign_id
        self.address = f"/api/campaigns/{campaign_id}"

    def create(self, name: str, description: str) -> None:
        """Create the campaign."""
        body = {"campaignId": self.campaign_id, "name": name, "description": description}
        _content(self._post("/api/campaigns", json=body))

    def send(self, raw: bytes, keep: Sequence[str] = (), charset: str = "", address: str = "") -> ListTaken:
        """Send the list and return the app's answer.

        `keep` are the headers of columns to show with the members; `address` is the header of the column with the
        addresses, if it is none that the app knows.

        Raises:
            RefusedError: the app cannot read the list, and says why.

        """
        answer = self._post(
            f"{self.address}/members",
            params={
                **({"keep": ",".join(keep)} if keep else {}),
                **({"addressColumn": address} if address else {}),
            },
            content=raw,
            headers={"content-type": f"{UNTOLD}; charset={charset}" if charset else UNTOLD},
        )
        told = _content(answer)
        return ListTaken(
            rows=told["status"]["rows"],
            members=tuple(row["member"] for row in told["rows"] if row["member"]),
            columns={each["column"]: each["header"] for each in told["columns"] if each["column"]},
            unread=tuple(each["header"] for each in told["columns"] if not each["column"]),
            faults=tuple(
                Fault(row["line"], fault["column"] or "", fault["code"], fault["message"])
                for row in told["rows"]
                for fault in row["faults"]
            ),
        )

    def judge(self) -> str:
        """Start a run that judges all members, and return its URL."""
        return self._ordered("judge", {})

    def release(self, reason: str, **wanted: Any) -> str:
        """Start a run that releases all ready members, or those that `wanted` selects, and return its URL."""
        return self._ordered("release", {BY["release"]: WHO, "reason": reason, **wanted})

    def look(self, run: str) -> Done:
        """Return the progress of a run."""
        told = _content(self._get(run))
        outcomes = {each["name"]: each["count"] for each in told["outcomes"]}
        return Done(told["finished"], told["done"], told["members"] or 0, outcomes)

    def waiting(self) -> list[JSON]:
        """Return the members that wait for a decision, grouped by finding."""
        return list(_content(self._get(f"{self.address}/decisions"))["groups"])

    def decide(self, action: Action, shown: Sequence[JSON], reason: str) -> dict[str, str | None]:
        """Decide about members under the findings in `shown`. Return the error code of each by key (None: it
        succeeded).
        """
        choices = [{"member": each["member"], "findings": each["findings"]} for each in shown]
        body = {BY[action]: WHO, "reason": reason, "members": choices}
        told = _content(self._post(f"{self.address}/{action}", json=body))
        return {each["member"]: each["error"]["code"] if each["error"] else None for each in told["members"]}

    def members(self, **wanted: str) -> Iterator[JSON]:
        """Yield the members, reading page by page. `wanted` are query parameters that filter them."""
        page = _content(self._get(f"{self.address}/members", params=wanted))
        yield from page["members"]
        while token := page.get("continuationToken"):
            page = _content(self._get(f"{self.address}/members", params={**wanted, "continuationToken": token}))
            yield from page["members"]

    def member(self, key: str) -> JSON:
        """Return one member with all its details."""
        return _content(self._get(f"{self.address}/members/{key}"))

    def names(self) -> str:
        """Return the members as CSV."""
        answer = self._get(f"{self.address}/members.csv")
        if not answer.is_success:
            raise _refused(answer)
        return answer.text

    def _get(self, address: str, **more: Any) -> httpx.Response:
        """Send a GET, and repeat it while the answer is 503, because Azurite can be slow on a busy machine."""
        deadline = time.monotonic() + CALL_SECONDS
        while True:
            answer = self._api.get(address, timeout=CALL_SECONDS, **more)
            if answer.status_code != UNAVAILABLE or time.monotonic() > deadline:
                return answer
            time.sleep(float(answer.headers.get("retry-after", ASK_AGAIN_SECONDS)))

    def _post(self, address: str, **more: Any) -> httpx.Response:
        return self._api.post(address, timeout=CALL_SECONDS, **more)

    def _ordered(self, what: str, body: JSON) -> str:
        answer = self._post(f"{self.address}/{what}", json=dict(body))
        _content(answer)
        return answer.headers["location"]


def _content(answer: httpx.Response) -> JSON:
    """Return the content of the app's answer.

    Raises:
        RefusedError: the app refused the call.

    """
    if not answer.is_success:
        raise _refused(answer)
    content: JSON = answer.json()
    return content


def _refused(answer: httpx.Response) -> RefusedError:
    error = answer.json().get("error", {}) if answer.content else {}
    return RefusedError(f"{error.get('code', answer.status_code)}: {error.get('message', 'no reason given')}")
