"""What errors say to people, and where they stand in the tree."""

from __future__ import annotations

import pytest

from cosbatch.model import errors
from cosbatch.model.errors import (
    CosbatchError,
    FailureCode,
    Fault,
    IllegalMove,
    InvalidArgument,
    JobFailure,
    LedgerError,
    LedgerUnavailable,
    ManifestFaulty,
    NoSuchJob,
    RequestError,
    SpoolError,
    SpoolMissing,
    StaleFence,
    StorageError,
    StorageReason,
    TokenReused,
    Unanswered,
)

FAULT = Fault(path="Manifest.Spec.Fields[2]", value="Kee", problem="no such field", way_out="write Key")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (FAULT, "Manifest.Spec.Fields[2]: no such field (it is 'Kee'); write Key"),
        (Fault(path="list.csv:7:2", value="", problem="the key is empty"), "list.csv:7:2: the key is empty"),
        (Fault(path="p", value="a\nb", problem="bad"), r"p: bad (it is 'a\nb')"),
    ],
)
def test_a_fault_says_where_what_and_the_way_out(fault: Fault, said: str) -> None:
    assert str(fault) == said


def test_a_request_error_lists_all_of_its_faults() -> None:
    refused = InvalidArgument("2 faults", faults=[FAULT, Fault(path="Priority", value="-1", problem="too small")])

    assert str(refused).splitlines() == ["2 faults", f"  {FAULT}", "  Priority: too small (it is '-1')"]
    assert (refused.code, refused.http_status) == ("InvalidArgument", 400)


@pytest.mark.parametrize(
    ("kind", "code", "http_status"),
    [
        (RequestError, "InvalidRequest", 400),
        (InvalidArgument, "InvalidArgument", 400),
        (NoSuchJob, "NoSuchJob", 404),
        (IllegalMove, "InvalidRequest", 400),
        (TokenReused, "InvalidRequest", 400),
    ],
)
def test_a_request_error_has_its_wire_code(kind: type[RequestError], code: str, http_status: int) -> None:
    refused = kind("no")

    assert (refused.code, refused.http_status, str(refused)) == (code, http_status, "no")


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (
            StorageError(
                StorageReason.ACCESS_DENIED, "not yours", code="AllAccessDisabled", http_status=403, target="GET b/k"
            ),
            "GET b/k: AllAccessDisabled (403): not yours",
        ),
        (StorageError(StorageReason.REFUSED, "no listener"), "request: ConnectionRefused: no listener"),
        (Unanswered("reset after 10 bytes", target="PUT b/k"), "PUT b/k: Unanswered: reset after 10 bytes"),
    ],
)
def test_a_storage_error_says_what_was_asked_and_what_came_back(refused: StorageError, said: str) -> None:
    assert str(refused) == said


def test_a_refusal_without_a_code_is_named_by_its_reason() -> None:
    assert StorageError(StorageReason.NO_SUCH_KEY, "gone").code == "NoSuchKey"
    assert StorageError(StorageReason.SLOW_DOWN, "wait", retry_after_seconds=2.5).retry_after_seconds == 2.5


def test_a_faulty_manifest_says_its_first_fault_and_how_it_fails_the_job() -> None:
    faulty = ManifestFaulty([FAULT], more=True)

    assert str(faulty) == str(FAULT)
    assert (faulty.more, faulty.failure_code) == (True, FailureCode.MANIFEST_PARSING_ERROR)
    assert str(ManifestFaulty([])) == "the manifest cannot be used"
    assert ManifestFaulty([], failure_code=FailureCode.MANIFEST_EMPTY).failure_code == "ManifestEmpty"


def test_a_job_failure_says_its_code_and_reason() -> None:
    failure = JobFailure(FailureCode.REGION_MISMATCH, "the bucket lives elsewhere")

    assert str(failure) == "RegionMismatch: the bucket lives elsewhere"
    assert failure.reason == "the bucket lives elsewhere"


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (NoSuchJob, RequestError),
        (IllegalMove, RequestError),
        (TokenReused, RequestError),
        (Unanswered, StorageError),
        (StaleFence, LedgerError),
        (LedgerUnavailable, LedgerError),
        (SpoolMissing, SpoolError),
    ],
)
def test_each_error_stands_under_its_parent(kind: type[Exception], parent: type[Exception]) -> None:
    assert issubclass(kind, parent)


def test_the_tree_drawn_at_the_top_of_the_module_is_the_tree() -> None:
    drawn = {line.split("+--")[1].split()[0] for line in (errors.__doc__ or "").splitlines() if "+--" in line}
    kinds = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, CosbatchError) and kind is not CosbatchError
    }

    assert drawn | {"InvalidArgument"} == kinds  # which is a RequestError with another code and nothing else
