"""``COSPutObjectTagging``: new tags for each object or version, tags added to those it has, or tags taken away.

How a second attempt recognises its first: the tags are as asked for. Tags have no date, so that where they are not,
nobody can tell whether they never were or were changed since: they are written again, and where that is refused, or
nothing may be written any more, the outcome is unknown. Adding and removing read first and write the whole set: what an
owner changes in between is lost, as no store compares tag sets. In a bucket with versions both go to the version that
was looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from cosbatch.model.errors import Fault, StorageError
from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.jobs import JobRequest
from cosbatch.model.operations import OperationName, PutObjectTagging, Tag, TaggingChange
from cosbatch.model.regions import Versioning
from cosbatch.model.tasks import Result, Task
from cosbatch.operations.copy_options import MAX_TAGS, merge_tags
from cosbatch.operations.copy_source import GONE, head_or_none
from cosbatch.operations.dry_run import seen, would_succeed
from cosbatch.operations.in_place import LOOKS, is_versioned, may_be_another, object_of
from cosbatch.operations.outcome import TaskRefused, refused, succeeded, unknown
from cosbatch.operations.port import JobFacts, Needs, TaskContext
from cosbatch.operations.shared_checks import check_offered, check_tag_texts, check_version_column
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import CapabilityProfile, Option

ROOT: Final = "Operation.COSPutObjectTagging"
MARKER_CODE: Final = "MethodNotAllowed"
MARKER_STATUS: Final = 405
"""What S3 answers about a version that is a delete marker."""
_CHANGED: Final = "the tags are not as asked for: they never were, or were changed since"
_ACTIONS: Final = tuple(
    f"s3:{verb}Object{kind}Tagging" for kind in ("", "Version") for verb in ("Get", "Put", "Delete")
)


class TaggingOperation:
    name = OperationName.TAGGING

    def needs(self, facts: JobFacts) -> Needs:
        params = _params(facts.request)
        kinds = list(_kinds(params))
        if _is_pinned(params) and facts.findings.target_versioning is not Versioning.NEVER:
            kinds.insert(0, "head")
        return Needs(
            source_actions=(*LOOKS, *_ACTIONS),
            target_actions=(),
            target_bucket=None,
            requests_per_object=dict.fromkeys(kinds, 1.0),
            foreseen_per_object=dict.fromkeys(_kinds_foreseen(params), 1.0),
        )

    def check(self, request: JobRequest, *, source: CapabilityProfile, target: CapabilityProfile) -> list[Fault]:
        params = _params(request)
        path, count = f"{ROOT}.TagSet", len(params.tag_set)
        faults = [
            *check_version_column(request, source),
            *check_offered(
                source,
                Option.OBJECT_TAGGING,
                path=f"{ROOT}.TaggingDirective",
                value=params.tagging_directive,
                way_out="run it where the store has tags",
            ),
            *check_tag_texts(params.tag_set, path=path),
        ]
        if count > MAX_TAGS:
            faults.append(Fault(path=path, value=str(count), problem=f"an object has at most {MAX_TAGS} tags"))
        return faults

    async def run(self, task: Task, context: TaskContext) -> Result:
        params = _params(context.facts.request)
        try:
            ref = await _pinned(object_of(task, context), params, context)
            await _change(context.target, ref, params)
        except TaskRefused as refusal:
            return refused(task, context, refusal)
        return succeeded(task, context)

    async def foresee(self, task: Task, context: TaskContext) -> Result:
        params = _params(context.facts.request)
        try:
            ref = object_of(task, context)
            meta = await seen(context.target, ref, verb="PUT", marker_code=MARKER_CODE, marker_status=MARKER_STATUS)
            what = await _foreseen(context.target, ref._replace(version_id=ref.version_id or meta.version_id), params)
        except TaskRefused as refusal:
            return refused(task, context, refusal)
        return would_succeed(task, context, what=what)

    async def settle(self, task: Task, context: TaskContext, *, may_write: bool) -> Result | None:
        try:
            ref = object_of(task, context)
        except TaskRefused as refusal:
            return refused(task, context, refusal)
        tags = await _tags_or_none(context.target, ref)
        if tags is not None and _shows(tags, _params(context.facts.request)):
            return succeeded(task, context)
        # Of an object that is gone the next attempt has a better word: that it is.
        context.unproved = "" if tags is None else _CHANGED
        return None if may_write else unknown(task, context, why=_CHANGED)

    async def verify(self, task: Task, result: Result, context: TaskContext) -> tuple[str, ...]:
        ref = object_of(task, context)
        made = ref._replace(version_id=context.written_version or ref.version_id)
        tags = await _tags_or_none(context.target, made)
        if tags is None or _shows(tags, _params(context.facts.request)):
            return ()
        found = await head_or_none(context.target, made)
        return () if found is None or may_be_another(found, made, context) else (Option.OBJECT_TAGGING,)


def _params(request: JobRequest) -> PutObjectTagging:
    if not isinstance(request.operation, PutObjectTagging):
        raise TypeError(f"tagging needs PutObjectTagging, this job has {type(request.operation).__name__}")
    return request.operation


def _kinds(params: PutObjectTagging) -> tuple[str, ...]:
    match params.tagging_directive:
        case TaggingChange.REPLACED:
            return ("put-tags",) if params.tag_set else ("delete-tags",)
        case TaggingChange.ADD:
            return ("get-tags", "put-tags")
        case TaggingChange.DELETE:
            return ("get-tags", "put-tags") if params.tag_set else ("delete-tags",)
        case unexpected:
            assert_never(unexpected)


def _is_pinned(params: PutObjectTagging) -> bool:
    """Whether two requests have to be about one version. Ceph, moreover, removes no tags in a versioned bucket where no
    version is named."""
    return params.tagging_directive is not TaggingChange.REPLACED or not params.tag_set


async def _pinned(ref: ObjectRef, params: PutObjectTagging, context: TaskContext) -> ObjectRef:
    if ref.version_id is not None or not _is_pinned(params) or not is_versioned(context):
        return ref
    context.written_version = (await context.target.head(ref)).version_id
    return ref._replace(version_id=context.written_version)


async def _change(store: ObjectStore, ref: ObjectRef, params: PutObjectTagging) -> None:
    """Nothing is written where the tags are as asked for already."""
    match params.tagging_directive:
        case TaggingChange.REPLACED:
            await _write(store, ref, params.tag_set)
        case TaggingChange.DELETE if not params.tag_set:
            await store.delete_tags(ref)
        case TaggingChange.ADD | TaggingChange.DELETE:
            tags = await store.get_tags(ref)
            if not _shows(tags, params):
                await _write(store, ref, _changed(tags, params))
        case unexpected:
            assert_never(unexpected)


def _kinds_foreseen(params: PutObjectTagging) -> Sequence[str]:
    is_blind = params.tagging_directive is TaggingChange.REPLACED or not params.tag_set
    return ("head",) if is_blind else ("head", "get-tags")


async def _foreseen(store: ObjectStore, ref: ObjectRef, params: PutObjectTagging) -> str:
    """Raises TaskRefused like :func:`_change`."""
    if params.tagging_directive is TaggingChange.REPLACED or not params.tag_set:
        return "Would get new tags" if params.tag_set else "Would lose its tags"
    tags = await store.get_tags(ref)
    if _shows(tags, params):
        return "The tags are as asked for already"
    return f"Would have {len(_changed(tags, params))} tags instead of {len(tags)}"


async def _write(store: ObjectStore, ref: ObjectRef, tags: Sequence[Tag]) -> None:
    await (store.put_tags(ref, tags) if tags else store.delete_tags(ref))


def _changed(tags: Sequence[Tag], params: PutObjectTagging) -> tuple[Tag, ...]:
    """Raises TaskRefused (InvalidTag) where an object cannot have so many."""
    if params.tagging_directive is TaggingChange.ADD:
        return merge_tags(tags, params.tag_set)
    removed = {tag.key for tag in params.tag_set}
    return tuple(tag for tag in tags if tag.key not in removed)


def _shows(tags: Sequence[Tag], params: PutObjectTagging) -> bool:
    match params.tagging_directive:
        case TaggingChange.REPLACED:
            return set(tags) == set(params.tag_set)
        case TaggingChange.ADD:
            return set(params.tag_set) <= set(tags)
        case TaggingChange.DELETE if params.tag_set:
            return not {tag.key for tag in tags} & {tag.key for tag in params.tag_set}
        case TaggingChange.DELETE:
            return not tags
        case unexpected:
            assert_never(unexpected)


async def _tags_or_none(store: ObjectStore, ref: ObjectRef) -> tuple[Tag, ...] | None:
    """None where there is no object."""
    try:
        return await store.get_tags(ref)
    except StorageError as error:
        if error.reason in GONE:
            return None
        raise
