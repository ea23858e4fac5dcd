"""Multipart uploads that were begun and not yet ended: in the ledger before their first part is sent."""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select

from cosbatch.ledger import tables
from cosbatch.ledger.port import JobLease
from cosbatch.ledger.rules import stale, stale_job
from cosbatch.ledger.tables import IS_LEASED
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, ObjectRef, VersionId
from cosbatch.model.tasks import Lease, UploadRecord

_CHUNK: Final = tables.chunk.c
_UPLOAD: Final = tables.upload.c

# The record names no owner; a fence is given to one claim only.
_LEASE_HELD: Final = (
    select(_CHUNK.seq)
    .where(
        _CHUNK.job_id == bindparam("the_job"),
        _CHUNK.seq == bindparam("the_seq"),
        _CHUNK.fence == bindparam("the_fence"),
        IS_LEASED,
    )
    .with_for_update()
)
_JOB: Final = tables.job.c
_JOB_LEASE_HELD: Final = (
    select(_JOB.id)
    .where(
        _JOB.id == bindparam("the_job"),
        _JOB.owner == bindparam("the_owner"),
        _JOB.fence == bindparam("the_fence"),
    )
    .with_for_update()
)
_THE_UPLOAD: Final = (_UPLOAD.job_id == bindparam("the_job"), _UPLOAD.upload_id == bindparam("the_upload"))
_KNOWN: Final = select(_UPLOAD.fence).where(*_THE_UPLOAD)
_ADD: Final = insert(tables.upload)
_REMOVE: Final = delete(tables.upload).where(*_THE_UPLOAD)
_OF_JOB: Final = (
    select(tables.upload)
    .where(_UPLOAD.job_id == bindparam("the_job"))
    .order_by(_UPLOAD.task_number, _UPLOAD.fence, _UPLOAD.upload_id)
)
_OF_TASK: Final = _OF_JOB.where(_UPLOAD.task_number == bindparam("the_task"))


def add_upload(tx: Transaction, lease: Lease | JobLease, record: UploadRecord) -> None:
    _check_held(tx, lease)
    if tx.one(_KNOWN, {"the_job": lease.job_id, "the_upload": record.upload_id}) is None:
        tx.change(
            _ADD,
            {
                "job_id": lease.job_id,
                "upload_id": record.upload_id,
                "task_number": record.task_number,
                "fence": record.fence,
                "target": json.dumps(record.target),
            },
        )


def _check_held(tx: Transaction, lease: Lease | JobLease) -> None:
    match lease:
        case Lease(job_id=job_id, seq=seq, fence=fence):
            if tx.one(_LEASE_HELD, {"the_job": job_id, "the_seq": seq, "the_fence": fence}) is None:
                raise stale(lease)
        case JobLease(job_id=job_id, owner=owner, fence=fence):
            if tx.one(_JOB_LEASE_HELD, {"the_job": job_id, "the_owner": owner, "the_fence": fence}) is None:
                raise stale_job(lease)


def uploads(tx: Transaction, job_id: JobId, *, task_number: int | None) -> list[UploadRecord]:
    if task_number is None:
        rows = tx.all(_OF_JOB, {"the_job": job_id})
    else:
        rows = tx.all(_OF_TASK, {"the_job": job_id, "the_task": task_number})
    return [_record_from(row) for row in rows]


def remove_upload(tx: Transaction, job_id: JobId, upload_id: str) -> None:
    tx.change(_REMOVE, {"the_job": job_id, "the_upload": upload_id})


def _record_from(row: Row[Any]) -> UploadRecord:
    bucket, key, version_id = json.loads(row.target)
    return UploadRecord(
        task_number=row.task_number,
        target=ObjectRef(
            bucket=Bucket(bucket),
            key=ObjectKey(key),
            version_id=None if version_id is None else VersionId(version_id),
        ),
        upload_id=row.upload_id,
        fence=row.fence,
    )
