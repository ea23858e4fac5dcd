"""What a copy job means for every one of its tasks: worked out once for a job, asked for each object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import NULL_VERSION, ObjectRef
from cosbatch.model.operations import Directive, PutObjectCopy
from cosbatch.model.regions import Versioning
from cosbatch.model.tasks import Task
from cosbatch.operations.copy_options import acl_directive, new_metadata
from cosbatch.operations.outcome import TaskRefused
from cosbatch.operations.port import JobFacts, TaskContext
from cosbatch.operations.target_key import target_key
from cosbatch.storage.port import CopyOptions, ObjectMetadata, ObjectStore
from cosbatch.storage.profiles import CapabilityProfile, Option, Support

_new: Final = tuple.__new__
"""Makes a named tuple in half of the time: two are made for every object."""
MERGING: Final = frozenset({Directive.COPY, Directive.ADD})
"""What has to know the source's access list: a store's copy request never takes it along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPlan:
    """``options`` is what one copy request carries; the flags say what has to be sent beside it."""

    facts: JobFacts
    params: PutObjectCopy
    options: CopyOptions
    metadata: ObjectMetadata
    """The job's own, whatever the directive."""
    acl: Directive | None
    single_limit_bytes: int
    """Larger objects go in parts."""
    plain_limit_bytes: int
    """Up to here one request does everything; -1 where the job's options always need more."""
    reads_metadata: bool
    """HEAD on the source before the copy: metadata are merged, or the store does not compare dates."""
    reads_acl: bool
    puts_acl: bool
    matches_source: bool
    """The store itself refuses a copy of a source whose ETag is another."""
    same_bucket: bool
    """The target bucket is the source bucket, so that an object may be copied onto itself."""

    @property
    def has_dates(self) -> bool:
        constraints = (self.params.modified_since_constraint, self.params.unmodified_since_constraint)
        return constraints != (None, None)

    @property
    def is_versioned(self) -> bool:
        """Whether each copy makes a version of its own. In a suspended bucket it takes the place of the last one."""
        return self.facts.findings.target_versioning is Versioning.ENABLED

    @property
    def loses_tags_with_metadata(self) -> bool:
        """A store that takes no new tags on a copy drops the old ones when it is given new metadata (Ceph does)."""
        return not _applies(self.facts.target_profile, Option.TAGGING_REPLACE)

    @property
    def changes_class_alone(self) -> bool:
        """Such a store is told the class only, where an object is copied onto itself: its metadata and tags stay. Where
        more comes with it, an object that has the class already needs a copy all the same."""
        options = self.options
        is_asked = bool(self.params.storage_class) and self.params.metadata_directive is Directive.COPY
        is_alone = not (options.canned_acl or options.grants or options.sse_algorithm)
        return is_asked and is_alone and self.loses_tags_with_metadata

    def names_metadata(self, *, in_place: bool) -> bool:
        """Whether the copy request carries metadata. S3 and COS refuse a copy of an object onto itself without."""
        if self.params.metadata_directive is not Directive.COPY:
            return True
        return in_place and not self.changes_class_alone

    def drops_tags(self, *, in_place: bool) -> bool:
        """Whether the store makes the copy without the source's tags."""
        if not _applies(self.facts.target_profile, Option.TAGGING_COPY):
            return True
        return self.loses_tags_with_metadata and self.names_metadata(in_place=in_place)

    def reads_tags(self, *, in_place: bool) -> bool:
        if self.params.tagging_directive is Directive.COPY:
            return self.drops_tags(in_place=in_place)
        return self.params.tagging_directive is Directive.ADD

    def puts_tags(self, *, in_place: bool) -> bool:
        """Whether tags follow the copy request in one of their own."""
        if self.params.tagging_directive is Directive.COPY:
            return self.drops_tags(in_place=in_place)
        return not _applies(self.facts.target_profile, Option.TAGGING_REPLACE)

    @property
    def has_source_tags(self) -> bool:
        return self.facts.source_profile.supports(Option.OBJECT_TAGGING) is not Support.REFUSED

    @property
    def has_part_copy(self) -> bool:
        return _applies(self.facts.target_profile, Option.PART_COPY)

    @property
    def has_source_versions(self) -> bool:
        return self.facts.source_profile.supports(Option.VERSIONS) is not Support.REFUSED

    @property
    def has_target_tags(self) -> bool:
        return self.facts.target_profile.supports(Option.OBJECT_TAGGING) is not Support.REFUSED


def plan_of(facts: JobFacts) -> CopyPlan:
    params = facts.request.operation
    if not isinstance(params, PutObjectCopy):
        raise TypeError(f"a copy needs PutObjectCopy, this job has {type(params).__name__}")
    target = facts.target_profile
    acl = acl_directive(params)
    puts_acl = acl in MERGING or _needs_follow_up(params, target)
    metadata = new_metadata(params.new_object_metadata)
    plan = CopyPlan(
        facts=facts,
        params=params,
        options=replace(
            _options(params, target, metadata=metadata, sends_acl=not puts_acl),
            source_region=None if params.target_region in (None, facts.request.region) else facts.request.region,
        ),
        metadata=metadata,
        acl=acl,
        single_limit_bytes=min(facts.request.part_copy_above_bytes, target.copy_limit_bytes),
        plain_limit_bytes=-1,
        reads_metadata=params.metadata_directive is Directive.ADD or _compares_dates(params, target),
        reads_acl=acl in MERGING,
        puts_acl=puts_acl,
        matches_source=_applies(target, Option.SOURCE_MATCH),
        same_bucket=params.target_bucket == facts.findings.source_bucket
        and params.target_region in (None, facts.request.region),
    )
    return replace(plan, plain_limit_bytes=plan.single_limit_bytes) if _is_plain(plan) else plan


def _is_plain(plan: CopyPlan) -> bool:
    """Whether one request makes the copy, unless it is made onto itself or is too large."""
    has_tag_requests = plan.reads_tags(in_place=False) or plan.puts_tags(in_place=False)
    return plan.facts.same_store and not (plan.reads_metadata or plan.puts_acl or has_tag_requests)


def _applies(profile: CapabilityProfile, option: Option) -> bool:
    return profile.supports(option) is Support.APPLIED


def _needs_follow_up(params: PutObjectCopy, target: CapabilityProfile) -> bool:
    canned = params.canned_access_control_list is not None and not _applies(target, Option.CANNED_ACL)
    return canned or (bool(params.access_control_grants) and not _applies(target, Option.GRANTS))


def _compares_dates(params: PutObjectCopy, target: CapabilityProfile) -> bool:
    asked = (params.modified_since_constraint, params.unmodified_since_constraint) != (None, None)
    return asked and not _applies(target, Option.SOURCE_DATES)


def _options(
    params: PutObjectCopy, target: CapabilityProfile, *, metadata: ObjectMetadata, sends_acl: bool
) -> CopyOptions:
    replaces_tags = params.tagging_directive is Directive.REPLACED and _applies(target, Option.TAGGING_REPLACE)
    sends_dates = _applies(target, Option.SOURCE_DATES)
    return CopyOptions(
        metadata=metadata if params.metadata_directive is Directive.REPLACED else None,
        tags=params.new_object_tagging if replaces_tags else None,
        storage_class=params.storage_class,
        canned_acl=params.canned_access_control_list if sends_acl else None,
        grants=params.access_control_grants if sends_acl else (),
        sse_algorithm=params.new_object_metadata.sse_algorithm,
        if_modified_since=params.modified_since_constraint if sends_dates else None,
        if_unmodified_since=params.unmodified_since_constraint if sends_dates else None,
    )


class ObjectCopy(NamedTuple):
    """One task of a copy job, with all that its steps need. A named tuple: one is made for every object."""

    plan: CopyPlan
    task: Task
    context: TaskContext
    source: ObjectRef
    target: ObjectRef

    @property
    def is_in_place(self) -> bool:
        return self.plan.same_bucket and self.source.key == self.target.key

    @property
    def names_metadata(self) -> bool:
        return self.plan.names_metadata(in_place=self.is_in_place)

    @property
    def has_fixed_source(self) -> bool:
        """Whether the bytes and metadata read from are those of a version, which cannot change."""
        return self.source.version_id not in (None, NULL_VERSION)

    @property
    def source_store(self) -> ObjectStore:
        return self.context.source

    @property
    def target_store(self) -> ObjectStore:
        return self.context.target


def copy_of(plan: CopyPlan, task: Task, context: TaskContext) -> ObjectCopy:
    """Raises TaskRefused as :func:`refs_of`."""
    return ObjectCopy(plan, task, context, *refs_of(plan, task))


def refs_of(plan: CopyPlan, task: Task) -> tuple[ObjectRef, ObjectRef]:
    """Source and target. Raises TaskRefused where the prefix rule gives no target key, and where a version is asked of
    a store that has none, and might give another one."""
    facts = plan.facts
    if task.version_id not in (None, NULL_VERSION) and not plan.has_source_versions:
        text = f"the row names a version, and {Option.VERSIONS} is not offered by a {facts.source_profile.name} store"
        raise TaskRefused(FailureCode.UNSUPPORTED_OPTION, text)
    key = target_key(plan.params, task.key, max_key_bytes=facts.target_profile.max_key_bytes)
    source = _new(ObjectRef, (facts.findings.source_bucket, task.key, task.version_id))
    return source, _new(ObjectRef, (plan.params.target_bucket, key, None))
