"""`python -m rehearsal.tenant --port 5000 --seed tenant.json [--switch name=position]… [--identity-header SECRET]`."""

import argparse
import json
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn

from rehearsal.sample import load
from rehearsal.tenant import beliefs
from rehearsal.tenant.serving.app import create_app
from rehearsal.tenant.serving.serve import IDENTITY_HEADER, LOOPBACK, configuration


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.tenant", description="Serve a rehearsal tenant.")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--seed", type=Path, help="JSON file with the tenant's content; default: the sample tenant")
    parser.add_argument("--beliefs", type=Path, metavar="FILE", help="a result of the probe: behave like that tenant")
    parser.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=POSITION",
        help="the tenant's answer to an open question about Graph",
    )
    parser.add_argument("--role", action="append", metavar="NAME", help="application permission; default: all needed")
    parser.add_argument("--identity-header", default=IDENTITY_HEADER, metavar="SECRET")
    return parser.parse_args(arguments)


class AnnouncingServer(uvicorn.Server):
    """A server that prints its addresses when it listens, and the settings that an app needs to reach it."""

    def __init__(self, config: uvicorn.Config, identity_header: str) -> None:
        super().__init__(config)
        self._identity_header = identity_header

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then print the addresses and settings."""
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            base = f"http://{LOOPBACK}:{port}"
            print(f"tenant ready: Graph {base}/v1.0, identity {base}/msi/token, control {base}/_sim", flush=True)
            print(f"GRAPH_BASE_URL={base}/v1.0\nIDENTITY_ENDPOINT={base}/msi/token", flush=True)
            print(f"IDENTITY_HEADER={self._identity_header}", flush=True)


def _leave(_signal: int, _frame: Any) -> None:
    sys.exit(0)


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or SIGINT, then exit with code 0."""
    options = parse(arguments)
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, _leave)
    try:
        seen = beliefs.read(options.beliefs) if options.beliefs else {}
        switches = seen | dict(switch.split("=", 1) for switch in options.switch)
        seed = json.loads(options.seed.read_text("utf-8")) if options.seed else load().seed()
        app = create_app(seed, switches=switches, roles=options.role, identity_header=options.identity_header)
    except (OSError, ValueError) as error:
        sys.exit(f"the tenant cannot be made: {error}")
    AnnouncingServer(configuration(app, options.port), options.identity_header).run()


if __name__ == "__main__":
    main(sys.argv[1:])
