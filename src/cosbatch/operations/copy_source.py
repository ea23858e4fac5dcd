"""What a copy has to know of its source before it writes, and what the target shall be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from cosbatch.model.errors import FailureCode, StorageError, StorageReason
from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.operations import Directive, Tag
from cosbatch.operations.copy_options import merge_metadata, merge_tags, new_grants
from cosbatch.operations.copy_plan import CopyPlan, ObjectCopy
from cosbatch.operations.outcome import TaskRefused
from cosbatch.storage.port import AccessControl, AclGrant, ObjectMeta, ObjectMetadata, ObjectStore
from cosbatch.storage.profiles import Option, Support

GONE = frozenset(
    {
        StorageReason.NO_SUCH_KEY,
        StorageReason.NO_SUCH_VERSION,
        StorageReason.NO_SUCH_BUCKET,
        StorageReason.DELETE_MARKER,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was read of the source; None: not read, because nobody needs it."""

    meta: ObjectMeta | None = None
    tags: tuple[Tag, ...] | None = None
    acl: AccessControl | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the target shall be, as far as the store does not take it from the source by itself (None)."""

    metadata: ObjectMetadata | None
    tags: tuple[Tag, ...] | None
    grants: tuple[AclGrant, ...] | None
    """To be written after the copy, beside what the owner has."""


def is_whole(copy: ObjectCopy, *, size_bytes: int | None) -> bool:
    """Whether the object is made anew, in parts or through us: then nothing goes along by itself."""
    plan = copy.plan
    return not plan.facts.same_store or (size_bytes or 0) > plan.single_limit_bytes


def puts_tags_after(copy: ObjectCopy, *, whole: bool) -> bool:
    """Whether tags follow in a request of their own."""
    if not whole:
        return copy.plan.puts_tags(in_place=copy.is_in_place)
    return copy.plan.facts.target_profile.supports(Option.UPLOAD_TAGGING) is not Support.APPLIED


async def read_source(copy: ObjectCopy, *, whole: bool, seen: ObjectMeta | None = None) -> Known:
    """``seen``: what HEAD has said already."""
    plan = copy.plan
    meta = seen or (await copy.source_store.head(copy.source) if whole or reads_head(copy) else None)
    tags: tuple[Tag, ...] | None = None
    if _reads_tags(copy, whole=whole):
        is_tagged = plan.has_source_tags and (meta is None or meta.tag_count != 0)
        tags = await copy.source_store.get_tags(copy.source) if is_tagged else ()
    acl = await copy.source_store.get_acl(copy.source) if plan.reads_acl else None
    return Known(meta=meta, tags=tags, acl=acl)


def reads_head(copy: ObjectCopy) -> bool:
    """An object that is copied onto itself is looked at first, unless it gets new metadata whatever it has."""
    return copy.plan.reads_metadata or (
        copy.is_in_place and copy.plan.params.metadata_directive is not Directive.REPLACED
    )


def _reads_tags(copy: ObjectCopy, *, whole: bool) -> bool:
    if whole and copy.plan.params.tagging_directive is Directive.COPY:
        return True
    return copy.plan.reads_tags(in_place=copy.is_in_place)


async def head_or_none(store: ObjectStore, ref: ObjectRef) -> ObjectMeta | None:
    """None where nothing is there."""
    try:
        return await store.head(ref)
    except StorageError as error:
        if error.reason in GONE:
            return None
        raise


def check_dates(copy: ObjectCopy, meta: ObjectMeta) -> None:
    """The date constraints, as a store compares them: whole seconds, and an equal date counts as not modified since."""
    params = copy.plan.params
    since, until = params.modified_since_constraint, params.unmodified_since_constraint
    modified = int(meta.last_modified)
    if since is not None and modified <= since:
        raise _precondition_failed(copy, f"it was not modified after ModifiedSinceConstraint {since}")
    if until is not None and modified > until:
        raise _precondition_failed(copy, f"it was modified after UnModifiedSinceConstraint {until}")


def _precondition_failed(copy: ObjectCopy, why: str) -> StorageError:
    return StorageError(
        StorageReason.PRECONDITION_FAILED,
        f"At least one of the preconditions did not hold: {why}",
        http_status=412,
        target=f"HEAD {copy.source.bucket}/{copy.source.key}",
    )


def source_changed(copy: ObjectCopy) -> StorageError:
    """What a store with if-match would have answered."""
    return _precondition_failed(copy, "the source changed while it was copied")


def is_same_object(before: ObjectMeta, after: ObjectMeta | None) -> bool:
    return after is not None and (before.etag, before.last_modified) == (after.etag, after.last_modified)


def wanted_of(copy: ObjectCopy, known: Known, *, whole: bool) -> Wanted:
    """Raises TaskRefused where no object can be like that."""
    plan = copy.plan
    tags = _wanted_tags(copy, known, whole=whole)
    if tags and not plan.has_target_tags:
        text = f"the source has tags, and {Option.OBJECT_TAGGING} is not offered by a {_profile_name(plan)} store"
        raise TaskRefused(FailureCode.UNSUPPORTED_OPTION, text)
    return Wanted(
        metadata=wanted_metadata(plan, known.meta) if whole or copy.names_metadata else None,
        tags=tags,
        grants=_wanted_grants(plan, known) if plan.puts_acl else None,
    )


def _profile_name(plan: CopyPlan) -> str:
    return plan.facts.target_profile.name


def wanted_metadata(plan: CopyPlan, source: ObjectMeta | None) -> ObjectMetadata | None:
    """None where it cannot be said without the source."""
    match plan.params.metadata_directive:
        case Directive.REPLACED:
            return plan.metadata
        case Directive.COPY:
            return source.metadata if source else None
        case Directive.ADD:
            return merge_metadata(source.metadata, plan.metadata) if source else None
        case unknown:
            assert_never(unknown)


def _wanted_tags(copy: ObjectCopy, known: Known, *, whole: bool) -> tuple[Tag, ...] | None:
    plan = copy.plan
    match plan.params.tagging_directive:
        case Directive.REPLACED:
            return plan.params.new_object_tagging
        case Directive.COPY:
            return known.tags if whole or puts_tags_after(copy, whole=False) else None
        case Directive.ADD:
            return merge_tags(known.tags or (), plan.params.new_object_tagging)
        case unknown:
            assert_never(unknown)


def _wanted_grants(plan: CopyPlan, known: Known) -> tuple[AclGrant, ...]:
    source = known.acl.grants if known.acl else ()
    new = new_grants(plan.params, profile_name=_profile_name(plan))
    return source if plan.acl is Directive.COPY else (*source, *new)
