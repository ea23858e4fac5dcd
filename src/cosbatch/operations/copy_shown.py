"""What HEAD does not show of a copy: whether its tags and its access list are those that the job wants.

Asked of a copy that was made just now (reading back), and of an object that may be one (looking back).
"""

from __future__ import annotations

from enum import Enum, auto

from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.operations import Directive, Tag
from cosbatch.operations.copy_options import merge_tags, new_grants, shows_grants
from cosbatch.operations.copy_plan import ObjectCopy
from cosbatch.operations.copy_source import is_whole, puts_tags_after
from cosbatch.storage.port import ObjectMeta


class TagsShown(Enum):
    WANTED = auto()
    OTHERS = auto()
    """Tags were carried, and are not those that the source has now. Its owner may have changed them since, or the
    target's: of tags no store tells when they were written."""
    LACKING = auto()
    """What a store shows that has ignored them."""


async def shows_tags(copy: ObjectCopy, made: ObjectRef, *, source: ObjectMeta | None, seen: ObjectMeta) -> TagsShown:
    """``source`` is None where it tells nothing of what was copied: then only new tags are looked for. Copied tags are
    compared where the source says that it has some: an object without tags costs no request."""
    plan = copy.plan
    if not plan.has_target_tags:
        return TagsShown.WANTED
    directive, new = plan.params.tagging_directive, set(plan.params.new_object_tagging)
    if directive is Directive.REPLACED:
        return TagsShown.WANTED if new == await _tags(copy, made) else TagsShown.LACKING
    if source is None:
        is_shown = directive is Directive.COPY or new <= await _tags(copy, made)
        return TagsShown.WANTED if is_shown else TagsShown.LACKING
    if directive is Directive.COPY and not source.tag_count:
        return TagsShown.OTHERS if seen.tag_count else TagsShown.WANTED
    old = await copy.source_store.get_tags(copy.source)
    wanted = old if directive is Directive.COPY else merge_tags(old, plan.params.new_object_tagging)
    shown = await _tags(copy, made)
    if shown == set(wanted):
        return TagsShown.WANTED
    carried_over = shown - new
    return TagsShown.OTHERS if carried_over and new <= shown else TagsShown.LACKING


async def _tags(copy: ObjectCopy, made: ObjectRef) -> set[Tag]:
    return set(await copy.target_store.get_tags(made))


async def shows_access(copy: ObjectCopy, made: ObjectRef, *, source: ObjectMeta | None) -> bool:
    """Inherited access is the bucket's affair, and is not read."""
    plan = copy.plan
    if plan.acl is None:
        return True
    new = new_grants(plan.params, profile_name=plan.facts.target_profile.name)
    seen = await copy.target_store.get_acl(made)
    if plan.acl is Directive.REPLACED:
        return shows_grants(seen, new)
    if source is None:
        return True
    old = (await copy.source_store.get_acl(copy.source)).grants
    return shows_grants(seen, old if plan.acl is Directive.COPY else (*old, *new))


async def shows_what_it_carried(
    copy: ObjectCopy, made: ObjectRef, *, source: ObjectMeta | None, seen: ObjectMeta
) -> bool:
    """Whether an object that is like the copy has the tags and the access list that came with the copy request itself.
    Those that follow it in requests of their own are written again, and are not looked for."""
    whole = is_whole(copy, size_bytes=seen.size_bytes)
    if not puts_tags_after(copy, whole=whole):
        tags = await shows_tags(copy, made, source=source, seen=seen)
        if tags is not TagsShown.WANTED:
            return False
    return copy.plan.puts_acl or await shows_access(copy, made, source=source)
