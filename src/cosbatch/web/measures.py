"""What this process measures of its own calls, for ``/metrics``. Facts that services share are read from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.metrics_core import Metric

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class CallMeasures:
    """Counts and times the calls of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "cosbatch_http_request_duration_seconds",
            "Time from a call's arrival to the end of its answer.",
            ["call", "method", "status"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._in_progress = Gauge(
            "cosbatch_http_requests_in_progress", "Calls under way in this service.", registry=self._registry
        )

    @contextmanager
    def in_progress(self) -> Iterator[None]:
        with self._in_progress.track_inprogress():
            yield

    def answered(self, *, call: str, method: str, status: int, seconds: float) -> None:
        """``status`` 0: the client was gone, or the answer broke off before it began."""
        known = method if method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH") else "other"
        self._seconds.labels(call, known, str(status)).observe(seconds)

    def collect(self) -> Iterable[Metric]:
        """Without the times at which series were made: each would be a metric of its own, and nobody asks for it."""
        for family in self._registry.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family
