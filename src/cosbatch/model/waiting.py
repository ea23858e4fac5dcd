"""How a job says which greater one it gives way to: in its status reason, for people, and read back for links."""

from __future__ import annotations

import re
from typing import Final

from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Job
from cosbatch.model.states import JobStatus

_FORM: Final = re.compile(r"(?:waits for|pre-empted by) job (?P<id>[0-9A-Za-z-]{1,64}), which has priority \d+")


def told_of_greater(job: Job, greater: Job) -> str:
    what = "waits for" if job.status is JobStatus.READY else "pre-empted by"
    return f"{what} job {greater.id}, which has priority {greater.priority}"


def greater_job_in(reason: str) -> JobId | None:
    """The job that :func:`told_of_greater` has named; None in every other text."""
    found = _FORM.fullmatch(reason)
    return JobId(found["id"]) if found else None
