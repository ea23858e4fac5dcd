"""The SDK leaves nothing out of a job unless this says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, Final

import pytest

from cosbatch.client.job_shapes import JobEstimate, JobOutlook
from cosbatch.client.reading import job_of
from cosbatch.client.shape_reader import paths_of, record
from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import Hold, ListedTotals, PlanFindings
from cosbatch.model.regions import Versioning
from cosbatch.model.states import JobStatus
from cosbatch.operations.cost import Cost, CostLine
from cosbatch.operations.estimate import Estimate, Rate
from cosbatch.service.estimates import estimate_document
from cosbatch.service.job_outlook import JobOutlook as KnownOutlook
from cosbatch.web.rest.job_shapes import JobView, job_view
from tests.unit.reports.report_builders import a_job

OUTLOOK: Final = KnownOutlook(
    waiting_until=None, waits_for_job=None, expires_at=None, report_tried_until=None, removed_after=None
)
LEFT_OUT: Final = {
    "region",  # of the request
    "operation_name",  # of the request
    "description",  # of the request
    "dry_run",  # of the request
}


MAPS: Final = {"request", "failures_by_code", "ignored_options"}
"""What stands in them is read as a whole; the round trip of a job holds them."""


class Watched(dict[str, Any]):
    """Notes which of its fields are read."""

    def __init__(self, content: dict[str, Any], read: set[str], path: str = "") -> None:
        below = {
            name: Watched(value, read, f"{path}{name}.") if isinstance(value, dict) else value
            for name, value in content.items()
        }
        super().__init__(below)
        self._read, self._path = read, path

    def __getitem__(self, name: str) -> Any:
        self._read.add(f"{self._path}{name}")
        return super().__getitem__(name)


def a_told_job() -> dict[str, Any]:
    """One in which everything stands that may be absent."""
    job = replace(
        a_job(status=JobStatus.COMPLETE),
        hold=Hold(bucket="cold", reason="it does not answer", since=0.0),
        findings=PlanFindings(
            source_bucket=Bucket("warm"),
            source_versioning=Versioning.NEVER,
            target_versioning=Versioning.NEVER,
            manifest_etag="e",
            listed=ListedTotals(rows=1, not_sent=0, size_bytes=1, large=0, parts=0),
        ),
    )
    return job_view(job, OUTLOOK).model_dump(mode="json", by_alias=True)


def fields_in(content: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in content.items():
        yield f"{path}{name}"
        if isinstance(value, dict) and f"{path}{name}" not in MAPS:
            yield from fields_in(value, f"{path}{name}.")


def test_every_field_of_a_job_is_read_or_named_as_left_out() -> None:
    read: set[str] = set()
    content = a_told_job()
    assert set(content) == set(JobView.model_fields)
    job_of(Watched(content, read))
    in_its_outlook = {".".join(path) for path in paths_of(JobOutlook).values()}
    assert set(fields_in(content)) - read == LEFT_OUT | in_its_outlook


@pytest.mark.parametrize("name", ["progress_summary", "report", "status", "request"])
def test_a_job_without_a_field_is_not_understood(name: str) -> None:
    content = a_told_job()
    del content[name]
    with pytest.raises(KeyError):
        job_of(content)


def test_an_estimate_is_read_whole() -> None:
    """The document of the API leaves its form open."""
    line = CostLine(what="write requests in a", quantity=3, unit_quantity=10_000, unit_price=0.5)
    estimate = Estimate(
        is_exact=True,
        rows_read=3,
        rows=3,
        objects=2,
        size_bytes=9,
        objects_in_parts=1,
        requests={"put": 2},
        duration_seconds=1.5,
        rate=Rate(requests_per_second=2.0, bytes_per_second=None, measured_jobs=4),
        cost=Cost(currency="CNY", lines=(line, replace(line, what="GB", unit_price=None))),
        notes=("sizes are not listed",),
    )
    told = json.loads(json.dumps(estimate_document(estimate)))
    assert json.loads(json.dumps(asdict(record(JobEstimate)(told)))) == told
