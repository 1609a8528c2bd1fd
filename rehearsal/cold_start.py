"""What a start costs: from the spawn of the app's process to its first message, against bare imports.

`python -m rehearsal.cold_start ZIP` takes turns: a host with the package and one message waiting in the queue; then the
same interpreter, which only imports the SDKs that the app uses, from the same package. Graph and storage are on
loopback and answer at once, so what is measured is the app. The exit code is 1 where the ratio is above the budget.
"""

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from rehearsal.host.apart import STARTING
from rehearsal.host.process import HostProcess, wait_until
from rehearsal.rig import Rig, app_settings
from rehearsal.run.packaged import Packaged, unpacked
from rehearsal.run.stack import HOST_SETTINGS
from rehearsal.sample import load
from rehearsal.storage import Azurite, provision
from rehearsal.tenant import running

BUDGET = 1.5
ROUNDS = 5
SDKS = (
    "azure.functions",
    "azure.identity.aio",
    "azure.data.tables.aio",
    "azure.storage.queue.aio",
    "aiohttp",
    "msgspec",
    "httpx",
    "httpcore",
    "anyio._backends._asyncio",
    "kiota_authentication_azure.azure_identity_authentication_provider",
    "msgraph_core",
    "msgraph.graph_service_client",
    "msgraph.graph_request_adapter",
    "msgraph.generated.models.invitation",
    "msgraph.generated.models.user",
    "msgraph.generated.models.o_data_errors.o_data_error",
    "msgraph.generated.invitations.invitations_request_builder",
    "msgraph.generated.users.users_request_builder",
    "msgraph.generated.users.item.user_item_request_builder",
)
"""What the app imports of others until its first message has ended, by the modules that it names."""
_LINE = re.compile(r"^\[([^\]]+)Z\] \w+: (.*)$", re.MULTILINE)
_BEGUN, _ENDED = "Executing 'Functions.convert'", "Executed 'Functions.convert' (Succeeded"


def main(arguments: list[str]) -> int:
    """Measure and print; 0 within the budget."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.cold_start", description=__doc__)
    parser.add_argument("package", type=Path, metavar="ZIP", help="what `make package` made")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(arguments)
    with unpacked(options.package) as packaged:
        begun, ended, imports = map(statistics.median, zip(*_rounds(packaged, options.rounds), strict=True))
    print(f"Python {packaged.python}, medians of {options.rounds}, in seconds")
    print(f"  bare imports of the same SDKs        {imports:.2f}")
    print(f"  to the app's first message           {begun:.2f}  ratio {begun / imports:.2f}, budget {BUDGET}")
    print(
        f"  to the end of that message           {ended:.2f}  ratio {ended / imports:.2f}, storage and Graph included"
    )
    return 0 if begun / imports <= BUDGET else 1


def _rounds(packaged: Packaged, rounds: int) -> Iterator[tuple[float, float, float]]:
    sample = load()
    ready = [a.user_id for a in sample.accounts if sample.expected("current")[a.name].stage == "invited" and a.user_id]
    with ExitStack() as started:
        storage = started.enter_context(Azurite()).connection_string()
        provision(storage)
        tenant = started.enter_context(running(sample.seed()))
        rig = started.enter_context(Rig(tenant, storage))
        settings = app_settings(tenant, storage, **HOST_SETTINGS, **sample.settings)
        for number in range(rounds):
            rig.send({"requestId": f"cold-{number}", "invitedUser": {"id": ready[number]}})
            yield *_first_message(packaged, settings), _bare_imports(packaged)


def _first_message(packaged: Packaged, settings: dict[str, str]) -> tuple[float, float]:
    with HostProcess(app_dir=packaged.app, env=settings, interpreter=packaged.interpreter) as host:
        wait_until(lambda: _ENDED in host.log(), 60, "the end of the first message")
        lines = [(datetime.fromisoformat(moment), text) for moment, text in _LINE.findall(host.log())]
    start, begun, ended = (
        next(moment for moment, text in lines if text.startswith(words)) for words in (STARTING, _BEGUN, _ENDED)
    )
    return (begun - start).total_seconds(), (ended - start).total_seconds()


def _bare_imports(packaged: Packaged) -> float:
    packages = packaged.app / ".python_packages" / "lib" / "site-packages"
    program = f"import sys, time; sys.path.insert(0, {str(packages)!r}); import {', '.join(SDKS)}; print(time.time())"
    began = time.time()
    command = [str(packaged.interpreter), "-I", "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return float(done.stdout) - began  # its own end is not part of a start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
