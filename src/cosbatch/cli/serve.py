"""``cosbatch serve``: the long-lived service over one data folder."""

from __future__ import annotations

import click

from cosbatch.cli.invocation import Invocation, verb


@verb("serve")
@click.option("--host", default=None, help="Address to listen at. Default: server.host of the settings, 127.0.0.1.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help="Port to listen at; 0 takes any free one. Default: server.port of the settings, 8014.",
)
@click.option(
    "--demo-store",
    "has_demo_store",
    is_flag=True,
    help="Run a store with sample objects beside the service, as its region demo. Needs the extra demo.",
)
def serve(invocation: Invocation, *, host: str | None, port: int | None, has_demo_store: bool) -> int:
    """Run the service: the API, the engine and its workers, in one program.

    The first start writes first-run.json into the data folder, with which a person and a script can begin. A second
    service on the same folder shares the work. A signal ends it cleanly: calls under way are answered, and what is in
    flight is waited for.
    """
    from cosbatch.cli.serve_session import run_service

    return run_service(invocation, host=host, port=port, has_demo_store=has_demo_store)
