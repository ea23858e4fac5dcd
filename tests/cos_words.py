"""What a COS store reads and writes: documents and headers of its XML API, for the stand-in of :mod:`tests.cos_store`.

Written from COS's documentation and not from the adapter, of which nothing is used here.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import partial
from typing import Final
from urllib.parse import parse_qsl, quote

import crcmod  # type: ignore[import-untyped]

from cosbatch.model.errors import StorageError
from cosbatch.model.operations import CannedAcl, Grant, Permission, Tag
from cosbatch.storage.memory import OWNER_ID
from cosbatch.storage.port import (
    AccessControl,
    AclGrant,
    BucketEntry,
    CopyOptions,
    ListedObject,
    ListPage,
    ObjectMeta,
    ObjectMetadata,
    PutOptions,
    UploadedPart,
    UploadPage,
)

OWNER: Final = "qcs::cam::uin/100000000001:uin/100000000001"
GROUPS: Final = "http://cam.qcloud.com/groups/"
MEMORY_GROUPS: Final = "http://acs.amazonaws.com/groups/"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
FIELDS: Final = {
    "cache-control": "cache_control",
    "content-disposition": "content_disposition",
    "content-encoding": "content_encoding",
    "content-language": "content_language",
    "content-type": "content_type",
    "expires": "expires",
}
CODES: Final = {
    ("KeyTooLongError", 400): ("KeyTooLong", 400),
    ("InvalidKey", 0): ("InvalidObjectName", 400),
    ("InvalidObjectState", 403, "POST"): ("RestoreNonArchiveObject", 405),
    ("InvalidStorageClass", 400): ("NotSupportedStorageClass", 400),
}
"""Where COS says it otherwise than S3, whose words the store in memory has."""

_CRC64: Final = crcmod.mkCrcFun(0x142F0E1EBA9EA3693, initCrc=0, xorOut=2**64 - 1, rev=True)

Branch = tuple[str, "str | Tree"]
Tree = Sequence[Branch]


class Refused(Exception):
    """A request that the store in memory has not seen."""

    def __init__(self, code: str, status: int, message: str = "") -> None:
        super().__init__(code)
        self.code, self.status, self.message = code, status, message


def document(name: str, tree: Tree) -> bytes:
    return bytes(ET.tostring(_element(name, tree), encoding="utf-8", xml_declaration=True))


def _element(name: str, content: str | Tree) -> ET.Element:
    element = ET.Element(name)
    if isinstance(content, str):
        element.text = content
    else:
        element.extend(_element(*each) for each in content)
    return element


def error_document(code: str, message: str, resource: str) -> bytes:
    named = [("Code", code), ("Message", message), ("Resource", resource), ("RequestId", "NWQ"), ("TraceId", "OGV")]
    return document("Error", named)


def words_of(error: StorageError, method: str) -> tuple[str, int]:
    known = CODES.get((error.code, error.http_status, method)) or CODES.get((error.code, error.http_status))
    return known or (error.code, error.http_status)


def crc64(content: bytes) -> str:
    return str(_CRC64(content))


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


# --- requests


def put_options(headers: Mapping[str, str]) -> PutOptions:
    named = {field: headers[name] for name, field in FIELDS.items() if name in headers}
    user = {
        name.removeprefix("x-cos-meta-"): value for name, value in headers.items() if name.startswith("x-cos-meta-")
    }
    return PutOptions(
        metadata=ObjectMetadata(**named, user=user),
        tags=_tags_of_header(headers.get("x-cos-tagging", "")),
        storage_class=headers.get("x-cos-storage-class", ""),
        canned_acl=_canned(headers.get("x-cos-acl", "")),
        grants=tuple(_grants_of(headers)),
        sse_algorithm=headers.get("x-cos-server-side-encryption", ""),
    )


def copy_options(headers: Mapping[str, str]) -> CopyOptions:
    given = put_options(headers)
    replaced = {what: _is_replaced(headers.get(f"x-cos-{what}-directive", "Copy")) for what in ("metadata", "tagging")}
    return CopyOptions(
        metadata=given.metadata if replaced["metadata"] else None,
        tags=given.tags if replaced["tagging"] else None,
        storage_class=given.storage_class,
        canned_acl=given.canned_acl,
        grants=given.grants,
        sse_algorithm=given.sse_algorithm,
        if_modified_since=_moment(headers.get("x-cos-copy-source-if-modified-since", "")),
        if_unmodified_since=_moment(headers.get("x-cos-copy-source-if-unmodified-since", "")),
        if_source_etag=headers.get("x-cos-copy-source-if-match", "").strip('"'),
    )


def _is_replaced(directive: str) -> bool:
    if directive not in ("Copy", "Replaced"):
        raise Refused("InvalidArgument", 400, f"the directive {directive} is not known")
    return directive == "Replaced"


def _moment(text: str) -> int | None:
    return int(parsedate_to_datetime(text).timestamp()) if text else None


def _canned(text: str) -> CannedAcl | None:
    try:
        return CannedAcl(text) if text not in ("", "default") else None
    except ValueError:
        raise Refused("InvalidArgument", 400, "x-cos-acl is not known") from None


def _grants_of(headers: Mapping[str, str]) -> Iterable[Grant]:
    for permission in (Permission.READ, Permission.FULL_CONTROL):
        value = headers.get(f"x-cos-grant-{permission.lower().replace('_', '-')}", "")
        if value and not re.fullmatch(r'id="[^"]+"(,id="[^"]+")*', value):
            raise Refused("InvalidArgument", 400, "a grant is not understood")
        for identifier in re.findall(r'id="([^"]+)"', value):
            yield Grant(identifier=_inward(identifier), permission=permission)


def _tags_of_header(text: str) -> tuple[Tag, ...]:
    return tuple(Tag(key=key, value=value) for key, value in parse_qsl(text, keep_blank_values=True))


def parsed(body: bytes, name: str) -> ET.Element:
    try:
        root = ET.fromstring(body)
    except ET.ParseError:
        raise Refused("MalformedXML", 400) from None
    if root.tag != name:
        raise Refused("MalformedXML", 400, f"expected {name}")
    return root


def tags_of(root: ET.Element) -> tuple[Tag, ...]:
    return tuple(Tag(key=tag.findtext("Key", ""), value=tag.findtext("Value", "")) for tag in root.iter("Tag"))


def acl_of(root: ET.Element) -> AccessControl:
    grants = [
        AclGrant(
            _inward(grant.findtext("Grantee/ID", "")),
            grant.findtext("Grantee/URI", "").replace(GROUPS, MEMORY_GROUPS),
            grant.findtext("Permission", ""),
        )
        for grant in root.iter("Grant")
    ]
    return AccessControl(owner_id=_inward(root.findtext("Owner/ID", "")), owner_display_name="", grants=tuple(grants))


def _inward(identifier: str) -> str:
    return OWNER_ID if identifier == OWNER else identifier


def _outward(identifier: str) -> str:
    return OWNER if identifier == OWNER_ID else identifier


# --- answers


def meta_headers(meta: ObjectMeta) -> dict[str, str]:
    named = {name: getattr(meta.metadata, field) for name, field in FIELDS.items()}
    named |= {f"x-cos-meta-{name}": value for name, value in (meta.metadata.user or {}).items()}
    named |= {
        "ETag": f'"{meta.etag}"',
        "Last-Modified": formatdate(meta.last_modified, usegmt=True),
        "x-cos-version-id": meta.version_id or "",
        "x-cos-storage-class": meta.storage_class,
        "x-cos-server-side-encryption": meta.sse_algorithm,
        "x-cos-restore": meta.restore,
        "x-cos-tagging-count": str(meta.tag_count or ""),
    }
    return {name: value for name, value in named.items() if value}


def objects_document(page: ListPage, query: Mapping[str, str]) -> bytes:
    encode = _encoder(query)
    head: list[Branch] = [
        ("EncodingType", "url"),
        ("Prefix", encode(query.get("prefix", ""))),
        ("MaxKeys", query["max-keys"]),
    ]
    entries: list[Branch] = [
        (
            "Contents",
            [
                ("Key", encode(listed.key)),
                ("LastModified", iso(listed.last_modified)),
                ("ETag", f'"{listed.etag}"'),
                ("Size", str(listed.size_bytes)),
                ("Owner", [("ID", "1250000000"), ("DisplayName", "1250000000")]),
                ("StorageClass", listed.storage_class or "STANDARD"),
            ],
        )
        for listed in page.objects
    ]
    more: list[Branch] = [("IsTruncated", "true"), ("NextMarker", encode(page.next_token))] if page.next_token else []
    folders: list[Branch] = [("CommonPrefixes", [("Prefix", encode(folder))]) for folder in page.folders]
    return document("ListBucketResult", [*head, *(more or [("IsTruncated", "false")]), *entries, *folders])


def buckets_document(buckets: Sequence[BucketEntry]) -> bytes:
    """COS, GET Service."""
    listed: list[Branch] = [
        (
            "Bucket",
            [("Name", bucket.name), ("Location", bucket.region), ("CreationDate", "2025-08-01T03:00:00Z")],
        )
        for bucket in buckets
    ]
    return document("ListAllMyBucketsResult", [("Owner", [("ID", "1250000000")]), ("Buckets", listed)])


def _version_entry(listed: ListedObject, key: str) -> Branch:
    tree: list[Branch] = [
        ("Key", key),
        ("VersionId", str(listed.version_id)),
        ("IsLatest", str(listed.is_latest).lower()),
        ("LastModified", iso(listed.last_modified)),
    ]
    if listed.is_delete_marker:
        return "DeleteMarker", tree
    about_content: list[Branch] = [("ETag", f'"{listed.etag}"'), ("Size", str(listed.size_bytes))]
    return "Version", [*tree, *about_content, ("StorageClass", listed.storage_class)]


def versions_document(page: ListPage, next_place: tuple[str, str], query: Mapping[str, str]) -> bytes:
    encode = _encoder(query)
    entries = [_version_entry(listed, encode(listed.key)) for listed in page.objects]
    key, version = next_place
    more: list[Branch] = (
        [("IsTruncated", "true"), ("NextKeyMarker", encode(key)), ("NextVersionIdMarker", version)] if key else []
    )
    return document("ListVersionsResult", [("EncodingType", "url"), *(more or [("IsTruncated", "false")]), *entries])


def uploads_document(page: UploadPage, next_place: tuple[str, str], query: Mapping[str, str]) -> bytes:
    encode = _encoder(query)
    entries: list[Branch] = [
        (
            "Upload",
            [
                ("Key", encode(upload.key)),
                ("UploadId", upload.upload_id),
                ("StorageClass", "STANDARD"),
                ("Initiated", iso(upload.initiated)),
            ],
        )
        for upload in page.uploads
    ]
    key, name = next_place
    more: list[Branch] = (
        [("IsTruncated", "true"), ("NextKeyMarker", encode(key)), ("NextUploadIdMarker", name)] if key else []
    )
    shown: list[Branch] = [("EncodingType", "url"), *(more or [("IsTruncated", "false")]), *entries]
    return document("ListMultipartUploadsResult", shown)


def parts_document(parts: Sequence[UploadedPart], query: Mapping[str, str]) -> bytes:
    after, limit = int(query.get("part-number-marker", "0")), int(query.get("max-parts", "1000"))
    rest = [part for part in parts if part.number > after]
    entries: list[Branch] = [
        ("Part", [("PartNumber", str(part.number)), ("ETag", f'"{part.etag}"'), ("Size", str(part.size_bytes))])
        for part in rest[:limit]
    ]
    return document("ListPartsResult", [("IsTruncated", str(len(rest) > limit).lower()), *entries])


def acl_document(acl: AccessControl) -> bytes:
    root = _element("AccessControlPolicy", [("Owner", [("ID", _outward(acl.owner_id))])])
    listed = ET.SubElement(root, "AccessControlList")
    for grant in acl.grants:
        entry = ET.SubElement(listed, "Grant")
        kind = "CanonicalUser" if grant.id else "Group"
        grantee = ET.SubElement(entry, "Grantee", {f"{{{XSI}}}type": kind})
        named = ("ID", _outward(grant.id)) if grant.id else ("URI", grant.uri.replace(MEMORY_GROUPS, GROUPS))
        grantee.append(_element(*named))
        entry.append(_element("Permission", grant.permission))
    return bytes(ET.tostring(root, encoding="utf-8"))


def tags_document(tags: Sequence[Tag]) -> bytes:
    entries: list[Branch] = [("Tag", [("Key", tag.key), ("Value", tag.value)]) for tag in tags]
    return document("Tagging", [("TagSet", entries)])


def _encoder(query: Mapping[str, str]) -> Callable[[str], str]:
    if query.get("encoding-type") != "url":
        raise Refused("NotImplemented", 501, "the stand-in lists encoded keys only")
    return partial(quote, safe="")
