"""A job as people read it: one line in a list, a page, and the totals at its end."""

from __future__ import annotations

from collections.abc import Sequence

from cosbatch.cli.invocation import EXIT_JOB_FAILED, EXIT_SUCCEEDED, EXIT_TASKS_FAILED
from cosbatch.cli.output import count, counted, duration, pairs, size, table
from cosbatch.cli.request_page import request_pairs
from cosbatch.model.job_summaries import JobSummary
from cosbatch.model.jobs import Job, JobEvent
from cosbatch.model.reports import CodeTally, ReportState
from cosbatch.model.states import JobStatus, is_final
from cosbatch.model.undelivered import why_undelivered
from cosbatch.service.job_document import iso_time
from cosbatch.service.possible_calls import possible_calls

LIST_HEADER = ("JOB", "STATUS", "PRIORITY", "TASKS", "SUCCEEDED", "FAILED", "CREATED", "DESCRIPTION")


def list_row(job: JobSummary) -> tuple[str, ...]:
    return (
        job.id,
        job.status.value,
        str(job.priority),
        "?" if job.total is None else count(job.total),
        count(job.succeeded),
        count(job.failed),
        iso_time(job.created_at) or "",
        job.description,
    )


def exit_code_of(job: Job) -> int:
    """Of a job that has ended."""
    if job.status is not JobStatus.COMPLETE:
        return EXIT_JOB_FAILED
    return EXIT_TASKS_FAILED if job.tally.failed else EXIT_SUCCEEDED


def describe(job: Job, *, events: Sequence[JobEvent]) -> str:
    sections = [
        pairs(_state_pairs(job)),
        pairs(request_pairs(job.request)),
        failures(job.tally.codes),
        _events(events),
    ]
    sections.append(f"Possible now: {', '.join(possible_calls(job))}")
    return "\n\n".join(section for section in sections if section)


def totals(job: Job) -> str:
    """The end of a run: what became of the job, where its report is, which codes failed."""
    kind = " (dry run)" if job.request.dry_run else ""
    lines = [f"Job {job.id} {job.status}{kind}: {outcome(job)}"]
    if job.failure_code:
        lines.append(f"Reason: {job.failure_code}: {job.failure_reason}")
    elif job.status is JobStatus.CANCELLED:
        lines.append(f"Reason: {job.status_reason}")
    if job.tally.codes:
        lines.append(failures(job.tally.codes))
    lines.append(f"Report: {report(job)}")
    return "\n".join(lines)


def outcome(job: Job) -> str:
    """``5,000 tasks, 4,985 succeeded (3 skipped), 15 failed, 1.2 GB in 0:01:02``; of a dry run ``would succeed``."""
    tally = job.tally
    skipped = f" ({count(tally.skipped)} skipped)" if tally.skipped else ""
    total = "" if job.total is None else f"{counted(job.total, 'task')}, "
    good, bad = ("would succeed", "would fail") if job.request.dry_run else ("succeeded", "failed")
    text = f"{total}{count(tally.succeeded)} {good}{skipped}, {count(tally.failed)} {bad}"
    left = (job.total or job.planned_rows) - tally.succeeded - tally.failed
    if job.ended_at is not None and left > 0:
        text += f", {count(left)} not attempted"
    if job.started_at is not None and job.ended_at is not None:
        text += f", {size(tally.bytes_done)} in {duration(job.ended_at - job.started_at)}"
    return text


def report(job: Job) -> str:
    match job.report_state:
        case ReportState.NONE:
            return "none was asked for"
        case ReportState.DELIVERED:
            return job.report_location
        case ReportState.PENDING:
            return "not delivered yet" + _why_undelivered(job)
        case ReportState.FAILED:
            return "could not be delivered; the results are kept"


def _why_undelivered(job: Job) -> str:
    """`` (bucket: error)`` where a delivery has failed already."""
    return f" ({why_undelivered(job.hold)})" if job.hold is not None and job.is_report_held else ""


def failures(codes: dict[str, CodeTally]) -> str:
    if not codes:
        return ""
    ordered = sorted(codes.items(), key=lambda pair: (-pair[1].count, pair[0]))
    return table(
        ("FAILURE", "COUNT", "SAMPLE KEYS"),
        [(code, count(tally.count), ", ".join(tally.samples)) for code, tally in ordered],
    )


def _events(events: Sequence[JobEvent]) -> str:
    if not events:
        return ""
    rows = [
        (iso_time(event.at) or "", event.by or event.actor.value, event.kind, event.status.value, event.reason)
        for event in events
    ]
    return table(("TIME", "BY", "EVENT", "STATUS", "REASON"), rows)


def _state_pairs(job: Job) -> list[tuple[str, str]]:
    paused_by = f" (by {job.paused_by})" if job.paused_by else ""
    is_suspended = job.status is JobStatus.SUSPENDED
    waits_for = f"{job.suspended_cause}, since {iso_time(job.suspended_at)}" if is_suspended else ""
    waits = job.hold if not is_final(job.status) else None  # else its report does, and says so
    hold = f"{waits.bucket} since {iso_time(waits.since)}: {waits.reason}" if waits else ""
    return [
        ("Job", job.id),
        ("Status", f"{job.status}{paused_by}" + (f": {job.status_reason}" if job.status_reason else "")),
        ("Waits for", waits_for),
        ("Failure", f"{job.failure_code}: {job.failure_reason}" if job.failure_code else ""),
        ("On hold", hold),
        ("Progress", outcome(job)),
        ("Planned", f"{counted(job.planned_rows, 'row')} so far" if job.total is None else ""),
        ("Requests", count(job.tally.requests)),
        ("Report", report(job)),
        ("Priority", str(job.priority)),
        ("Created", iso_time(job.created_at) or ""),
        ("Started", iso_time(job.started_at) or ""),
        ("Ended", iso_time(job.ended_at) or ""),
    ]
