"""The course of ``cosbatch run``: find or make the job, plan it, show the plan, ask, carry it out, tell the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import structlog

from cosbatch.cli.interrupts import Interrupted, until_interrupted
from cosbatch.cli.invocation import (
    EXIT_INTERRUPTED,
    EXIT_NOT_ANSWERED,
    Invocation,
    run_async,
    tell_interrupted,
)
from cosbatch.cli.job_page import exit_code_of, totals
from cosbatch.cli.output import print_json
from cosbatch.cli.progress import Screen, Watch, screen_for
from cosbatch.cli.request_page import plan_page
from cosbatch.cli.run_identity import FoundRun, find_or_create, read_job_file
from cosbatch.cli.run_question import Declined, ask, check_confirmable
from cosbatch.cli.runs_index import RunsIndex
from cosbatch.cli.wiring_port import Load, RunningEngine
from cosbatch.model.errors import CosbatchError, IllegalMove
from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Job, PausedBy
from cosbatch.model.principals import LOCAL_CALLER
from cosbatch.model.reports import ReportState
from cosbatch.model.states import JobStatus, is_final
from cosbatch.model.undelivered import why_undelivered
from cosbatch.service.job_document import job_document
from cosbatch.service.job_schema import ParsedJob
from cosbatch.settings import Settings

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)

_UNPLANNED: Final = frozenset({JobStatus.NEW, JobStatus.PREPARING})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """One call of ``cosbatch run``."""

    invocation: Invocation
    settings: Settings
    parsed: ParsedJob
    job_file: Path
    is_confirmed: bool
    confirm_count: int | None
    """How many objects a deletion may delete at most, as somebody has typed it."""
    again: bool
    supervisor: Any
    """Begun before the job is looked at: that may read secrets of its role."""


def run_job_file(
    invocation: Invocation,
    *,
    job_file: Path,
    is_confirmed: bool,
    confirm_count: int | None,
    again: bool,
    dry_run: bool = False,
) -> int:
    """The exit code: of the job, or 1 where somebody said no, or 130 where it was interrupted. Nobody is asked about a
    dry run, which touches nothing; a job file may ask for one itself."""
    settings, wiring = invocation.settings(), invocation.wiring
    regions = run_async(wiring.known_regions(settings, invocation.state_folder))
    parsed = read_job_file(job_file, regions=regions, dry_run=dry_run)
    with (
        wiring.logging_to_folder(invocation.state_folder, level=invocation.log_level, log_format=settings.log_format),
        wiring.engine_supervisor(settings) as supervisor,
    ):
        order = RunOrder(
            invocation=invocation,
            settings=settings,
            parsed=parsed,
            job_file=job_file,
            is_confirmed=is_confirmed or parsed.request.dry_run,
            confirm_count=confirm_count,
            again=again,
            supervisor=supervisor,
        )
        return _run(order)


def _run(order: RunOrder) -> int:
    try:
        found = _interruptible(_find(order), stopping="Stopping.")
    except Interrupted:
        return tell_interrupted("Stopped.", as_json=order.invocation.as_json)
    if is_final(found.job.status):
        click.echo("This run has ended before; --again runs it anew.", err=True)
        return _end_again(order, found.job)
    check_confirmable(
        order.invocation, order.parsed.request, is_confirmed=order.is_confirmed, count=order.confirm_count
    )
    click.echo(f"Job {found.job.id}" + ("" if found.is_new else f" goes on ({found.job.status})"), err=True)
    if order.again and not found.is_new:
        click.echo(
            f"It has not ended, so --again goes on with it; cosbatch cancel {found.job.id} gives it up.", err=True
        )
    try:
        return _end(order, _carry_out(order, found.job))
    except (Interrupted, click.Abort) as error:
        if isinstance(error, click.Abort):
            click.echo(err=True)  # the question's line is not at its end
        click.echo(f"Stopped. What is done is kept; the same command goes on with job {found.job.id}.", err=True)
        _tell_as_it_is(order, found.job)
        return EXIT_INTERRUPTED
    except Declined:
        return _declined(order, found.job)


def _declined(order: RunOrder, job: Job) -> int:
    """Another terminal may have said yes meanwhile, or cancelled the job."""
    now = _tell_as_it_is(order, job)
    if now.status is JobStatus.SUSPENDED:
        text = f"Nothing was touched. Job {job.id} waits: the same command asks again"
        text += f", cosbatch cancel {job.id} gives it up."
    else:
        text = f"Job {job.id} is {now.status} by now: another command has decided."
    click.echo(text, err=True)
    return EXIT_NOT_ANSWERED


def _tell_as_it_is(order: RunOrder, job: Job) -> Job:
    """A job that has not ended, for machines: whatever the end of a command, it prints one JSON object."""
    now = run_async(_look(order, job.id))
    if order.invocation.as_json:
        print_json(job_document(now))
    return now


async def _look(order: RunOrder, job_id: JobId) -> Job:
    async with order.invocation.wiring.open_service(order.settings, order.invocation.state_folder) as service:
        return await service.describe_job(job_id, caller=LOCAL_CALLER)


def _end_again(order: RunOrder, job: Job) -> int:
    """Of a job that has ended before; all that may be left to do is to deliver its report."""
    if job.report_state is not ReportState.PENDING:
        return _end(order, job)
    patience = order.invocation.surroundings.patience_seconds
    click.echo(f"Its report is not delivered yet: trying for up to {patience:g} s.", err=True)
    try:
        return _end(order, _with_engine(order, lambda engine, screen: _deliver(order, job, engine, screen)))
    except Interrupted:
        click.echo("Stopped. The results are kept; the same command tries again.", err=True)
        _tell_as_it_is(order, job)
        return EXIT_INTERRUPTED


async def _deliver(order: RunOrder, job: Job, engine: RunningEngine, screen: Screen) -> Job:
    """The job once its report is delivered, or has another reason not to be, or patience has ended."""

    def is_over(now: Job) -> bool:
        return now.report_state is not ReportState.PENDING or now.hold not in (None, job.hold)

    try:
        async with asyncio.timeout(order.invocation.surroundings.patience_seconds):
            return await _wait(job, engine, screen, until=is_over)
    except TimeoutError:
        return await engine.service.describe_job(job.id, caller=LOCAL_CALLER)


async def _find(order: RunOrder) -> FoundRun:
    async with order.invocation.wiring.open_service(order.settings, order.invocation.state_folder) as service:
        return await find_or_create(
            order.parsed,
            job_file=order.job_file,
            again=order.again,
            service=service,
            index=RunsIndex(order.invocation.state_folder),
            before_new=lambda: check_confirmable(
                order.invocation, order.parsed.request, is_confirmed=order.is_confirmed, count=order.confirm_count
            ),
        )


def _carry_out(order: RunOrder, job: Job) -> Job:
    """The job at its end. Without ``--yes`` the engine rests while the question stands."""
    if order.is_confirmed:
        return _with_engine(order, lambda engine, screen: _plan_and_finish(order, job, engine, screen))
    if job.status in _UNPLANNED:
        job = _with_engine(order, lambda engine, screen: _plan(job, engine, screen))
    count = order.confirm_count
    if job.status is JobStatus.SUSPENDED:
        click.echo(_interruptible(_plan_page(order, job), stopping="Stopping."), err=True)
        count = ask(job, count)
    if is_final(job.status):
        return job
    return _with_engine(order, lambda engine, screen: _finish(job, engine, screen, count=count))


async def _plan_and_finish(order: RunOrder, job: Job, engine: RunningEngine, screen: Screen) -> Job:
    job = await _plan(job, engine, screen)
    if job.status is JobStatus.SUSPENDED:
        screen.note(await _plan_page(order, job))
    return job if is_final(job.status) else await _finish(job, engine, screen, count=order.confirm_count)


async def _plan(job: Job, engine: RunningEngine, screen: Screen) -> Job:
    return await _wait(job, engine, screen, until=lambda now: now.status not in _UNPLANNED)


async def _finish(job: Job, engine: RunningEngine, screen: Screen, *, count: int | None) -> Job:
    """Looks at the job anew: while a question stood, another terminal may have confirmed or cancelled it."""
    job = await engine.service.describe_job(job.id, caller=LOCAL_CALLER)
    try:
        if job.status is JobStatus.SUSPENDED:
            await engine.service.update_job_status(
                job.id, requested_job_status=JobStatus.READY, caller=LOCAL_CALLER, confirm_delete_count=count
            )
        elif job.paused_by is PausedBy.USER:
            await _resume(job, engine, screen)
    except IllegalMove:
        log.info("another-was-first", job_id=job.id)  # whatever it did, this run goes on with the job as it is
    return await _wait(job, engine, screen, until=lambda now: is_final(now.status))


async def _resume(job: Job, engine: RunningEngine, screen: Screen) -> None:
    """Who runs a paused job wants it to go on."""
    job = await _wait(job, engine, screen, until=lambda now: now.status is not JobStatus.PAUSING)
    if job.status is JobStatus.PAUSED and job.paused_by is PausedBy.USER:
        await engine.service.resume_job(job.id, caller=LOCAL_CALLER)


async def _wait(job: Job, engine: RunningEngine, screen: Screen, *, until: Callable[[Job], bool]) -> Job:
    watch = Watch(screen)

    def see(now: Job, load: Load) -> None:
        watch.see(now, in_flight=load.in_flight, limit=load.limit)

    return await engine.wait_for(job.id, until=until, on_progress=see)


async def _plan_page(order: RunOrder, job: Job) -> str:
    request = job.request
    try:
        found = await order.invocation.wiring.inspect(order.settings, request.region, request.manifest)
    except CosbatchError:
        # The job is planned: a manifest that cannot be looked at any more is no reason to stop here.
        return plan_page(job, first_key=None)
    first_key = next((row.row.key for row in found.first_rows if row.row is not None), None)
    return plan_page(job, first_key=first_key)


def _with_engine(order: RunOrder, work: Callable[[RunningEngine, Screen], Coroutine[Any, Any, Job]]) -> Job:
    invocation = order.invocation
    with closing(screen_for(invocation)) as screen:

        async def run() -> Job:
            async with invocation.wiring.open_engine(
                order.settings, invocation.state_folder, log_level=invocation.log_level, supervisor=order.supervisor
            ) as engine:
                return await work(engine, screen)

        return _interruptible(
            run(),
            stopping="Stopping: what is in flight is waited for (Ctrl-C again: at once).",
            on_second=screen.let_go,
        )


def _interruptible(
    work: Coroutine[Any, Any, Answer], *, stopping: str, on_second: Callable[[], None] = lambda: None
) -> Answer:
    return run_async(until_interrupted(work, on_first=lambda: click.echo(stopping, err=True), on_second=on_second))


def _end(order: RunOrder, job: Job) -> int:
    if job.report_state is ReportState.PENDING:
        why = f" ({why_undelivered(job.hold)})" if job.hold else ""
        click.echo(f"The report is not delivered yet{why}; the same command tries again.", err=True)
    if order.invocation.as_json:
        print_json(job_document(job))
    else:
        click.echo(totals(job))
    return exit_code_of(job)
