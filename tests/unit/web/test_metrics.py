"""The page of metrics: what it shows is documented, and what alerts ask for is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from cosbatch.model.census import JobCensus
from cosbatch.model.identifiers import Bucket, RegionName, WorkerId
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import WebhookQueue
from cosbatch.model.workers import BucketLoad, WorkerMetrics, WorkerProcess, WorkerSeen
from cosbatch.web.measures import CallMeasures
from cosbatch.web.metrics import CODES_SHOWN, METRICS, OTHER_CODES, Facts, FactsPage

ALERTS = Path(__file__).parents[3] / "deploy" / "prometheus" / "alerts.yaml"
SUFFIXES = ("_bucket", "_count", "_sum")
_METRIC = re.compile(r"\bcosbatch_[a-z_]+\b")


def worker(number: int, *loads: BucketLoad, **metrics: Any) -> WorkerSeen:
    process = WorkerProcess(id=WorkerId(f"worker-{number}"), role="worker", host="copper", pid=number)
    return WorkerSeen(
        process=process, started_at=0.0, seen_at=0.0, metrics=WorkerMetrics(buckets=tuple(loads), **metrics)
    )


def load(bucket: str, in_flight: int, limit: int) -> BucketLoad:
    return BucketLoad(region=RegionName("here"), bucket=Bucket(bucket), in_flight=in_flight, limit=limit)


def samples(
    census: JobCensus | None = None, workers: tuple[WorkerSeen, ...] = (), *, measures: CallMeasures | None = None
) -> dict[tuple[str, tuple[str, ...]], float]:
    """(name, label values) -> value, as a scraper reads them."""
    facts = Facts(
        version="1.0",
        census=census or JobCensus(jobs={}),
        workers=workers,
        leases_expired=7,
        webhook_outcomes={"delivered": 3},
    )
    page = FactsPage(facts, (measures or CallMeasures()).collect())
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(generate_latest(page).decode())
        for sample in family.samples
    }


def test_what_waits_for_webhooks_is_shown() -> None:
    queue = WebhookQueue(waiting=12, lag_seconds=90.5, given_up=4, disabled=1)
    facts = Facts(version="1.0", census=JobCensus(jobs={}), workers=(), leases_expired=0, webhooks=queue)
    page = generate_latest(FactsPage(facts)).decode()
    found = {s.name: s.value for family in text_string_to_metric_families(page) for s in family.samples}
    assert found["cosbatch_webhook_messages_waiting"] == 12
    assert found["cosbatch_webhook_lag_seconds"] == 90.5
    assert found["cosbatch_webhooks_disabled"] == 1


def test_jobs_are_shown_in_every_status() -> None:
    found = samples(JobCensus(jobs={JobStatus.ACTIVE: 3}))
    assert [found["cosbatch_jobs", (status.value,)] for status in JobStatus] == [
        3 if status is JobStatus.ACTIVE else 0 for status in JobStatus
    ]


def test_tasks_are_shown_by_result_and_code() -> None:
    census = JobCensus(jobs={}, succeeded=10, skipped=4, failed=3, failed_by_code={"NoSuchKey": 2, "AccessDenied": 1})
    found = samples(census)
    assert found["cosbatch_tasks", ("succeeded",)] == 6
    assert found["cosbatch_tasks", ("skipped",)] == 4
    assert found["cosbatch_failed_tasks", ("NoSuchKey",)] == 2
    assert found["cosbatch_failed_tasks", ("AccessDenied",)] == 1


def test_a_store_that_makes_up_codes_makes_no_more_series() -> None:
    codes = {f"Code{number}": 1 for number in range(500)} | {OTHER_CODES: 5}
    found = samples(JobCensus(jobs={}, failed=505, failed_by_code=codes))
    shown = {labels[0]: value for (name, labels), value in found.items() if name == "cosbatch_failed_tasks"}
    assert len(shown) == CODES_SHOWN + 1
    assert sum(shown.values()) == 505


def test_workers_are_added_up_by_bucket() -> None:
    workers = (
        worker(1, load("a", 3, 10), load("b", 1, 5), chunks_held=2, requests_per_second=1.5, repeats=4),
        worker(2, load("a", 4, 20), chunks_held=3, requests_per_second=2.0),
    )
    found = samples(workers=workers)
    assert found["cosbatch_store_requests_in_flight", ("a", "here")] == 7
    assert found["cosbatch_store_requests_limit", ("a", "here")] == 30
    assert found["cosbatch_store_requests_in_flight", ("b", "here")] == 1
    assert found["cosbatch_chunks_held", ()] == 5
    assert found["cosbatch_store_requests_per_second", ()] == 3.5
    assert found["cosbatch_processes", ("worker",)] == 2
    assert found["cosbatch_processes", ("planner",)] == 0
    assert found["cosbatch_store_retries_total", ("worker-1",)] == 4
    assert found["cosbatch_lease_losses_total", ()] == 7


def full_page() -> dict[tuple[str, tuple[str, ...]], float]:
    measures = CallMeasures()
    measures.answered(call="cos-jobs", method="GET", status=200, seconds=0.1)
    census = JobCensus(jobs={}, failed=1, failed_by_code={"NoSuchKey": 1})
    return samples(census, (worker(1, load("a", 1, 1)),), measures=measures)


def base(name: str) -> str:
    """Of a histogram's or counter's series."""
    known = {metric.name for metric in METRICS}
    return name if name in known else next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)


def test_what_is_shown_is_documented_and_the_other_way_round() -> None:
    shown = {base(name) for name, _ in full_page()}
    assert shown == {metric.name for metric in METRICS}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_the_conventions(metric: Any) -> None:
    assert re.fullmatch(r"cosbatch_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.meaning.endswith((".", "services"))


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_and_labels_that_exist(rule: dict[str, Any]) -> None:
    shown = {name for name, _ in full_page()}
    asked = set(_METRIC.findall(rule["expr"]))
    assert asked <= shown
    assert asked or rule["expr"].startswith("up{")
    documented = {metric.name: metric.labels for metric in METRICS}
    for name, selector in re.findall(r"\b(cosbatch_[a-z_]+)\{([^}]*)\}", rule["expr"]):
        labels = set(re.findall(r"([a-z]+)\s*(?:=~|!=|=)", selector))
        assert labels <= set(documented[base(name)])
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("warning", "critical")


def test_statuses_that_alerts_name_exist() -> None:
    text = ALERTS.read_text(encoding="utf-8")
    named = re.findall(r'cosbatch_jobs\{status="([A-Za-z]+)"\}', text)
    assert named
    assert set(named) <= {status.value for status in JobStatus}
