"""What a dry run finds out of one task: what :meth:`Operation.run` would come to, by requests that only read.

An operation's ``foresee`` goes the way of its ``run`` as far as that reads, and stands in for the rest by what HEAD
says of the object. What a store refuses there is raised as the store would have refused the write: codes of an answer
to HEAD, which has no body, are put into the words of the request that is not sent.

What no reading tells, and ``docs/how-to/dry-run.md`` lists: whether the write itself is allowed, locks, quotas, and
whatever changes between the two runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import ObjectKey, ObjectRef, VersionId
from cosbatch.model.jobs import JobRequest
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.tasks import Result, Task
from cosbatch.operations.outcome import TaskRefused, succeeded
from cosbatch.operations.port import TaskContext
from cosbatch.operations.target_key import target_key
from cosbatch.storage.port import ObjectMeta, ObjectStore

ARCHIVED_CLASSES: Final = frozenset({"GLACIER", "DEEP_ARCHIVE", "ARCHIVE", "MAZ_ARCHIVE"})
"""Objects of these have to be restored before they can be read (S3, Storage classes; COS, Storage class overview).
Those of S3's GLACIER_IR can be read at once; of INTELLIGENT_TIERING HEAD does not say enough."""
NO_VERSION_CODES: Final = {"ceph": "NoSuchKey", "seaweedfs": "NoSuchKey"}
"""What stores say of a missing version where they say something, by profile; others NoSuchVersion (measured on Ceph
16.2.15 and SeaweedFS 4.48, which say so of delete markers too)."""
_ONGOING: Final = 'ongoing-request="true"'


def is_archived(meta: ObjectMeta) -> bool:
    return meta.storage_class in ARCHIVED_CLASSES


def is_being_restored(meta: ObjectMeta) -> bool:
    return _ONGOING in meta.restore


def is_restored(meta: ObjectMeta) -> bool:
    """Whether an archived object can be read at present."""
    return bool(meta.restore) and not is_being_restored(meta)


def would_succeed(
    task: Task, context: TaskContext, *, what: str, size_bytes: int = 0, http_status: int = 200
) -> Result:
    """``what`` the run would do. Another row with the same target does not fail this one, and is named: which of them
    comes last is not settled."""
    if context.same_target is not None:
        what = f"{what}; row {context.same_target} has the same target"
    return succeeded(task, context, size_bytes=size_bytes, http_status=http_status, message=what)


async def seen(store: ObjectStore, ref: ObjectRef, *, verb: str, marker_code: str, marker_status: int) -> ObjectMeta:
    """The object that a request ``verb`` would be about. ``marker_code`` and ``marker_status``: what S3 would answer to
    that request where the version is a delete marker; HEAD tells it in another way."""
    try:
        return await store.head(ref)
    except StorageError as error:
        match error.reason:
            case StorageReason.DELETE_MARKER:
                message, code, status = "the version is a delete marker", marker_code, marker_status
            case StorageReason.NO_SUCH_VERSION:
                code = NO_VERSION_CODES.get(store.profile.name, error.code)
                message, status = "there is no such version", error.http_status
            case _:
                raise
        place = f"{verb} {ref.bucket}/{ref.key}"
        raise StorageError(
            error.reason, message, code=code, http_status=status, target=place, request_id=error.request_id
        ) from error


def archived(ref: ObjectRef) -> StorageError:
    """What S3 and COS answer to a copy of an archived object (COS, PUT Object - Copy)."""
    return StorageError(
        StorageReason.INVALID_OBJECT_STATE,
        "the object is archived, and has to be restored first",
        http_status=403,
        target=f"{ref.bucket}/{ref.key}",
    )


def not_archived(ref: ObjectRef, *, profile_name: str) -> StorageError:
    """What a request to restore is answered about an object that needs none."""
    is_cos = profile_name == "cos"
    return StorageError(
        StorageReason.INVALID_OBJECT_STATE,
        "the object is not archived",
        code="RestoreNonArchiveObject" if is_cos else "",
        http_status=405 if is_cos else 403,
        target=f"{ref.bucket}/{ref.key}",
    )


def restore_under_way(ref: ObjectRef, *, why: str) -> StorageError:
    return StorageError(StorageReason.RESTORE_IN_PROGRESS, why, http_status=409, target=f"{ref.bucket}/{ref.key}")


TargetNames = Callable[[ObjectKey, VersionId | None], bytes | None]


def target_names(request: JobRequest, *, max_key_bytes: int) -> TargetNames:
    """What a row writes, as bytes that are equal where two rows write the same: a copy's target key, else the object or
    version itself. None for a row that has no target."""
    operation = request.operation
    if isinstance(operation, PutObjectCopy):
        return _copy_targets(operation, max_key_bytes=max_key_bytes)
    return lambda key, version: f"{key}\0{version or ''}".encode("utf-8", "surrogatepass") if key else None


def _copy_targets(copy: PutObjectCopy, *, max_key_bytes: int) -> TargetNames:
    def name(key: ObjectKey, _: VersionId | None) -> bytes | None:
        try:
            return target_key(copy, key, max_key_bytes=max_key_bytes).encode("utf-8", "surrogatepass")
        except TaskRefused:
            return None

    return name
