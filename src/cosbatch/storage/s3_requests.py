"""What each call looks like on the wire of S3, before it is signed: method, place, query, headers, body.

Pure functions from values to an :class:`S3Request`. Where providers that speak this protocol differ in words, a
:class:`~cosbatch.storage.dialects.Dialect` has them. The names follow the Amazon S3 API reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from typing import Final, NamedTuple

from lxml import etree

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, VersionId
from cosbatch.model.operations import CannedAcl, Grant, RestoreTier, Tag
from cosbatch.storage.dialects import S3_GROUPS, Dialect
from cosbatch.storage.port import (
    AccessControl,
    AclGrant,
    CompletedPart,
    CopyOptions,
    ObjectMetadata,
    PutOptions,
)
from cosbatch.storage.profiles import CapabilityProfile
from cosbatch.storage.request_heads import Header, quote_path, quote_query_value

XSI_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema-instance"

_FIELDS: Final = (
    ("cache_control", b"cache-control"),
    ("content_disposition", b"content-disposition"),
    ("content_encoding", b"content-encoding"),
    ("content_language", b"content-language"),
    ("content_type", b"content-type"),
    ("expires", b"expires"),
)


class S3Request(NamedTuple):
    """One call. ``query`` is canonical: sorted, percent-encoded, ``name=`` for one without a value."""

    method: bytes
    bucket: Bucket
    key: ObjectKey | None = None
    """None: the call is about the bucket."""
    query: bytes = b""
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    @property
    def target(self) -> str:
        """For people: ``PUT bucket/key``."""
        place = (self.bucket or "/") if self.key is None else f"{self.bucket}/{self.key}"
        return f"{self.method.decode()} {place}"


def copy_source(place: bytes, source: ObjectRef) -> bytes:
    """``place/key`` or ``place/key?versionId=id``, percent-encoded."""
    named = place + b"/" + quote_path(source.key)
    return named if source.version_id is None else named + version_of_source(source.version_id)


def version_of_source(version: VersionId) -> bytes:
    """What follows the key of a source where one of its versions is meant."""
    return b"?versionId=" + quote_query_value(version)


def check_key(ref: ObjectRef, profile: CapabilityProfile) -> None:
    """Refuses, before it is sent, a request about a key that would not be one about that object.

    An empty key makes a request about the whole bucket; others the store would keep under another name.
    """
    if ref.key and profile.takes_key(ref.key):
        return
    problem = f"a store of the kind {profile.name} cannot keep an object under this key" if ref.key else "it is empty"
    raise StorageError(StorageReason.INVALID_KEY, problem, code="InvalidKey", target=f"{ref.bucket}/{ref.key}")


def check_headers(headers: Sequence[Header], profile: CapabilityProfile) -> None:
    """Refuses, before it is sent, what the store would take for a wrong signature."""
    if profile.takes_tabs or not any(b"\t" in value for _, value in headers):
        return
    problem = f"a header has a tab, which a store of the kind {profile.name} does not take"
    raise StorageError(StorageReason.INVALID_REQUEST, problem)


# --- objects


def head_object(ref: ObjectRef) -> S3Request:
    return _on_object(b"HEAD", ref)


def get_object(ref: ObjectRef, *, first_byte: int, last_byte: int | None) -> S3Request:
    headers: tuple[Header, ...] = ()
    if first_byte or last_byte is not None:
        end = b"" if last_byte is None else b"%d" % last_byte
        headers = ((b"range", b"bytes=%d-%b" % (first_byte, end)),)
    return _on_object(b"GET", ref, headers=headers)


def put_object(ref: ObjectRef, *, options: PutOptions, dialect: Dialect, body: bytes = b"") -> S3Request:
    return _on_object(b"PUT", _current(ref), headers=put_headers(options, dialect=dialect), body=body)


def delete_object(ref: ObjectRef) -> S3Request:
    return _on_object(b"DELETE", ref)


def restore_object(ref: ObjectRef, *, days: int, tier: RestoreTier, dialect: Dialect) -> S3Request:
    root = _element("RestoreRequest", dialect)
    _add(root, "Days", str(days))
    _add(etree.SubElement(root, dialect.restore_parameters), "Tier", tier)
    return _on_object(b"POST", ref, {"restore": ""}, body=_document(root))


# --- multipart uploads


def create_upload(target: ObjectRef, *, options: PutOptions, dialect: Dialect) -> S3Request:
    return _on_object(b"POST", _current(target), {"uploads": ""}, headers=put_headers(options, dialect=dialect))


def upload_part(target: ObjectRef, *, upload_id: str, number: int, body: bytes = b"") -> S3Request:
    return _on_object(b"PUT", _current(target), {"partNumber": str(number), "uploadId": upload_id}, body=body)


def upload_part_copy(
    source: ObjectRef,
    target: ObjectRef,
    *,
    upload_id: str,
    number: int,
    first_byte: int,
    last_byte: int,
    if_source_etag: str,
    source_place: bytes,
    dialect: Dialect,
) -> S3Request:
    headers = [
        (dialect.header(b"copy-source"), copy_source(source_place, source)),
        (dialect.header(b"copy-source-range"), b"bytes=%d-%d" % (first_byte, last_byte)),
    ]
    if if_source_etag:
        headers.append((dialect.header(b"copy-source-if-match"), _quoted_etag(if_source_etag).encode()))
    query = {"partNumber": str(number), "uploadId": upload_id}
    return _on_object(b"PUT", _current(target), query, headers=tuple(headers))


def complete_upload(
    target: ObjectRef, *, upload_id: str, parts: Sequence[CompletedPart], dialect: Dialect
) -> S3Request:
    root = _element("CompleteMultipartUpload", dialect)
    for part in parts:
        listed = etree.SubElement(root, "Part")
        _add(listed, "PartNumber", str(part.number))
        _add(listed, "ETag", _quoted_etag(part.etag))
    return _on_object(b"POST", _current(target), {"uploadId": upload_id}, body=_document(root))


def abort_upload(target: ObjectRef, *, upload_id: str) -> S3Request:
    return _on_object(b"DELETE", _current(target), {"uploadId": upload_id})


def list_parts(target: ObjectRef, *, upload_id: str, after: int, dialect: Dialect) -> S3Request:
    query = {"uploadId": upload_id, "max-parts": "1000"}
    if dialect.encodes_uploads:
        query["encoding-type"] = "url"
    if after:
        query["part-number-marker"] = str(after)
    return _on_object(b"GET", _current(target), query)


def list_uploads(bucket: Bucket, *, prefix: str, token: str, dialect: Dialect) -> S3Request:
    """In S3's dialect keys are asked for as they are: here SeaweedFS says that it encodes and does not, and Ceph does
    and does not say so. A key that XML cannot carry spoils this list; the other lists ask for encoded keys."""
    query = {"uploads": "", "max-uploads": "1000"}
    if dialect.encodes_uploads:
        query["encoding-type"] = "url"
    _set_present(query, prefix=prefix)
    key_marker, upload_marker = parse_token(token)
    if token:
        query |= {"key-marker": key_marker, "upload-id-marker": upload_marker}
    return _on_bucket(b"GET", bucket, query)


# --- access lists and tags


def get_acl(ref: ObjectRef) -> S3Request:
    return _on_object(b"GET", ref, {"acl": ""})


def put_acl(ref: ObjectRef, acl: AccessControl, *, dialect: Dialect) -> S3Request:
    root = _element("AccessControlPolicy", dialect)
    owner = etree.SubElement(root, "Owner")
    _add(owner, "ID", acl.owner_id)
    if acl.owner_display_name:
        _add(owner, "DisplayName", acl.owner_display_name)
    listed = etree.SubElement(root, "AccessControlList")
    for grant in acl.grants:
        _add_grant(listed, grant, dialect)
    return _on_object(b"PUT", ref, {"acl": ""}, body=_document(root))


def get_tags(ref: ObjectRef) -> S3Request:
    return _on_object(b"GET", ref, {"tagging": ""})


def put_tags(ref: ObjectRef, tags: Sequence[Tag], *, dialect: Dialect) -> S3Request:
    root = _element("Tagging", dialect)
    tag_set = etree.SubElement(root, "TagSet")
    for tag in tags:
        listed = etree.SubElement(tag_set, "Tag")
        _add(listed, "Key", tag.key)
        _add(listed, "Value", tag.value)
    return _on_object(b"PUT", ref, {"tagging": ""}, body=_document(root))


def delete_tags(ref: ObjectRef) -> S3Request:
    return _on_object(b"DELETE", ref, {"tagging": ""})


# --- buckets


def list_buckets() -> S3Request:
    """About no bucket: it goes to the endpoint's own host."""
    return _on_bucket(b"GET", Bucket(""), {})


def list_objects(
    bucket: Bucket, *, prefix: str, start_after: str, token: str, limit: int, delimiter: str, dialect: Dialect
) -> S3Request:
    query = {"max-keys": str(limit), "encoding-type": "url"}
    _set_present(query, prefix=prefix, delimiter=delimiter)
    if dialect.lists_by_marker:
        _set_present(query, marker=token or start_after)
        return _on_bucket(b"GET", bucket, query)
    query["list-type"] = "2"
    if token:
        query["continuation-token"] = token
    elif start_after:
        query["start-after"] = start_after
    return _on_bucket(b"GET", bucket, query)


def list_versions(bucket: Bucket, *, prefix: str, token: str, limit: int) -> S3Request:
    query = {"versions": "", "max-keys": str(limit), "encoding-type": "url"}
    _set_present(query, prefix=prefix)
    key_marker, version_marker = parse_token(token)
    if token:
        query["key-marker"] = key_marker
        if version_marker:
            query["version-id-marker"] = version_marker
    return _on_bucket(b"GET", bucket, query)


def head_bucket(bucket: Bucket) -> S3Request:
    return _on_bucket(b"HEAD", bucket, {})


def get_versioning(bucket: Bucket) -> S3Request:
    return _on_bucket(b"GET", bucket, {"versioning": ""})


def get_object_lock(bucket: Bucket) -> S3Request:
    return _on_bucket(b"GET", bucket, {"object-lock": ""})


def listing_token(key: str, name: str) -> str:
    """One opaque token of the two markers that lists of versions and of uploads go on from."""
    return json.dumps([key, name])


def parse_token(token: str) -> tuple[str, str]:
    if not token:
        return "", ""
    key, name = json.loads(token)
    return str(key), str(name)


# --- headers


def copy_headers(options: CopyOptions, *, dialect: Dialect) -> tuple[Header, ...]:
    """Everything of a copy but its source: the same for all objects of a job."""
    headers: list[Header] = []
    if options.metadata is not None:
        headers.append((dialect.header(b"metadata-directive"), dialect.replace_word))
        headers += _metadata_headers(options.metadata, dialect=dialect)
    if options.tags is not None:
        headers.append((dialect.header(b"tagging-directive"), dialect.replace_word))
        headers += _tag_header(options.tags, dialect=dialect)
    headers += _placement_headers(
        dialect,
        storage_class=options.storage_class,
        canned_acl=options.canned_acl,
        grants=options.grants,
        sse_algorithm=options.sse_algorithm,
    )
    if options.if_modified_since is not None:
        headers.append((dialect.header(b"copy-source-if-modified-since"), _http_date(options.if_modified_since)))
    if options.if_unmodified_since is not None:
        headers.append((dialect.header(b"copy-source-if-unmodified-since"), _http_date(options.if_unmodified_since)))
    if options.if_source_etag:
        headers.append((dialect.header(b"copy-source-if-match"), _quoted_etag(options.if_source_etag).encode()))
    return tuple(headers)


def put_headers(options: PutOptions, *, dialect: Dialect) -> tuple[Header, ...]:
    return (
        *_metadata_headers(options.metadata, dialect=dialect),
        *_tag_header(options.tags, dialect=dialect),
        *_placement_headers(
            dialect,
            storage_class=options.storage_class,
            canned_acl=options.canned_acl,
            grants=options.grants,
            sse_algorithm=options.sse_algorithm,
        ),
    )


def _placement_headers(
    dialect: Dialect,
    *,
    storage_class: str,
    canned_acl: CannedAcl | None,
    grants: Sequence[Grant],
    sse_algorithm: str,
) -> list[Header]:
    headers: list[Header] = []
    if storage_class:
        headers.append((dialect.header(b"storage-class"), _header_value("storage class", storage_class)))
    if canned_acl is not None:
        headers.append((dialect.header(b"acl"), canned_acl.encode()))
    if sse_algorithm:
        headers.append((dialect.header(b"server-side-encryption"), _header_value("encryption", sse_algorithm)))
    return headers + _grant_headers(grants, dialect=dialect)


def _grant_headers(grants: Sequence[Grant], *, dialect: Dialect) -> list[Header]:
    """One header for each permission, in the order in which they first occur."""
    by_permission: dict[str, list[str]] = {}
    for grant in grants:
        by_permission.setdefault(grant.permission, []).append(f'id="{grant.identifier}"')
    return [
        (
            dialect.header(b"grant-" + permission.lower().replace("_", "-").encode()),
            _header_value("grant", dialect.between_grantees.join(grantees)),
        )
        for permission, grantees in by_permission.items()
    ]


def _metadata_headers(metadata: ObjectMetadata, *, dialect: Dialect) -> list[Header]:
    headers = [
        (name, _header_value(field, getattr(metadata, field))) for field, name in _FIELDS if getattr(metadata, field)
    ]
    for name, value in (metadata.user or {}).items():
        header = dialect.header(b"meta-" + _header_name("metadata name", name.lower()))
        headers.append((header, _header_value(f"metadata {name}", value)))
    return headers


def _tag_header(tags: Sequence[Tag], *, dialect: Dialect) -> list[Header]:
    if not tags:
        return []
    pairs = [quote_query_value(tag.key) + b"=" + quote_query_value(tag.value) for tag in tags]
    return [(dialect.header(b"tagging"), b"&".join(pairs))]


def _header_name(field: str, name: str) -> bytes:
    """What would end the name is refused like what would end the header."""
    if any(character in name for character in "\t :"):
        raise StorageError(StorageReason.INVALID_REQUEST, f"the {field} {name[:100]!r} cannot be a header's name")
    return _header_value(field, name)


def _header_value(field: str, value: str) -> bytes:
    """UTF-8. A line break would end the header and begin another: refused before anything is sent. A tab may stand in a
    value (RFC 9110, 5.5)."""
    if any((character < " " and character != "\t") or character == "\x7f" for character in value):
        raise StorageError(
            StorageReason.INVALID_REQUEST, f"the {field} has a control character, which no header can carry"
        )
    return value.encode()


def _http_date(unix_seconds: int) -> bytes:
    return formatdate(unix_seconds, usegmt=True).encode()


def _quoted_etag(etag: str) -> str:
    return f'"{etag}"'


# --- queries and documents


def _on_object(
    method: bytes,
    ref: ObjectRef,
    query: Mapping[str, str] | None = None,
    *,
    headers: tuple[Header, ...] = (),
    body: bytes = b"",
) -> S3Request:
    named = dict(query or {})
    if ref.version_id is not None:
        named["versionId"] = ref.version_id
    return S3Request(method, ref.bucket, ref.key, canonical_query(named), headers, body)


def _on_bucket(method: bytes, bucket: Bucket, query: Mapping[str, str]) -> S3Request:
    return S3Request(method, bucket, None, canonical_query(query))


def _current(ref: ObjectRef) -> ObjectRef:
    """What is written becomes the current version: a version id has no place in such a request."""
    return ref._replace(version_id=None)


def canonical_query(parameters: Mapping[str, str]) -> bytes:
    encoded = sorted((quote_query_value(name), quote_query_value(value)) for name, value in parameters.items())
    return b"&".join(name + b"=" + value for name, value in encoded)


def _set_present(query: dict[str, str], **parameters: str) -> None:
    query |= {name: value for name, value in parameters.items() if value}


def _element(name: str, dialect: Dialect) -> etree._Element:
    return etree.Element(name, xmlns=dialect.xml_namespace) if dialect.xml_namespace else etree.Element(name)


def _add(parent: etree._Element, name: str, text: str) -> None:
    child = etree.SubElement(parent, name)
    try:
        child.text = text
    except ValueError:
        raise StorageError(
            StorageReason.INVALID_REQUEST, f"{name} has a character that XML cannot carry: {text[:100]!r}"
        ) from None


def _add_grant(parent: etree._Element, grant: AclGrant, dialect: Dialect) -> None:
    listed = etree.SubElement(parent, "Grant")
    kind = "CanonicalUser" if grant.id else "Group"
    grantee = etree.SubElement(listed, "Grantee", {f"{{{XSI_NAMESPACE}}}type": kind}, nsmap={"xsi": XSI_NAMESPACE})
    if grant.id:
        _add(grantee, "ID", grant.id)
        if grant.display_name:
            _add(grantee, "DisplayName", grant.display_name)
    else:
        _add(grantee, "URI", grant.uri.replace(S3_GROUPS, dialect.groups, 1))
    _add(listed, "Permission", grant.permission)


def _document(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
