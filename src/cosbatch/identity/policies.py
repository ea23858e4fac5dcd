"""Policies: who may take a role on, and what it may do, as AWS's IAM writes it and as Tencent's CAM does. Pure.

What a job needs is told in S3's action names, since every store but COS knows those; CAM's names are looked up for
them. A policy names no more than it was given: a job's own buckets, and in the manifest's and the report's bucket only
the keys that the job reads and writes there.

Sources: IAM JSON policy elements (AWS), CAM's syntax (cloud.tencent.com/document/product/598/10603), COS's actions and
resources (436/31923), a role's external id (598/13884).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cosbatch.model.identifiers import Bucket, RegionName

Policy = dict[str, Any]
"""A JSON document."""


class Purpose(StrEnum):
    """What a job needs an access for."""

    MANIFEST_READ = "manifest read"
    SOURCE_READ = "source read"
    TARGET_WRITE = "target write"
    REPORT_WRITE = "report write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a job does in one place."""

    purpose: Purpose
    region: RegionName
    bucket: Bucket | None
    """None: any, since the job's manifest, which names it, was not read yet."""
    actions: tuple[str, ...]
    """S3's names, ``s3:GetObject``."""
    key_prefix: str = ""
    """Only objects whose keys begin so; empty: all."""


_OF_BUCKETS: Final = frozenset(
    {
        "s3:ListAllMyBuckets",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:ListBucketMultipartUploads",
        "s3:GetBucketVersioning",
        "s3:GetBucketLocation",
        "s3:GetBucketObjectLockConfiguration",
    }
)
"""Actions whose resource is the bucket, not an object in it."""

_CAM_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "s3:ListAllMyBuckets": ("GetService",),
    "s3:ListBucket": ("HeadBucket", "GetBucket"),
    "s3:ListBucketVersions": ("GetBucketObjectVersions",),
    "s3:ListBucketMultipartUploads": ("ListMultipartUploads",),
    "s3:GetBucketVersioning": ("GetBucketVersioning",),
    "s3:GetBucketLocation": ("HeadBucket",),
    "s3:GetBucketObjectLockConfiguration": (),  # COS's name is not documented, and an unknown one spoils a policy
    "s3:GetObject": ("GetObject", "HeadObject"),
    "s3:GetObjectVersion": ("GetObject", "HeadObject"),
    "s3:GetObjectTagging": ("GetObjectTagging",),
    "s3:GetObjectVersionTagging": ("GetObjectTagging",),
    "s3:GetObjectAcl": ("GetObjectACL",),
    "s3:GetObjectVersionAcl": ("GetObjectACL",),
    "s3:PutObject": (
        "PutObject",
        "PutObjectCopy",
        "InitiateMultipartUpload",
        "UploadPart",
        "UploadPartCopy",
        "CompleteMultipartUpload",
    ),
    "s3:PutObjectTagging": ("PutObjectTagging",),
    "s3:PutObjectVersionTagging": ("PutObjectTagging",),
    "s3:PutObjectAcl": ("PutObjectACL",),
    "s3:PutObjectVersionAcl": ("PutObjectACL",),
    "s3:AbortMultipartUpload": ("AbortMultipartUpload",),
    "s3:ListMultipartUploadParts": ("ListParts",),
    "s3:DeleteObject": ("DeleteObject", "DeleteMultipleObjects"),
    "s3:DeleteObjectVersion": ("DeleteObject", "DeleteMultipleObjects"),
    "s3:DeleteObjectTagging": ("DeleteObjectTagging",),
    "s3:DeleteObjectVersionTagging": ("DeleteObjectTagging",),
    "s3:RestoreObject": ("PostObjectRestore",),
}
_APPID: Final = re.compile(r".+-([0-9]{5,})")
_VARIABLE: Final = re.compile(r"[*?$]")


# --- what a role may do


def iam_policy(accesses: Iterable[Access]) -> Policy:
    """The permission policy for IAM, and a session policy for an STS of that kind. The same for the same accesses in
    another order."""
    return {"Version": "2012-10-17", "Statement": [_iam_statement(*entry) for entry in _grouped(accesses)]}


def cam_policy(accesses: Iterable[Access]) -> Policy:
    """The permission policy for CAM, and a session policy for Tencent's STS."""
    merged: dict[tuple[str, ...], list[str]] = {}
    for actions, places in _grouped(accesses):
        names = tuple(sorted({f"name/cos:{name}" for action in actions for name in _in_cam(action)}))
        if not names:
            continue
        resources = [_cam_resource(place) for place in places]
        merged.setdefault(names, []).extend(resource for resource in resources if resource not in merged.get(names, []))
    statements = [
        {"effect": "allow", "action": list(names), "resource": sorted(resources)} for names, resources in merged.items()
    ]
    return {"version": "2.0", "statement": statements}


def named_permission(action: str, bucket: Bucket, *, region: RegionName, in_cam: bool, key_prefix: str = "") -> str:
    """What somebody has to be allowed, for people: ``s3:PutObject on arn:aws:s3:::bucket/*``, or as CAM names it,
    ``name/cos:PutObject on qcs::cos:ap-guangzhou:uid/1250000000:bucket-1250000000/*``."""
    resource = _Resource(bucket, None if action in _OF_BUCKETS else key_prefix, region)
    if in_cam and (names := _in_cam(action)):
        return f"name/cos:{names[0]} on {_cam_resource(resource)}"
    return f"{action} on {_iam_arn(resource)}"


def _in_cam(action: str) -> tuple[str, ...]:
    """Most actions have the same name there."""
    return _CAM_ACTIONS.get(action, (action.removeprefix("s3:"),))


@dataclass(frozen=True, slots=True, order=True)
class _Resource:
    bucket: str
    """Empty: any."""
    keys: str | None
    """Prefix of the keys; None: the bucket itself."""
    region: str


def _grouped(accesses: Iterable[Access]) -> list[tuple[tuple[str, ...], tuple[_Resource, ...]]]:
    """Actions that are allowed on the same resources stand in one entry, and the other way round."""
    actions_of: dict[_Resource, set[str]] = {}
    for access in accesses:
        for action in access.actions:
            keys = None if action in _OF_BUCKETS else access.key_prefix
            resource = _Resource(access.bucket or "", keys, access.region)
            actions_of.setdefault(resource, set()).add(action)
    groups: dict[tuple[str, ...], list[_Resource]] = {}
    for resource, actions in actions_of.items():
        groups.setdefault(tuple(sorted(actions)), []).append(resource)
    ordered = [(actions, tuple(sorted(resources, key=_place))) for actions, resources in groups.items()]
    return sorted(ordered, key=lambda entry: (_place(entry[1][0]), entry[0]))


def _place(resource: _Resource) -> tuple[str, str, bool, str]:
    return (resource.region, resource.bucket, resource.keys is not None, resource.keys or "")


def _iam_statement(actions: Sequence[str], resources: Sequence[_Resource]) -> Policy:
    arns = dict.fromkeys(_iam_arn(resource) for resource in resources)
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(arns)}


def _iam_arn(resource: _Resource) -> str:
    bucket = f"arn:aws:s3:::{resource.bucket or '*'}"
    return bucket if resource.keys is None else f"{bucket}/{_literal(resource.keys)}*"


def _cam_resource(resource: _Resource) -> str:
    """``qcs::cos:<region>:uid/<appid>:<bucket-appid>/<prefix>*``; a bucket's name ends in its appid."""
    found = _APPID.fullmatch(resource.bucket)
    owner = f"uid/{found[1]}" if found else ""
    name = resource.bucket or "*"
    keys = "/" if resource.keys is None else f"/{_literal(resource.keys)}*"
    return f"qcs::cos:{resource.region}:{owner}:{name}{keys}"


def _literal(prefix: str) -> str:
    """A prefix as it may stand before a wildcard: at most up to a sign that policies read as one. That allows somewhat
    more than was asked for; a policy has no way to write such a sign for itself."""
    found = _VARIABLE.search(prefix)
    return prefix[: found.start()] if found else prefix


# --- who may take it on


def iam_trust(*, principal: str, external_id: str) -> Policy:
    """``principal`` is the ARN of who assumes it: ``arn:aws:iam::<account>:user/<name>`` or ``...:root``. An empty
    ``external_id`` sets no condition."""
    statement: Policy = {"Effect": "Allow", "Principal": {"AWS": [principal]}, "Action": ["sts:AssumeRole"]}
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def cam_trust(*, principal: str, external_id: str) -> Policy:
    """``principal`` is ``qcs::cam::uin/<uin>:root`` or ``qcs::cam::uin/<uin>:uin/<sub-account>``: the operator's own.
    The cloud's service principal cannot be used by a service that somebody hosts himself."""
    statement: Policy = {"effect": "allow", "action": ["name/sts:AssumeRole"], "principal": {"qcs": [principal]}}
    if external_id:
        statement["condition"] = {"string_equal": {"sts:external_id": [external_id]}}
    return {"version": "2.0", "statement": [statement]}


def compact(policy: Policy) -> str:
    """As providers want it: Ceph refuses white space, and every STS counts bytes."""
    return json.dumps(policy, separators=(",", ":"))
