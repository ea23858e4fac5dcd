"""Which run a job file stands for: its content and the manifest's ETag make a token, and the ledger knows the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from cosbatch.cli.runs_index import RunsIndex
from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.jobs import Job, JobRequest
from cosbatch.model.principals import LOCAL_CALLER
from cosbatch.model.states import ENDS_IN, is_final
from cosbatch.service.documents import read_document
from cosbatch.service.job_document import request_digest
from cosbatch.service.job_schema import ParsedJob, parse_job
from cosbatch.service.service import JobService


class FoundRun(NamedTuple):
    job: Job
    is_new: bool


class _Runs(NamedTuple):
    """The runs of one identity."""

    latest: Job | None
    next_token: str


def parse_job_file(path: Path, *, regions: Collection[str] | None) -> ParsedJob:
    """The job as the file has it. Raises InvalidArgument with all faults, also against the ``regions`` of the settings
    where they are given."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault(path=str(path), value="", problem=f"cannot be read: {error}")
        raise InvalidArgument("the job file cannot be read", faults=[fault]) from error
    return parse_job(read_document(text, source=str(path)), regions=regions)


def read_job_file(path: Path, *, regions: Collection[str] | None, dry_run: bool = False) -> ParsedJob:
    """The job as ``cosbatch run`` makes it of the file. With ``dry_run`` it is one, whatever the file says. Raises as
    :func:`parse_job_file`."""
    parsed = parse_job_file(path, regions=regions)
    # The plan is always shown first: the job stops for it, whoever confirms.
    is_dry_run = dry_run or parsed.request.dry_run
    return parsed._replace(request=replace(parsed.request, confirmation_required=True, dry_run=is_dry_run))


async def find_or_create(
    parsed: ParsedJob,
    *,
    job_file: Path,
    again: bool,
    service: JobService,
    index: RunsIndex,
    before_new: Callable[[], None],
) -> FoundRun:
    """The run that the file stands for now; a new one where there is none, or where ``again`` asks for one and the last
    has ended. ``before_new`` is called before anything is made, and may raise.

    Raises InvalidArgument where another content of the same file has a run that has not ended.
    """
    request = parsed.request
    if not request.manifest.location.etag:
        request = await service.pin_manifest(request)
    places = service.places_of(request)
    identity = _identity(request, token=parsed.client_request_token, places=places)
    runs = await _runs_of(identity, service=service)
    if runs.latest is not None and not (again and is_final(runs.latest.status)):
        return FoundRun(runs.latest, is_new=False)
    if not request.dry_run:  # which is in nobody's way, and has nobody in its way
        await _refuse_unfinished(job_file, identity=identity, service=service, index=index)
    before_new()
    if not request.dry_run:
        index.remember(job_file, runs.next_token)
    return FoundRun(await service.create_job(request, caller=LOCAL_CALLER, token=runs.next_token), is_new=True)


def _identity(request: JobRequest, *, token: str, places: Sequence[str]) -> str:
    """44 characters, so that a counter fits behind them. ``places``: a region of the same name in other settings may be
    another store, and a run there another run."""
    content = "\n".join([request_digest(request), token, *places])
    return f"run-{hashlib.sha256(content.encode()).hexdigest()[:40]}"


async def _runs_of(identity: str, *, service: JobService) -> _Runs:
    """Earlier ones may be gone: deleted, or at the end of their retention."""
    found = await service.find_jobs(token_prefix=identity, caller=LOCAL_CALLER)
    numbers = {number: job for job in found if (number := _number_of(job.token, identity=identity))}
    last = max(numbers, default=0)
    return _Runs(numbers.get(last), f"{identity}.{last + 1}" if last else identity)


def _number_of(token: str, *, identity: str) -> int:
    """Of a run: the first one's token is the identity itself, the second's ends in ``.2``."""
    return 1 if token == identity else int(token.removeprefix(f"{identity}."))


async def _refuse_unfinished(job_file: Path, *, identity: str, service: JobService, index: RunsIndex) -> None:
    for token in index.tokens(job_file):
        if token.startswith(identity):
            continue
        job = await service.find_job(token=token, caller=LOCAL_CALLER)
        # What completes, fails or is being cancelled sends no task any more, and ends by itself while an engine runs.
        if job is not None and not is_final(job.status) and job.status not in ENDS_IN:
            fault = Fault(
                path=str(job_file),
                value="",
                problem=f"or its manifest, or the endpoint of a region, is another one than that of job {job.id},"
                f" which is {job.status}",
                way_out=f"put the earlier one back to go on with it, or give it up: cosbatch cancel {job.id}",
            )
            raise InvalidArgument("an earlier run of this file has not ended", faults=[fault])
