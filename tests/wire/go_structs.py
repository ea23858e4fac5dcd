"""Answers as cos-go-sdk-v5 reads them: Go's encoding/xml filling the structs of the SDK.

A struct is a mapping of paths (``A>B`` is B in A) to a kind: text, a number, a list of a kind, or another struct. As
in Go, the root has to have its name, a number has to be one (empty is 0), elements that no field names are passed
over, and of an element that stands there twice the last one counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

Kind = type[str] | type[int] | Sequence["Kind"] | Mapping[str, "Kind"]

PROGRESS: Final[Kind] = {"NumberOfTasksFailed": int, "NumberOfTasksSucceeded": int, "TotalNumberOfTasks": int}
LOCATION: Final[Kind] = {"ETag": str, "ObjectArn": str, "ObjectVersionId": str}
TAG: Final[Kind] = {"Key": str, "Value": str}
COPY: Final[Kind] = {
    "AccessControlDirective": str,
    "AccessControlGrants": {
        "COSGrant": {
            "Grantee": {"DisplayName": str, "Identifier": str, "TypeIdentifier": str},
            "Permission": str,
        }
    },
    "CannedAccessControlList": str,
    "PrefixReplace": str,
    "ResourcesPrefix": str,
    "TargetKeyPrefix": str,
    "MetadataDirective": str,
    "ModifiedSinceConstraint": int,
    "UnModifiedSinceConstraint": int,
    "NewObjectMetadata": {"CacheControl": str, "SSEAlgorithm": str, "UserMetadata>member": [TAG]},
    "TaggingDirective": str,
    "NewObjectTagging": {"COSTag": [TAG]},
    "StorageClass": str,
    "TargetResource": str,
}
STRUCTS: Final[Mapping[str, Mapping[str, Kind]]] = {
    "CreateJobResult": {"JobId": str},
    "DescribeJobResult": {
        "Job": {
            "ConfirmationRequired": str,
            "CreationTime": str,
            "Description": str,
            "FailureReasons>JobFailure": {"FailureCode": str, "FailureReason": str},
            "JobId": str,
            "Manifest": {"Location": LOCATION, "Spec": {"Fields>member": [str], "Format": str}},
            "Operation": {
                "COSPutObjectCopy": COPY,
                "COSInitiateRestoreObject": {"ExpirationInDays": int, "JobTier": str},
                "COSPutObjectTagging": {"TaggingDirective": str, "TagSet": {"COSTag": [TAG]}},
            },
            "Priority": int,
            "ProgressSummary": PROGRESS,
            "Report": {"Bucket": str, "Enabled": str, "Format": str, "Prefix": str, "ReportScope": str},
            "RoleArn": str,
            "Status": str,
            "StatusUpdateReason": str,
            "SuspendedCause": str,
            "SuspendedDate": str,
            "TerminationDate": str,
        }
    },
    "ListJobsResult": {
        "Jobs": {
            "member": [
                {
                    "CreationTime": str,
                    "Description": str,
                    "JobId": str,
                    "Operation": str,
                    "Priority": int,
                    "ProgressSummary": PROGRESS,
                    "Status": str,
                    "TerminationDate": str,
                }
            ]
        },
        "NextToken": str,
    },
    "UpdateJobPriorityResult": {"JobId": str, "Priority": int},
    "UpdateJobStatusResult": {"JobId": str, "Status": str, "StatusUpdateReason": str},
    "Error": {"Code": str, "Message": str, "Resource": str, "RequestId": str, "TraceId": str},
}


def unmarshal(body: bytes, name: str) -> Any:
    """The struct of that name; a nested one that is not there is None."""
    root = ET.fromstring(body)
    if root.tag != name:
        raise ValueError(f"expected element type <{name}> but have <{root.tag}>")
    return _filled(root, STRUCTS[name])


def _filled(element: ET.Element, kind: Kind) -> Any:
    if kind is str:
        return element.text or ""
    if kind is int:
        return int((element.text or "").strip() or "0")
    assert isinstance(kind, Mapping)
    return {path: _field(element, path, inner) for path, inner in kind.items()}


def _field(element: ET.Element, path: str, kind: Kind) -> Any:
    found = element.findall(path.replace(">", "/"))
    if isinstance(kind, list):
        return [_filled(each, kind[0]) for each in found]
    if found:
        return _filled(found[-1], kind)
    return {str: "", int: 0}.get(kind) if isinstance(kind, type) else None
