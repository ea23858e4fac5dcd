"""Operations and jobs: the small facts that other rooms derive from them."""

from __future__ import annotations

import pytest

from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket, JobId, ObjectKey, RegionName
from cosbatch.model.jobs import Job, JobRequest, operation_name_of
from cosbatch.model.manifests import Manifest, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.operations import (
    DeleteObject,
    InitiateRestoreObject,
    NewObjectMetadata,
    OperationParameters,
    PutObjectCopy,
    PutObjectTagging,
    RestoreTier,
    TaggingChange,
)
from cosbatch.model.reports import ReportSpec, ReportState, Tally
from cosbatch.model.states import JobStatus

COPY = PutObjectCopy(target_bucket=Bucket("target"))
OPERATIONS: list[tuple[OperationParameters, str]] = [
    (COPY, "COSPutObjectCopy"),
    (InitiateRestoreObject(expiration_in_days=7, job_tier=RestoreTier.BULK), "COSInitiateRestoreObject"),
    (DeleteObject(), "COSDeleteObject"),
    (PutObjectTagging(tagging_directive=TaggingChange.ADD), "COSPutObjectTagging"),
]


def a_job(
    *, operation: OperationParameters = COPY, total: int | None = None, chunk_count: int = 0, chunks_closed: int = 0
) -> Job:
    location = ManifestLocation(bucket=Bucket("lists"), key=ObjectKey("list.csv"))
    request = JobRequest(
        region=RegionName("home"),
        manifest=Manifest(location=location, spec=ManifestSpec(format=ManifestFormat.COS_CSV)),
        operation=operation,
        report=ReportSpec(enabled=False),
        priority=1,
    )
    return Job(
        id=JobId("j"),
        account=LOCAL_ACCOUNT,
        request=request,
        status=JobStatus.ACTIVE,
        priority=1,
        created_at=0,
        changed_at=0,
        planned_rows=0,
        total=total,
        chunk_count=chunk_count,
        chunks_closed=chunks_closed,
        tally=Tally(),
        report_state=ReportState.NONE,
    )


@pytest.mark.parametrize(("operation", "name"), OPERATIONS)
def test_an_operation_has_its_wire_name(operation: OperationParameters, name: str) -> None:
    assert operation_name_of(operation) == name
    assert a_job(operation=operation).operation_name == name


@pytest.mark.parametrize(
    ("total", "chunk_count", "chunks_closed", "is_settled"),
    [(None, 0, 0, False), (None, 3, 3, False), (5, 3, 2, False), (5, 3, 3, True)],
)
def test_a_job_is_settled_when_its_plan_is_complete_and_every_chunk_closed(
    total: int | None, chunk_count: int, chunks_closed: int, is_settled: bool
) -> None:
    assert a_job(total=total, chunk_count=chunk_count, chunks_closed=chunks_closed).is_settled is is_settled


@pytest.mark.parametrize(
    ("metadata", "has_metadata"),
    [
        (NewObjectMetadata(), False),
        (NewObjectMetadata(sse_algorithm="AES256"), False),
        (NewObjectMetadata(cache_control="no-store"), True),
        (NewObjectMetadata(sse_algorithm="AES256", user_metadata=(("moved", "1"),)), True),
    ],
)
def test_encryption_alone_is_no_metadata(metadata: NewObjectMetadata, has_metadata: bool) -> None:
    assert metadata.has_metadata() is has_metadata


def test_a_plain_copy_changes_nothing_but_the_place() -> None:
    assert COPY.access_control_directive is None
    assert (COPY.metadata_directive, COPY.tagging_directive) == ("Copy", "Copy")
    assert COPY.storage_class == ""
