"""What the ledger stores as JSON comes back exactly, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.ledger.codec import Unreadable, decode, encode
from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import Hold, JobRequest, PlanFindings
from cosbatch.model.operations import (
    DeleteObject,
    InitiateRestoreObject,
    OperationParameters,
    PutObjectCopy,
    PutObjectTagging,
    RestoreTier,
    TaggingChange,
)
from cosbatch.model.reports import CodeTally, Tally
from tests.contract.ledgers import request

FINITE = st.floats(allow_nan=False, allow_infinity=False)
REQUESTS = st.builds(JobRequest, failure_threshold=st.none() | FINITE | st.integers())
TALLIES = st.builds(Tally, codes=st.dictionaries(st.text(), st.builds(CodeTally, samples=st.just(()))))


def changed(value: object, **changes: Any) -> str:
    return json.dumps(json.loads(encode(value)) | changes)


@given(REQUESTS)
def test_every_request_comes_back(value: JobRequest) -> None:
    found = decode(encode(value), JobRequest)
    assert found == value
    assert type(found.operation) is type(value.operation)


@given(st.builds(PlanFindings))
def test_every_finding_comes_back(value: PlanFindings) -> None:
    assert decode(encode(value), PlanFindings) == value


@given(TALLIES)
def test_every_tally_comes_back(value: Tally) -> None:
    assert decode(encode(value), Tally) == value


@given(st.builds(Hold, since=FINITE))
def test_every_hold_comes_back(value: Hold) -> None:
    assert decode(encode(value), Hold) == value


@pytest.mark.parametrize(
    "operation",
    [
        PutObjectCopy(target_bucket=Bucket("t")),
        InitiateRestoreObject(expiration_in_days=3, job_tier=RestoreTier.BULK),
        DeleteObject(),
        PutObjectTagging(tagging_directive=TaggingChange.ADD),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_operations_are_told_apart_by_their_wire_names(operation: OperationParameters) -> None:
    stored = encode(request(operation=operation))
    assert type(decode(stored, JobRequest).operation) is type(operation)
    assert json.loads(stored)["operation"]["kind"].startswith("COS")


def test_any_text_is_kept_and_stored_as_ascii() -> None:
    value = request(description="a\n\x00é\udcff\U0001f600")
    assert encode(value).isascii()
    assert decode(encode(value), JobRequest) == value


def test_what_was_written_without_a_newer_field_takes_its_default() -> None:
    stored = json.loads(encode(request()))
    del stored["verify"]
    assert decode(json.dumps(stored), JobRequest) == request()


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        (changed(request(), v=2), "version 2"),
        (changed(request(), surprise=1), "surprise is not known"),
        (changed(request(), priority="7"), r"JobRequest\.priority: '7' where a int"),
        (changed(request(), priority=True), r"JobRequest\.priority"),
        (changed(request(), confirmation_required=1), r"confirmation_required"),
        (changed(request(), failure_threshold="half"), r"failure_threshold"),
        (changed(request(), verify="sometimes"), "sometimes"),
        (changed(request(), operation={"kind": "COSFormat"}), "'COSFormat' is not a kind"),
        (changed(request(), operation={}), "None is not a kind"),
        (changed(request(), manifest=None), r"JobRequest\.manifest"),
        ('{"v":1}', "region"),
        ("[]", "version None"),
    ],
)
def test_anything_else_is_refused_naming_the_place(stored: str, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        decode(stored, JobRequest)


def test_a_pair_has_two_members() -> None:
    stored = json.loads(encode(request()))
    stored["operation"]["new_object_metadata"]["user_metadata"] = [["only-one"]]
    with pytest.raises(Unreadable, match=r"user_metadata\[0\]: 1 members"):
        decode(json.dumps(stored), JobRequest)
