"""Log lines of the program: into a file of the data folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

import structlog

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.settings.fields import LogFormat


@contextmanager
def logging_to_folder(data_dir: Path, *, level: str, log_format: LogFormat = LogFormat.JSON) -> Iterator[None]:
    """Into ``cosbatch.log`` in the data folder; the screen is for people. One JSON object a line, but where somebody
    wants to read along. For this process, while the context is open; processes append whole lines. InvalidArgument
    where the folder cannot be used."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        log_path = data_dir / "cosbatch.log"
        log_path.touch(mode=0o600)  # keys are in it, and the folder may be open to others
        log_file = log_path.open("ab", buffering=0)
    except OSError as error:
        problem = f"cannot be written to: {error.strerror}"
        fault = Fault(
            path="--data", value=str(data_dir), problem=problem, way_out="name a folder that you may write to"
        )
        raise InvalidArgument("the data folder cannot be used", faults=[fault]) from error
    with log_file as file:
        lines = _LogLines(file)
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                _renderer(log_format),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
            logger_factory=lambda *_: lines,
        )
        try:
            yield
        finally:
            structlog.reset_defaults()


def _renderer(log_format: LogFormat) -> structlog.typing.Processor:
    match log_format:
        case LogFormat.JSON:
            return structlog.processors.JSONRenderer(ensure_ascii=False)
        case LogFormat.CONSOLE:
            plain = structlog.dev.plain_traceback  # the default one shows the values of variables, also secret ones
            return structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, exception_formatter=plain)


class _LogLines:
    """What structlog writes to. A line that the disk refuses is lost: who tells of a full disk must not break off over
    it, for the work goes on when there is room again."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def msg(self, message: str) -> None:
        with suppress(OSError):
            self._file.write(f"{message}\n".encode(errors="backslashreplace"))

    debug = info = warning = error = critical = msg
