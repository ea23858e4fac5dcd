"""The page ``/metrics``: what each metric means, and how the ledger's facts become samples.

Facts of all services (jobs, tasks, workers) come from the ledger, so whichever of several services is asked says the
same. What ends in ``_total``, and the times of calls, are this process's own: add them up over services. Sums over jobs
are gauges, because a job that is removed after its retention takes its share away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from cosbatch.model.census import JobCensus
from cosbatch.model.regions import Place
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import WebhookQueue
from cosbatch.model.workers import WorkerSeen

CODES_SHOWN: Final = 50
OTHER_CODES: Final = "(other codes)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """A metric, as the documentation has it."""

    name: str
    kind: str
    labels: tuple[str, ...] = ()
    meaning: str
    is_shared: bool = True
    """Whether every service of a ledger says the same."""


METRICS: Final = (
    Documented(
        name="cosbatch_jobs", kind="gauge", labels=("status",), meaning="Jobs that the ledger keeps, by status."
    ),
    Documented(
        name="cosbatch_tasks",
        kind="gauge",
        labels=("result",),
        meaning="Tasks of those jobs that have a result: `succeeded`, `failed`, `skipped` (delete markers).",
    ),
    Documented(
        name="cosbatch_failed_tasks",
        kind="gauge",
        labels=("code",),
        meaning=f"The failed ones by error code; beyond {CODES_SHOWN} codes under `{OTHER_CODES}`.",
    ),
    Documented(name="cosbatch_task_requests", kind="gauge", meaning="Requests that were sent for those tasks."),
    Documented(name="cosbatch_task_bytes", kind="gauge", meaning="Bytes of the objects that succeeded."),
    Documented(
        name="cosbatch_jobs_on_hold", kind="gauge", meaning="Unfinished jobs with a bucket that does not answer."
    ),
    Documented(
        name="cosbatch_reports_pending", kind="gauge", meaning="Jobs that have ended, their report not delivered yet."
    ),
    Documented(
        name="cosbatch_queue_lag_seconds",
        kind="gauge",
        meaning="How long the job that waits longest is New or Ready; 0 where none waits.",
    ),
    Documented(
        name="cosbatch_processes",
        kind="gauge",
        labels=("role",),
        meaning="Processes that checked in lately: `worker`, `planner`, `finisher` (one in each service).",
    ),
    Documented(name="cosbatch_chunks_held", kind="gauge", meaning="Chunks in the hands of workers."),
    Documented(
        name="cosbatch_store_requests_in_flight",
        kind="gauge",
        labels=("region", "bucket"),
        meaning="Requests to a bucket that wait for their answer, over all workers.",
    ),
    Documented(
        name="cosbatch_store_requests_limit",
        kind="gauge",
        labels=("region", "bucket"),
        meaning="How many may do so at present: the concurrency that the bucket takes.",
    ),
    Documented(
        name="cosbatch_store_requests_per_second",
        kind="gauge",
        meaning="Requests that stores answer, over all processes, between their last two check-ins.",
    ),
    Documented(
        name="cosbatch_store_retries_total",
        kind="counter",
        labels=("process",),
        meaning="Requests that a process has sent again; the series ends with the process.",
    ),
    Documented(
        name="cosbatch_lease_losses_total",
        kind="counter",
        meaning="Leases of dead or silent workers that this service has ended; their chunks were offered again.",
        is_shared=False,
    ),
    Documented(
        name="cosbatch_webhook_deliveries_total",
        kind="counter",
        labels=("outcome",),
        meaning="Messages that this service has tried to send to webhooks: `delivered`, `retried` (not taken, and sent"
        " again later), `given-up`.",
        is_shared=False,
    ),
    Documented(
        name="cosbatch_webhook_messages_waiting",
        kind="gauge",
        meaning="Messages to webhooks that are still to be sent.",
    ),
    Documented(
        name="cosbatch_webhook_lag_seconds",
        kind="gauge",
        meaning="Age of the oldest of them; 0 where none waits.",
    ),
    Documented(
        name="cosbatch_webhooks_disabled",
        kind="gauge",
        meaning="Webhooks that were disabled because their address answered 410.",
    ),
    Documented(
        name="cosbatch_http_request_duration_seconds",
        kind="histogram",
        labels=("call", "method", "status"),
        meaning="Time from a call's arrival to the end of its answer. `call` is the wire's route, `status` is 0 where"
        " the client had gone.",
        is_shared=False,
    ),
    Documented(name="cosbatch_http_requests_in_progress", kind="gauge", meaning="Calls under way.", is_shared=False),
    Documented(
        name="cosbatch_build", kind="gauge", labels=("version",), meaning="1; the version as a label.", is_shared=False
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a service knows when it is asked."""

    version: str
    census: JobCensus
    workers: Sequence[WorkerSeen]
    leases_expired: int
    webhooks: WebhookQueue = field(default_factory=WebhookQueue)
    webhook_outcomes: Mapping[str, int] = field(default_factory=dict)
    """Outcome -> attempts of this service."""


class FactsPage:
    """A collector over one look at the facts, and over what the process measures itself."""

    def __init__(self, facts: Facts, *measured: Iterable[Metric]) -> None:
        self._facts = facts
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        yield from _of_jobs(self._facts.census)
        yield from _of_workers(self._facts.workers)
        yield _counter("cosbatch_lease_losses", [((), self._facts.leases_expired)])
        yield from _of_webhooks(self._facts)
        yield _gauge("cosbatch_build", [((self._facts.version,), 1)])
        for families in self._measured:
            yield from families


def _of_jobs(census: JobCensus) -> Iterator[Metric]:
    yield _gauge("cosbatch_jobs", [((status.value,), census.jobs.get(status, 0)) for status in JobStatus])
    results = {
        "succeeded": census.succeeded - census.skipped,
        "failed": census.failed,
        "skipped": census.skipped,
    }
    yield _gauge("cosbatch_tasks", [((result,), count) for result, count in results.items()])
    yield _gauge("cosbatch_failed_tasks", [((code,), count) for code, count in _codes(census)])
    yield _gauge("cosbatch_task_requests", [((), census.requests)])
    yield _gauge("cosbatch_task_bytes", [((), census.bytes_done)])
    yield _gauge("cosbatch_jobs_on_hold", [((), census.on_hold)])
    yield _gauge("cosbatch_reports_pending", [((), census.reports_pending)])
    yield _gauge("cosbatch_queue_lag_seconds", [((), census.longest_wait_seconds)])


def _codes(census: JobCensus) -> list[tuple[str, int]]:
    """A store may make up codes: the frequent ones have a series of their own."""
    ordered = sorted(census.failed_by_code.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [pair for pair in ordered if pair[0] != OTHER_CODES][:CODES_SHOWN]
    rest = sum(census.failed_by_code.values()) - sum(count for _, count in shown)
    return [*shown, (OTHER_CODES, rest)] if rest else shown


def _of_workers(workers: Sequence[WorkerSeen]) -> Iterator[Metric]:
    roles = Counter({"worker": 0, "planner": 0, "finisher": 0})
    in_flight: Counter[Place] = Counter()
    limit: Counter[Place] = Counter()
    for worker in workers:
        roles[worker.process.role] += 1
        for load in worker.metrics.buckets:
            in_flight[load.region, load.bucket] += load.in_flight
            limit[load.region, load.bucket] += load.limit
    yield _gauge("cosbatch_processes", [((role,), count) for role, count in sorted(roles.items())])
    yield _gauge("cosbatch_chunks_held", [((), sum(worker.metrics.chunks_held for worker in workers))])
    yield _gauge("cosbatch_store_requests_in_flight", [(place, count) for place, count in sorted(in_flight.items())])
    yield _gauge("cosbatch_store_requests_limit", [(place, count) for place, count in sorted(limit.items())])
    answered = sum(worker.metrics.requests_per_second for worker in workers)
    yield _gauge("cosbatch_store_requests_per_second", [((), answered)])
    yield _counter("cosbatch_store_retries", [((worker.process.id,), worker.metrics.repeats) for worker in workers])


def _of_webhooks(facts: Facts) -> Iterator[Metric]:
    outcomes = sorted(facts.webhook_outcomes.items())
    yield _counter("cosbatch_webhook_deliveries", [((outcome,), count) for outcome, count in outcomes])
    yield _gauge("cosbatch_webhook_messages_waiting", [((), facts.webhooks.waiting)])
    yield _gauge("cosbatch_webhook_lag_seconds", [((), facts.webhooks.lag_seconds)])
    yield _gauge("cosbatch_webhooks_disabled", [((), facts.webhooks.disabled)])


Samples = Sequence[tuple[tuple[str, ...], float]]


def _gauge(name: str, samples: Samples) -> Metric:
    documented = _documented(name)
    family = GaugeMetricFamily(name, documented.meaning, labels=documented.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _counter(name: str, samples: Samples) -> Metric:
    """``name`` without its ``_total``, which the library adds."""
    documented = _documented(f"{name}_total")
    family = CounterMetricFamily(name, documented.meaning, labels=documented.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _documented(name: str) -> Documented:
    return next(metric for metric in METRICS if metric.name == name)


def render_metrics_table() -> str:
    """The metrics as a Markdown table, for the documentation."""
    rows = ["| Metric | Kind | Labels | Of | Meaning |", "|---|---|---|---|---|"]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        whose = "all services" if metric.is_shared else "this service"
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {whose} | {metric.meaning} |")
    return "\n".join(rows) + "\n"
