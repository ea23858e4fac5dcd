"""The course of ``cosbatch serve``: start, say where it listens, run until a signal, drain."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import click

from cosbatch.cli.interrupts import Interrupted, until_interrupted
from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation, run_async
from cosbatch.cli.output import print_json
from cosbatch.settings import Settings


def run_service(invocation: Invocation, *, host: str | None, port: int | None, has_demo_store: bool = False) -> int:
    """0 after a signal; an error of a part of the service comes out of it."""
    settings = invocation.settings()
    if not has_demo_store:
        return _run(invocation, settings, host=host, port=port, demo=nullcontext())
    from cosbatch.cli.demo.beside import place_beside, running_beside, with_demo_store

    with place_beside(invocation.state_folder) as beside:
        settings = with_demo_store(settings, beside)
        return _run(invocation, settings, host=host, port=port, demo=running_beside(beside))


def _run(
    invocation: Invocation,
    settings: Settings,
    *,
    host: str | None,
    port: int | None,
    demo: AbstractContextManager[Mapping[str, Any] | None],
) -> int:
    """``demo`` is entered once the workers are forked, and tells the sample job."""
    wiring = invocation.wiring
    with (
        wiring.logging_to_folder(invocation.state_folder, level=invocation.log_level, log_format=settings.log_format),
        wiring.engine_supervisor(settings) as supervisor,
        demo as sample,
    ):
        try:
            run_async(
                until_interrupted(
                    _serve(invocation, settings, host=host, port=port, supervisor=supervisor, sample=sample),
                    on_first=lambda: click.echo("Stopping: what is under way is waited for.", err=True),
                    on_second=lambda: None,
                )
            )
        except Interrupted:
            click.echo("Stopped.", err=True)
    return EXIT_SUCCEEDED


async def _serve(
    invocation: Invocation,
    settings: Settings,
    *,
    host: str | None,
    port: int | None,
    supervisor: Any,
    sample: Mapping[str, Any] | None,
) -> None:
    async with invocation.wiring.open_serving(
        settings,
        invocation.state_folder,
        host=settings.server.host if host is None else host,
        port=settings.server.port if port is None else port,
        log_level=invocation.log_level,
        supervisor=supervisor,
        sample=sample,
    ) as serving:
        if serving.first_run is not None:
            click.echo(f"First start: user, password and access key are in {serving.first_run}", err=True)
        if invocation.as_json:
            print_json({"address": serving.address, "data": str(invocation.state_folder)})
        else:
            click.echo(f"Serving at {serving.address}")
        await serving.until_broken()
