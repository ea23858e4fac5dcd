"""Restore, delete and tagging in a job's document: read, written again, and what may not be so."""

from __future__ import annotations

from typing import Any

import pytest

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.operations import (
    DeleteObject,
    InitiateRestoreObject,
    OperationParameters,
    PutObjectTagging,
    RestoreTier,
    Tag,
    TaggingChange,
)
from cosbatch.service.documents import read_document
from cosbatch.service.job_document import request_digest, request_document
from cosbatch.service.job_schema import parse_job
from tests.unit.service.job_builders import job_content, job_request, without_places

COPY = {"target_resource": "arn:aws:s3:::cold"}
TAGS = [{"key": "tier", "value": "cold"}, {"key": "seen"}]

GOOD: dict[str, tuple[dict[str, Any], OperationParameters]] = {
    "restore": (
        {"cos_initiate_restore_object": {"expiration_in_days": 365, "job_tier": "Bulk"}},
        InitiateRestoreObject(expiration_in_days=365, job_tier=RestoreTier.BULK),
    ),
    "delete": ({"cos_delete_object": {}}, DeleteObject()),
    "replaced": (
        {"cos_put_object_tagging": {"tagging_directive": "Replace", "tag_set": TAGS}},
        PutObjectTagging(
            tagging_directive=TaggingChange.REPLACED,
            tag_set=(Tag(key="tier", value="cold"), Tag(key="seen", value="")),
        ),
    ),
    "added": (
        {"cos_put_object_tagging": {"tagging_directive": "Add", "tag_set": TAGS[:1]}},
        PutObjectTagging(tagging_directive=TaggingChange.ADD, tag_set=(Tag(key="tier", value="cold"),)),
    ),
    "one taken away": (
        {"cos_put_object_tagging": {"tagging_directive": "Delete", "tag_set": [{"key": "tier"}]}},
        PutObjectTagging(tagging_directive=TaggingChange.DELETE, tag_set=(Tag(key="tier", value=""),)),
    ),
    "all taken away": (
        {"cos_put_object_tagging": {"tagging_directive": "Delete"}},
        PutObjectTagging(tagging_directive=TaggingChange.DELETE),
    ),
}


def faults(operation: Any) -> list[Fault]:
    with pytest.raises(InvalidArgument) as raised:
        parse_job(without_places(job_content(operation=operation)))
    return list(raised.value.faults)


@pytest.mark.parametrize("name", GOOD)
def test_read_and_written_again(name: str) -> None:
    operation, parameters = GOOD[name]
    request = job_request(operation=operation)
    assert request.operation == parameters
    again = parse_job(without_places(request_document(request))).request
    assert again == request
    assert request_digest(again) == request_digest(request)


def test_each_has_a_digest_of_its_own() -> None:
    digests = {request_digest(job_request(operation=operation)) for operation, _ in GOOD.values()}
    assert len(digests) == len(GOOD)


@pytest.mark.parametrize(
    ("operation", "path", "problem"),
    [
        ({}, "operation", "names no operation"),
        ({"cos_delete_object": None}, "operation", "names no operation"),
        ({"cos_delete_object": {"quiet": True}}, "operation.cos_delete_object.quiet", "is no field"),
        ({"cos_delete_objects": {}}, "operation.cos_delete_objects", "is no field"),
        (
            {"cos_put_object_copy": COPY, "cos_delete_object": {}},
            "operation.cos_delete_object",
            "is given beside cos_put_object_copy",
        ),
    ],
)
def test_one_operation_and_no_more(operation: Any, path: str, problem: str) -> None:
    (fault,) = faults(operation)
    assert fault.path == path
    assert problem in fault.problem
    assert fault.way_out


def test_a_job_without_an_operation() -> None:
    content = job_content()
    del content["operation"]
    with pytest.raises(InvalidArgument) as raised:
        parse_job(without_places(content))
    assert [fault.path for fault in raised.value.faults] == ["operation"]


@pytest.mark.parametrize(
    ("restore", "path"),
    [
        ({"job_tier": "Bulk"}, "expiration_in_days"),
        ({"expiration_in_days": 3}, "job_tier"),
        ({"expiration_in_days": 0, "job_tier": "Bulk"}, "expiration_in_days"),
        ({"expiration_in_days": 366, "job_tier": "Bulk"}, "expiration_in_days"),
        ({"expiration_in_days": "3", "job_tier": "Bulk"}, "expiration_in_days"),
        ({"expiration_in_days": 3, "job_tier": "Expedited"}, "job_tier"),
        ({"expiration_in_days": 3, "job_tier": "Bulk", "days": 3}, "days"),
    ],
)
def test_faults_of_a_restore(restore: dict[str, Any], path: str) -> None:
    (fault,) = faults({"cos_initiate_restore_object": restore})
    assert fault.path == f"operation.cos_initiate_restore_object.{path}"


@pytest.mark.parametrize(
    ("tagging", "path"),
    [
        ({"tag_set": TAGS}, "tagging_directive"),
        ({"tagging_directive": "Copy", "tag_set": TAGS}, "tagging_directive"),
        ({"tagging_directive": "Replaced"}, "tag_set"),
        ({"tagging_directive": "Add", "tag_set": []}, "tag_set"),
        ({"tagging_directive": "Add", "tag_set": [{"key": "a"}, {"key": "a", "value": "1"}]}, "tag_set"),
        ({"tagging_directive": "Delete", "tag_set": [{"key": "a"}, {"key": "a"}]}, "tag_set"),
        ({"tagging_directive": "Delete", "tag_set": [{"key": "b"}, {"key": "a", "value": "1"}]}, "tag_set[1].value"),
        ({"tagging_directive": "Add", "tag_set": [{"value": "1"}]}, "tag_set[0].key"),
        ({"tagging_directive": "Add", "tag_set": [{"key": "k" * 129}]}, "tag_set[0].key"),
        ({"tagging_directive": "Add", "tag_set": [{"key": "k", "value": "v" * 257}]}, "tag_set[0].value"),
        ({"tagging_directive": "Add", "tag_set": [{"key": str(number)} for number in range(11)]}, "tag_set"),
    ],
)
def test_faults_of_tagging(tagging: dict[str, Any], path: str) -> None:
    (fault,) = faults({"cos_put_object_tagging": tagging})
    assert fault.path == f"operation.cos_put_object_tagging.{path}"


def test_all_at_once_each_with_its_line() -> None:
    text = """\
region: home
manifest:
  location: {object_arn: "arn:aws:s3:::logs/m.csv"}
  spec: {format: COSBatchOperations_CSV_V1, fields: [Bucket, Key]}
operation:
  cos_put_object_tagging:
    tagging_directive: Delte
    tag_set:
      - {key: a}
      - {key: a}
report: {enabled: false}
"""
    with pytest.raises(InvalidArgument) as raised:
        parse_job(read_document(text, source="job.yaml"))
    assert [(fault.path, fault.way_out) for fault in raised.value.faults] == [
        ("operation.cos_put_object_tagging.tagging_directive (line 7)", 'did you mean "Delete"?'),
        ("operation.cos_put_object_tagging.tag_set (line 8)", "keep one of them"),
    ]
