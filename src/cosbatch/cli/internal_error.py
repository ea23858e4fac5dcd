"""An error that nobody foresaw: one line on the screen, and its traceback in the log."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Final

import click

from cosbatch.cli.output import print_json

if TYPE_CHECKING:  # it imports this module
    from cosbatch.cli.invocation import Invocation

LOG_FILE: Final = "cosbatch.log"


def tell_internal_error(error: Exception, *, invocation: Invocation) -> None:
    """The traceback is shown as well where it could not be logged, and with ``--log-level debug``."""
    log_file = invocation.state_folder / LOG_FILE
    is_logged = _log(error, invocation=invocation)
    message = f"internal error ({type(error).__name__})"
    if is_logged:
        message += f"; its traceback is in {log_file}"
    if not is_logged or invocation.log_level == "debug":
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    if invocation.as_json:
        print_json({"error": {"code": "InternalError", "message": message, "faults": []}})
    else:
        click.echo(f"cosbatch: {message}", err=True)


def _log(error: Exception, *, invocation: Invocation) -> bool:
    try:
        import structlog

        with invocation.wiring.logging_to_folder(invocation.state_folder, level=invocation.log_level):
            structlog.get_logger(__name__).error("internal-error", exc_info=error)
    except Exception:  # whatever broke the command may be what breaks the log
        return False
    return True
