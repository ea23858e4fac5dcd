"""``cosbatch job-template copy``."""

from __future__ import annotations

from importlib import resources

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation, verb


@click.group("job-template")
def job_template() -> None:
    """Print a commented job file to begin with."""


@verb("copy", shared=())
def copy(_: Invocation) -> int:
    """A job that copies every object of a manifest."""
    click.echo(read_template("copy"), nl=False)
    return EXIT_SUCCEEDED


job_template.add_command(copy)


def read_template(name: str) -> str:
    return resources.files("cosbatch.cli").joinpath("templates", f"{name}.yaml").read_text(encoding="utf-8")
