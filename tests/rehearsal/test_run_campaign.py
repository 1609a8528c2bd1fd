"""The rehearsal's client for campaigns: refusals, slow storage, and pages."""

from collections.abc import Callable

import httpx
import pytest

from rehearsal.run.campaign import Campaign, Done, RefusedError

Handler = Callable[[httpx.Request], httpx.Response]


def campaign(handler: Handler) -> Campaign:
    api = httpx.Client(base_url="http://127.0.0.1", transport=httpx.MockTransport(handler))
    return Campaign(api, "spring")


def test_a_refusal_has_the_apps_code_and_message() -> None:
    body = {"error": {"code": "ListEmpty", "message": "the list has a header and no rows"}}
    with pytest.raises(RefusedError, match=r"^ListEmpty: the list has a header and no rows$"):
        campaign(lambda _: httpx.Response(400, json=body)).send(b"upn\n")


def test_a_refusal_without_a_body_has_its_status() -> None:
    with pytest.raises(RefusedError, match=r"^401: no reason given$"):
        campaign(lambda _: httpx.Response(401)).judge()


def test_a_read_is_repeated_while_the_app_answers_503() -> None:
    run = {"finished": True, "done": 2, "members": 2, "outcomes": [{"name": "ready", "count": 2}]}
    answers = iter([httpx.Response(503, headers={"retry-after": "0"}), httpx.Response(200, json=run)])
    assert campaign(lambda _: next(answers)).look("/api/runs/1") == Done(
        finished=True, done=2, members=2, outcomes={"ready": 2}
    )


def test_a_post_is_not_repeated_after_a_503() -> None:
    seen: list[str] = []

    def unavailable(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(503, headers={"retry-after": "0"})

    with pytest.raises(RefusedError, match="503"):
        campaign(unavailable).release("a wave")
    assert len(seen) == 1


def test_members_are_read_from_all_pages() -> None:
    def page(request: httpx.Request) -> httpx.Response:
        assert request.url.params["stage"] == "invited"
        last = request.url.params.get("continuationToken") == "more"
        more = {} if last else {"continuationToken": "more"}
        return httpx.Response(200, json={"members": [{"member": "b" if last else "a"}], **more})

    assert [each["member"] for each in campaign(page).members(stage="invited")] == ["a", "b"]


@pytest.mark.parametrize(
    ("done", "counted"),
    [
        (Done(finished=False, done=0, members=0, outcomes={}), (0, 1)),
        (Done(finished=False, done=50, members=50, outcomes={}), (50, 51)),
        (Done(finished=False, done=50, members=112, outcomes={}), (50, 112)),
        (Done(finished=True, done=112, members=112, outcomes={}), (112, 112)),
        (Done(finished=True, done=0, members=0, outcomes={}), (0, 0)),
    ],
)
def test_the_count_reaches_the_total_only_when_the_run_has_finished(done: Done, counted: tuple[int, int]) -> None:
    assert done.counted == counted
