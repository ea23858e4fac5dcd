"""The whole table: what each reason means for a read, for a write, and for the bucket."""

from __future__ import annotations

import pytest

from cosbatch.model.errors import FailureCode, StorageError, StorageReason, Unanswered
from cosbatch.storage.disposition import (
    RETRY_AFTER_LIMIT_SECONDS,
    Action,
    Blame,
    Disposition,
    backoff_seconds,
    blame,
    disposition,
    failure_code,
    is_outcome_unknown,
    is_pressure,
)

R = StorageReason
A = Action
B = Blame

# reason: (a read, a write, whose fault, does it ask for fewer requests at a time)
TABLE: dict[StorageReason, tuple[Action, Action, Blame, bool]] = {
    R.NO_SUCH_KEY: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.NO_SUCH_VERSION: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.NO_SUCH_BUCKET: (A.FAIL_JOB, A.FAIL_JOB, B.REQUEST, False),
    R.NO_SUCH_UPLOAD: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.DELETE_MARKER: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.ACCESS_DENIED: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.CREDENTIALS_EXPIRED: (A.HOLD_IF_ALL, A.HOLD_IF_ALL, B.IDENTITY, False),
    R.CREDENTIALS_REFUSED: (A.HOLD_IF_ALL, A.HOLD_IF_ALL, B.STORE, False),
    R.CLOCK_SKEWED: (A.HOLD_IF_ALL, A.HOLD_IF_ALL, B.STORE, False),
    R.PRECONDITION_FAILED: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.INVALID_OBJECT_STATE: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.RESTORE_IN_PROGRESS: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.CONFLICT: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.TOO_LARGE: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.INVALID_REQUEST: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.INVALID_KEY: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.NOT_IMPLEMENTED: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.WRONG_REGION: (A.FAIL_JOB, A.FAIL_JOB, B.REQUEST, False),
    R.QUOTA_EXCEEDED: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
    R.SLOW_DOWN: (A.HOLD_IF_ALL, A.HOLD_IF_ALL, B.STORE, True),
    R.SERVER_ERROR: (A.HOLD_IF_ALL, A.SETTLE, B.UNCLEAR, False),
    R.REFUSED: (A.HOLD_IF_ALL, A.HOLD_IF_ALL, B.STORE, False),
    R.NAME_NOT_RESOLVED: (A.HOLD_IF_ALL, A.HOLD_IF_ALL, B.STORE, False),
    R.TLS_FAILED: (A.HOLD_IF_ALL, A.HOLD_IF_ALL, B.STORE, False),
    R.CONNECT_TIMEOUT: (A.HOLD_IF_ALL, A.HOLD_IF_ALL, B.STORE, True),
    R.UNANSWERED: (A.HOLD_IF_ALL, A.SETTLE, B.UNCLEAR, True),
    R.MALFORMED_ANSWER: (A.HOLD_IF_ALL, A.SETTLE, B.UNCLEAR, False),
    R.BODY_DAMAGED: (A.RETRY, A.RETRY, B.REQUEST, False),
    R.OTHER: (A.FAIL_TASK, A.FAIL_TASK, B.REQUEST, False),
}


def refusal(
    reason: StorageReason, *, code: str = "", http_status: int = 0, retry_after: float | None = None
) -> StorageError:
    return StorageError(reason, "no", code=code, http_status=http_status, retry_after_seconds=retry_after)


def test_every_reason_is_decided() -> None:
    assert set(TABLE) == set(StorageReason)


@pytest.mark.parametrize("reason", StorageReason)
def test_each_reason_means_what_the_table_says(reason: StorageReason) -> None:
    error = refusal(reason)
    read, write = disposition(error, writes=False), disposition(error, writes=True)
    assert (read.action, write.action, blame(error), is_pressure(error)) == TABLE[reason]


@pytest.mark.parametrize("reason", StorageReason)
def test_the_parts_of_the_table_agree(reason: StorageReason) -> None:
    read, write, culprit, presses = TABLE[reason]
    assert (read is A.HOLD_IF_ALL) == (culprit is not B.REQUEST), "a hold speaks of the store"
    assert write in (read, A.SETTLE), "a write differs from a read only in that it may have been done"
    assert is_outcome_unknown(refusal(reason)) == (write is A.SETTLE)
    assert not is_outcome_unknown(refusal(reason), writes=False)
    assert (failure_code(refusal(reason)) is not None) == (read is A.FAIL_JOB)
    assert not presses or culprit is not B.REQUEST


def test_an_unanswered_write_is_settled() -> None:
    assert disposition(Unanswered("reset"), writes=True) == Disposition(Action.SETTLE)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (R.NO_SUCH_BUCKET, FailureCode.TARGET_NOT_FOUND),
        (R.WRONG_REGION, FailureCode.REGION_MISMATCH),
        (R.ACCESS_DENIED, None),
    ],
)
def test_what_fails_a_job_has_a_failure_code(reason: StorageReason, code: FailureCode | None) -> None:
    assert failure_code(refusal(reason)) == code


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("OperationAborted", Action.RETRY),
        ("ConditionalRequestConflict", Action.RETRY),
        ("ObjectLocked", Action.FAIL_TASK),
        ("PathConflict", Action.FAIL_TASK),
    ],
)
def test_a_conflict_is_repeated_only_where_it_passes(code: str, action: Action) -> None:
    assert disposition(refusal(R.CONFLICT, code=code, http_status=409), writes=True).action is action


@pytest.mark.parametrize(
    ("code", "culprit"), [("InvalidAccessKeyId", Blame.STORE), ("SignatureDoesNotMatch", Blame.UNCLEAR)]
)
def test_a_wrong_signature_may_be_the_fault_of_one_key(code: str, culprit: Blame) -> None:
    assert blame(refusal(R.CREDENTIALS_REFUSED, code=code, http_status=403)) is culprit


@pytest.mark.parametrize(("status", "presses"), [(500, False), (502, False), (503, True), (504, True)])
def test_of_server_errors_those_of_time_and_load_ask_for_fewer_requests(status: int, presses: bool) -> None:
    assert is_pressure(refusal(R.SERVER_ERROR, http_status=status)) is presses


@pytest.mark.parametrize(("asked", "after"), [(None, None), (2.5, 2.5), (-1.0, 0.0), (1e9, RETRY_AFTER_LIMIT_SECONDS)])
def test_what_the_store_asked_for_is_kept_within_reason(asked: float | None, after: float | None) -> None:
    error = refusal(R.SLOW_DOWN, retry_after=asked)
    assert disposition(error, writes=True) == Disposition(Action.HOLD_IF_ALL, after)


@pytest.mark.parametrize(
    ("attempt", "limit"), [(1, 0.1), (2, 0.2), (3, 0.4), (8, 12.8), (9, 20.0), (10, 20.0), (10_000, 20.0)]
)
def test_backoff_doubles_up_to_its_limit_and_jitters_fully(attempt: int, limit: float) -> None:
    assert backoff_seconds(attempt, lambda: 0.999999) == pytest.approx(limit, rel=1e-5)
    assert backoff_seconds(attempt, lambda: 0.5) == pytest.approx(limit / 2)
    assert backoff_seconds(attempt, lambda: 0.0) == 0
