"""What a storage error means: for the task that got it, and for the bucket that sent it. Pure functions.

Two questions, answered apart. :func:`disposition` says what becomes of the request. :func:`blame` says whether the
error tells something about the store; the pacer of the bucket gathers that from all requests, and alone decides whether
one request had bad luck (it is repeated) or nothing gets through (the bucket is held).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple, assert_never

from cosbatch.model.errors import FailureCode, StorageError, StorageReason

BACKOFF_BASE_SECONDS: Final = 0.1
BACKOFF_LIMIT_SECONDS: Final = 20.0
RETRY_AFTER_LIMIT_SECONDS: Final = 300.0
"""A store that asks for more is asked again after this: an HTTP date of a wrong clock can lie years ahead."""

_BACKOFF_DOUBLINGS: Final = 16  # 0.1 s doubled so often is far above the limit, and no float overflows
_PASSING_CONFLICTS: Final = frozenset({"OperationAborted", "ConditionalRequestConflict"})
"""409s that S3 documents with "try again": another request on the same thing was under way. Other conflicts (a locked
object, a path that is taken) are there to stay."""

_LOCAL_REASONS: Final = frozenset(
    {StorageReason.INVALID_KEY, StorageReason.INVALID_REQUEST, StorageReason.NO_SUCH_BUCKET}
)
"""What adapters say of a key, a header or a bucket's name that no request can carry."""


class Action(StrEnum):
    """What becomes of a request that was not answered well."""

    RETRY = "retry"
    """Nothing was done; send it again."""
    HOLD_IF_ALL = "hold-if-all"
    """Nothing was done; send it again, and hold the bucket if all of its requests end so."""
    SETTLE = "settle"
    """A write that may have been done: only its operation can find out."""
    FAIL_TASK = "fail-task"
    FAIL_JOB = "fail-job"
    """No task of the job can fare better; :func:`failure_code` has the cause."""


class Disposition(NamedTuple):
    action: Action
    after_seconds: float | None = None
    """Not before this many seconds, where the store asked for it."""


class Blame(StrEnum):
    """What an error tells about the store."""

    REQUEST = "request"
    """The store is well: it has looked at the request and answered."""
    UNCLEAR = "unclear"
    """The store's trouble, or that of one object in it."""
    STORE = "store"
    """No matter which object was meant."""
    IDENTITY = "identity"
    """The credentials are over: nothing will get through before there are new ones."""


def disposition(error: StorageError, *, writes: bool) -> Disposition:
    """What to do about ``error``, which a request got that ``writes`` or only reads."""
    match error.reason:
        case (
            StorageReason.NO_SUCH_KEY
            | StorageReason.NO_SUCH_VERSION
            | StorageReason.NO_SUCH_UPLOAD
            | StorageReason.DELETE_MARKER
            | StorageReason.ACCESS_DENIED
            | StorageReason.PRECONDITION_FAILED
            | StorageReason.INVALID_OBJECT_STATE
            | StorageReason.RESTORE_IN_PROGRESS
            | StorageReason.TOO_LARGE
            | StorageReason.INVALID_REQUEST
            | StorageReason.INVALID_KEY
            | StorageReason.NOT_IMPLEMENTED  # perhaps of this object only: a large one goes by other requests
            | StorageReason.QUOTA_EXCEEDED  # perhaps of this object only: a smaller one may still fit
            | StorageReason.OTHER
        ):
            return Disposition(Action.FAIL_TASK)
        case StorageReason.NO_SUCH_BUCKET | StorageReason.WRONG_REGION:
            return Disposition(Action.FAIL_JOB)
        case StorageReason.CONFLICT:
            return _repeat(Action.RETRY, error) if error.code in _PASSING_CONFLICTS else Disposition(Action.FAIL_TASK)
        case StorageReason.BODY_DAMAGED:
            return _repeat(Action.RETRY, error)
        case StorageReason.SERVER_ERROR | StorageReason.UNANSWERED | StorageReason.MALFORMED_ANSWER:
            return Disposition(Action.SETTLE) if writes else _repeat(Action.HOLD_IF_ALL, error)
        case (
            StorageReason.SLOW_DOWN
            | StorageReason.REFUSED
            | StorageReason.NAME_NOT_RESOLVED
            | StorageReason.TLS_FAILED
            | StorageReason.CONNECT_TIMEOUT
            | StorageReason.CREDENTIALS_EXPIRED
            | StorageReason.CREDENTIALS_REFUSED
            | StorageReason.CLOCK_SKEWED
        ):
            return _repeat(Action.HOLD_IF_ALL, error)
        case unknown:
            assert_never(unknown)


def blame(error: StorageError) -> Blame:
    """What ``error`` tells about the store; everything but REQUEST speaks for a hold."""
    match error.reason:
        case StorageReason.CREDENTIALS_EXPIRED:
            return Blame.IDENTITY
        case StorageReason.CREDENTIALS_REFUSED if error.code == "SignatureDoesNotMatch":
            return Blame.UNCLEAR  # also the answer to one key that the store spells otherwise before it checks
        case (
            StorageReason.SLOW_DOWN
            | StorageReason.REFUSED
            | StorageReason.NAME_NOT_RESOLVED
            | StorageReason.TLS_FAILED
            | StorageReason.CONNECT_TIMEOUT
            | StorageReason.CREDENTIALS_REFUSED
            | StorageReason.CLOCK_SKEWED
        ):
            return Blame.STORE
        case StorageReason.SERVER_ERROR | StorageReason.UNANSWERED | StorageReason.MALFORMED_ANSWER:
            return Blame.UNCLEAR
        case _:
            return Blame.REQUEST


def is_local(error: StorageError) -> bool:
    """Whether an adapter refused the request by itself: nothing was sent, and the store knows nothing of it."""
    return not error.http_status and error.reason in _LOCAL_REASONS


def is_pressure(error: StorageError) -> bool:
    """Whether fewer requests at a time may help: throttling, and whatever ran out of time."""
    match error.reason:
        case StorageReason.SLOW_DOWN | StorageReason.CONNECT_TIMEOUT | StorageReason.UNANSWERED:
            return True
        case StorageReason.SERVER_ERROR:
            return error.http_status in (503, 504)
        case _:
            return False


def is_outcome_unknown(error: StorageError, *, writes: bool = True) -> bool:
    """Whether the request may have been applied all the same, so that only a look at the bucket can tell."""
    return disposition(error, writes=writes).action is Action.SETTLE


def failure_code(error: StorageError) -> FailureCode | None:
    """Why a job fails that got ``error``; None where the error fails no job."""
    match error.reason:
        case StorageReason.NO_SUCH_BUCKET:
            return FailureCode.TARGET_NOT_FOUND
        case StorageReason.WRONG_REGION:
            return FailureCode.REGION_MISMATCH
        case _:
            return None


def backoff_seconds(attempt: int, random: Callable[[], float]) -> float:
    """Seconds to wait after the failed attempt number ``attempt``, counted from 1; ``random`` draws from [0, 1).

    Full jitter: anything from nothing to a limit that doubles from 0.1 s up to 20 s. Requests that failed together
    come back spread out (AWS Architecture Blog, "Exponential Backoff And Jitter").
    """
    doubled = math.ldexp(BACKOFF_BASE_SECONDS, min(attempt - 1, _BACKOFF_DOUBLINGS))
    return random() * min(doubled, BACKOFF_LIMIT_SECONDS)


def _repeat(action: Action, error: StorageError) -> Disposition:
    asked = error.retry_after_seconds
    return Disposition(action, None if asked is None else min(max(asked, 0.0), RETRY_AFTER_LIMIT_SECONDS))
