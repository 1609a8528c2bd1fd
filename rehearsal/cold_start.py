"""Compare the time from the start of the app's process to its first message with that of bare imports.

`python -m rehearsal.cold_start ZIP` alternates between two measurements. In the first, a host runs the package with one
message waiting in the queue. In the second, the same interpreter only imports the SDKs that the app uses, from the same
package. Graph and storage are on loopback and answer at once, so the difference is due to the app. The exit code is 1
if the ratio is above the budget.
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
"""The third-party modules that the app's code imports by name until its first message has been processed."""
_LINE = re.compile(r"^\[([^\]]+)Z\] \w+: (.*)$", re.MULTILINE)
_BEGUN, _ENDED = "Executing 'Functions.convert'", "Executed 'Functions.convert' (Succeeded"


def main(arguments: list[str]) -> int:
    """Measure, print the medians, and return the exit code: 0 if the ratio is within the budget, else 1."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.cold_start", description=__doc__)
    parser.add_argument("package", type=Path, metavar="ZIP", help="the package that `make package` built")
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
    return float(done.stdout) - began  # printed by the child, because its exit is not part of a start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
