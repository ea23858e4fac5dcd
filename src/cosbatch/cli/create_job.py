"""``cosbatch create-job``."""

from __future__ import annotations

import uuid
from pathlib import Path

import click

from cosbatch.cli.change import change_job
from cosbatch.cli.invocation import WITH_ACCOUNT, Invocation, verb


@verb("create-job", shared=WITH_ACCOUNT)
@click.argument("job_file", metavar="JOB.yaml", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--token",
    default="",
    help="A client request token: the same call under the same token answers the job that it made.",
)
def create_job(invocation: Invocation, *, job_file: Path, token: str) -> int:
    """Make the job of a file and leave it to the service.

    The engine that works on the data folder, or the service over the network, runs it. A job that asks for a
    confirmation waits for cosbatch confirm. cosbatch run stays with its job until the end.
    """
    from cosbatch.cli.run_identity import parse_job_file

    parsed = parse_job_file(job_file, regions=None)
    # With a token the call is made again where its answer gets lost.
    chosen = token or parsed.client_request_token or str(uuid.uuid4())
    return change_job(invocation, ask=lambda jobs: jobs.create_job(parsed.request, token=chosen))
