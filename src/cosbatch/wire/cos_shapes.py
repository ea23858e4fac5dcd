"""The elements of COS's CreateJob. Source: COS API, CreateJob (436/38608) and common elements (436/38607); what the Go
SDK has and the documentation has not, ``COSPutObjectTagging``, is written as the SDK writes it."""

from __future__ import annotations

from typing import Final

from cosbatch.wire.shapes import Kind, Shape, required


def _text(name: str, *, field: str = "") -> Shape:
    return Shape(name=name, field=field)


def _word(name: str, *, field: str = "") -> Shape:
    return Shape(name=name, kind=Kind.WORD, field=field)


def _boolean(name: str) -> Shape:
    return Shape(name=name, kind=Kind.BOOLEAN)


def _integer(name: str) -> Shape:
    return Shape(name=name, kind=Kind.INTEGER)


def _branch(name: str, *children: Shape, may_be_empty: bool = False) -> Shape:
    return Shape(name=name, kind=Kind.BRANCH, children=children, may_be_empty=may_be_empty)


def _list(name: str, member: Shape) -> Shape:
    return Shape(name=name, kind=Kind.LIST, children=(member,))


_TAG: Final = _branch("COSTag", _text("Key"), _text("Value"))

_MANIFEST: Final = _branch(
    "Manifest",
    required(
        _branch(
            "Location",
            required(_word("ETag", field="etag")),
            required(_text("ObjectArn")),
            _word("ObjectVersionId"),
        )
    ),
    required(_branch("Spec", required(_word("Format")), _list("Fields", _word("member")))),
)

_COPY: Final = _branch(
    "COSPutObjectCopy",
    required(_word("TargetResource")),
    _word("AccessControlDirective"),
    _list(
        "AccessControlGrants",
        _branch(
            "COSGrant",
            _branch("Grantee", _text("DisplayName"), _word("Identifier"), _word("TypeIdentifier")),
            _word("Permission"),
        ),
    ),
    _word("CannedAccessControlList"),
    _boolean("PrefixReplace"),
    _text("ResourcesPrefix"),
    _text("TargetKeyPrefix"),
    _integer("ModifiedSinceConstraint"),
    _integer("UnModifiedSinceConstraint"),
    _word("MetadataDirective"),
    _branch(
        "NewObjectMetadata",
        _text("CacheControl"),
        _text("ContentDisposition"),
        _text("ContentEncoding"),
        _text("ContentType"),
        _text("HttpExpiresDate"),
        _word("SSEAlgorithm"),
        _list("UserMetadata", _branch("member", _text("Key"), _text("Value"))),
    ),
    _word("TaggingDirective"),
    _list("NewObjectTagging", _TAG),
    _word("StorageClass"),
)

_OPERATION: Final = _branch(
    "Operation",
    _COPY,
    _branch("COSInitiateRestoreObject", _integer("ExpirationInDays"), _word("JobTier")),
    _branch("COSDeleteObject", may_be_empty=True),
    _branch("COSPutObjectTagging", _word("TaggingDirective"), _list("TagSet", _TAG)),
)

_REPORT: Final = _branch(
    "Report",
    required(_boolean("Enabled")),
    _word("Bucket"),
    _word("Format"),
    _text("Prefix"),
    _word("ReportScope"),
)

CREATE_JOB: Final = _branch(
    "CreateJobRequest",
    required(_word("ClientRequestToken")),
    _boolean("ConfirmationRequired"),
    _text("Description"),
    required(_MANIFEST),
    required(_OPERATION),
    required(_integer("Priority")),
    required(_REPORT),
    required(_word("RoleArn")),
)
