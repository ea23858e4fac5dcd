"""What the S3 adapter sends is what botocore sends for the same call: method, path, query, headers and body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree.ElementTree import canonicalize

import boto3
import pytest
from botocore.config import Config

from cosbatch.model.errors import StorageError
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, VersionId
from cosbatch.model.operations import CannedAcl, Grant, Permission, RestoreTier, Tag
from cosbatch.storage.port import (
    AccessControl,
    AclGrant,
    CompletedPart,
    CopyOptions,
    ObjectMetadata,
    ObjectStore,
    PutOptions,
)
from tests.capturing_store import CapturedRequest, CapturingStore
from tests.stores import open_store

KEYS = (
    "plain/key.txt",
    "a//b",
    "../x",
    "/x",
    "line\nbreak",
    "a%2Fb",
    "a+b c",
    "日志/🚀",
    "q?a=b&c#d;e",
    "~*'()!$,:@=[]",
)
SAMPLE_KEY = "dir/a+b ü%2F?x"
BUCKET = Bucket("the-bucket")
REF = ObjectRef(BUCKET, ObjectKey(SAMPLE_KEY))
VERSION = ObjectRef(BUCKET, ObjectKey(SAMPLE_KEY), VersionId("v.1_x/+="))
SOURCE = ObjectRef(Bucket("source-bucket"), ObjectKey("src/ü+ &%.txt"))
NAMED: dict[str, Any] = {"Bucket": BUCKET, "Key": SAMPLE_KEY}
ETAG = "9affad555af89da9b0bfcd5e45bc93da"
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"

METADATA = ObjectMetadata(
    cache_control="no-cache",
    content_disposition='attachment; filename="x"',
    content_encoding="gzip",
    content_language="de",
    content_type="text/x-test",
    user={"owner": "anna", "two-words": "b c"},
)
METADATA_NAMED = {
    "CacheControl": "no-cache",
    "ContentDisposition": 'attachment; filename="x"',
    "ContentEncoding": "gzip",
    "ContentLanguage": "de",
    "ContentType": "text/x-test",
    "Metadata": {"owner": "anna", "two-words": "b c"},
}
TAGS = (Tag(key="team red", value="a+b/c=d"), Tag(key="größe", value=""))
TAG_HEADER = "team%20red=a%2Bb%2Fc%3Dd&gr%C3%B6%C3%9Fe="
GRANTS = (
    Grant(identifier="one", permission=Permission.READ),
    Grant(identifier="two", permission=Permission.READ),
    Grant(identifier="three", permission=Permission.FULL_CONTROL),
)
GRANTS_NAMED = {"GrantRead": 'id="one", id="two"', "GrantFullControl": 'id="three"'}
MOMENT = 1_700_000_000
ACL = AccessControl(
    owner_id="me",
    owner_display_name="Me",
    grants=(AclGrant("me", "", "FULL_CONTROL", "Me"), AclGrant("", ALL_USERS, "READ")),
)
ACL_NAMED = {
    "Owner": {"ID": "me", "DisplayName": "Me"},
    "Grants": [
        {"Grantee": {"Type": "CanonicalUser", "ID": "me", "DisplayName": "Me"}, "Permission": "FULL_CONTROL"},
        {"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "READ"},
    ],
}

Ours = Callable[[ObjectStore], Awaitable[object]]
CALLS: dict[str, tuple[Ours, str, dict[str, Any]]] = {
    "head": (lambda s: s.head(REF), "head_object", NAMED),
    "head of a version": (lambda s: s.head(VERSION), "head_object", NAMED | {"VersionId": VERSION.version_id}),
    "get": (lambda s: s.get(REF), "get_object", NAMED),
    "get of a range": (lambda s: s.get(REF, first_byte=5, last_byte=9), "get_object", NAMED | {"Range": "bytes=5-9"}),
    "get from a byte on": (lambda s: s.get(REF, first_byte=5), "get_object", NAMED | {"Range": "bytes=5-"}),
    "put": (
        lambda s: s.put(REF, b"body", options=PutOptions(metadata=METADATA, tags=TAGS, storage_class="STANDARD_IA")),
        "put_object",
        NAMED | METADATA_NAMED | {"Body": b"body", "Tagging": TAG_HEADER, "StorageClass": "STANDARD_IA"},
    ),
    "put with access": (
        lambda s: s.put(REF, b"body", options=PutOptions(grants=GRANTS, sse_algorithm="AES256")),
        "put_object",
        NAMED | GRANTS_NAMED | {"Body": b"body", "ServerSideEncryption": "AES256"},
    ),
    "plain copy": (
        lambda s: s.copy(SOURCE, REF, options=CopyOptions()),
        "copy_object",
        NAMED | {"CopySource": {"Bucket": SOURCE.bucket, "Key": SOURCE.key}},
    ),
    "copy of a version": (
        lambda s: s.copy(SOURCE._replace(version_id=VersionId("v1")), REF, options=CopyOptions()),
        "copy_object",
        NAMED | {"CopySource": {"Bucket": SOURCE.bucket, "Key": SOURCE.key, "VersionId": "v1"}},
    ),
    "copy with everything replaced": (
        lambda s: s.copy(
            SOURCE,
            REF,
            options=CopyOptions(
                metadata=METADATA,
                tags=TAGS,
                storage_class="STANDARD_IA",
                canned_acl=CannedAcl.PUBLIC_READ,
                sse_algorithm="AES256",
                if_modified_since=MOMENT,
                if_unmodified_since=MOMENT + 1,
                if_source_etag=ETAG,
            ),
        ),
        "copy_object",
        NAMED
        | METADATA_NAMED
        | {
            "CopySource": {"Bucket": SOURCE.bucket, "Key": SOURCE.key},
            "MetadataDirective": "REPLACE",
            "TaggingDirective": "REPLACE",
            "Tagging": TAG_HEADER,
            "StorageClass": "STANDARD_IA",
            "ACL": "public-read",
            "ServerSideEncryption": "AES256",
            "CopySourceIfModifiedSince": datetime.fromtimestamp(MOMENT, UTC),
            "CopySourceIfUnmodifiedSince": datetime.fromtimestamp(MOMENT + 1, UTC),
            "CopySourceIfMatch": f'"{ETAG}"',
        },
    ),
    "copy with grants": (
        lambda s: s.copy(SOURCE, REF, options=CopyOptions(grants=GRANTS)),
        "copy_object",
        NAMED | GRANTS_NAMED | {"CopySource": {"Bucket": SOURCE.bucket, "Key": SOURCE.key}},
    ),
    "copy with no tags": (
        lambda s: s.copy(SOURCE, REF, options=CopyOptions(tags=())),
        "copy_object",
        NAMED | {"CopySource": {"Bucket": SOURCE.bucket, "Key": SOURCE.key}, "TaggingDirective": "REPLACE"},
    ),
    "delete": (lambda s: s.delete(REF), "delete_object", NAMED),
    "delete of a version": (lambda s: s.delete(VERSION), "delete_object", NAMED | {"VersionId": VERSION.version_id}),
    "restore": (
        lambda s: s.restore(REF, days=3, tier=RestoreTier.BULK),
        "restore_object",
        NAMED | {"RestoreRequest": {"Days": 3, "GlacierJobParameters": {"Tier": "Bulk"}}},
    ),
    "restore of a version": (
        lambda s: s.restore(VERSION, days=365, tier=RestoreTier.STANDARD),
        "restore_object",
        NAMED
        | {
            "VersionId": VERSION.version_id,
            "RestoreRequest": {"Days": 365, "GlacierJobParameters": {"Tier": "Standard"}},
        },
    ),
    "create upload": (
        lambda s: s.create_upload(
            REF, options=PutOptions(metadata=METADATA, tags=TAGS, canned_acl=CannedAcl.PRIVATE, storage_class="GLACIER")
        ),
        "create_multipart_upload",
        NAMED | METADATA_NAMED | {"Tagging": TAG_HEADER, "ACL": "private", "StorageClass": "GLACIER"},
    ),
    "upload part": (
        lambda s: s.upload_part(REF, upload_id="u/+1", number=3, body=b"part"),
        "upload_part",
        NAMED | {"UploadId": "u/+1", "PartNumber": 3, "Body": b"part"},
    ),
    "upload part copy": (
        lambda s: s.upload_part_copy(
            SOURCE, REF, upload_id="u1", number=2, first_byte=5, last_byte=99, if_source_etag=ETAG
        ),
        "upload_part_copy",
        NAMED
        | {
            "CopySource": {"Bucket": SOURCE.bucket, "Key": SOURCE.key},
            "UploadId": "u1",
            "PartNumber": 2,
            "CopySourceRange": "bytes=5-99",
            "CopySourceIfMatch": f'"{ETAG}"',
        },
    ),
    "complete upload": (
        lambda s: s.complete_upload(REF, upload_id="u1", parts=[CompletedPart(1, ETAG), CompletedPart(2, ETAG)]),
        "complete_multipart_upload",
        NAMED
        | {
            "UploadId": "u1",
            "MultipartUpload": {"Parts": [{"PartNumber": n, "ETag": f'"{ETAG}"'} for n in (1, 2)]},
        },
    ),
    "abort upload": (
        lambda s: s.abort_upload(REF, upload_id="u1"),
        "abort_multipart_upload",
        NAMED | {"UploadId": "u1"},
    ),
    "list parts": (
        lambda s: s.list_parts(REF, upload_id="u1"),
        "list_parts",
        NAMED | {"UploadId": "u1", "MaxParts": 1000},
    ),
    "list uploads": (
        lambda s: s.list_uploads(BUCKET, prefix="a b/", token='["k+1", "u1"]'),
        "list_multipart_uploads",
        {"Bucket": BUCKET, "Prefix": "a b/", "KeyMarker": "k+1", "UploadIdMarker": "u1", "MaxUploads": 1000},
    ),
    "get acl": (lambda s: s.get_acl(VERSION), "get_object_acl", NAMED | {"VersionId": VERSION.version_id}),
    "put acl": (lambda s: s.put_acl(REF, ACL), "put_object_acl", NAMED | {"AccessControlPolicy": ACL_NAMED}),
    "get tags": (lambda s: s.get_tags(REF), "get_object_tagging", NAMED),
    "put tags": (
        lambda s: s.put_tags(REF, TAGS),
        "put_object_tagging",
        NAMED | {"Tagging": {"TagSet": [{"Key": tag.key, "Value": tag.value} for tag in TAGS]}},
    ),
    "put no tags": (lambda s: s.put_tags(REF, ()), "put_object_tagging", NAMED | {"Tagging": {"TagSet": []}}),
    "delete tags": (
        lambda s: s.delete_tags(VERSION),
        "delete_object_tagging",
        NAMED | {"VersionId": VERSION.version_id},
    ),
    "list objects": (
        lambda s: s.list_objects(BUCKET, prefix="a b/ü", start_after="a b/ü+1", limit=7),
        "list_objects_v2",
        {"Bucket": BUCKET, "Prefix": "a b/ü", "StartAfter": "a b/ü+1", "MaxKeys": 7},
    ),
    "list folders": (
        lambda s: s.list_objects(BUCKET, prefix="a b/", delimiter="/"),
        "list_objects_v2",
        {"Bucket": BUCKET, "Prefix": "a b/", "Delimiter": "/", "MaxKeys": 1000},
    ),
    "list more objects": (
        lambda s: s.list_objects(BUCKET, token="1/+="),
        "list_objects_v2",
        {"Bucket": BUCKET, "ContinuationToken": "1/+=", "MaxKeys": 1000},
    ),
    "list versions": (
        lambda s: s.list_versions(BUCKET, prefix="a", token='["k+ü", "v/1"]', limit=7),
        "list_object_versions",
        {"Bucket": BUCKET, "Prefix": "a", "KeyMarker": "k+ü", "VersionIdMarker": "v/1", "MaxKeys": 7},
    ),
    "head bucket": (lambda s: s.bucket_region(BUCKET), "head_bucket", {"Bucket": BUCKET}),
    "versioning": (lambda s: s.versioning(BUCKET), "get_bucket_versioning", {"Bucket": BUCKET}),
}


def open_theirs(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AK",
        aws_secret_access_key="SK",
        aws_session_token="token",
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"total_max_attempts": 1},
        ),
    )


async def capture(ours: Ours, operation: str, arguments: dict[str, Any]) -> tuple[CapturedRequest, CapturedRequest]:
    """The same call by both. What the answers are made of does not matter: each side may find fault with them."""
    async with CapturingStore() as server:
        store = open_store(server.endpoint, access_key="AK", secret_key="SK", session_token="token")
        try:
            await ours(store)
        except StorageError:
            pass
        finally:
            await store.close()
        client = open_theirs(server.endpoint)
        try:
            await asyncio.to_thread(getattr(client, operation), **arguments)
        finally:
            await asyncio.to_thread(client.close)
    assert len(server.requests) == 2
    return server.requests[0], server.requests[1]


SIGNING = {"authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"}
UNLIKE = {"host", "user-agent", "accept-encoding", "amz-sdk-invocation-id", "amz-sdk-request", "expect", "connection"}


def headers_that_matter(request: CapturedRequest) -> dict[str, str]:
    """Content-MD5 is ours alone where the API does not demand it, and its checksum headers are botocore's alone."""
    optional = SIGNING | UNLIKE | {"content-md5", "x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"}
    kept = {name: value for name, value in request.headers.items() if name not in optional}
    if request.body[:1] in (b"", b"<"):
        kept.pop("content-length", None)
    if "x-amz-copy-source" in kept:
        kept["x-amz-copy-source"] = unquote(kept["x-amz-copy-source"])
    for name, value in kept.items():
        if name.startswith("x-amz-grant-"):
            kept[name] = value.replace(" ", "")
    return kept


def canonical_body(body: bytes) -> str | bytes:
    is_document = body.lstrip().startswith(b"<")
    return canonicalize(body.decode(), rewrite_prefixes=True) if is_document else body


def canonical_parameters(request: CapturedRequest) -> list[tuple[str, str]]:
    pairs = parse_qsl(request.query, keep_blank_values=True)
    return sorted(pair for pair in pairs if pair[0] != "x-id")


@pytest.mark.parametrize("name", CALLS)
async def test_same_request(name: str) -> None:
    ours, theirs = await capture(*CALLS[name])
    assert ours.method == theirs.method
    assert ours.path == theirs.path
    assert canonical_parameters(ours) == canonical_parameters(theirs)
    assert headers_that_matter(ours) == headers_that_matter(theirs)
    assert canonical_body(ours.body) == canonical_body(theirs.body)


@pytest.mark.parametrize("key", KEYS)
async def test_same_path_for_odd_keys(key: str) -> None:
    ref = ObjectRef(BUCKET, ObjectKey(key))
    ours, theirs = await capture(lambda s: s.head(ref), "head_object", {"Bucket": BUCKET, "Key": key})
    assert ours.path == theirs.path


@pytest.mark.parametrize("key", KEYS)
async def test_same_copy_source_for_odd_keys(key: str) -> None:
    source = ObjectRef(BUCKET, ObjectKey(key), VersionId("v1"))
    ours, theirs = await capture(
        lambda s: s.copy(source, REF, options=CopyOptions()),
        "copy_object",
        NAMED | {"CopySource": {"Bucket": BUCKET, "Key": key, "VersionId": "v1"}},
    )
    assert ours.headers["x-amz-copy-source"] == theirs.headers["x-amz-copy-source"]


@pytest.mark.parametrize("name", CALLS)
async def test_everything_but_the_signature_is_signed(name: str) -> None:
    ours, _ = await capture(*CALLS[name])
    named = ours.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert set(named) == set(ours.headers) - {"authorization"}
