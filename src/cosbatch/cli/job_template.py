"""``cosbatch job-template copy``."""

from __future__ import annotations

from importlib import resources

import click


@click.group("job-template")
def job_template() -> None:
    """Print a commented job file to begin with."""


@job_template.command("copy")
def copy() -> None:
    """A job that copies every object of a manifest."""
    click.echo(read_template("copy"), nl=False)


def read_template(name: str) -> str:
    return resources.files("cosbatch.cli").joinpath("templates", f"{name}.yaml").read_text(encoding="utf-8")
