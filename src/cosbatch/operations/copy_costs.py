"""What each option of a copy costs in requests: the one table, for estimates, benchmark and documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cosbatch.model.operations import Directive
from cosbatch.operations.copy_plan import CopyPlan
from cosbatch.storage.profiles import Option, Support

COPY: Final = "copy"
GET: Final = "get"
PUT: Final = "put"
HEAD_SOURCE: Final = "head-source"
HEAD_SOURCE_AGAIN: Final = "head-source-again"
GET_SOURCE_TAGS: Final = "get-source-tags"
PUT_TARGET_TAGS: Final = "put-target-tags"
GET_SOURCE_ACL: Final = "get-source-acl"
GET_TARGET_ACL: Final = "get-target-acl"
PUT_TARGET_ACL: Final = "put-target-acl"
_READ_BESIDE: Final = frozenset({GET_SOURCE_TAGS, GET_SOURCE_ACL})


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyCost:
    option: str
    """As a person reads it."""
    kinds: tuple[str, ...]
    """Kinds of request, each sent once for an object, however many rows name it."""
    applies: Callable[[CopyPlan], bool]


def _onto_itself(plan: CopyPlan) -> bool:
    return (
        plan.same_bucket and not plan.params.prefix_replace and plan.params.metadata_directive is not Directive.REPLACED
    )


def _tags_are_lost(plan: CopyPlan) -> bool:
    in_place = plan.same_bucket and not plan.params.prefix_replace
    return (
        plan.facts.same_store
        and plan.params.tagging_directive is Directive.COPY
        and plan.drops_tags(in_place=in_place)
        and plan.has_source_tags
    )


def _looks_again(plan: CopyPlan) -> bool:
    return plan.facts.same_store and plan.reads_metadata and not plan.matches_source


def _tags_pass_through(plan: CopyPlan) -> bool:
    return not plan.facts.same_store and plan.params.tagging_directive is Directive.COPY and plan.has_source_tags


def _tags_follow(plan: CopyPlan) -> bool:
    if plan.facts.same_store:
        return plan.params.tagging_directive is not Directive.COPY and plan.puts_tags(in_place=False)
    return plan.facts.target_profile.supports(Option.UPLOAD_TAGGING) is not Support.APPLIED


COPY_COSTS: Final = (
    CopyCost(
        option="Any copy inside one store: metadata and tags go along, access is the bucket's; storage class,"
        " encryption, MetadataDirective Replaced, and whatever else the store does by itself",
        kinds=(COPY,),
        applies=lambda plan: plan.facts.same_store,
    ),
    CopyCost(
        option="A copy between stores that cannot read from one another",
        kinds=(HEAD_SOURCE, GET, PUT),
        applies=lambda plan: not plan.facts.same_store,
    ),
    CopyCost(
        option="The same with TaggingDirective Copy (no request for an object that says it has no tags)",
        kinds=(GET_SOURCE_TAGS,),
        applies=_tags_pass_through,
    ),
    CopyCost(
        option="MetadataDirective Add",
        kinds=(HEAD_SOURCE,),
        applies=lambda plan: plan.params.metadata_directive is Directive.ADD,
    ),
    CopyCost(
        option="Copy onto itself with MetadataDirective Copy or Add: the store has to be told the metadata anew",
        kinds=(HEAD_SOURCE,),
        applies=_onto_itself,
    ),
    CopyCost(
        option="ModifiedSinceConstraint, UnModifiedSinceConstraint where the store does not compare dates",
        kinds=(HEAD_SOURCE,),
        applies=lambda plan: plan.reads_metadata and plan.has_dates,
    ),
    CopyCost(
        option="Either of these where the store does not compare ETags either, and rows have no version ids",
        kinds=(HEAD_SOURCE_AGAIN,),
        applies=_looks_again,
    ),
    CopyCost(
        option="TaggingDirective Add",
        kinds=(GET_SOURCE_TAGS,),
        applies=lambda plan: plan.params.tagging_directive is Directive.ADD,
    ),
    CopyCost(
        option="TaggingDirective Copy where the store's copies lose tags, or lose them when metadata are new",
        kinds=(GET_SOURCE_TAGS, PUT_TARGET_TAGS),
        applies=_tags_are_lost,
    ),
    CopyCost(
        option="New tags where the store's copies take none; any tags where its uploads take none",
        kinds=(PUT_TARGET_TAGS,),
        applies=_tags_follow,
    ),
    CopyCost(
        option="AccessControlDirective Copy or Add",
        kinds=(GET_SOURCE_ACL, GET_TARGET_ACL, PUT_TARGET_ACL),
        applies=lambda plan: plan.reads_acl,
    ),
    CopyCost(
        option="Canned list or grants where the store's copies take none",
        kinds=(GET_TARGET_ACL, PUT_TARGET_ACL),
        applies=lambda plan: plan.puts_acl and not plan.reads_acl,
    ),
)


def copy_requests(plan: CopyPlan) -> Mapping[str, float]:
    """Kind of request -> how many for each object."""
    kinds = [kind for cost in COPY_COSTS if cost.applies(plan) for kind in cost.kinds]
    return MappingProxyType(dict.fromkeys(kinds, 1.0))


def foreseen_requests(plan: CopyPlan, *, in_parts: bool = False) -> Mapping[str, float]:
    """Of a dry run, which only reads: the object, and what the copy would read of it beside. At most so many: of an
    object that says it has no tags they are not read."""
    kinds = {HEAD_SOURCE} | (_READ_BESIDE & set(copy_requests(plan)))
    if in_parts and plan.params.tagging_directive is not Directive.REPLACED and plan.has_source_tags:
        kinds.add(GET_SOURCE_TAGS)
    return MappingProxyType(dict.fromkeys(sorted(kinds), 1.0))


def render_cost_table() -> str:
    """Markdown, the whole page."""
    rows = "\n".join(f"| {cost.option} | {', '.join(cost.kinds)} | {len(cost.kinds)} |" for cost in COPY_COSTS)
    return _PAGE.replace("ROWS", rows)


_PAGE: Final = """# What a copy costs

Every request to a store takes time and, in most clouds, money. A default copy is one request for each object; an option
that needs more says so here. A kind of request is sent once for an object, however many options ask for it. This page
is generated from the table that estimates are made of.

| Option | Requests for each object | Number |
|---|---|---|
ROWS

Not in the table:

- An object that is too large for one copy request is copied in parts: HEAD and, with TaggingDirective Copy or Add, its
  tags are read; then one request begins the upload, one copies each part, and one completes it.
- Without a size in the manifest a large object costs one refused request more.
- Of the first 100 tasks, and then of 1 in 1,000, the result is read back: HEAD on source and target, and the tags and
  access list where the job sets them. `verify: all` does so for every object.
- A task of which a reply was lost is looked at before anything is sent again.
"""
