"""What the answers of an S3 store say: headers and XML documents as values of the port.

The answers to a copy are searched, not parsed: they are the hot path. Listings are parsed with lxml, without document
types, entities or network. Keys come percent-encoded, because XML cannot carry every key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import unquote_plus

from lxml import etree

from cosbatch.model.identifiers import Bucket, ObjectKey, VersionId
from cosbatch.model.operations import Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.dialects import S3_DIALECT, S3_GROUPS, Dialect
from cosbatch.storage.port import (
    AccessControl,
    AclGrant,
    BucketEntry,
    ListedObject,
    ListPage,
    LockRule,
    ObjectMeta,
    ObjectMetadata,
    UploadedPart,
    UploadEntry,
    UploadPage,
)
from cosbatch.storage.s3_errors import text_between
from cosbatch.storage.s3_requests import listing_token


class AnswerFaulty(Exception):
    """The document is not what the protocol says. The adapter makes a StorageError of it, which names the request."""


# --- headers


def meta_of(headers: Mapping[str, str], *, prefix: str, encoded_words: bool = False) -> ObjectMeta:
    """HEAD and GET; ``prefix`` is the provider's, ``x-amz-``; ``encoded_words`` as in :func:`readable`."""

    def text(name: str) -> str:
        return readable(headers.get(name, ""), encoded_words=encoded_words)

    user_prefix = f"{prefix}meta-"
    user = {name.removeprefix(user_prefix): text(name) for name in headers if name.startswith(user_prefix)}
    tags = headers.get(f"{prefix}tagging-count", "")
    version = headers.get(f"{prefix}version-id")
    return ObjectMeta(
        etag=bare_etag(headers.get("etag", "")),
        size_bytes=_whole_size(headers),
        last_modified=_http_date(headers.get("last-modified", "")),
        metadata=ObjectMetadata(
            cache_control=text("cache-control"),
            content_disposition=text("content-disposition"),
            content_encoding=_stored_encoding(text("content-encoding")),
            content_language=text("content-language"),
            content_type=text("content-type"),
            expires=text("expires"),
            user=user,
        ),
        version_id=VersionId(version) if version else None,
        storage_class=headers.get(f"{prefix}storage-class", ""),
        sse_algorithm=headers.get(f"{prefix}server-side-encryption", ""),
        restore=headers.get(f"{prefix}restore", ""),
        tag_count=int(tags) if tags.isdecimal() else None,
        replication_status=headers.get(f"{prefix}replication-status", ""),
    )


def range_of(headers: Mapping[str, str]) -> tuple[int, int, int] | None:
    """``content-range: bytes first-last/whole``."""
    unit, _, rest = headers.get("content-range", "").partition(" ")
    span, _, whole = rest.partition("/")
    first, _, last = span.partition("-")
    if unit != "bytes" or not (first.isdecimal() and last.isdecimal() and whole.isdecimal()):
        return None
    return int(first), int(last), int(whole)


def bare_etag(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')


def readable(value: str, *, encoded_words: bool = False) -> str:
    """A header's value as text: its bytes are UTF-8, and so they are sent again.

    ``encoded_words``: the store answers what is not ASCII as RFC 2047 words, and only that, so that words which stand
    for ASCII are somebody's own text. It takes the bytes that it is sent for Latin-1, so that the words of a text that
    came as UTF-8 stand for its bytes (Amazon S3, Working with object metadata).
    """
    text = _utf_8(value)
    if not encoded_words or "=?" not in text or "?=" not in text:
        return text
    try:
        decoded = str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text
    return text if decoded.isascii() else _utf_8(decoded)


def _utf_8(value: str) -> str:
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _stored_encoding(value: str) -> str:
    """``aws-chunked`` is how some uploads travel; stores that keep it in the object's encoding are wrong."""
    return ", ".join(word for word in (part.strip() for part in value.split(",")) if word and word != "aws-chunked")


def _whole_size(headers: Mapping[str, str]) -> int:
    span = range_of(headers)
    if span is not None:
        return span[2]
    length = headers.get("content-length", "")
    if not length.isdecimal():
        raise AnswerFaulty("the answer does not say how long the object is (no content-length)")
    return int(length)


def _http_date(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        raise AnswerFaulty(f"last-modified is not an HTTP date: {text[:100]!r}") from None


# --- short answers of the hot path


def copied_etag(body: bytes) -> str | None:
    """The ETag of a CopyObjectResult, CopyPartResult or CompleteMultipartUploadResult; None where the body is not one.

    Ceph answers a completed upload with an empty ETag: that is one, not none.
    """
    start = body.find(b"<ETag>")
    if start < 0:
        return "" if b"<ETag/>" in body and b"Result" in body else None
    end = body.find(b"</ETag>", start)
    if end < 0 or body.find(b"<Error>", 0, start) >= 0:
        return None
    etag = body[start + 6 : end].strip()
    if etag.startswith(b"&quot;") and etag.endswith(b"&quot;"):
        return etag[6:-6].decode("ascii", "replace")
    return etag.replace(b"&quot;", b"").replace(b"&#34;", b"").strip(b'"').decode("ascii", "replace")


def is_error_document(body: bytes) -> bool:
    """Whether a 200 answer is an ``<Error>``; stores send white space first, to keep the connection alive."""
    return body.find(b"<Error") >= 0


def upload_id_of(body: bytes) -> str:
    """Searched, not parsed: the same document repeats the key, which XML may not be able to carry."""
    upload_id = text_between(body, b"UploadId")
    if not upload_id:
        raise AnswerFaulty("the answer has no UploadId")
    return upload_id


# --- documents


def parts_of(body: bytes) -> tuple[list[UploadedPart], int]:
    """The parts of one page, and the number that the next page begins after; 0 on the last."""
    root = _parse(_without_key(body), "ListPartsResult")
    parts = [
        UploadedPart(_number(part, "PartNumber"), bare_etag(_text(part, "ETag")), _number(part, "Size"))
        for part in _children(root, "Part")
    ]
    is_cut = _text(root, "IsTruncated") == "true" and parts
    return parts, parts[-1].number if is_cut else 0


def uploads_of(body: bytes) -> UploadPage:
    root = _parse(body, "ListMultipartUploadsResult")
    encoded = _is_encoded(root)
    uploads = tuple(
        UploadEntry(_key(upload, "Key", encoded=encoded), _text(upload, "UploadId"), _iso_date(upload, "Initiated"))
        for upload in _children(root, "Upload")
    )
    token = ""
    if _text(root, "IsTruncated") == "true":
        token = listing_token(_key(root, "NextKeyMarker", encoded=encoded), _text(root, "NextUploadIdMarker"))
    return UploadPage(uploads=uploads, next_token=token)


def objects_of(body: bytes, *, dialect: Dialect = S3_DIALECT) -> ListPage:
    root = _parse(body, "ListBucketResult")
    encoded = _is_encoded(root)
    objects = tuple(_listed(entry, encoded=encoded) for entry in _children(root, "Contents"))
    token = ""
    if _text(root, "IsTruncated") == "true":
        name = "NextMarker" if dialect.lists_by_marker else "NextContinuationToken"
        token = _key(root, name, encoded=encoded and dialect.lists_by_marker)
        if not token:
            raise AnswerFaulty(f"the list goes on, but the answer has no {name}")
    folders = tuple(_key(entry, "Prefix", encoded=encoded) for entry in _children(root, "CommonPrefixes"))
    return ListPage(objects=objects, next_token=token, folders=folders)


def buckets_of(body: bytes) -> tuple[BucketEntry, ...]:
    """COS names each bucket's region (GET Service), S3 does so on request, others do not."""
    listed = _child(_parse(body, "ListAllMyBucketsResult"), "Buckets")
    return tuple(_bucket(entry) for entry in _children(listed, "Bucket")) if listed is not None else ()


def _bucket(entry: etree._Element) -> BucketEntry:
    name = _text(entry, "Name")
    if not name:
        raise AnswerFaulty("a bucket has no name")
    return BucketEntry(
        name=Bucket(name),
        created_at=_iso_date(entry, "CreationDate") if _text(entry, "CreationDate") else None,
        region=_text(entry, "Location") or _text(entry, "BucketRegion"),
    )


def versions_of(body: bytes) -> ListPage:
    root = _parse(body, "ListVersionsResult")
    encoded = _is_encoded(root)
    objects = tuple(
        _listed(entry, encoded=encoded, is_versioned=True) for entry in _children(root, "Version", "DeleteMarker")
    )
    token = ""
    if _text(root, "IsTruncated") == "true":
        token = listing_token(_key(root, "NextKeyMarker", encoded=encoded), _text(root, "NextVersionIdMarker"))
    return ListPage(objects=objects, next_token=token)


def access_control_of(body: bytes, *, dialect: Dialect = S3_DIALECT) -> AccessControl:
    root = _parse(body, "AccessControlPolicy")
    owner = _child(root, "Owner")
    listed = _child(root, "AccessControlList")
    return AccessControl(
        owner_id=_text(owner, "ID") if owner is not None else "",
        owner_display_name=_text(owner, "DisplayName") if owner is not None else "",
        grants=tuple(_grant(grant, dialect) for grant in _children(listed, "Grant")) if listed is not None else (),
    )


def tags_of(body: bytes) -> tuple[Tag, ...]:
    """Ceph's whole answer about an object that never had tags is an empty body."""
    if not body:
        return ()
    root = _parse(body, "Tagging")
    tag_set = _child(root, "TagSet")
    if tag_set is None:
        return ()
    return tuple(Tag(key=_text(tag, "Key"), value=_text(tag, "Value")) for tag in _children(tag_set, "Tag"))


def versioning_of(body: bytes) -> Versioning:
    status = _text(_parse(body, "VersioningConfiguration"), "Status")
    return Versioning(status) if status in (Versioning.ENABLED, Versioning.SUSPENDED) else Versioning.NEVER


NO_OBJECT_LOCK: Final = frozenset(
    {"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFound"}
)
"""Error codes of a bucket without object lock: S3's and Ceph's, COS's, SeaweedFS's."""


def object_lock_of(body: bytes) -> LockRule | None:
    root = _parse(body, "ObjectLockConfiguration")
    if _text(root, "ObjectLockEnabled") != "Enabled":
        return None
    rule = _child(root, "Rule")
    retention = None if rule is None else _child(rule, "DefaultRetention")
    if retention is None:
        return LockRule(mode="", days=0, years=0)
    days, years = (_number(retention, name) if _text(retention, name) else 0 for name in ("Days", "Years"))
    return LockRule(mode=_text(retention, "Mode"), days=days, years=years)


def _listed(entry: etree._Element, *, encoded: bool, is_versioned: bool = False) -> ListedObject:
    is_marker = _local_name(entry) == "DeleteMarker"
    return ListedObject(
        key=_key(entry, "Key", encoded=encoded),
        size_bytes=0 if is_marker else _number(entry, "Size"),
        etag=bare_etag(_text(entry, "ETag")),
        last_modified=_iso_date(entry, "LastModified"),
        storage_class=_text(entry, "StorageClass"),
        version_id=VersionId(_text(entry, "VersionId") or "null") if is_versioned else None,
        is_latest=_text(entry, "IsLatest") != "false",
        is_delete_marker=is_marker,
    )


def _grant(grant: etree._Element, dialect: Dialect) -> AclGrant:
    grantee = _child(grant, "Grantee")
    if grantee is None:
        raise AnswerFaulty("a grant has no grantee")
    uri = _text(grantee, "URI")
    return AclGrant(
        id="" if uri else _text(grantee, "ID") or _text(grantee, "EmailAddress"),
        uri=uri.replace(dialect.groups, S3_GROUPS, 1),
        permission=_text(grant, "Permission"),
        display_name=_text(grantee, "DisplayName"),
    )


# --- XML


_DOCTYPE: Final = b"<!DOCTYPE"


def _parse(body: bytes, name: str) -> etree._Element:
    """The root, which must have this name: the page of a proxy must not pass for an empty list."""
    if _DOCTYPE in body:
        raise AnswerFaulty("the answer has a document type, which no answer of this protocol has")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(body.lstrip(), parser)
    except etree.XMLSyntaxError as error:
        raise AnswerFaulty(f"the answer is not XML: {str(error)[:200]}") from None
    if _local_name(root) != name:
        raise AnswerFaulty(f"the answer is {_local_name(root)[:100]!r} in the place of {name!r}")
    return root


def _without_key(body: bytes) -> bytes:
    """A list of parts repeats the key as it is; a control character in it would spoil the whole document."""
    start, end = body.find(b"<Key>"), body.find(b"</Key>")
    return body[:start] + body[end + 6 :] if 0 <= start < end else body


def _children(parent: etree._Element, *names: str) -> Iterator[etree._Element]:
    return (child for child in parent if _local_name(child) in names)


def _local_name(element: etree._Element) -> str:
    """Without the namespace; empty for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _child(parent: etree._Element, name: str) -> etree._Element | None:
    return next(_children(parent, name), None)


def _text(parent: etree._Element, name: str) -> str:
    child = _child(parent, name)
    return (child.text or "") if child is not None else ""


def _number(parent: etree._Element, name: str) -> int:
    text = _text(parent, name)
    if not text.isdecimal():
        raise AnswerFaulty(f"{name} is not a number: {text[:100]!r}")
    return int(text)


def _is_encoded(root: etree._Element) -> bool:
    """A store that does not know encoding-type sends keys as they are, and does not repeat the parameter."""
    return _text(root, "EncodingType") == "url"


def _key(parent: etree._Element, name: str, *, encoded: bool) -> ObjectKey:
    text = _text(parent, name)
    return ObjectKey(unquote_plus(text) if encoded else text)


def _iso_date(parent: etree._Element, name: str) -> float:
    text = _text(parent, name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise AnswerFaulty(f"{name} is not a date: {text[:100]!r}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
