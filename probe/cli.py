"""The command line of the probe: `python -m probe --help`."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from probe import plan
from probe.clock import SystemClock
from probe.operator import Terminal
from probe.questions import QUESTIONS, Question
from probe.run import Options, Run
from probe.sign_in import CLOUDS, FORMS, credential

CALL_SECONDS = 60.0


def main(arguments: Sequence[str]) -> int:
    """Run the command, and return its exit code."""
    given = parse(arguments)
    questions = _chosen(given.only)
    if given.permissions:
        for line in plan.permissions(questions):
            print(line)
        return 0
    if given.list:
        for question in questions:
            print(f"{question.id:<9} {question.asks}: {' or '.join(question.positions)}")
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the test accounts are removed first
    options = Options(
        questions=questions,
        addresses=given.address,
        sign_in=given.sign_in,
        also=given.also,
        tenant=given.tenant,
        cloud=given.cloud,
        graph=given.graph,
        limit=given.limit,
        patience=given.patience,
        yes=given.yes,
        person=not given.nobody,
        clean=given.clean,
        result=given.result,
        folder=given.folder,
    )
    with httpx.Client(timeout=CALL_SECONDS, follow_redirects=False) as http:
        cloud = CLOUDS[options.cloud]
        operator = Terminal(seconds=given.wait * 60)
        return Run(options, operator, SystemClock(), http, lambda form: credential(form, cloud)).perform()


def _chosen(only: Sequence[str]) -> list[Question]:
    wanted = {name.strip().upper() for names in only for name in names.split(",") if name.strip()}
    unknown = wanted - {question.id for question in QUESTIONS}
    if unknown:
        sys.exit(f"There is no question {', '.join(sorted(unknown))}; --list shows them all.")
    return [question for question in QUESTIONS if not wanted or question.id in wanted]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m probe", description="Ask a test tenant how Microsoft's service behaves where nobody knows."
    )
    parser.add_argument("--sign-in", default="az", metavar="FORM", help=f"{FORMS} (default: %(default)s)")
    parser.add_argument(
        "--also", action="append", default=[], metavar="FORM", help="a second sign-in that holds less; may be repeated"
    )
    parser.add_argument(
        "--address",
        action="append",
        default=[],
        help="an address outside the tenant whose mail you can open; a second one may be given for copies",
    )
    parser.add_argument("--tenant", metavar="DOMAIN", help="go on only in the tenant of this domain, however large")
    parser.add_argument("--only", action="append", default=[], metavar="ID", help="ask this question; may be repeated")
    parser.add_argument("--nobody", action="store_true", help="skip what takes a person who opens a link")
    parser.add_argument("--yes", action="store_true", help="do not ask before beginning")
    parser.add_argument("--clean", action="store_true", help="only remove what earlier runs have left")
    parser.add_argument("--permissions", action="store_true", help="print the permissions that it takes, and end")
    parser.add_argument("--list", action="store_true", help="print the questions, and end")
    parser.add_argument("--result", type=Path, default=Path("probe-result.json"), help="default: %(default)s")
    parser.add_argument("--folder", type=Path, default=Path(".probe"), help="its own notes (default: %(default)s)")
    parser.add_argument("--limit", type=int, default=200, help="users above which it wants --tenant (%(default)s)")
    parser.add_argument("--patience", type=float, default=180, help="seconds to wait for replication (%(default)s)")
    parser.add_argument("--wait", type=float, default=15, help="minutes to wait for a person (%(default)s)")
    parser.add_argument("--cloud", choices=CLOUDS, default="public", help="Microsoft's cloud (default: %(default)s)")
    parser.add_argument("--graph", metavar="URL", help="another address of Graph: that of a rehearsal tenant")
    return parser.parse_args(arguments)
