"""The parts of `make bench`. Each measures one thing, in turn with its rivals, and returns lines of Markdown."""

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.ground import BEFORE, ROOT, before, ended, foreign_application, ground

THREADS, SEQUENTIAL, FLOOR = "eight threads", "sequential", "floor"
LIKE_BEFORE = "this app, comparing off"
"""This app without the snapshot that its default takes, so that it does the same work as the earlier version."""
LEDGERS = (1_000, 10_000, 100_000)
LEFT = 6.0
"""Invitations per second that Graph leaves to the app if it grants 0.3 of its limits and another app uses a third."""


@dataclass(frozen=True)
class Scale:
    """The sizes and durations of the parts."""

    accounts: int = 480
    rounds: int = 3
    seconds: float = 300.0
    conversions: int = 20_000


Lines = Iterable[str]


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]


def cold_start(_scale: Scale) -> Lines:
    """Compare the cold start of the package with bare imports of the same SDKs."""
    return _said(["make", "--no-print-directory", "cold-start"])


def one_conversion(scale: Scale) -> Lines:
    """Measure one conversion by the app alone, with services in memory."""
    found = _memory("alone", min(scale.accounts, 300))
    rows = [
        (
            name,
            f"{each['cpu_ms']:.1f} ms",
            *(f"{each['calls'][kind]:.2f}" for kind in ("graph", "tables", "queue")),
            f"{each['per_second']:.0f}",
        )
        for name, each in ((name, found[name]) for name in ("alone", "at once", "blocked, at once"))
    ]
    yield from table(("conversions", "CPU each", "Graph calls", "table calls", "queue calls", "per second"), rows)
    yield ""
    yield f"A conversion allocates {found['peak_kib']:.0f} KiB at its peak (tracemalloc, the services' own part included)."


def queue_path(scale: Scale) -> Lines:
    """Measure the processing of messages passed as by the host, without limits, in turn with the rivals."""
    rows: list[tuple[Any, ...]] = []
    with before() as tree:
        if isinstance(tree, str):
            yield tree
            yield ""
        for delay in (0, 50, 200):
            runs = _raced(tree, delay, scale)
            rows += [_row(delay, name, each, runs) for name, each in runs.items()]
    head = (
        ("delay", "who", "accounts/s", "of this app", "CPU each", "cores used", "Graph calls each", "double's CPU", "emulator's CPU")
    )  # fmt: skip
    yield from table(head, rows)


def _raced(tree: Path | str, delay: int, scale: Scale) -> dict[str, list[dict[str, Any]]]:
    """Run all contestants in turn. Each delay starts with a new emulator, because it slows down as its tables grow."""
    runs: dict[str, list[dict[str, Any]]] = {}
    first = 0
    with ground(7 * scale.accounts * scale.rounds) as at:
        for _ in range(scale.rounds):
            for name, who, where, at_once, share in _contestants(tree):
                accounts = max(int(scale.accounts * share), 8)
                own = {"B2B_COMPARE_ACCESS": "false"} if name == LIKE_BEFORE else None
                run = at.run(who, where, own, first=first, accounts=accounts, delay=delay, at_once=at_once)
                runs.setdefault(name, []).append(run)
                first += accounts
    return runs


def _contestants(tree: Path | str) -> list[tuple[str, str, Path, int, float]]:
    """Return each contestant's name, kind, tree, messages at once, and share of the accounts (slow ones get fewer)."""
    many = _at_once(ROOT)
    older = [(BEFORE, _at_once(tree)), (f"{BEFORE}, {many} at once", many)] if isinstance(tree, Path) else []
    return [
        ("this app", "app", ROOT, many, 1.0),
        (LIKE_BEFORE, "app", ROOT, many, 1.0),
        *((name, "app", Path(tree), at_once, 0.5) for name, at_once in older),
        (FLOOR, "floor", ROOT, many, 1.0),
        (THREADS, "threads", ROOT, 8, 1.0),
        (SEQUENTIAL, "sequential", ROOT, 1, 0.1),
    ]


def _at_once(tree: Path) -> int:
    """Return the most messages that the host passes to an instance at once, according to the tree's host.json."""
    queues = json.loads((tree / "host.json").read_text("utf-8"))["extensions"]["queues"]
    return int(queues["batchSize"]) + int(queues["newBatchThreshold"])


def _row(
    delay: int, name: str, each: list[dict[str, Any]], runs: Mapping[str, list[dict[str, Any]]]
) -> tuple[Any, ...]:
    middle = {key: statistics.median(run[key] for run in each) for key in each[0] if key != "who"}
    ours = statistics.median(run["per_second"] for run in runs["this app"])
    return (
        f"{delay} ms",
        name,
        f"{middle['per_second']:.1f}",
        f"{middle['per_second'] / ours:.2f}",
        f"{middle['cpu_ms']:.1f} ms",
        f"{middle['cpu_ms'] * middle['per_second'] / 1000:.2f}",
        f"{middle['graph_calls']:.2f}",
        f"{middle['tenant_ms']:.1f} ms",
        f"{middle['storage_ms']:.1f} ms",
    )


def limits(scale: Scale) -> Lines:
    """Measure with 0.3 of Graph's limits, while another application uses a third of that."""
    rows = []
    with before() as tree:
        older = [(f"{BEFORE}, two hosts", "app", tree, 2, 0)] if isinstance(tree, Path) else []
        for name, who, where, hosts, per_minute in (
            ("this app, one host, 360 a minute", "app", ROOT, 1, 360),
            ("this app, two hosts, 360 a minute", "app", ROOT, 2, 360),
            ("this app, two hosts, 1200 a minute", "app", ROOT, 2, 1200),
            *older,
            (THREADS, "threads", ROOT, 1, 0),
        ):
            rows.append((name, *_limited(who, where, hosts, per_minute, scale.seconds)))
    yield f"Over {scale.seconds:.0f} s; Graph leaves the app {LEFT:g} invitations a second."
    yield ""
    yield from table(("who", "invited", "of what is left", "429 of its own", "429 of the other application"), rows)


def _limited(who: str, tree: Path, hosts: int, per_minute: int, seconds: float) -> tuple[Any, ...]:
    accounts = min(3000, 200 + int(9 * seconds))  # more accounts than Graph lets both applications invite
    with ground(accounts) as at:
        if who == "app":
            at.fill(1, accounts - 1)
        at.control.set_throttling(on=True, tier="L", factor=0.3)
        with foreign_application(at, LEFT / 2) as statuses:
            settings = {"B2B_INVITATIONS_PER_MINUTE": str(per_minute)}
            racing = [
                at.start(who, tree, settings, accounts=accounts, first=number, delay=50, seconds=seconds, queue=1)
                for number in range(hosts)
            ]
            found = [ended(process) for process in racing]
    invited = sum(each["invited"] for each in found)
    used = f"{invited / (LEFT * seconds):.1%}"
    return invited, used, sum(each["refused"] for each in found), statuses.count(429)


def sweep(_scale: Scale) -> Lines:
    """Measure a sweep on a large ledger, call by call."""
    return _said([sys.executable, "-m", "tests.simulation.bench_sweep"])


def lists(_scale: Scale) -> Lines:
    """Measure pages of lists and searches. Their cost must not depend on the size of the ledger."""
    found = _own_process("lists", *map(str, LEDGERS))
    rows = [
        (
            name,
            *(f"{each['calls']} calls, {each['ms']:.1f} ms" for each in found if each["asked"] == name),
        )
        for name in dict.fromkeys(each["asked"] for each in found)
    ]
    yield from table(("asked", *(f"of {size:,} requests" for size in LEDGERS)), rows)
    yield ""
    yield "Calls to storage, and the CPU of the app and of the storage in memory. One request in a hundred is in review."


def memory(scale: Scale) -> Lines:
    """Measure the memory of many conversions in one process. Storage and directory are emptied in between."""
    found = _memory("long", scale.conversions)
    sizes = [each["resident_mib"] for each in found["sizes"]]
    tenths = [statistics.mean(sizes[number : number + 2]) for number in range(0, len(sizes), 2)]
    rows = [(number, f"{size:.1f}") for number, size in enumerate(tenths, start=1)]
    yield from table(("tenth", "resident memory, MiB"), rows)
    yield ""
    objects = [each["objects"] for each in found["sizes"]]
    yield (
        f"{found['conversions']} conversions: the last tenth is {tenths[-1] / tenths[1] - 1:+.1%} of the second; "
        f"objects that the collector knows: {objects[3]} after a fifth, {objects[-1]} at the end."
    )


def _memory(what: str, conversions: int) -> dict[str, Any]:
    found: dict[str, Any] = _own_process("memory", what, "--conversions", str(conversions))
    return found


def _own_process(module: str, *arguments: str) -> Any:
    command = [sys.executable, "-m", f"tests.bench.{module}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _said(command: Sequence[str]) -> Lines:
    """Return the output of another measurement, without the folder of the checkout."""
    if shutil.which(command[0]) is None:
        return [f"`{command[0]}` is missing."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = (done.stdout or done.stderr).replace(f"{ROOT}/", "").strip()
    return ["```", *said.splitlines(), "```"]


PARTS: dict[str, tuple[str, Callable[[Scale], Lines]]] = {
    "a": ("Cold start", cold_start),
    "b": ("One conversion", one_conversion),
    "c": ("The queue path, limits off", queue_path),
    "d": ("With the tenant's limits on", limits),
    "e": ("The sweep", sweep),
    "f": ("Lists and search", lists),
    "g": ("Memory", memory),
}
