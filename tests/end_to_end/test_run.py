"""`python -m rehearsal run` as a new user runs it: the whole sample, the exit code, `--keep`, and an interruption."""

import csv
import io
import os
import re
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from rehearsal.history import history
from rehearsal.host.process import wait_until
from rehearsal.run import rehearse
from rehearsal.run.by_hand import HTTP_ID, QUEUE_ID
from rehearsal.run.stack import NEWCOMER
from rehearsal.sample import Profile, Sample, load

ROOT = Path(__file__).parents[2]
SAMPLE = load()
FEW = ("litware-mail-only", "northwind-http-no-id", "northwind-cloudevent-invited")
"""Three accounts: one on the list, one sent by HTTP, one sent by queue."""
ADDRESS = re.compile(r"http://(127\.0\.0\.1:\d+)")


def few(**stages: str) -> Sample:
    """Return a sample of three accounts; `stages` replaces the expected stage of the accounts named."""
    accounts = [SAMPLE.account(name) for name in FEW]
    changed = [
        replace(account, expect={"current": replace(account.expect["current"], stage=stages[account.name])})
        if account.name in stages
        else account
        for account in accounts
    ]
    return replace(SAMPLE, accounts=tuple(changed), malformed=(), decisions=(), changes=())


def counts(output: str, table: str) -> dict[str, int]:
    """Return a table of the report: how many people, or requests, are at each stage."""
    rows = output.split(f"\n{table} ", 1)[1].split("\n\n", 1)[0]
    return {row[0]: int(row[1]) for row in map(str.split, rows.splitlines()[1:])}


def expected_people(profile: Profile) -> dict[str, int]:
    """Return how many members of the list the sample expects at each stage."""
    ends = SAMPLE.ends(profile)
    return dict(Counter(ends[account.name].as_member.stage for account in SAMPLE.listed))


def expected_requests(profile: Profile) -> dict[str, int]:
    """Return how many requests outside the campaign the sample expects at each stage.

    A repeat that uses its id again is not a second request.
    """
    expected, alone = SAMPLE.ends(profile), SAMPLE.asked_for_alone
    ends = {account.request.request_id or account.name: expected[account.name].stage for account in alone}
    rejected = sum(entry.expect.stage == "rejected" and not entry.conflicts_with for entry in SAMPLE.malformed)
    refused = sum(entry.by == "http" for entry in SAMPLE.malformed)
    noted = sum(entry.by != "http" and entry.conflicts_with is not None for entry in SAMPLE.malformed)
    repeats = len(alone) - len(ends) + noted
    return {**Counter(ends.values()), "rejected": rejected, "(refused)": refused, "(repeats)": repeats}


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start command lines, each in its own process group, and kill what is left of them after the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "rehearsal", "run", "--log", str(tmp_path / "host.log"), *arguments]
        process = subprocess.Popen(  # noqa: S603 - our own command line
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if group_lives(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def group_lives(group: int) -> bool:
    """Tell whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """Return what the process prints, up to and including the first line that contains a text."""
    read = []
    assert process.stdout is not None
    for line in process.stdout:
        read.append(line)
        if text in line:
            return "".join(read)
    raise AssertionError(f"{text!r} never came:\n{''.join(read)}")


def performed(command: str) -> httpx.Response:
    """Send the request that a curl command with -s, -H and -d would send."""
    words = iter(shlex.split(command)[1:])
    headers, content, address = {}, None, ""
    for word in words:
        match word:
            case "-s":
                continue
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name.lower()] = value
            case "-d":
                content = next(words)
            case _:
                address = word
    method = "GET" if content is None else "POST"
    if content is not None:
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
    return httpx.request(method, address, headers=headers, content=content, trust_env=False, timeout=30)


def stage(command: str) -> str:
    """Return the stage of the request that a curl command reads."""
    told: str = performed(command).json()["stage"]
    return told


def word(printed: str, part: str) -> str:
    """Return the first word that contains a part."""
    return next(each for each in printed.split() if part in each)


def test_every_account_ends_as_the_profile_2020_expects(tmp_path: Path) -> None:
    out = io.StringIO()
    assert rehearse("2020", out=out, log_file=tmp_path / "host.log") == 0, out.getvalue()
    assert counts(out.getvalue(), "Stage") == expected_people("2020")
    assert counts(out.getvalue(), "Outside the campaign") == expected_requests("2020")
    assert "Host is ready" in (tmp_path / "host.log").read_text("utf-8")


def test_profile_current_ends_as_expected_and_the_commands_of_a_kept_run_work(
    started: Callable[..., "subprocess.Popen[str]"],
) -> None:
    process = started("--keep")
    printed = read_until(process, "Stop with Ctrl+C")
    assert counts(printed, "Stage") == expected_people("current")
    assert counts(printed, "Outside the campaign") == expected_requests("current")
    commands = [line for line in printed.splitlines() if line.startswith("  curl")]
    members, worklist, decisions, *commands = commands
    request, status, redeem, sweep, clock, message, rows, review, approve, blocked, invited = commands

    listed = csv.DictReader(io.StringIO(performed(members).text.removeprefix("\ufeff")))
    assert Counter(row["stage"] for row in listed) == expected_people("current")
    assert "set the external address of the account" in performed(worklist).text
    assert {group["rule"] for group in performed(decisions).json()["groups"]} > {"address-unlikely"}

    assert performed(request).json()["stage"] == "requested"
    wait_until(lambda: stage(status) == "invited", 30, "the invitation")
    assert performed(message).status_code == 201
    by_queue = status.replace(HTTP_ID, QUEUE_ID)
    wait_until(lambda: performed(by_queue).is_success and stage(by_queue) == "invited", 30, "the message's end")
    assert performed(redeem).json()["externalUserState"] == "Accepted"
    assert performed(sweep).status_code == 202
    wait_until(lambda: stage(status) == stage(by_queue) == "accepted", 30, "the redemption")
    assert performed(clock).status_code == 204
    assert performed(sweep).status_code == 202
    kinds = status.replace(HTTP_ID, f"{HTTP_ID}/history")
    conversion = status.replace(f"requests/{HTTP_ID}", f"conversions/{NEWCOMER['id']}/history")
    wait_until(lambda: "equal" in performed(conversion).text, 30, "the first reading")
    assert performed(clock).status_code == 204
    assert performed(sweep).status_code == 202
    wait_until(lambda: stage(status) == stage(by_queue) == "completed", 30, "the completion")
    assert "completed" in performed(kinds).text
    found = performed(rows).json()["value"]
    assert [row["stage"] for row in found if row["RowKey"] == "request"] == ["completed"]
    assert [event["kind"] for event in history(found)] == ["requested", "invited", "accepted", "completed"]

    assert [stage(each) for each in (review, blocked, invited)] == ["needsReview", "blocked", "invited"]
    assert performed(approve).status_code == 202
    wait_until(lambda: stage(review) == "invited", 30, "the invitation that was approved")

    by_hand = printed.split("\nFunctions host ", 1)[1].splitlines()
    assert len(by_hand) < 30
    log = next(line.split("tail -f ")[1] for line in by_hand if "tail -f " in line)
    assert "Host is ready" in Path(log).read_text("utf-8")
    assert "GET /_sim/mails" in performed(f"curl -s {word(printed, '/_sim/')}").json()
    assert printed.rstrip().endswith(f"kill {process.pid}")

    process.terminate()
    assert process.wait(30) == 0, printed
    assert not group_lives(process.pid)
    for address in set(ADDRESS.findall(printed)):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://{address}/", trust_env=False)


def test_an_unexpected_end_fails_the_run_and_names_the_account(tmp_path: Path) -> None:
    out = io.StringIO()
    sample = few(**{"northwind-cloudevent-invited": "blocked"})
    assert rehearse("current", sample=sample, out=out, log_file=tmp_path / "host.log") == 1
    lines = out.getvalue().splitlines()
    different = lines[lines.index("Different from the sample") + 1 :]
    named = [line for line in different if line.startswith("  northwind-cloudevent-invited: ")]
    assert named == [
        "  northwind-cloudevent-invited: expected blocked, ready, no findings, got invited, ready, no findings"
    ]
    assert not any(line.startswith(f"  {name}") for line in different for name in FEW[:2])
    assert f"The host's log: {tmp_path / 'host.log'}" in different
    assert (tmp_path / "host.log").exists()


@pytest.mark.parametrize("text", ["starting Azurite", "health checks passed"])
def test_an_interrupted_run_stops_everything_that_it_started(
    started: Callable[..., "subprocess.Popen[str]"], text: str
) -> None:
    process = started()
    read_until(process, text)
    process.send_signal(signal.SIGINT)  # only to this process: the processes that it started must be stopped by it
    rest = process.communicate(timeout=30)[0]
    assert process.returncode == 130, rest
    assert "everything is stopped" in rest
    assert not group_lives(process.pid)
