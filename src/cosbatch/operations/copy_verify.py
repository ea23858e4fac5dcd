"""Reading back: which options of the job the object at the target does not show."""

from __future__ import annotations

from cosbatch.model.operations import Directive
from cosbatch.operations.copy_options import merge_tags, new_grants, shows_grants
from cosbatch.operations.copy_plan import ObjectCopy
from cosbatch.operations.copy_source import head_or_none
from cosbatch.operations.copy_state import CONTENT, missing_options, same_content
from cosbatch.operations.copy_uploads import earliest_write
from cosbatch.storage.port import ObjectMeta
from cosbatch.storage.profiles import Option


async def verify_copy(copy: ObjectCopy) -> tuple[str, ...]:
    seen = await copy.target_store.head(copy.target)
    source = await _unchanged_source(copy)
    missing = list(missing_options(copy.plan, source=source, seen=seen))
    if source and not same_content(source, seen):
        missing.append(CONTENT)
    if not await _shows_tags(copy, source=source, seen=seen):
        missing.append(_tag_option(copy))
    if not await _shows_acl(copy, source=source):
        missing.append(_acl_option(copy))
    return tuple(missing)


async def _unchanged_source(copy: ObjectCopy) -> ObjectMeta | None:
    """None where the source tells nothing of what was copied: it is gone or newer, or the copy has taken its place."""
    if copy.is_in_place:
        return None
    source = await head_or_none(copy.source_store, copy.source)
    if source is None or copy.has_fixed_source:
        return source
    return source if source.last_modified < earliest_write(copy) else None


async def _shows_tags(copy: ObjectCopy, *, source: ObjectMeta | None, seen: ObjectMeta) -> bool:
    """Copied tags are compared where the source says that it has some: an object without tags costs no request."""
    params = copy.plan.params
    new = params.new_object_tagging
    if params.tagging_directive is not Directive.REPLACED and source is None:
        return params.tagging_directive is Directive.COPY or set(new) <= set(await _target_tags(copy))
    if params.tagging_directive is Directive.REPLACED:
        return set(new) == set(await _target_tags(copy))
    if params.tagging_directive is Directive.COPY and not (source and source.tag_count):
        return not seen.tag_count
    old = await copy.source_store.get_tags(copy.source)
    wanted = old if params.tagging_directive is Directive.COPY else merge_tags(old, new)
    return set(wanted) == set(await _target_tags(copy))


async def _target_tags(copy: ObjectCopy) -> tuple[object, ...]:
    return await copy.target_store.get_tags(copy.target)


def _tag_option(copy: ObjectCopy) -> Option:
    return Option.TAGGING_COPY if copy.plan.params.tagging_directive is Directive.COPY else Option.TAGGING_REPLACE


async def _shows_acl(copy: ObjectCopy, *, source: ObjectMeta | None) -> bool:
    """Inherited access is the bucket's affair, and is not read."""
    plan = copy.plan
    if plan.acl is None:
        return True
    new = new_grants(plan.params, profile_name=plan.facts.target_profile.name)
    seen = await copy.target_store.get_acl(copy.target)
    if plan.acl is Directive.REPLACED:
        return shows_grants(seen, new)
    if source is None:
        return True
    old = (await copy.source_store.get_acl(copy.source)).grants
    return shows_grants(seen, old if plan.acl is Directive.COPY else (*old, *new))


def _acl_option(copy: ObjectCopy) -> Option:
    if copy.plan.acl is not Directive.REPLACED:
        return Option.OBJECT_ACL
    return Option.CANNED_ACL if copy.plan.params.canned_access_control_list else Option.GRANTS
