"""``cosbatch estimate``: what the job of a file would come to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation, run_async, verb

if TYPE_CHECKING:  # --help imports no operation
    from cosbatch.operations.estimate import Estimate


@verb("estimate")
@click.argument("job_file", metavar="JOB.yaml", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--whole", is_flag=True, help="Read the manifest to its end, however long it takes.")
@click.option(
    "--requests-per-second",
    type=click.FloatRange(min=0, min_open=True),
    help="Rate for the duration; default: measured of jobs that did the same.",
)
@click.option(
    "--bytes-per-second",
    type=click.FloatRange(min=0, min_open=True),
    help="Beside the rate of requests: of bytes that go from one store to another.",
)
def estimate(
    invocation: Invocation,
    *,
    job_file: Path,
    whole: bool,
    requests_per_second: float | None,
    bytes_per_second: float | None,
) -> int:
    """Show what a job would come to: objects, bytes, requests, duration, cost.

    Nothing is made, nothing is touched. At most 1,000,000 rows of the manifest are read, for at most 5 seconds; then
    the rest is estimated from them.
    """
    if bytes_per_second is not None and requests_per_second is None:
        raise click.UsageError("--bytes-per-second needs --requests-per-second")
    return run_async(
        _estimate(
            invocation,
            job_file=job_file,
            whole=whole,
            requests_per_second=requests_per_second,
            bytes_per_second=bytes_per_second,
        )
    )


async def _estimate(
    invocation: Invocation,
    *,
    job_file: Path,
    whole: bool,
    requests_per_second: float | None,
    bytes_per_second: float | None,
) -> int:
    from cosbatch.cli.output import print_json
    from cosbatch.cli.run_identity import read_job_file
    from cosbatch.model.principals import LOCAL_CALLER
    from cosbatch.operations.estimate import Rate
    from cosbatch.service.estimates import LOOK, WHOLE, estimate_document

    settings, wiring = invocation.settings(), invocation.wiring
    regions = await wiring.known_regions(settings, invocation.state_folder)
    parsed = read_job_file(job_file, regions=regions)
    rate = (
        Rate(requests_per_second=requests_per_second, bytes_per_second=bytes_per_second)
        if requests_per_second is not None
        else None
    )
    async with wiring.open_estimates(settings, invocation.state_folder) as estimates:
        found = await estimates.of_request(
            parsed.request, caller=LOCAL_CALLER, limits=WHOLE if whole else LOOK, rate=rate
        )
    if invocation.as_json:
        print_json(estimate_document(found))
    else:
        click.echo(estimate_page(found))
    return EXIT_SUCCEEDED


def estimate_page(found: Estimate) -> str:
    from cosbatch.cli.output import count, counted, duration, pairs, size, table

    about = "" if found.is_exact else "about "
    rate = found.rate
    measured = "" if rate is None or not rate.measured_jobs else f", measured of {counted(rate.measured_jobs, 'job')}"
    rows = [
        ("Counted", f"{counted(found.rows_read, 'row')}{', all there are' if found.is_exact else ' of the manifest'}"),
        ("Objects", f"{about}{count(found.objects)}"),
        ("Bytes", "not listed" if found.size_bytes is None else f"{about}{size(found.size_bytes)}"),
        ("In parts", f"{about}{counted(found.objects_in_parts, 'object')}" if found.objects_in_parts else ""),
        ("Requests", f"{about}{count(found.total_requests)}"),
        (
            "Duration",
            "no job was measured yet; give --requests-per-second"
            if found.duration_seconds is None or rate is None
            else f"about {duration(found.duration_seconds)} (at {rate.requests_per_second:,.0f} requests/s{measured})",
        ),
        ("Cost", _total(found)),
    ]
    sections = [
        pairs(rows),
        table(("REQUESTS", "NUMBER"), [(kind, count(number)) for kind, number in sorted(found.requests.items())]),
    ]
    if any(line.unit_price is not None for line in found.cost.lines):
        sections.append(table(("COST OF", "QUANTITY", found.cost.currency), _cost_rows(found)))
    return "\n\n".join([*sections, *(f"Note: {note}" for note in found.notes)])


def _total(found: Estimate) -> str:
    total = found.cost.total
    if total is not None:
        return f"about {total:,.2f} {found.cost.currency}"
    return f"not known: the settings have no price of {', '.join(found.cost.unpriced)}"


def _cost_rows(found: Estimate) -> list[tuple[str, str, str]]:
    return [
        (line.what, f"{line.quantity:,.0f}", "no price" if line.amount is None else f"{line.amount:,.2f}")
        for line in found.cost.lines
    ]
