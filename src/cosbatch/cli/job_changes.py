"""What a job that is made of another one does otherwise: options of its own, or a part of a job file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation
from cosbatch.model.jobs import PRIORITY_MAX

if TYPE_CHECKING:  # --help imports neither pydantic nor SQLAlchemy
    from cosbatch.cli.jobs_port import MadeJob

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option("--description", default=None, help="Of the new job, up to 256 bytes."),
    click.option("--priority", type=click.IntRange(0, PRIORITY_MAX), default=None, help="Greater runs first."),
    click.option(
        "--confirm/--no-confirm", "asks", default=None, help="Whether it waits for a confirmation once it is planned."
    ),
    click.option(
        "--changes",
        "changes_file",
        type=click.Path(dir_okay=False, path_type=Path),
        default=None,
        help="A part of a job file: its fields take the place of the old job's; null takes one away.",
    ),
    click.option(
        "--token",
        default="",
        help="A client request token: the same call under the same token answers the job that it made.",
    ),
)


def with_changes(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def changes_of(
    *, description: str | None, priority: int | None, asks: bool | None, changes_file: Path | None
) -> dict[str, Any]:
    """As a part of a job document. Raises InvalidArgument where the file cannot be read."""
    written = _read(changes_file) if changes_file else {}
    options = {"description": description, "priority": priority, "confirmation_required": asks}
    return written | {name: value for name, value in options.items() if value is not None}


def _read(path: Path) -> dict[str, Any]:
    from cosbatch.model.errors import Fault, InvalidArgument
    from cosbatch.service.documents import read_document

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault(path=str(path), value="", problem=f"cannot be read: {error}")
        raise InvalidArgument("the changes cannot be read", faults=[fault]) from error
    return dict(read_document(text, source=str(path)).content)


def tell_made(invocation: Invocation, made: MadeJob) -> int:
    from cosbatch.cli.output import print_json
    from cosbatch.service.job_document import job_document

    job = made.job
    if invocation.as_json:
        told = {"is_new": made.is_new, "manifest_changed": made.manifest_changed}
        print_json({"job": job_document(job), **told})
        return EXIT_SUCCEEDED
    if made.manifest_changed:
        click.echo("The manifest is another one than that of the old job.", err=True)
    before = "" if made.is_new else " (made before, under this token)"
    click.echo(f"Job {job.id} is {job.status}, priority {job.priority}{before}")
    return EXIT_SUCCEEDED
