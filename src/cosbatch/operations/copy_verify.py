"""Reading back: which options of the job the object at the target does not show."""

from __future__ import annotations

from cosbatch.model.errors import SendingStopped, StorageError
from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.operations import Directive
from cosbatch.operations.copy_plan import ObjectCopy
from cosbatch.operations.copy_shown import TagsShown, shows_access, shows_tags
from cosbatch.operations.copy_source import head_or_none, is_same_object
from cosbatch.operations.copy_state import missing_options, same_content
from cosbatch.operations.copy_uploads import earliest_write
from cosbatch.operations.port import CONTENT, OTHER_TAGS
from cosbatch.storage.port import ObjectMeta
from cosbatch.storage.profiles import Option


async def verify_copy(copy: ObjectCopy) -> tuple[str, ...]:
    """In a versioned bucket of the version that was made, whatever its owner has put over it since."""
    made = copy.target._replace(version_id=copy.context.written_version)
    seen = await head_or_none(copy.target_store, made)
    if seen is None:
        return (CONTENT,)
    source = None
    if not missing_options(copy.plan, source=None, seen=seen):
        source = await _unchanged_source(copy)
    missing = list(missing_options(copy.plan, source=source, seen=seen))
    if source and not same_content(source, seen):
        missing.append(CONTENT)
    is_replaced = False
    # The next read may break off, and must not take back what is known to be missing.
    if not missing:
        missing = await _missing_beside_head(copy, made, source=source, seen=seen)
        if missing == [OTHER_TAGS]:
            return (OTHER_TAGS,)
        is_replaced = bool(missing) and await _is_replaced(copy, made, seen=seen)
    if missing and CONTENT not in missing and (is_replaced or _is_another_object(copy, seen)):
        missing.append(CONTENT)
    return tuple(missing)


async def _missing_beside_head(
    copy: ObjectCopy, made: ObjectRef, *, source: ObjectMeta | None, seen: ObjectMeta
) -> list[str]:
    """What HEAD does not tell; one at a time, for the same reason."""
    tags = await shows_tags(copy, made, source=source, seen=seen)
    if tags is TagsShown.LACKING:
        return [_tag_option(copy)]
    if not await shows_access(copy, made, source=source):
        return [_acl_option(copy)]
    return [OTHER_TAGS] if tags is TagsShown.OTHERS else []


def _is_another_object(copy: ObjectCopy, seen: ObjectMeta) -> bool:
    """Whether it is not what was written: then what it lacks is no word on what the store did. Not asked where nothing
    is missing, for an ETag that a store tells in two ways shall fail no copy."""
    return copy.context.written_etag not in (None, "", seen.etag)


async def _is_replaced(copy: ObjectCopy, made: ObjectRef, *, seen: ObjectMeta) -> bool:
    """Whether HEAD was about another object than the reads after it, which is no word on the store either. What they
    lack stays missing, also where this last look breaks off."""
    try:
        return not is_same_object(seen, await head_or_none(copy.target_store, made))
    except (StorageError, SendingStopped):
        return True


async def _unchanged_source(copy: ObjectCopy) -> ObjectMeta | None:
    """None where the source tells nothing of what was copied: it is gone or newer, or the copy has taken its place."""
    if copy.is_in_place:
        return None
    source = await head_or_none(copy.source_store, copy.source)
    if source is None or copy.has_fixed_source:
        return source
    return source if source.last_modified < earliest_write(copy) else None


def _tag_option(copy: ObjectCopy) -> Option:
    return Option.TAGGING_COPY if copy.plan.params.tagging_directive is Directive.COPY else Option.TAGGING_REPLACE


def _acl_option(copy: ObjectCopy) -> Option:
    if copy.plan.acl is not Directive.REPLACED:
        return Option.OBJECT_ACL
    return Option.CANNED_ACL if copy.plan.params.canned_access_control_list else Option.GRANTS
