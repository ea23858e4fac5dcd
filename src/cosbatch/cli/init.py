"""``cosbatch init``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation, verb
from cosbatch.model.errors import Fault, InvalidArgument


@verb("init", shared=("--json",))
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), default=Path("cosbatch.yaml"))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(invocation: Invocation, *, path: Path, force: bool) -> int:
    """Write a commented settings file to begin with.

    It has every setting with its meaning and its default. PATH is cosbatch.yaml where it is not given.
    """
    from cosbatch.cli.output import print_json
    from cosbatch.settings.template import render_settings_file

    _write(path, render_settings_file(), force=force)
    if invocation.as_json:
        print_json({"settings": str(path)})
    else:
        click.echo(f"Wrote {path}: name your stores in it, then start cosbatch serve --config {path}")
    return EXIT_SUCCEEDED


def _write(path: Path, text: str, *, force: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if force else os.O_EXCL)
    try:
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _refused(path, "is there already", "choose another path, or add --force") from None
    except OSError as error:
        raise _refused(path, f"cannot be written: {error.strerror}", "name a file that you may write to") from None


def _refused(path: Path, problem: str, way_out: str) -> InvalidArgument:
    fault = Fault(path="PATH", value=str(path), problem=problem, way_out=way_out)
    return InvalidArgument("the settings file was not written", faults=[fault])
