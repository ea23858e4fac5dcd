"""The SDK leaves nothing out of a job unless this says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from cosbatch.client.reading import job_of
from cosbatch.model.jobs import Job
from cosbatch.model.states import JobStatus
from cosbatch.web.rest.job_shapes import JobView, job_view
from tests.unit.reports.report_builders import a_job

LEFT_OUT: Final = {
    "region",  # of the request
    "operation_name",  # of the request
    "description",  # of the request
    "is_final",  # of the status
    "actions",  # of the status, for people
    "progress_summary.number_of_tasks_remaining",  # of the other counts
    "progress_summary.failure_rate",  # only the ledger has what it is made of
}


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


def told(job: Job) -> dict[str, Any]:
    return job_view(job).model_dump(mode="json", by_alias=True)


def fields() -> Iterator[str]:
    below = JobView.model_fields["progress_summary"].annotation
    assert below is not None
    yield from JobView.model_fields
    yield from (f"progress_summary.{name}" for name in below.model_fields)
    yield from ("report.state", "report.location")


def test_every_field_of_a_job_is_read_or_named_as_left_out() -> None:
    read: set[str] = set()
    job_of(Watched(told(a_job(status=JobStatus.COMPLETE)), read))
    everything = set(fields())
    assert everything - read == LEFT_OUT


@pytest.mark.parametrize("name", ["progress_summary", "report", "status", "request"])
def test_a_job_without_a_field_is_not_understood(name: str) -> None:
    content = told(a_job(status=JobStatus.COMPLETE))
    del content[name]
    with pytest.raises(KeyError):
        job_of(content)
