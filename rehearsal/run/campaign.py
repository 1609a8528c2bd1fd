"""One campaign by HTTP, as an administrator's script drives it: list in, judge, decide, release, names out."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from rehearsal.sample import Action

JSON = Mapping[str, Any]
UNTOLD = "application/octet-stream"
"""The app finds out itself whether a list is CSV or JSON."""
MOST_TOGETHER = 500
"""Members that one call may name."""
UNAVAILABLE = 503
ASK_AGAIN_SECONDS = 5.0
CALL_SECONDS = 300.0
"""For a call about 10,000 members: Azurite goes through the whole campaign for each row."""
WHO = "operations"
BY: Mapping[Action, str] = {"approve": "approvedBy", "refuse": "refusedBy", "release": "releasedBy"}
"""The field that says who decides."""


class RefusedError(Exception):
    """The app refused a call; the text is its own message."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row of the list was not taken."""

    line: int
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ListTaken:
    """What became of the list."""

    rows: int
    members: tuple[str, ...]
    """The keys of the members, in the order of their rows."""
    columns: Mapping[str, str]
    """The header of each column that was understood, by what it says."""
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """How far a run has come."""

    finished: bool
    done: int
    members: int
    outcomes: Mapping[str, int]

    @property
    def counted(self) -> tuple[int, int]:
        """How many are done of how many; never all of them before the run has finished."""
        if self.finished:
            return self.members, self.members
        return self.done, max(self.members, self.done + 1)


class Campaign:
    """A campaign of the app."""

    def __init__(self, api: httpx.Client, campaign_id: str) -> None:
        self._api, self.campaign_id = api, campaign_id
        self.address = f"/api/campaigns/{campaign_id}"

    def create(self, name: str, description: str) -> None:
        """Make it."""
        body = {"campaignId": self.campaign_id, "name": name, "description": description}
        _content(self._post("/api/campaigns", json=body))

    def send(self, raw: bytes, keep: Sequence[str] = (), charset: str = "") -> ListTaken:
        """Send the list. `keep` are headers of columns that are to be shown with the members.

        Raises:
            RefusedError: the app cannot read the list, and says why.

        """
        answer = self._post(
            f"{self.address}/members",
            params={"keep": ",".join(keep)} if keep else {},
            content=raw,
            headers={"content-type": f"{UNTOLD}; charset={charset}" if charset else UNTOLD},
        )
        told = _content(answer)
        return ListTaken(
            rows=told["status"]["rows"],
            members=tuple(row["member"] for row in told["rows"] if row["member"]),
            columns={each["column"]: each["header"] for each in told["columns"] if each["column"]},
            faults=tuple(
                Fault(row["line"], fault["column"] or "", fault["code"], fault["message"])
                for row in told["rows"]
                for fault in row["faults"]
            ),
        )

    def judge(self) -> str:
        """Order that all members are judged; returns the address of the run."""
        return self._ordered("judge", {})

    def release(self, reason: str, **wanted: Any) -> str:
        """Order that members are released, all that are ready or some of them; returns the address of the run."""
        return self._ordered("release", {BY["release"]: WHO, "reason": reason, **wanted})

    def look(self, run: str) -> Done:
        """How far a run has come."""
        told = _content(self._get(run))
        outcomes = {each["name"]: each["count"] for each in told["outcomes"]}
        return Done(told["finished"], told["done"], told["members"] or 0, outcomes)

    def waiting(self) -> list[JSON]:
        """What waits for a decision, grouped by finding."""
        return list(_content(self._get(f"{self.address}/decisions"))["groups"])

    def decide(self, action: Action, shown: Sequence[JSON], reason: str) -> dict[str, str | None]:
        """Decide about exactly these members under these findings; returns the error of each, by its key."""
        choices = [{"member": each["member"], "findings": each["findings"]} for each in shown]
        body = {BY[action]: WHO, "reason": reason, "members": choices}
        told = _content(self._post(f"{self.address}/{action}", json=body))
        return {each["member"]: each["error"]["code"] if each["error"] else None for each in told["members"]}

    def members(self, **wanted: str) -> Iterator[JSON]:
        """The members, page by page."""
        page = _content(self._get(f"{self.address}/members", params=wanted))
        yield from page["members"]
        while token := page.get("continuationToken"):
            page = _content(self._get(f"{self.address}/members", params={**wanted, "continuationToken": token}))
            yield from page["members"]

    def member(self, key: str) -> JSON:
        """One member with all that is known of it."""
        return _content(self._get(f"{self.address}/members/{key}"))

    def names(self) -> str:
        """The members as CSV."""
        answer = self._get(f"{self.address}/members.csv")
        if not answer.is_success:
            raise _refused(answer)
        return answer.text

    def _get(self, address: str, **more: Any) -> httpx.Response:
        """Ask, and ask again while the app's storage does not answer: on a busy machine Azurite is late at times."""
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
    """Return what the app answered.

    Raises:
        RefusedError: it refused.

    """
    if not answer.is_success:
        raise _refused(answer)
    content: JSON = answer.json()
    return content


def _refused(answer: httpx.Response) -> RefusedError:
    error = answer.json().get("error", {}) if answer.content else {}
    return RefusedError(f"{error.get('code', answer.status_code)}: {error.get('message', 'no reason given')}")
