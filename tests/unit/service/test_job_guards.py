"""Deletions are switched on and counted, and roles write where they are registered for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.model.errors import InvalidArgument, NotAllowed
from cosbatch.model.identifiers import Bucket, RegionName
from cosbatch.model.jobs import Job
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import LOCAL_CALLER, Caller
from cosbatch.model.states import Actor, JobStatus
from cosbatch.service.job_guards import bucket_faults, check_confirmed_count
from cosbatch.service.service import JobService
from tests.contract.ledgers import HandClock
from tests.unit.service.job_builders import AWAY, HOME, caller_of, job_request, region

DELETION = job_request(operation={"cos_delete_object": {}})
REST, COS, CLI = (
    caller_of("mine"),
    caller_of("mine", via="cos"),
    replace(LOCAL_CALLER, account=caller_of("mine").account),
)


async def look(manifest: Manifest, *, region: RegionName) -> str:
    return "e1"


def service(*, deletes_allowed: bool) -> JobService:
    regions = {name: region(name) for name in (HOME, AWAY)}
    ledger = open_memory_ledger(HandClock())
    return JobService(ledger, regions=regions, look=look, deletes_allowed=deletes_allowed)


async def paths(caller: Caller, **changes: Any) -> list[str]:
    """Of the faults of making a deletion."""
    try:
        await service(deletes_allowed=True).create_job(replace(DELETION, **changes), caller=caller)
    except InvalidArgument as error:
        return [fault.path for fault in error.faults]
    return []


async def test_nothing_is_deleted_until_somebody_has_switched_it_on() -> None:
    for caller in (REST, COS, CLI):
        with pytest.raises(NotAllowed, match="deletes_allowed: true under server"):
            await service(deletes_allowed=False).create_job(replace(DELETION, confirm_delete_count=5), caller=caller)
    assert await service(deletes_allowed=False).create_job(job_request(), caller=REST)


async def test_a_deletion_names_its_count_where_it_can() -> None:
    assert await paths(REST) == ["confirm_delete_count"]
    assert await paths(REST, confirm_delete_count=5) == []
    assert await paths(COS) == []
    assert await paths(CLI) == ["confirm_delete_count"]
    assert await paths(CLI, confirmation_required=True) == []


def test_a_count_is_for_deletions() -> None:
    with pytest.raises(InvalidArgument, match="deletes nothing"):
        job_request(confirm_delete_count=5)
    assert job_request(operation={"cos_delete_object": {}}, confirm_delete_count=5).confirm_delete_count == 5
    with pytest.raises(InvalidArgument, match="confirm_delete_count"):
        job_request(operation={"cos_delete_object": {}}, confirm_delete_count=0)


async def suspended(**changes: Any) -> tuple[JobService, Job]:
    """Made by a client of COS, whose wire has no word for a count."""
    regions = {name: region(name) for name in (HOME, AWAY)}
    ledger = open_memory_ledger(HandClock())
    jobs = JobService(ledger, regions=regions, look=look, deletes_allowed=True)
    job = await jobs.create_job(replace(DELETION, **changes), caller=COS)
    for step in (JobStatus.PREPARING, JobStatus.SUSPENDED):
        job = await ledger.move(job.id, expect=[job.status], to=step, actor=Actor.ENGINE, reason="")
    return jobs, replace(job, total=7)


@pytest.mark.parametrize(
    ("caller", "count", "is_confirmed"),
    [(REST, None, False), (REST, 6, False), (REST, 7, True), (CLI, None, False), (CLI, 7, True), (COS, None, True)],
)
async def test_who_confirms_a_deletion_says_how_much_it_deletes(
    caller: Caller, count: int | None, is_confirmed: bool
) -> None:
    _, job = await suspended()
    if is_confirmed:
        check_confirmed_count(job, count=count, caller=caller)
        return
    with pytest.raises(InvalidArgument, match="7"):
        check_confirmed_count(job, count=count, caller=caller)


async def test_a_count_of_the_request_is_enough() -> None:
    _, job = await suspended(confirm_delete_count=7)
    check_confirmed_count(job, count=None, caller=REST)
    check_confirmed_count(replace(job, request=job_request()), count=None, caller=REST)


async def test_the_verb_asks_for_it() -> None:
    jobs, job = await suspended()
    with pytest.raises(InvalidArgument, match="confirm_delete_count"):
        await jobs.update_job_status(job.id, requested_job_status=JobStatus.READY, caller=REST)
    ready = await jobs.update_job_status(
        job.id, requested_job_status=JobStatus.READY, caller=REST, confirm_delete_count=7
    )
    assert ready.status is JobStatus.READY


def test_buckets_of_a_role() -> None:
    request = job_request(role_arn="qcs::cam::uin/100000000001:roleName/batch")
    assert list(bucket_faults(request, writable_buckets=())) == []
    assert list(bucket_faults(request, writable_buckets=(Bucket("cold-125"), Bucket("logs-125")))) == []
    (target, report) = bucket_faults(request, writable_buckets=(Bucket("other"),))
    assert [(fault.path, fault.value) for fault in (target, report)] == [
        ("role_arn", "cold-125"),
        ("role_arn", "logs-125"),
    ]
    assert "registered here for writing other alone" in report.problem
    deletion = replace(request, operation=DELETION.operation)
    assert [fault.value for fault in bucket_faults(deletion, writable_buckets=(Bucket("other"),))] == ["logs-125"]
