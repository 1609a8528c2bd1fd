"""Metrics from the unmodified exporter to an ingestion endpoint on loopback.

What arrives, what is never sent, and that a broken endpoint does not affect the app.
"""

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest

from b2b.adapters import telemetry
from b2b.adapters.telemetry import Telemetry
from b2b.bootstrap import meter_for
from b2b.domain.figures import BREAKER_OPEN, METRICS, QUEUE_DEPTH, REDEMPTION, REQUESTS, SWEEP_RUNS, Figure
from rehearsal.storage import _write_certificate
from tests.adapters.sockets import answering, closed_port, never_answer, server
from tests.contracts.pages import ROOT
from tests.support.ingestion import KEY, Ingestion, Point, ingestion

RUN = Figure(SWEEP_RUNS, 1)
NEVER = 3600.0
"""Seconds between exports: so long that only flushed metrics are sent."""


@pytest.fixture
def receiver() -> Iterator[Ingestion]:
    with ingestion() as received:
        yield received


@asynccontextmanager
async def sending_to(address: str, interval: float = NEVER) -> AsyncIterator[Telemetry]:
    opened = Telemetry(f"InstrumentationKey={KEY};IngestionEndpoint={address}/", "func-b2b", interval)
    try:
        yield opened
    finally:
        await opened.aclose()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_counters_histograms_and_gauges_arrive_with_values_and_dimensions(receiver: Ingestion) -> None:
    async with sending_to(receiver.address) as opened:
        opened.add([Figure(REQUESTS, 1, ("invited", "http")), Figure(REQUESTS, 1, ("invited", "http"))])
        opened.add(
            [Figure(REDEMPTION, 60.5), Figure(REDEMPTION, 3600), Figure(QUEUE_DEPTH, 7, ("conversion-requests",))]
        )
        await opened.flush()
    assert receiver.points() == [
        Point("b2b.requests", {"stage": "invited", "source": "http"}, 2, 1, None, None),
        Point("b2b.redemption.duration", {}, 3660.5, 2, 60.5, 3600),
        Point("b2b.queue.depth", {"queue": "conversion-requests"}, 7, 1, None, None),
    ]
    assert set(receiver.paths) == {"/v2.1/track"}
    assert {envelope["iKey"] for envelope in receiver.envelopes} == {KEY}
    assert {envelope["tags"]["ai.cloud.role"] for envelope in receiver.envelopes} == {"func-b2b"}


async def test_every_metric_of_the_table_can_be_sent(receiver: Ingestion) -> None:
    async with sending_to(receiver.address) as opened:
        opened.add(Figure(metric, 1, metric.dimensions) for metric in METRICS)
        await opened.flush()
    assert [point.name for point in receiver.points()] == [metric.name for metric in METRICS]


async def test_an_export_contains_only_new_values(receiver: Ingestion) -> None:
    async with sending_to(receiver.address) as opened:
        for runs in (2, 0, 1):
            opened.add([RUN] * runs + [Figure(BREAKER_OPEN, 1)] * (runs > 0))
            await opened.flush()
    assert [point.value for point in receiver.points("b2b.sweep.runs")] == [2, 1]
    assert len(receiver.points("b2b.breaker.open")) == 2  # an old gauge is not repeated
    assert len(receiver.paths) == 2  # and nothing is sent if there is nothing new


async def test_metrics_are_sent_periodically_and_when_closing_without_a_flush(receiver: Ingestion) -> None:
    async with sending_to(receiver.address, interval=0.05) as opened:
        opened.add([RUN])
        assert await asyncio.to_thread(receiver.arrived.wait, 10)
    async with sending_to(receiver.address) as opened:
        opened.add([RUN])
    assert [point.value for point in receiver.points("b2b.sweep.runs")] == [1, 1]


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
async def test_a_refusing_endpoint_and_its_recovery_are_each_logged_once(
    receiver: Ingestion, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with sending_to(receiver.address) as opened:
        for receiver.status in (status, status, 200, 200):
            opened.add([RUN])
            await opened.flush()
    assert said(caplog) == [
        f"metrics cannot be sent: status {status} from the ingestion endpoint",
        "metrics are sent again",
    ]
    assert KEY not in caplog.text
    assert len(receiver.paths) == 4  # what may have been counted is not sent again


async def test_a_missing_endpoint_is_logged_once_and_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with sending_to(await closed_port()) as opened:
        for _ in range(2):
            opened.add([RUN])
            await opened.flush()
    assert said(caplog) == ["metrics cannot be sent: no answer from the ingestion endpoint"]


async def test_a_flush_leaves_the_event_loop_free_and_ends_in_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(telemetry, "FLUSH_SECONDS", 0.3)
    monkeypatch.setitem(telemetry.CLIENT_OPTIONS, "read_timeout", 1)
    turns = 0
    async with server(never_answer) as address, sending_to(address) as opened:
        opened.add([RUN])
        began = time.monotonic()
        flush = asyncio.create_task(opened.flush())
        while not flush.done():
            await asyncio.sleep(0.01)
            turns += 1
        took = time.monotonic() - began
    assert took < 0.9
    assert turns > 5
    assert "metrics were not flushed: TimeoutError()" in said(caplog)


async def test_with_an_authentication_string_metrics_are_sent_with_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_certificate(tmp_path)
    tls = SSLContext(PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    heads: list[str] = []
    token = {"access_token": "a-token", "expires_on": str(int(time.time()) + 3600), "resource": "r", "token_type": "t"}
    async with server(answering(200, json.dumps(token).encode(), heads)) as identity:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{identity}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        monkeypatch.setenv("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", f"Authorization=AAD;ClientId={KEY}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
        with ingestion(tls) as received:
            async with sending_to(received.address) as opened:
                opened.add([RUN])
                await opened.flush()
    assert received.authorizations == ["Bearer a-token"]
    assert f"client_id={KEY}" in heads[0]
    assert "resource=https://monitor.azure.com" in heads[0]


@pytest.mark.parametrize("text", ["", "  "])
def test_without_a_connection_string_nothing_is_sent(text: str) -> None:
    assert meter_for({"APPLICATIONINSIGHTS_CONNECTION_STRING": text}) is None


@pytest.mark.parametrize("text", ["none", "InstrumentationKey=1", "IngestionEndpoint=https://contoso.com/"])
def test_a_wrong_connection_string_is_logged_and_no_metrics_are_sent(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert meter_for({"APPLICATIONINSIGHTS_CONNECTION_STRING": text}) is None
    (line,) = said(caplog)
    assert line.startswith("no metrics are sent: APPLICATIONINSIGHTS_CONNECTION_STRING: ")


QUIET = """
import asyncio, json, sys, threading

touched = set()

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        touched.add(str(arguments[1][:2] if event == "socket.connect" else arguments[:2]))
    if event == "open" and arguments[1] and set(str(arguments[1])) & set("wax+"):
        touched.add(str(arguments[0]))
    if event in ("os.mkdir", "subprocess.Popen"):
        touched.add(str(arguments[0]))

import function_app
early = sorted(name for name in sys.modules if name.startswith(("azure.monitor", "opentelemetry.sdk.metrics")))
from b2b.bootstrap import meter_for
from b2b.domain.figures import SWEEP_RUNS, Figure

sys.addaudithook(watch)
meter = meter_for({"APPLICATIONINSIGHTS_CONNECTION_STRING": sys.argv[1]})

async def main():
    for _ in range(2):
        meter.add([Figure(SWEEP_RUNS, 1)])
        await meter.flush()

asyncio.run(main())
threads = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("Otel") or thread.daemon)
print(json.dumps({"early": early, "touched": sorted(touched), "threads": threads}))
"""


def test_metrics_use_no_other_host_or_file_and_are_loaded_only_if_configured(receiver: Ingestion) -> None:
    process = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-B", "-c", QUIET, receiver.connection_string],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    host, port = receiver.address.removeprefix("http://").split(":")
    found = json.loads(process.stdout)
    assert found["early"] == []
    assert found["threads"] == ["OtelPeriodicExportingMetricReader"]
    assert set(found["touched"]) <= {f"('{host}', {port})", f"('{host}', '{port}')"}
    assert found["touched"]
    assert process.stderr == ""
    assert [point.name for point in receiver.points()] == ["b2b.sweep.runs"] * 2
