"""Send metrics to Application Insights with OpenTelemetry's SDK and Azure Monitor's exporter. ADR 13 has the reasons.

No traces and no logs are sent. Importing this module imports the exporter, which takes long, so `b2b.bootstrap` does it
only if metrics are configured.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from azure.core.pipeline import PipelineResponse
from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics import _Gauge as Gauge  # the SDK gives the class no public name yet
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import SERVICE_NAME, Resource

from b2b.domain.figures import METRICS, Figure, Kind, Metric

log = logging.getLogger(__name__)

NOTHING_ELSE = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
}
"""Environment variables that stop the exporter from reporting on itself and from asking Microsoft for configuration.
There is no other way to do so."""
OUTSPOKEN = ("azure.monitor.opentelemetry.exporter", "opentelemetry.sdk.metrics")
"""Loggers that write the same message at every failed export, some with a traceback. `_Exporter` logs it once."""
INTERVAL = 60.0
"""Seconds between exports. The sweep flushes the metrics of its own instance only."""
FLUSH_SECONDS = 20.0
CLIENT_OPTIONS: dict[str, Any] = {
    "disable_offline_storage": True,
    "timeout": 5,
    "read_timeout": 10,
    "retry_total": 1,
    "retry_connect": 1,
    "retry_read": 0,
    "retry_status": 0,
}
"""Nothing is stored on disk. An export that may have arrived is not repeated, so a figure may be lost, but is never
counted twice."""


class Telemetry:
    """Collects figures and sends them from a background thread, by default every minute."""

    def __init__(self, connection_string: str, app_name: str, interval: float = INTERVAL) -> None:
        """Start sending every ``interval`` seconds. ``app_name`` tells apps in one workspace apart.

        If APPLICATIONINSIGHTS_AUTHENTICATION_STRING is set, the exporter uses the managed identity.

        Raises:
            ValueError: the connection string is invalid.

        """
        os.environ.update(NOTHING_ELSE)
        for name in OUTSPOKEN:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        reader = PeriodicExportingMetricReader(_Exporter(connection_string), interval * 1000, FLUSH_SECONDS * 1000)
        self._provider = MeterProvider([reader], Resource({SERVICE_NAME: app_name}))
        meter = self._provider.get_meter("b2b")
        self._take = {metric: _instrument(meter, metric) for metric in METRICS}

    def add(self, figures: Iterable[Figure]) -> None:
        """Record figures. This takes microseconds and sends nothing."""
        for figure in figures:
            self._take[figure.metric](figure.value, figure.dimensions)

    async def flush(self) -> None:
        """Send what is recorded, in a thread. Returns within `FLUSH_SECONDS` and never raises."""
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await asyncio.to_thread(self._provider.force_flush, FLUSH_SECONDS * 1000)
        except Exception as error:  # noqa: BLE001  a failure of monitoring must not stop the work
            log.warning("metrics were not flushed: %r", error)

    async def aclose(self) -> None:
        """Send the remaining figures and stop."""
        await asyncio.to_thread(self._provider.shutdown, FLUSH_SECONDS * 1000)


class _Exporter(MetricExporter):
    """Passes metrics to Azure Monitor's exporter, and logs when it begins to fail and when it works again.

    All values are differences (delta temporality), as Azure Monitor expects. This includes gauges: otherwise an
    instance would send its last value every minute for as long as it runs, however old the value is.
    """

    def __init__(self, connection_string: str) -> None:
        self._inner = AzureMonitorMetricExporter(
            connection_string=connection_string, raw_response_hook=self._heard, **CLIENT_OPTIONS
        )
        self._failing, self._answer = False, ""
        super().__init__(dict.fromkeys((Counter, Histogram, Gauge), AggregationTemporality.DELTA))

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        self._answer = "no answer"
        result = self._inner.export(metrics_data, timeout_millis, **kwargs)
        failed = result is not MetricExportResult.SUCCESS
        if failed and not self._failing:
            log.warning("metrics cannot be sent: %s from the ingestion endpoint", self._answer)
        if self._failing and not failed:
            log.warning("metrics are sent again")
        self._failing = failed
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return self._inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        self._inner.shutdown(timeout_millis, **kwargs)
        self._inner.client.close()

    def _heard(self, response: PipelineResponse[Any, Any]) -> None:
        self._answer = f"status {response.http_response.status_code}"


def _instrument(meter: Meter, metric: Metric) -> Callable[[float, dict[str, str]], None]:
    match metric.kind:
        case Kind.COUNTER:
            return meter.create_counter(metric.name, metric.unit).add
        case Kind.HISTOGRAM:
            return meter.create_histogram(metric.name, metric.unit).record
        case Kind.GAUGE:
            return meter.create_gauge(metric.name, metric.unit).set
