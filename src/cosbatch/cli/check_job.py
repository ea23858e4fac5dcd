"""``cosbatch check-job``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cosbatch.cli.invocation import EXIT_JOB_FAILED, EXIT_SUCCEEDED, WITH_ACCOUNT, Invocation, run_async, verb


@verb("check-job", shared=WITH_ACCOUNT)
@click.argument("job_file", metavar="JOB.yaml", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check_job(invocation: Invocation, *, job_file: Path) -> int:
    """Check the job of a file before it is made: its stores, and what it costs.

    What is asked of a job before it starts is asked now, and no job is made. Uploads are begun where it will write, and
    aborted. The exit code is 4 where the job would not start.
    """
    return run_async(_check(invocation, job_file=job_file))


async def _check(invocation: Invocation, *, job_file: Path) -> int:
    from cosbatch.cli.run_identity import parse_job_file

    parsed = parse_job_file(job_file, regions=None)
    async with invocation.open_checks() as checks:
        checked = await checks.check_job(parsed.request)
    return tell_checked(invocation, checked)


def tell_checked(invocation: Invocation, checked: Mapping[str, Any]) -> int:
    """``checked`` is as the API answers it."""
    from cosbatch.cli.output import print_json

    if invocation.as_json:
        print_json(checked)
    else:
        click.echo(checked_page(checked))
    return EXIT_JOB_FAILED if checked["outcome"] == "failed" else EXIT_SUCCEEDED


def checked_page(checked: Mapping[str, Any]) -> str:
    """What failed comes first, with the way out."""
    from cosbatch.cli.estimate import estimate_page
    from cosbatch.cli.output import table

    ranked = sorted(checked["checks"], key=lambda check: ("failed", "unknown", "passed").index(check["outcome"]))
    sections = [
        table(("CHECK", "OUTCOME", "DETAIL"), [(one["name"], one["outcome"], one["detail"]) for one in ranked]),
        *_ways_out(ranked),
    ]
    if checked["estimate"] is not None:
        sections.append(estimate_page(checked["estimate"]))
    return "\n\n".join(sections)


def _ways_out(checks: Sequence[Mapping[str, str]]) -> list[str]:
    from cosbatch.cli.output import one_line

    return [
        one_line(f"{check['name']}: {_needed(check)}")
        for check in checks
        if check["outcome"] != "passed" and (check["missing_permission"] or check["way_out"])
    ]


def _needed(check: Mapping[str, str]) -> str:
    missing = f"it lacks {check['missing_permission']}" if check["missing_permission"] else ""
    return "; ".join(part for part in (missing, check["way_out"]) if part)
