"""The SDK on the real application: in this process, and over a socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from cosbatch.client import AsyncClient, AsyncHttpTransport, Client, ServerAddress
from cosbatch.client.patience import Patience
from cosbatch.identity.tokens import TokenScope
from cosbatch.ledger.port import Duty
from cosbatch.model.errors import (
    IllegalMove,
    InvalidArgument,
    NoSuchJob,
    NotAllowed,
    NotAuthenticated,
    ServiceUnreachable,
    TokenReused,
)
from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import Job, ListedTotals, PlanFindings
from cosbatch.model.manifests import FailedRows
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import ReportState
from cosbatch.model.states import JobStatus
from cosbatch.wiring.follow_up import own_spool
from tests.unit.service.ended_jobs import ENGINE, end, work
from tests.unit.service.job_builders import job_content
from tests.wire.rest_rig import OPERATOR, STRANGER, VIEWER, RestRig, rest_rig

QUICK = Patience(attempts=1, poll_seconds=0.0)


def client_of(rig: RestRig, token: str) -> AsyncClient:
    server = ServerAddress(url="http://cosbatch.test", token=token)
    transport = AsyncHttpTransport(server, http=httpx.ASGITransport(app=rig.app, raise_app_exceptions=False))
    return AsyncClient(transport=transport, patience=QUICK)


@asynccontextmanager
async def sdk(folder: Path, *, by: str = OPERATOR) -> AsyncIterator[tuple[RestRig, AsyncClient]]:
    async with rest_rig(folder) as rig:
        yield rig, client_of(rig, await rig.token(by))


def without_fractions(job: Job) -> dict[str, Any]:
    """Times have milliseconds on the wire, and what only the ledger's failure rate needs is not told."""
    fields = {name: getattr(job, name) for name in Job.__dataclass_fields__}
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in fields.items()}


async def test_a_job_comes_back_as_the_service_has_it(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        made = await client.create_job(job_content(), client_request_token="t1")  # no secret
        kept = await rig.ledger.job(made.id)
        assert without_fractions(made) == without_fractions(kept)
        assert await client.describe_job(made.id) == made


async def test_a_request_of_the_model_makes_the_same_job(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (_, client):
        first = await client.create_job(job_content())
        second = await client.create_job(first.request)
        assert (second.request, second.id != first.id) == (first.request, True)


async def test_what_planning_found_comes_back(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        job_id = await rig.made(dry_run=True)
        await rig.moved(job_id, JobStatus.PREPARING)
        found = PlanFindings(
            source_bucket=Bucket("raw-125"),
            source_versioning=Versioning.NEVER,
            target_versioning=Versioning.ENABLED,
            manifest_etag="e1",
            shared_targets=3,
            listed=ListedTotals(rows=9, not_sent=1, size_bytes=None, large=2, parts=40),
        )
        lease = await rig.ledger.claim_job(ENGINE, job_id=job_id, duty=Duty.PLAN, lease_seconds=60)
        assert lease is not None
        await rig.ledger.finish_plan(lease, findings=found, to=JobStatus.READY, reason="planned")
        assert (await client.describe_job(job_id)).findings == found


async def test_a_retry_comes_back_as_the_service_has_it(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        old = await rig.made(windows=["22:00-06:00 Asia/Shanghai"])
        await work(rig.ledger, own_spool(rig.folder), old, [[("a", ""), ("b", "NoSuchKey")]])
        await end(rig.ledger, old)
        made = await client.retry_failed(old, error_code="NoSuchKey")
        kept = await rig.ledger.job(made.job.id)
        assert without_fractions(made.job) == without_fractions(kept)
        assert kept.request.manifest.location.retry_of == FailedRows(job_id=old, error_code="NoSuchKey")
        assert await client.describe_job(made.job.id) == made.job
        again = await client.clone_job(made.job.id)
        assert (again.job.request.windows, again.manifest_changed) == (kept.request.windows, False)
        assert (await client.redeliver_report(old)).report_state is ReportState.PENDING
        with pytest.raises(InvalidArgument, match="2 faults"):
            await client.create_job(made.job.request)


@pytest.mark.parametrize("changes", [{"dry_run": True}, {"windows": ["mon-fri 22:00-06:00 Asia/Shanghai"]}])
async def test_what_a_job_is_asked_beside_comes_back(tmp_path: Path, changes: dict[str, Any]) -> None:
    async with sdk(tmp_path) as (rig, client):
        made = await client.create_job(job_content(**changes))
        listed = (await rig.call("GET", "/jobs")).json()["items"][0]
        assert listed["dry_run"] == made.request.dry_run
        assert without_fractions(made) == without_fractions(await rig.ledger.job(made.id))


async def test_the_same_token_finds_the_same_job_and_another_request_is_refused(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (_, client):
        first = await client.create_job(job_content(), client_request_token="t1")  # no secret
        again = await client.create_job(job_content(), client_request_token="t1")  # no secret
        assert again.id == first.id
        with pytest.raises(TokenReused):
            await client.create_job(job_content(priority=99), client_request_token="t1")  # no secret


async def test_every_verb(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        job = await client.create_job(job_content(report={"enabled": False}))
        assert (await client.update_job_priority(job.id, priority=77)).priority == 77
        await rig.moved(job.id, JobStatus.PREPARING, JobStatus.SUSPENDED)
        assert (await client.confirm_job(job.id, reason="looked at")).status is JobStatus.READY
        await rig.moved(job.id, JobStatus.ACTIVE)
        assert (await client.pause_job(job.id, reason="busy")).status is JobStatus.PAUSING
        await rig.moved(job.id, JobStatus.PAUSED)
        assert (await client.resume_job(job.id)).status is JobStatus.ACTIVE
        with pytest.raises(IllegalMove):
            await client.delete_job(job.id)
        assert (await client.cancel_job(job.id, reason="enough")).status is JobStatus.CANCELLING
        await rig.moved(job.id, JobStatus.CANCELLED)
        events = await client.job_events(job.id)
        assert [event.status for event in events.items][-2:] == [JobStatus.CANCELLING, JobStatus.CANCELLED]
        assert events.items == tuple(replace(event, at=round(event.at, 3)) for event in await rig.ledger.events(job.id))
        await client.delete_job(job.id)
        with pytest.raises(NoSuchJob):
            await client.describe_job(job.id)


async def test_pages_are_followed_by_their_cursor(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        job = await client.create_job(job_content())
        await rig.moved(job.id, JobStatus.PREPARING, JobStatus.READY, JobStatus.ACTIVE)
        first = await client.job_events(job.id, limit=3)
        rest = await client.job_events(job.id, limit=3, cursor=first.next_cursor)
        assert (len(first.items), len(rest.items), rest.next_cursor) == (3, 1, "")


async def test_all_faults_come_at_once_with_their_paths(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (_, client):
        with pytest.raises(InvalidArgument) as caught:
            await client.create_job(job_content() | {"priority": -1, "region": "", "colour": "red"})
        assert {fault.path for fault in caught.value.faults} >= {"priority", "region", "colour"}


async def test_who_may_not_is_told_so(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        job = await client.create_job(job_content())
        viewer = client_of(rig, await rig.token(VIEWER))
        assert (await viewer.describe_job(job.id)).id == job.id
        with pytest.raises(NotAllowed):
            await viewer.cancel_job(job.id)
        with pytest.raises(NoSuchJob):
            await client_of(rig, await rig.token(STRANGER)).describe_job(job.id)
        with pytest.raises(NotAllowed):
            await client_of(rig, await rig.token(OPERATOR, TokenScope.JOBS_READ)).cancel_job(job.id)
        for token in ("", "cosb_wrong"):
            with pytest.raises(NotAuthenticated):
                await client_of(rig, token).describe_job(job.id)


async def test_both_clients_over_a_socket(tmp_path: Path) -> None:
    async with rest_rig(tmp_path) as rig, listening(rig.app) as url:
        token = await rig.token(OPERATOR)
        async with AsyncClient(url, token=token) as client:
            job = await client.create_job(job_content())
        assert await asyncio.to_thread(described, url, token, job.id) == job
    with pytest.raises(ServiceUnreachable, match=url):
        await asyncio.to_thread(described, url, token, job.id)


def described(url: str, token: str, job_id: str) -> Job:
    with Client(url, token=token, patience=QUICK) as client:
        return client.describe_job(job_id)


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()
