"""`make bench`: measure, without testing anything. `ONLY=c` runs one part. docs/benchmarks.md has the last figures.

Compare figures within one table only, because only those were measured in turn on one machine. The contestants share
its cores with the tenant and the emulator.
"""

import argparse
import os
import platform
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.ground import ROOT
from tests.bench.parts import PARTS, Scale

PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Made by `make bench`; `make bench ONLY=c` measures one part anew and leaves the others. Compare figures of one table only: its contestants took turns on one machine, which double and emulator share with them.

* *floor* is a script that does the least that is right: it reads the account, writes a claim, invites and writes the outcome, as many at once as the app.
* *sequential* reads and invites one account after the other, *eight threads* does the same eight times at once. Both send again what Graph refuses with 429, and neither remembers anything.
* The app is handed as many messages at once as its `host.json` allows: 32, and 5 at d9779b7. In c) they come without a queue, as from the Functions host, whose own cost is not in these figures; in d) from the real queue, with those that the app puts back. The delay is added to each call to Graph, for all contestants alike.
* *Cores used* is what a contestant got of the machine. Where it is far below 1 and nothing else binds, others had the cores: look at the load.
"""


def main(arguments: list[str]) -> int:
    """Measure the chosen parts and update the page. Return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default="", help="letters of parts; all without it")
    parser.add_argument("--seconds", type=float, default=Scale.seconds, help="length of each run of part d")
    parser.add_argument("--accounts", type=int, default=Scale.accounts, help="accounts of each run of part c")
    parser.add_argument("--rounds", type=int, default=Scale.rounds)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    unknown = set(options.only) - set(PARTS)
    if unknown:
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    scale = replace(Scale(), seconds=options.seconds, accounts=options.accounts, rounds=options.rounds)
    kept = sections(options.page.read_text("utf-8")) if options.page.exists() else {}
    for letter in options.only or PARTS:
        title, measure = PARTS[letter]
        print(f"{letter}) {title}", flush=True)
        where = machine()
        lines = list(measure(scale))
        print("\n".join(lines) + "\n", flush=True)
        kept[letter] = "\n".join((f"## {letter}) {title}", "", f"{where}.", "", *lines, ""))
        options.page.write_text("\n".join((HEAD, *(kept[each] for each in PARTS if each in kept))), "utf-8")
    return 0


def sections(page: str) -> dict[str, str]:
    """Return the sections of a page by their letters."""
    return {each[3]: each.rstrip() + "\n" for each in re.split(r"^(?=## \w\) )", page, flags=re.MULTILINE)[1:]}


def machine() -> str:
    """Return the time and a description of the machine and its load."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    python = platform.python_version()
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({model}), Python {python}, load before {load:.1f}"


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
