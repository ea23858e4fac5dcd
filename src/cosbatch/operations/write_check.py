"""Asks for the permission to write before the first object is touched.

A multipart upload is begun at a key that the job will write, as the job would begin it, and is aborted: that needs the
permission to write the key, and no object changes by it. Only a definite "access denied" fails the check. Whatever else
a store refuses there (it may have no uploads at all) is left to the tasks to find out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cosbatch.model.errors import Fault, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef
from cosbatch.model.manifests import ManifestRow
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.tasks import UploadRecord, announced_upload, doubted_upload
from cosbatch.operations.copy_plan import plan_of
from cosbatch.operations.copy_write import SENDS, send_again
from cosbatch.operations.outcome import TaskRefused
from cosbatch.operations.port import JobFacts
from cosbatch.operations.stray_uploads import end_upload, stray_uploads
from cosbatch.operations.target_key import target_key
from cosbatch.storage.disposition import Action, disposition, is_outcome_unknown
from cosbatch.storage.port import ObjectMetadata, ObjectStore, PutOptions
from cosbatch.storage.profiles import CapabilityProfile, Option, Support

TARGET_CHECK: Final = -1
REPORT_CHECK: Final = -2
"""They stand where an upload of a task has the task's number."""


class CheckUploads(Protocol):
    """The ledger's memory of the uploads that a check begins: whoever dies between beginning and aborting one leaves it
    to the next planner, or to the finisher."""

    async def recorded(self, number: int) -> Sequence[UploadRecord]: ...

    async def add(self, number: int, target: ObjectRef, upload_id: str) -> None: ...

    async def remove(self, upload_id: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCheck:
    """One key that the job will write."""

    number: int
    store: ObjectStore
    target: ObjectRef
    options: PutOptions
    path: str
    """The job's field that names the place."""

    @property
    def announced(self) -> str:
        return announced_upload(self.number)


def target_check(facts: JobFacts, rows: Iterable[ManifestRow], *, store: ObjectStore) -> WriteCheck | None:
    """The check of the first of ``rows`` that will write an object; None where none of them will."""
    params = facts.request.operation
    if not isinstance(params, PutObjectCopy):
        return None
    key = next((key for row in rows if (key := _key_of(row, params, store.profile)) is not None), None)
    if key is None:
        return None
    options = plan_of(facts).options
    sends_tags = store.profile.supports(Option.UPLOAD_TAGGING) is Support.APPLIED
    return WriteCheck(
        number=TARGET_CHECK,
        store=store,
        target=ObjectRef(params.target_bucket, key),
        options=PutOptions(
            tags=options.tags or () if sends_tags else (),
            storage_class=options.storage_class,
            canned_acl=options.canned_acl,
            grants=options.grants,
            sse_algorithm=options.sse_algorithm,
        ),
        path="Operation.COSPutObjectCopy.TargetResource",
    )


def _key_of(row: ManifestRow, params: PutObjectCopy, profile: CapabilityProfile) -> ObjectKey | None:
    if row.is_delete_marker:
        return None
    try:
        key = target_key(params, row.key, max_key_bytes=profile.max_key_bytes)
    except TaskRefused:
        return None
    return key if profile.takes_key(key) else None


def report_check(bucket: Bucket, key: ObjectKey, *, store: ObjectStore) -> WriteCheck:
    return WriteCheck(
        number=REPORT_CHECK,
        store=store,
        target=ObjectRef(bucket, key),
        options=PutOptions(metadata=ObjectMetadata(content_type="application/json")),
        path="Report.Bucket",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteTried:
    """What asking has shown; neither a fault nor a reason: the key may be written."""

    fault: Fault | None = None
    missing_action: str = ""
    """S3's name of what is refused; with a fault alone."""
    why_unknown: str = ""


async def try_write(check: WriteCheck, *, uploads: CheckUploads, since: float) -> WriteTried:
    """``since``: when the job was made, in Unix seconds: no upload of its checks is older.

    Raises StorageError for what may pass by itself.
    """
    if not check.store.profile.tells_write_by_upload:
        return WriteTried(why_unknown="this store has a permission of its own for uploads, so that one tells nothing")
    if not await _is_clear(check, uploads=uploads, since=since):
        return WriteTried(why_unknown="an upload of an earlier check is left there, so that no other was begun")
    return await _tried(check, uploads=uploads, since=since)


async def _is_clear(check: WriteCheck, *, uploads: CheckUploads, since: float) -> bool:
    """Whether nothing is left of an earlier check of this job. What cannot be aborted stays recorded, so that the job's
    end tries again and its summary names it; then nothing more is begun."""
    try:
        for record in await uploads.recorded(check.number):
            if not record.doubted_id:
                await _end(check, record, uploads=uploads, since=since)
                await uploads.remove(record.upload_id)
    except StorageError as error:
        if not _is_refused(error):
            raise
        return False
    return True


async def _end(check: WriteCheck, record: UploadRecord, *, uploads: CheckUploads, since: float) -> None:
    if record.is_announced:
        await _end_strays(check, uploads=uploads, since=since)
    else:
        await _abort(check, record.upload_id)


async def _tried(check: WriteCheck, *, uploads: CheckUploads, since: float) -> WriteTried:
    try:
        upload_id = await _begin(check, uploads=uploads, since=since)
    except StorageError as error:
        if error.reason is StorageReason.ACCESS_DENIED:
            return WriteTried(fault=_may_not_write(check, error), missing_action="s3:PutObject")
        if _is_refused(error):
            return WriteTried(why_unknown=f"the store takes no upload there: {error.code}: {error.message}")
        raise
    try:
        await _abort(check, upload_id)
    except StorageError as error:
        await uploads.add(check.number, check.target, upload_id)
        await uploads.remove(check.announced)
        if error.reason is StorageReason.ACCESS_DENIED:
            fault = _may_not_abort(check, error, upload_id)
            return WriteTried(fault=fault, missing_action="s3:AbortMultipartUpload")
        if _is_refused(error):
            return WriteTried(why_unknown=f"the upload {upload_id}, begun to find out, is left there: {error.code}")
        raise
    await uploads.remove(check.announced)
    return WriteTried()


async def _begin(check: WriteCheck, *, uploads: CheckUploads, since: float) -> str:
    """The id of the upload. Where its reply stays away the announcement stays, for whoever comes next."""
    await uploads.add(check.number, check.target, check.announced)
    for left in reversed(range(SENDS)):
        try:
            return await check.store.create_upload(check.target, options=check.options)
        except StorageError as error:
            if not is_outcome_unknown(error):
                if disposition(error, writes=True).action in (Action.FAIL_TASK, Action.FAIL_JOB):
                    await uploads.remove(check.announced)
                raise
            if not left:
                raise
            await _end_strays(check, uploads=uploads, since=since)
    raise AssertionError("the last attempt returns or raises")


async def _abort(check: WriteCheck, upload_id: str) -> None:
    await send_again(lambda: end_upload(check.store, check.target, upload_id=upload_id))


async def _end_strays(check: WriteCheck, *, uploads: CheckUploads, since: float) -> None:
    strays = await stray_uploads(check.store, check.target, since=since)
    for upload_id in strays.ours:
        await _abort(check, upload_id)
    for upload_id in strays.doubtful:
        await uploads.add(check.number, check.target, doubted_upload(check.number, upload_id))


def _is_refused(error: StorageError) -> bool:
    """Once and for all, for this key."""
    return disposition(error, writes=True).action is Action.FAIL_TASK


def _may_not_write(check: WriteCheck, error: StorageError) -> Fault:
    return Fault(
        path=check.path,
        value=check.target.bucket,
        problem=f"the store refuses s3:PutObject on {check.target.bucket}/{check.target.key} ({error.code})",
        way_out="let the region's credentials write there, with the class, encryption and access that the job asks for",
    )


def _may_not_abort(check: WriteCheck, error: StorageError, upload_id: str) -> Fault:
    return Fault(
        path=check.path,
        value=check.target.bucket,
        problem=f"the store refuses s3:AbortMultipartUpload on {check.target.bucket}/{check.target.key} ({error.code})",
        way_out=f"let the region's credentials abort uploads; the upload {upload_id}, begun to find out, is left there",
    )
