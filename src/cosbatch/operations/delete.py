"""``COSDeleteObject``: removes each object, or the version that its row names.

What a DELETE does is the bucket's matter (COS, batch delete):

| Versioning | Row without a version id | Row with one |
|---|---|---|
| never enabled | the object is gone | the object is gone |
| enabled | a delete marker is put over it | that version, or marker, is gone |
| suspended | the null version is replaced by a null marker | that version, or marker, is gone |

How a second attempt recognises its first: the object or the version is gone, or a delete marker is there that is not
surely older than the first attempt. Only an object that surely is older is removed again. Any other may be its owner's
new one, and no row of the manifest has meant that: it stays, and the outcome is unknown. A date within an hour of the
first attempt proves nothing, for the ledger's clock may have been wrong; and nothing else would, as a manifest that
names no version says of an object at most how large it was. Nor does a marker of such a date below an object of such a
date: both may have been there before. One request removes one object. A multi-delete would say less: an
answer that is lost leaves a thousand outcomes open, and some stores answer nothing for single keys.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from cosbatch.model.errors import Fault, StorageError, StorageReason
from cosbatch.model.identifiers import NULL_VERSION, ObjectRef
from cosbatch.model.jobs import JobRequest
from cosbatch.model.operations import DeleteObject, OperationName
from cosbatch.model.tasks import Result, Task
from cosbatch.operations.clocks import Dated
from cosbatch.operations.copy_source import GONE, head_or_none
from cosbatch.operations.dry_run import would_succeed
from cosbatch.operations.in_place import LOOKS, is_versioned, may_be_another, object_of, versions_of, when
from cosbatch.operations.outcome import SUCCESSFUL, TaskRefused, refused, succeeded, unknown
from cosbatch.operations.port import JobFacts, Needs, TaskContext
from cosbatch.operations.shared_checks import check_version_column
from cosbatch.storage.port import ListedObject
from cosbatch.storage.profiles import CapabilityProfile

NO_CONTENT: Final = 204
DELETION: Final = "deletion"
"""What reading back names where the object is still there."""
_ANOTHER: Final = (
    "an object is there that is not surely older than the first attempt and may be its owner's; it is left as it is"
)


class _Sight(Enum):
    GONE = auto()
    THERE = auto()
    ANOTHER = auto()
    """What is there is not surely older than the first attempt."""


class DeleteOperation:
    name = OperationName.DELETE

    def needs(self, facts: JobFacts) -> Needs:
        return Needs(
            source_actions=(*LOOKS, "s3:ListBucketVersions", "s3:DeleteObject", "s3:DeleteObjectVersion"),
            target_actions=(),
            target_bucket=None,
            requests_per_object={"delete": 1.0},
            foreseen_per_object={"head": 1.0},
        )

    def check(self, request: JobRequest, *, source: CapabilityProfile, target: CapabilityProfile) -> list[Fault]:
        if not isinstance(request.operation, DeleteObject):
            raise TypeError(f"a deletion needs DeleteObject, this job has {type(request.operation).__name__}")
        return list(check_version_column(request, source))

    async def run(self, task: Task, context: TaskContext) -> Result:
        try:
            ref = object_of(task, context)
        except TaskRefused as refusal:
            return refused(task, context, refusal)
        made = await context.target.delete(ref)
        if ref.version_id is not None or made is None:
            return succeeded(task, context, http_status=NO_CONTENT)
        context.written_version = made
        return succeeded(task, context, http_status=NO_CONTENT, message=_with_marker(made))

    async def foresee(self, task: Task, context: TaskContext) -> Result:
        """A store that does not let the object be looked at does not let it be deleted either, for all that can be
        known: the two are permissions of their own."""
        try:
            ref = object_of(task, context)
        except TaskRefused as refusal:
            return refused(task, context, refusal)
        try:
            what = f"Would be deleted ({(await context.target.head(ref)).size_bytes} bytes)"
        except StorageError as error:
            if error.reason not in GONE:
                raise
            is_marker = error.reason is StorageReason.DELETE_MARKER
            what = "The delete marker would be removed" if is_marker else "Nothing is there; deleting it is no failure"
        return would_succeed(task, context, what=what, http_status=NO_CONTENT)

    async def settle(self, task: Task, context: TaskContext, *, may_write: bool) -> Result | None:
        """Nothing is written here, whether it may be or not."""
        try:
            ref = object_of(task, context)
        except TaskRefused as refusal:
            return refused(task, context, refusal)
        match await _look(ref, context):
            case _Sight.THERE, _:
                return None
            case _Sight.ANOTHER, marker:
                below = f"; delete marker {marker.version_id} below it may be of this job" if marker else ""
                return unknown(task, context, why=f"{_ANOTHER}{below}")
            case _, marker:
                message = _with_marker(marker.version_id) if marker and marker.version_id else SUCCESSFUL
                return succeeded(task, context, http_status=NO_CONTENT, message=message)

    async def verify(self, task: Task, result: Result, context: TaskContext) -> tuple[str, ...]:
        sight, _ = await _look(object_of(task, context), context)
        return (DELETION,) if sight is _Sight.THERE else ()


def _with_marker(version_id: str) -> str:
    """The one way back is to remove the marker: its id must not be lost."""
    return f"{SUCCESSFUL}: delete marker {version_id}"


async def _look(ref: ObjectRef, context: TaskContext) -> tuple[_Sight, ListedObject | None]:
    """And the delete marker that is there instead, or below, where one is that may be ours."""
    if not is_versioned(context):
        seen = await head_or_none(context.target, ref)
        if seen is None:
            return _Sight.GONE, None
        return (_Sight.ANOTHER if may_be_another(seen, ref, context) else _Sight.THERE), None
    versions = await versions_of(context.target, ref)
    if ref.version_id is not None:
        return _look_for_version(versions, ref, context), None
    return _look_for_marker(versions, context)


def _look_for_marker(versions: list[ListedObject], context: TaskContext) -> tuple[_Sight, ListedObject | None]:
    marker = next((entry for entry in versions if entry.is_delete_marker and _may_be_ours(entry, context)), None)
    above = versions[: versions.index(marker)] if marker else versions
    doubtful = [entry for entry in above if when(entry.last_modified, context) is Dated.DOUBTFUL]
    if marker is not None:
        # An owner may have put an object over our marker: it was done all the same.
        is_ours = _is_ours(marker, context) or not doubtful
        return (_Sight.GONE if is_ours else _Sight.ANOTHER), marker
    newest = versions[0] if versions else None
    is_owners = newest and not newest.is_delete_marker and when(newest.last_modified, context) is not Dated.BEFORE
    return (_Sight.ANOTHER if is_owners else _Sight.THERE), None


def _look_for_version(versions: list[ListedObject], ref: ObjectRef, context: TaskContext) -> _Sight:
    """By the list, since some stores answer HEAD of a delete marker as if there were none. Only a null version can come
    again."""
    found = next((entry for entry in versions if entry.version_id == ref.version_id), None)
    if found is None:
        return _Sight.GONE
    may_be_owners = ref.version_id == NULL_VERSION and when(found.last_modified, context) is not Dated.BEFORE
    return _Sight.ANOTHER if may_be_owners else _Sight.THERE


def _is_ours(marker: ListedObject, context: TaskContext) -> bool:
    """Or an owner's, who has deleted it since the first attempt: so or so, what the row meant is gone."""
    return marker.version_id == context.written_version or when(marker.last_modified, context) is Dated.SINCE


def _may_be_ours(marker: ListedObject, context: TaskContext) -> bool:
    return marker.version_id == context.written_version or when(marker.last_modified, context) is not Dated.BEFORE
