"""How an operation says what became of a task: the results it builds, and the refusal that needs no request."""

from __future__ import annotations

from typing import Final

from cosbatch.model.tasks import OutcomeCode, Result, Task, TaskStatus
from cosbatch.operations.port import TaskContext

SUCCESSFUL = "Successful"
_SUCCEEDED: Final = TaskStatus.SUCCEEDED  # looking a member up takes a tenth of a microsecond
_new: Final = tuple.__new__
INVALID_TAG = "InvalidTag"
"""S3's and COS's own code for a tag set that no object may have; here before it is sent."""


class TaskRefused(Exception):
    """The task fails for a reason of its own, which no store had to be asked for. Never leaves this room."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def succeeded(
    task: Task, context: TaskContext, *, size_bytes: int = 0, http_status: int = 200, message: str = SUCCESSFUL
) -> Result:
    # Nearly every object ends here: the fields in their order, without the call that gives them names and defaults.
    return _new(
        Result, (task.number, _SUCCEEDED, "", http_status, message, size_bytes, context.requests_sent(), True, "")
    )


def refused(task: Task, context: TaskContext, refusal: TaskRefused) -> Result:
    return Result(
        task.number,
        TaskStatus.FAILED,
        error_code=refusal.code,
        message=refusal.message,
        requests=context.requests_sent(),
    )


def unknown(task: Task, context: TaskContext, *, why: str) -> Result:
    return Result(
        task.number,
        TaskStatus.FAILED,
        error_code=OutcomeCode.OUTCOME_UNKNOWN,
        message=f"A request of an earlier attempt got no answer: {why}",
        requests=context.requests_sent(),
    )
