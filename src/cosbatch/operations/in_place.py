"""What the operations on the objects themselves have in common: which object, and what of it may be ours."""

from __future__ import annotations

from typing import Final

from cosbatch.model.identifiers import NULL_VERSION, ObjectRef
from cosbatch.model.regions import Versioning
from cosbatch.model.tasks import OutcomeCode, Task
from cosbatch.operations.clocks import Dated, dated
from cosbatch.operations.outcome import TaskRefused
from cosbatch.operations.port import TaskContext
from cosbatch.storage.port import ListedObject, ObjectMeta, ObjectStore

LOOKS: Final = ("s3:ListBucket", "s3:GetBucketVersioning", "s3:GetObject", "s3:GetObjectVersion")
"""Pre-flight, and looking at an object. Without the right to list, a store answers 403 for one that is not there."""


def object_of(task: Task, context: TaskContext) -> ObjectRef:
    """The object or version that a row names. Raises TaskRefused for an empty key: a request without one would be
    about the bucket."""
    if not task.key:
        raise TaskRefused(OutcomeCode.EMPTY_KEY, "the row names no key")
    return ObjectRef(context.facts.findings.source_bucket, task.key, task.version_id)


def is_versioned(context: TaskContext) -> bool:
    """Whether the bucket has or had versions."""
    return context.facts.findings.target_versioning is not Versioning.NEVER


def when(last_modified: float, context: TaskContext) -> Dated:
    """Whether it was made before the first attempt or since."""
    return dated(last_modified, first_attempt=context.first_leased_at)


def may_be_another(seen: ObjectMeta, ref: ObjectRef, context: TaskContext) -> bool:
    """Whether an owner may have put it there since: what it shows is no word on what was done to the one before. A
    version that is named stays what it is, but for the null version."""
    return ref.version_id in (None, NULL_VERSION) and when(seen.last_modified, context) is not Dated.BEFORE


async def versions_of(store: ObjectStore, ref: ObjectRef) -> list[ListedObject]:
    """Every version and delete marker of exactly this key, newest first."""
    found: list[ListedObject] = []
    token = ""
    while True:
        page = await store.list_versions(ref.bucket, prefix=ref.key, token=token)
        found += [entry for entry in page.objects if entry.key == ref.key]
        token = page.next_token
        is_past = bool(page.objects) and page.objects[-1].key > ref.key
        if not token or is_past:
            return found
