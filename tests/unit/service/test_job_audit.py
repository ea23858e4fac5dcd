"""Changes of jobs are in the audit log, and what was not allowed is there as well."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from cosbatch.ledger.people_port import AuditEntry, Outcome
from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.ledger.sql_people import SqlPeople
from cosbatch.model.errors import IllegalMove, LedgerUnavailable, NoSuchJob, NotAllowed
from cosbatch.model.identifiers import JobId
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import UserRole
from cosbatch.model.states import JobStatus
from cosbatch.service.job_audit import AuditTrail
from cosbatch.service.service import JobService
from tests.unit.service.job_builders import HOME, caller_of, job_request, region
from tests.unit.service.test_job_service import StillClock

ME = replace(caller_of("me"), credential="AKID1")
VIEWER = replace(ME, role=UserRole.VIEWER, user="viewer")


async def look(manifest: Manifest, *, region: str) -> str:
    return "e1"


@dataclass
class Trail:
    written: list[AuditEntry] = field(default_factory=list)
    is_full: bool = False

    async def record(self, entry: AuditEntry) -> None:
        if self.is_full:
            raise LedgerUnavailable("the disk is full")
        self.written.append(entry)


def service_with(audit: AuditTrail | None) -> JobService:
    return JobService(open_memory_ledger(StillClock()), regions={HOME: region(HOME)}, look=look, audit=audit)


def told(trail: Trail) -> list[tuple[str, str, str, str]]:
    return [(entry.action, entry.target, entry.detail, entry.outcome) for entry in trail.written]


async def test_each_change_is_told_and_no_look_is() -> None:
    trail = Trail()
    service = service_with(trail)
    job = await service.create_job(job_request(), caller=ME)
    await service.update_job_priority(job.id, priority=3, caller=ME)
    await service.update_job_status(
        job.id, requested_job_status=JobStatus.CANCELLED, status_update_reason="no more", caller=ME
    )
    await service.describe_job(job.id, caller=ME)
    await service.list_jobs(caller=ME)
    assert told(trail) == [
        ("create-job", job.id, "", Outcome.DONE),
        ("update-job-priority", job.id, "3", Outcome.DONE),
        ("update-job-status", job.id, "Cancelled no more", Outcome.DONE),
    ]
    assert {(entry.account, entry.actor, entry.via, entry.credential) for entry in trail.written} == {
        (ME.account.id, ME.user, ME.via, "AKID1")
    }


VERBS: dict[str, dict[str, Any]] = {
    "update_job_priority": {"priority": 3},
    "update_job_status": {"requested_job_status": JobStatus.CANCELLED},
    "pause_job": {},
    "resume_job": {},
    "delete_job": {},
}


@pytest.mark.parametrize("verb", VERBS)
async def test_what_a_viewer_may_not_do_is_told_as_refused(verb: str) -> None:
    trail = Trail()
    service = service_with(trail)
    job = await service.create_job(job_request(), caller=ME)
    with pytest.raises(NotAllowed):
        await getattr(service, verb)(job.id, caller=VIEWER, **VERBS[verb])
    last = trail.written[-1]
    assert (last.action, last.target, last.outcome) == (verb.replace("_", "-"), job.id, Outcome.REFUSED)
    assert last.actor == "viewer"


async def test_what_was_not_possible_has_changed_nothing() -> None:
    trail = Trail()
    service = service_with(trail)
    job = await service.create_job(job_request(), caller=ME)
    with pytest.raises(IllegalMove):
        await service.delete_job(job.id, caller=ME)
    with pytest.raises(NoSuchJob):
        await service.pause_job(JobId("nobody-s"), caller=ME)
    with pytest.raises(NotAllowed):
        await service.create_job(job_request(), caller=VIEWER)
    assert told(trail)[1:] == [("create-job", "", "", Outcome.REFUSED)]


async def test_a_trail_that_cannot_be_written_undoes_nothing() -> None:
    service = service_with(Trail(is_full=True))
    with capture_logs() as logs:
        job = await service.create_job(job_request(), caller=ME)
    assert (await service.describe_job(job.id, caller=ME)).id == job.id
    assert [(line["event"], line["target"]) for line in logs] == [("audit.not_written", job.id)]


async def test_it_stands_where_that_of_people_stands() -> None:
    ledger = open_memory_ledger(StillClock())
    service = JobService(ledger, regions={HOME: region(HOME)}, look=look, audit=ledger.audit)
    job = await service.create_job(job_request(), caller=ME)
    [line] = await SqlPeople(ledger._database).audit(limit=10)
    assert (line.entry.action, line.entry.target) == ("create-job", job.id)
