"""What HEAD does not show of a copy: whether its tags and its access list are those that the job wants.

Asked of a copy that was made just now (reading back), and of an object that may be one (looking back).
"""

from __future__ import annotations

from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.operations import Directive, Tag
from cosbatch.operations.copy_options import merge_tags, new_grants, shows_grants
from cosbatch.operations.copy_plan import ObjectCopy
from cosbatch.operations.copy_source import is_whole, puts_tags_after
from cosbatch.storage.port import ObjectMeta


async def shows_tags(copy: ObjectCopy, made: ObjectRef, *, source: ObjectMeta | None, seen: ObjectMeta) -> bool:
    """``source`` is None where it tells nothing of what was copied: then only new tags are looked for. Copied tags are
    compared where the source says that it has some: an object without tags costs no request."""
    plan = copy.plan
    if not plan.has_target_tags:
        return True
    directive, new = plan.params.tagging_directive, plan.params.new_object_tagging
    if directive is Directive.REPLACED:
        return set(new) == await _tags(copy, made)
    if source is None:
        return directive is Directive.COPY or set(new) <= await _tags(copy, made)
    if directive is Directive.COPY and not source.tag_count:
        return not seen.tag_count
    old = await copy.source_store.get_tags(copy.source)
    wanted = old if directive is Directive.COPY else merge_tags(old, new)
    return set(wanted) == await _tags(copy, made)


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
    if not puts_tags_after(copy, whole=whole) and not await shows_tags(copy, made, source=source, seen=seen):
        return False
    return copy.plan.puts_acl or await shows_access(copy, made, source=source)
