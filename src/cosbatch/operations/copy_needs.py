"""What a copy job needs of its stores: actions for policies and pre-flight, requests for estimates."""

from __future__ import annotations

from cosbatch.operations.copy_costs import copy_requests
from cosbatch.operations.copy_plan import CopyPlan
from cosbatch.operations.port import Needs


def copy_needs(plan: CopyPlan) -> Needs:
    """Includes what looking back and reading back need: HEAD on the target, its versions, tags and access list."""
    source = ["s3:GetObject", "s3:GetObjectVersion"]
    target = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    target += ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketVersioning"]
    if plan.is_versioned:
        target += ["s3:ListBucketVersions", "s3:GetObjectVersion"]
    if plan.has_source_tags:
        source += ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"]
    if plan.has_target_tags:
        target += ["s3:PutObjectTagging", "s3:GetObjectTagging"]
    if plan.reads_acl:
        source += ["s3:GetObjectAcl", "s3:GetObjectVersionAcl"]
    if plan.acl is not None:
        target += ["s3:PutObjectAcl", "s3:GetObjectAcl"]
    return Needs(
        source_actions=tuple(source),
        target_actions=tuple(target),
        target_bucket=plan.params.target_bucket,
        requests_per_object=copy_requests(plan),
    )
