"""The course of ``cosbatch run`` with a service over the network: make the job or find it, show its plan, ask, watch.

The service works on by itself: whoever stops to watch stops nothing."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from cosbatch.cli.interrupts import Interrupted, until_interrupted
from cosbatch.cli.invocation import EXIT_INTERRUPTED, EXIT_NOT_ANSWERED, Invocation, run_async
from cosbatch.cli.job_page import exit_code_of, totals
from cosbatch.cli.output import print_json
from cosbatch.cli.progress import Watch, screen_for
from cosbatch.cli.remote_jobs import remote_client
from cosbatch.cli.request_page import plan_page
from cosbatch.cli.run_identity import read_job_file
from cosbatch.cli.run_question import Declined, ask, check_confirmable
from cosbatch.model.errors import IllegalMove
from cosbatch.model.jobs import Job
from cosbatch.model.reports import ReportState
from cosbatch.model.states import JobStatus, is_final
from cosbatch.service.job_document import job_document, request_digest
from cosbatch.service.job_schema import ParsedJob
from cosbatch.settings.profiles import ServiceLogin

_UNPLANNED: Final = frozenset({JobStatus.NEW, JobStatus.PREPARING})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """One call of ``cosbatch run``."""

    invocation: Invocation
    login: ServiceLogin
    parsed: ParsedJob
    again: bool


def run_job_file_remotely(
    invocation: Invocation,
    login: ServiceLogin,
    *,
    job_file: Path,
    is_confirmed: bool,
    confirm_count: int | None,
    dry_run: bool,
    again: bool,
) -> int:
    """The exit code, as of a run without a service. The job is known by the content of its file: the same command finds
    it again, and ``again`` makes another one."""
    parsed = read_job_file(job_file, regions=None, dry_run=dry_run)
    is_confirmed = is_confirmed or parsed.request.dry_run
    if confirm_count is not None:
        parsed = parsed._replace(request=replace(parsed.request, confirm_delete_count=confirm_count))
    check_confirmable(invocation, parsed.request, is_confirmed=is_confirmed, count=confirm_count)
    order = _Order(
        invocation=invocation,
        login=login,
        parsed=parsed,
        again=again,
    )
    job = run_async(_make(order))
    click.echo(f"Job {job.id} ({job.status}) at {login.url}", err=True)
    try:
        job = _watched(order, job, until=lambda now: now.status not in _UNPLANNED)
        if job.status is JobStatus.SUSPENDED:
            click.echo(plan_page(job, first_key=None), err=True)
            count = confirm_count if is_confirmed else ask(job, confirm_count)
            run_async(_confirm(order, job, count=count))
        job = _watched(order, job, until=_is_over)
    except Declined:
        click.echo(f"Nothing was touched. Job {job.id} waits: the same command asks again.", err=True)
        return EXIT_NOT_ANSWERED
    except (Interrupted, click.Abort):
        click.echo(
            f"The service works on; the same command watches again, cosbatch cancel {job.id} gives it up.", err=True
        )
        return EXIT_INTERRUPTED
    if invocation.as_json:
        print_json(job_document(job))
    else:
        click.echo(totals(job))
    return exit_code_of(job)


def _is_over(job: Job) -> bool:
    """Of a job that has failed or was cancelled the report is tried for a day: nobody waits for that."""
    is_complete = job.status is JobStatus.COMPLETE
    return is_final(job.status) and not (is_complete and job.report_state is ReportState.PENDING)


def _token(order: _Order) -> str:
    parsed = order.parsed
    content = "\n".join([request_digest(parsed.request), parsed.client_request_token])
    identity = f"run-{hashlib.sha256(content.encode()).hexdigest()[:40]}"
    return f"{identity}.{time.time_ns() // 10**6}" if order.again else identity


async def _make(order: _Order) -> Job:
    async with remote_client(order.login) as client:
        return await client.create_job(order.parsed.request, client_request_token=_token(order))


async def _confirm(order: _Order, job: Job, *, count: int | None) -> None:
    """Another terminal, or the console, may have said yes or no meanwhile: the run goes on with the job as it is."""
    async with remote_client(order.login) as client:
        try:
            await client.confirm_job(job.id, confirm_delete_count=count)
        except IllegalMove as error:
            click.echo(str(error), err=True)


def _watched(order: _Order, job: Job, *, until: Callable[[Job], bool]) -> Job:
    with closing(screen_for(order.invocation)) as screen:
        watch = Watch(screen)

        def see(now: Job) -> bool:
            watch.see(now, in_flight=None, limit=0)
            return until(now)

        return run_async(until_interrupted(_wait(order, job, see), on_first=lambda: None, on_second=screen.let_go))


async def _wait(order: _Order, job: Job, until: Callable[[Job], bool]) -> Job:
    async with remote_client(order.login) as client:
        return await client.wait_for_job(job.id, until=until)
