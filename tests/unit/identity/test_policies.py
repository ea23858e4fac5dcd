"""Policies as IAM and CAM write them, word for word."""

from __future__ import annotations

from functools import partial

import pytest

from cosbatch.identity.policies import (
    Access,
    Purpose,
    cam_policy,
    cam_trust,
    compact,
    iam_policy,
    iam_trust,
    named_permission,
)
from cosbatch.model.identifiers import Bucket, RegionName

HERE = RegionName("ap-guangzhou")
COPY = [
    Access(
        purpose=Purpose.MANIFEST_READ,
        region=HERE,
        bucket=Bucket("lists-1250000000"),
        actions=("s3:ListBucket", "s3:GetObject", "s3:GetObjectVersion"),
        key_prefix="jobs/list.csv",
    ),
    Access(
        purpose=Purpose.SOURCE_READ,
        region=HERE,
        bucket=Bucket("hot-1250000000"),
        actions=("s3:ListBucket", "s3:GetObject", "s3:GetObjectTagging"),
    ),
    Access(
        purpose=Purpose.TARGET_WRITE,
        region=RegionName("ap-shanghai"),
        bucket=Bucket("cold-1250000000"),
        actions=("s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload"),
    ),
]


def test_iam() -> None:
    assert iam_policy(COPY) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": [
                    "arn:aws:s3:::hot-1250000000",
                    "arn:aws:s3:::lists-1250000000",
                    "arn:aws:s3:::cold-1250000000",
                ],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectTagging"],
                "Resource": ["arn:aws:s3:::hot-1250000000/*"],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                "Resource": ["arn:aws:s3:::lists-1250000000/jobs/list.csv*"],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:AbortMultipartUpload", "s3:PutObject"],
                "Resource": ["arn:aws:s3:::cold-1250000000/*"],
            },
        ],
    }


def test_cam() -> None:
    guangzhou, shanghai = "qcs::cos:ap-guangzhou:uid/1250000000", "qcs::cos:ap-shanghai:uid/1250000000"
    assert cam_policy(COPY) == {
        "version": "2.0",
        "statement": [
            {
                "effect": "allow",
                "action": ["name/cos:GetBucket", "name/cos:HeadBucket"],
                "resource": [
                    f"{guangzhou}:hot-1250000000/",
                    f"{guangzhou}:lists-1250000000/",
                    f"{shanghai}:cold-1250000000/",
                ],
            },
            {
                "effect": "allow",
                "action": ["name/cos:GetObject", "name/cos:GetObjectTagging", "name/cos:HeadObject"],
                "resource": [f"{guangzhou}:hot-1250000000/*"],
            },
            {
                "effect": "allow",
                "action": ["name/cos:GetObject", "name/cos:HeadObject"],
                "resource": [f"{guangzhou}:lists-1250000000/jobs/list.csv*"],
            },
            {
                "effect": "allow",
                "action": [
                    "name/cos:AbortMultipartUpload",
                    "name/cos:CompleteMultipartUpload",
                    "name/cos:InitiateMultipartUpload",
                    "name/cos:PutObject",
                    "name/cos:PutObjectCopy",
                    "name/cos:UploadPart",
                    "name/cos:UploadPartCopy",
                ],
                "resource": [f"{shanghai}:cold-1250000000/*"],
            },
        ],
    }


def test_the_same_accesses_in_another_order_are_the_same_policy() -> None:
    assert iam_policy(reversed(COPY)) == iam_policy(COPY)
    assert cam_policy(reversed(COPY)) == cam_policy(COPY)


def test_what_is_needed_twice_stands_once() -> None:
    assert iam_policy([*COPY, *COPY]) == iam_policy(COPY)


def test_a_bucket_that_is_not_known_yet_is_any() -> None:
    unknown = Access(purpose=Purpose.SOURCE_READ, region=HERE, bucket=None, actions=("s3:ListBucket", "s3:GetObject"))
    assert [statement["Resource"] for statement in iam_policy([unknown])["Statement"]] == [
        ["arn:aws:s3:::*"],
        ["arn:aws:s3:::*/*"],
    ]
    assert [statement["resource"] for statement in cam_policy([unknown])["statement"]] == [
        ["qcs::cos:ap-guangzhou::*/"],
        ["qcs::cos:ap-guangzhou::*/*"],
    ]


@pytest.mark.parametrize("prefix", ["a*b", "a?b", "a${aws:username}"])
def test_a_prefix_with_a_sign_of_policies_is_cut_before_it(prefix: str) -> None:
    reports = Access(
        purpose=Purpose.REPORT_WRITE,
        region=HERE,
        bucket=Bucket("hot-1250000000"),
        actions=("s3:PutObject",),
        key_prefix=prefix,
    )
    assert iam_policy([reports])["Statement"][0]["Resource"] == ["arn:aws:s3:::hot-1250000000/a*"]


def test_trust() -> None:
    assert iam_trust(principal="arn:aws:iam::123456789012:user/batch", external_id="e-1") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::123456789012:user/batch"]},
                "Action": ["sts:AssumeRole"],
                "Condition": {"StringEquals": {"sts:ExternalId": "e-1"}},
            }
        ],
    }
    assert cam_trust(principal="qcs::cam::uin/100000000001:root", external_id="e-1") == {
        "version": "2.0",
        "statement": [
            {
                "effect": "allow",
                "action": ["name/sts:AssumeRole"],
                "principal": {"qcs": ["qcs::cam::uin/100000000001:root"]},
                "condition": {"string_equal": {"sts:external_id": ["e-1"]}},
            }
        ],
    }
    assert "Condition" not in iam_trust(principal="p", external_id="")["Statement"][0]
    assert "condition" not in cam_trust(principal="p", external_id="")["statement"][0]


def test_an_action_that_has_no_other_name_in_cam_keeps_its_own() -> None:
    retention = Access(
        purpose=Purpose.TARGET_WRITE, region=HERE, bucket=Bucket("b-1250000000"), actions=("s3:PutObjectRetention",)
    )
    assert cam_policy([retention])["statement"][0]["action"] == ["name/cos:PutObjectRetention"]


def test_compact_has_no_white_space() -> None:
    assert " " not in compact(iam_policy(COPY))


def test_a_permission_in_the_words_of_its_provider() -> None:
    region, bucket = RegionName("ap-guangzhou"), Bucket("data-1250000000")
    named = partial(named_permission, region=region)
    assert named("s3:PutObject", bucket, in_cam=False) == "s3:PutObject on arn:aws:s3:::data-1250000000/*"
    assert named("s3:ListBucket", bucket, in_cam=False) == "s3:ListBucket on arn:aws:s3:::data-1250000000"
    resource = "qcs::cos:ap-guangzhou:uid/1250000000:data-1250000000"
    assert named("s3:PutObject", bucket, in_cam=True) == f"name/cos:PutObject on {resource}/*"
    assert named("s3:ListBucket", bucket, in_cam=True) == f"name/cos:HeadBucket on {resource}/"
    assert named("s3:PutObject", bucket, in_cam=True, key_prefix="r/") == f"name/cos:PutObject on {resource}/r/*"


def test_what_cam_has_no_name_for_spoils_no_policy() -> None:
    access = Access(
        purpose=Purpose.TARGET_WRITE,
        region=RegionName("ap-guangzhou"),
        bucket=Bucket("data-1250000000"),
        actions=("s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration"),
    )
    (statement,) = cam_policy([access])["statement"]
    assert statement["action"] == ["name/cos:GetBucketVersioning"]
    alone = Access(purpose=access.purpose, region=access.region, bucket=None, actions=access.actions[1:])
    assert cam_policy([alone])["statement"] == []
