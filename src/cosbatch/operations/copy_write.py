"""The writing half of a copy that the store does in one request, and what follows a copy of any kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeVar

from cosbatch.model.errors import StorageError
from cosbatch.model.identifiers import ObjectRef, VersionId
from cosbatch.model.operations import Tag
from cosbatch.operations.copy_options import acl_for, shows_grants
from cosbatch.operations.copy_plan import ObjectCopy
from cosbatch.operations.copy_source import (
    Known,
    Wanted,
    head_or_none,
    is_same_object,
    puts_tags_after,
    source_changed,
)
from cosbatch.operations.copy_state import STANDARD
from cosbatch.storage.disposition import is_outcome_unknown
from cosbatch.storage.port import CopyOptions, ObjectMeta

SENDS: Final = 3
"""How often a request is sent that may be applied twice without harm, when its reply gets lost."""

Answer = TypeVar("Answer")


async def send_again(send: Callable[[], Awaitable[Answer]]) -> Answer:
    """For requests that are the same when they are applied twice: a part, a tag set, an access list."""
    for left in reversed(range(SENDS)):
        try:
            return await send()
        except StorageError as error:
            if not left or not is_outcome_unknown(error):
                raise
    raise AssertionError("the last attempt returns or raises")


async def copy_in_one(copy: ObjectCopy, known: Known, wanted: Wanted) -> VersionId | None:
    """One copy request. Where metadata were read first, the bytes are those that they were read with: the store refuses
    another source, or cosbatch looks at it again."""
    if known.meta and is_already_in_class(copy, known.meta):
        return None
    outcome = await copy.target_store.copy(copy.source, copy.target, options=_options(copy, known, wanted))
    copy.context.written_etag = outcome.etag
    if known.meta and not (copy.plan.matches_source or copy.has_fixed_source or copy.is_in_place):
        after = await head_or_none(copy.source_store, copy.source)
        if not is_same_object(known.meta, after):
            raise source_changed(copy)
    return outcome.version_id


def is_already_in_class(copy: ObjectCopy, meta: ObjectMeta) -> bool:
    """Whether a copy onto itself that changes the class alone would change nothing: stores refuse that."""
    if not copy.is_in_place or copy.names_metadata:
        return False
    return copy.plan.params.storage_class == (meta.storage_class or STANDARD)


def _options(copy: ObjectCopy, known: Known, wanted: Wanted) -> CopyOptions:
    plan = copy.plan
    options = plan.options
    if wanted.metadata is not options.metadata:
        options = replace(options, metadata=wanted.metadata)
    if wanted.tags is not options.tags and not puts_tags_after(copy, whole=False):
        options = replace(options, tags=wanted.tags)
    if known.meta and plan.matches_source and not copy.has_fixed_source:
        # A matching ETag outweighs if-unmodified-since (S3, CopyObject), so that the dates were compared on the HEAD.
        options = replace(options, if_source_etag=known.meta.etag, if_modified_since=None, if_unmodified_since=None)
    return options


async def follow_up(copy: ObjectCopy, wanted: Wanted, *, version: VersionId | None, whole: bool) -> None:
    """What the copy itself could not carry, on the version that it made."""
    made = copy.target._replace(version_id=version)
    if wanted.tags is not None and puts_tags_after(copy, whole=whole):
        await _put_tags(copy, made, wanted.tags, whole=whole)
    if wanted.grants is not None:
        acl = acl_for(await copy.target_store.get_acl(made), wanted.grants)
        await send_again(lambda: copy.target_store.put_acl(made, acl))


async def _put_tags(copy: ObjectCopy, made: ObjectRef, tags: tuple[Tag, ...], *, whole: bool) -> None:
    """No tags have to be written only where the copy has brought some along."""
    if tags:
        await send_again(lambda: copy.target_store.put_tags(made, tags))
    elif not (whole or copy.plan.drops_tags(in_place=copy.is_in_place)):
        await send_again(lambda: copy.target_store.delete_tags(made))


async def is_followed_up(copy: ObjectCopy, wanted: Wanted, *, version: VersionId | None, whole: bool) -> bool:
    """Whether everything that :func:`follow_up` writes is there."""
    made = copy.target._replace(version_id=version)
    if wanted.tags is not None and puts_tags_after(copy, whole=whole):
        shown = await copy.target_store.get_tags(made) if copy.plan.has_target_tags else ()
        if set(shown) != set(wanted.tags):
            return False
    if wanted.grants is None:
        return True
    return shows_grants(await copy.target_store.get_acl(made), wanted.grants)
