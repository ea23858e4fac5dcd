"""``cosbatch job-template copy``, and the same for the other operations."""

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


@verb("delete", shared=())
def delete(_: Invocation) -> int:
    """A job that deletes every object of a manifest."""
    click.echo(read_template("delete"), nl=False)
    return EXIT_SUCCEEDED


@verb("restore", shared=())
def restore(_: Invocation) -> int:
    """A job that restores every archived object of a manifest."""
    click.echo(read_template("restore"), nl=False)
    return EXIT_SUCCEEDED


@verb("tags", shared=())
def tags(_: Invocation) -> int:
    """A job that tags every object of a manifest."""
    click.echo(read_template("tags"), nl=False)
    return EXIT_SUCCEEDED


job_template.add_command(copy)
job_template.add_command(delete)
job_template.add_command(restore)
job_template.add_command(tags)


def read_template(name: str) -> str:
    return resources.files("cosbatch.cli").joinpath("templates", f"{name}.yaml").read_text(encoding="utf-8")
