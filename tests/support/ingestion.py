"""A loopback server that plays Application Insights and receives metrics from the unmodified exporter."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any, NamedTuple

KEY = "12345678-0000-4000-8000-000000000001"


class Point(NamedTuple):
    """One row of AppMetrics: the columns that the app determines."""

    name: str
    properties: dict[str, str]
    value: float
    times: int
    least: float | None
    most: float | None


@dataclass
class Ingestion:
    """What the server received. It answers posts with `status`, and sets `arrived` once it has accepted one."""

    address: str
    status: int = 200
    paths: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    envelopes: list[dict[str, Any]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    @property
    def connection_string(self) -> str:
        return f"InstrumentationKey={KEY};IngestionEndpoint={self.address}/"

    def points(self, name: str = "") -> list[Point]:
        """Return all measured points, or those of one metric, in the order of their arrival."""
        bodies = [envelope["data"]["baseData"] for envelope in self.envelopes]
        found = [
            Point(
                metric["name"],
                body.get("properties") or {},
                metric["value"],
                metric["count"],
                metric.get("min"),
                metric.get("max"),
            )
            for body in bodies
            for metric in body["metrics"]
        ]
        return [point for point in found if not name or point.name == name]

    def sums(self, name: str) -> dict[tuple[str, ...], float]:
        """Return the sums of a counter by the values of its dimensions, ordered by the dimensions' names."""
        sums: dict[tuple[str, ...], float] = {}
        for point in self.points(name):
            words = tuple(value for _, value in sorted(point.properties.items()))
            sums[words] = sums.get(words, 0) + point.value
        return sums


@contextmanager
def ingestion(tls: SSLContext | None = None) -> Iterator[Ingestion]:
    """Run the server until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            text = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            received.paths.append(self.path)
            received.authorizations.append(self.headers.get("Authorization", ""))
            posted = json.loads(text)
            if received.status == 200:
                received.envelopes += posted
                received.arrived.set()
            answer = {"itemsReceived": len(posted), "itemsAccepted": len(posted), "errors": []}
            content = json.dumps(answer if received.status == 200 else {}).encode()
            self.send_response(received.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        scheme = "http"
        if tls is not None:
            server.socket, scheme = tls.wrap_socket(server.socket, server_side=True), "https"
        received = Ingestion(f"{scheme}://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join(10)
