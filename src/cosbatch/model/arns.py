"""Resource names, in COS's two spellings and AWS's.

``qcs::cos:<region>::<bucket-appid>[/<key>]``, ``qcs::cos:<region>:uid/<appid>:<bucket-appid>[/<key>]`` ,
``arn:<partition>:s3:::<bucket>[/<key>]``; roles ``qcs::cam::uin/<uin>:roleName/<name>`` or ``:role/<id>`` and
``arn:<partition>:iam::<account>:role/<path/name>``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cosbatch.model.identifiers import Bucket, ObjectKey, RegionName

_COS = re.compile(r"qcs::cos:(?P<region>[^:/\s]*):(?:uid/[0-9]+)?:(?P<bucket>[^/:\s]+)(?:/(?P<key>.*))?", re.DOTALL)
_AWS = re.compile(r"arn:aws[a-z-]*:s3:::(?P<bucket>[^/:\s]+)(?:/(?P<key>.*))?", re.DOTALL)
_CAM_ROLE = re.compile(r"qcs::cam::uin/(?P<account>[0-9]+):(?:roleName/(?P<name>[\w+=,.@-]{1,128})|role/(?P<id>.+))")
_IAM_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[^:]*):role/(?P<name>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceArn:
    """A bucket, or an object in it."""

    bucket: Bucket
    key: ObjectKey | None = None
    region: RegionName | None = None
    """As named by a COS spelling; AWS's names none."""
    text: str = ""
    """As it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleArn:
    account: str
    name: str
    text: str


def parse_resource_arn(text: str) -> ResourceArn | None:
    """The bucket or object that ``text`` names; None where it is not in one of the three spellings."""
    found = _COS.fullmatch(text)
    region = found["region"] if found else None
    found = found or _AWS.fullmatch(text)
    if not found:
        return None
    return ResourceArn(
        bucket=Bucket(found["bucket"]),
        key=ObjectKey(found["key"]) if found["key"] else None,
        region=RegionName(region) if region else None,
        text=text,
    )


def parse_role_arn(text: str) -> RoleArn | None:
    """The role that ``text`` names; None where it is in neither spelling."""
    found = _CAM_ROLE.fullmatch(text)
    if found:
        return RoleArn(account=found["account"], name=found["name"] or found["id"], text=text)
    found = _IAM_ROLE.fullmatch(text)
    return RoleArn(account=found["account"], name=found["name"], text=text) if found else None


def format_bucket_arn(bucket: Bucket, *, region: RegionName | None = None, appid: str = "") -> str:
    """COS's spelling where a region is given (the ``uid/`` one with an appid), else AWS's."""
    if region is None:
        return f"arn:aws:s3:::{bucket}"
    return f"qcs::cos:{region}:uid/{appid}:{bucket}" if appid else f"qcs::cos:{region}::{bucket}"
