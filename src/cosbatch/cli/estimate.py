"""``cosbatch estimate``: what the job of a file would come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, WITH_SERVICE, Invocation, run_async, verb


@verb("estimate", shared=WITH_SERVICE)
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
    the rest is estimated from them. A service over the network estimates by its own measures and prices.
    """
    if bytes_per_second is not None and requests_per_second is None:
        raise click.UsageError("--bytes-per-second needs --requests-per-second")
    if invocation.login is not None:
        if whole or requests_per_second is not None:
            text = "a service takes neither --whole nor rates; name --config to estimate on this host"
            raise click.UsageError(text)
        return run_async(_estimate_there(invocation, job_file=job_file))
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
    return _tell(invocation, estimate_document(found))


async def _estimate_there(invocation: Invocation, *, job_file: Path) -> int:
    """Raises InvalidArgument where the service says of the job's checks why there is none."""
    from cosbatch.cli.run_identity import parse_job_file
    from cosbatch.model.errors import Fault, InvalidArgument

    parsed = parse_job_file(job_file, regions=None)
    async with invocation.open_checks() as checks:
        checked = await checks.check_job(parsed.request)
    if checked["estimate"] is None:
        faults = [
            Fault(path=check["name"], value="", problem=check["detail"], way_out=check["way_out"])
            for check in checked["checks"]
            if check["outcome"] != "passed"
        ]
        raise InvalidArgument("the service can tell nothing of what this job comes to", faults=faults)
    return _tell(invocation, checked["estimate"])


def _tell(invocation: Invocation, found: Mapping[str, Any]) -> int:
    from cosbatch.cli.output import print_json

    if invocation.as_json:
        print_json(found)
    else:
        click.echo(estimate_page(found))
    return EXIT_SUCCEEDED


def estimate_page(found: Mapping[str, Any]) -> str:
    """``found`` is as :func:`cosbatch.service.estimates.estimate_document` writes it."""
    from cosbatch.cli.output import count, counted, pairs, size, table

    about = "" if found["is_exact"] else "about "
    size_bytes, in_parts, cost = found["size_bytes"], found["objects_in_parts"], found["cost"]
    rows = [
        (
            "Counted",
            f"{counted(found['rows_read'], 'row')}{', all there are' if found['is_exact'] else ' of the manifest'}",
        ),
        ("Objects", f"{about}{count(found['objects'])}"),
        ("Bytes", "not listed" if size_bytes is None else f"{about}{size(size_bytes)}"),
        ("In parts", f"{about}{counted(in_parts, 'object')}" if in_parts else ""),
        ("Requests", f"{about}{count(found['total_requests'])}"),
        ("Duration", _duration(found)),
        ("Cost", _total(cost)),
    ]
    sections = [
        pairs(rows),
        table(("REQUESTS", "NUMBER"), [(kind, count(number)) for kind, number in sorted(found["requests"].items())]),
    ]
    if any(line["unit_price"] is not None for line in cost["lines"]):
        sections.append(table(("COST OF", "QUANTITY", cost["currency"]), _cost_rows(cost["lines"])))
    return "\n\n".join([*sections, *(f"Note: {note}" for note in found["notes"])])


def _duration(found: Mapping[str, Any]) -> str:
    from cosbatch.cli.output import counted, duration

    rate = found["rate"]
    if found["duration_seconds"] is None or rate is None:
        return "no job was measured yet; give --requests-per-second"
    measured = f", measured of {counted(rate['measured_jobs'], 'job')}" if rate["measured_jobs"] else ""
    return f"about {duration(found['duration_seconds'])} (at {rate['requests_per_second']:,.0f} requests/s{measured})"


def _total(cost: Mapping[str, Any]) -> str:
    if cost["total"] is not None:
        return f"about {cost['total']:,.2f} {cost['currency']}"
    return f"not known: the settings have no price of {', '.join(cost['unpriced'])}"


def _cost_rows(lines: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (
            line["what"],
            f"{line['quantity']:,.0f}",
            "no price" if line["amount"] is None else f"{line['amount']:,.2f}",
        )
        for line in lines
    ]
