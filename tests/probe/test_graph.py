"""The probe's Graph client: which calls it retries, how long it waits, and how it reads answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from probe.calls import COUNT, CREATE_INVITATION, LIST_USERS
from probe.graph import TRIES, Graph, Meter, NoAnswer


class Frozen:
    """A clock that moves only by sleeping."""

    def __init__(self) -> None:
        self.time = datetime(2026, 12, 1, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


class Tokens:
    def __init__(self) -> None:
        self.renewed = 0

    def token(self) -> str:
        return f"token-{self.renewed}"

    def renew(self) -> None:
        self.renewed += 1


class Service:
    """A service that gives these answers in turn and repeats the last one."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.clock, self.tokens, self.meter = Frozen(), Tokens(), Meter()
        http = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.graph = Graph(http, "https://graph.microsoft.com", self.tokens, self.clock, self.meter)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def refused(status: int, code: str = "", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": {"code": code, "message": "text"}}, headers=named)


GOOD = httpx.Response(200, json={"value": []})
IN_A_MINUTE = format_datetime(datetime(2026, 12, 1, 0, 1, tzinfo=UTC), usegmt=True)


@pytest.mark.parametrize(
    ("retry_after", "slept"), [("7", 7.0), ("2.128", 2.128), (IN_A_MINUTE, 60.0), ("", 1.0), ("soon", 1.0)]
)
def test_the_client_waits_for_retry_after_or_else_one_second(retry_after: str, slept: float) -> None:
    service = Service(refused(429, "TooManyRequests", retry_after=retry_after), GOOD)
    assert service.graph.ask(LIST_USERS).status == 200
    assert service.clock.slept == [slept]
    assert (service.meter.throttled, service.meter.calls) == (1, 2)


@pytest.mark.parametrize(
    "trouble",
    [
        *(refused(status) for status in (429, 500, 502, 503, 504)),
        httpx.Response(503, text="<html>"),
        refused(409, "Directory_ConcurrencyViolation"),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("away"),
    ],
    ids=repr,
)
def test_temporary_trouble_is_retried_with_growing_waits(trouble: httpx.Response | Exception) -> None:
    service = Service(trouble, trouble, trouble, GOOD)
    assert service.graph.ask(LIST_USERS).status == 200
    assert service.clock.slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("answer", [refused(400, "BadRequest"), refused(401, "Unauthorized"), refused(409, "Conflict")])
def test_a_final_error_is_returned_without_a_retry(answer: httpx.Response) -> None:
    service = Service(answer)
    found = service.graph.ask(CREATE_INVITATION, body={})
    assert (found.status, found.message, len(service.asked)) == (answer.status_code, "text", 1)


def test_lasting_trouble_is_returned_after_the_last_try() -> None:
    service = Service(refused(503, "ServiceUnavailable"))
    assert service.graph.ask(LIST_USERS).short == "503 ServiceUnavailable"
    assert len(service.asked) == TRIES


def test_a_service_that_never_answers_raises_no_answer() -> None:
    service = Service(httpx.ConnectError("away"))
    with pytest.raises(NoAnswer, match=r"^GET /v1\.0/users was not answered in 8 tries\.$"):
        service.graph.ask(LIST_USERS)


def test_a_retry_after_of_hours_is_not_waited_for() -> None:
    service = Service(refused(429, retry_after="7200"))
    assert service.graph.ask(LIST_USERS).status == 429
    assert service.clock.slept == []


def test_a_refused_token_is_renewed_and_the_call_repeated() -> None:
    service = Service(refused(401, "InvalidAuthenticationToken"), GOOD)
    assert service.graph.ask(LIST_USERS).status == 200
    assert [asked.headers["authorization"] for asked in service.asked] == ["Bearer token-0", "Bearer token-1"]


def test_a_count_is_read_with_its_byte_order_mark() -> None:
    service = Service(httpx.Response(200, content=b"\xef\xbb\xbf42", headers={"content-type": "text/plain"}))
    assert service.graph.ask(COUNT, advanced=True).body == 42
    assert service.asked[0].headers["consistencylevel"] == "eventual"


def pages(*numbers: int) -> Iterator[httpx.Response]:
    for number in numbers:
        link = {"@odata.nextLink": f"https://graph.microsoft.com/v1.0/users?$select=id&$skiptoken=t{number}"}
        yield httpx.Response(200, json={"value": [{"id": number}], **(link if number < 3 else {})})


def test_a_list_has_all_pages_and_restarts_after_an_expired_page() -> None:
    service = Service(*pages(1), refused(400, "Directory_ExpiredPageToken"), *pages(1, 2, 3))
    answer = service.graph.ask_all(LIST_USERS, query={"$select": "id"}, advanced=True)
    assert [user["id"] for user in answer.body["value"]] == [1, 2, 3]
    assert [asked.url.params.get("$skiptoken") for asked in service.asked] == [None, "t1", None, "t1", "t2"]
    assert {asked.headers["consistencylevel"] for asked in service.asked} == {"eventual"}


def test_an_error_without_json_has_a_status_and_no_text() -> None:
    answer = Service(httpx.Response(404, text="<html>")).graph.ask(LIST_USERS)
    assert (answer.short, answer.code, answer.message, answer.body) == ("404", None, "", None)
