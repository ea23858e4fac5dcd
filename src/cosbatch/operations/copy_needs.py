"""What a copy job needs of its stores: actions for policies and pre-flight, requests for estimates."""

from __future__ import annotations

from collections.abc import Iterator

from cosbatch.operations.copy_costs import copy_requests, foreseen_requests
from cosbatch.operations.copy_plan import CopyPlan
from cosbatch.operations.port import Needs


def copy_needs(plan: CopyPlan) -> Needs:
    """Includes what pre-flight, looking back and reading back need: the buckets, HEAD on the target, its versions, tags
    and access list. Without the right to list, a store answers 403 for an object that is not there."""
    return Needs(
        source_actions=tuple(_source_actions(plan)),
        target_actions=tuple(_target_actions(plan)),
        target_bucket=plan.params.target_bucket,
        requests_per_object=copy_requests(plan),
        foreseen_per_object=foreseen_requests(plan),
    )


def _source_actions(plan: CopyPlan) -> Iterator[str]:
    yield from ("s3:ListBucket", "s3:GetObject", "s3:GetObjectVersion")
    if plan.has_source_tags:
        yield from ("s3:GetObjectTagging", "s3:GetObjectVersionTagging")
    if plan.reads_acl:
        yield from ("s3:GetObjectAcl", "s3:GetObjectVersionAcl")


def _target_actions(plan: CopyPlan) -> Iterator[str]:
    yield from ("s3:ListBucket", "s3:GetBucketVersioning", "s3:PutObject", "s3:GetObject")
    yield from ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:ListBucketMultipartUploads")
    kinds = [""]
    if plan.is_versioned:
        yield from ("s3:ListBucketVersions", "s3:GetObjectVersion")
        kinds.append("Version")
    for kind in kinds:
        if plan.has_target_tags:
            yield from (f"s3:PutObject{kind}Tagging", f"s3:GetObject{kind}Tagging")
        if plan.puts_tags(in_place=True):
            yield f"s3:DeleteObject{kind}Tagging"
        if plan.acl is not None:
            yield from (f"s3:PutObject{kind}Acl", f"s3:GetObject{kind}Acl")
