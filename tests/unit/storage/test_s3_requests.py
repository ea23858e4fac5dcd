"""Requests before they are signed: places, headers that cannot be, what is refused before it is sent."""

from __future__ import annotations

import pytest

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName, VersionId
from cosbatch.model.operations import Tag
from cosbatch.model.regions import Addressing, Provider, Region
from cosbatch.storage import s3_requests
from cosbatch.storage.dialects import COS_DIALECT, S3_DIALECT
from cosbatch.storage.places import Place, place_of
from cosbatch.storage.port import CopyOptions, ObjectMetadata, PutOptions
from cosbatch.storage.profiles import PROFILES

BUCKET = Bucket("the-bucket")
REF = ObjectRef(BUCKET, ObjectKey("dir/key"))


def region(endpoint: str, *, addressing: Addressing = Addressing.PATH) -> Region:
    return Region(
        name=RegionName("r"),
        provider=Provider.S3,
        endpoint=endpoint,
        profile="s3",
        signing_region="us-east-1",
        addressing=addressing,
    )


@pytest.mark.parametrize(
    ("endpoint", "addressing", "expected"),
    [
        ("http://127.0.0.1:8333", Addressing.PATH, Place(b"127.0.0.1:8333", b"/the-bucket", None)),
        ("https://s3.example.com", Addressing.PATH, Place(b"s3.example.com", b"/the-bucket", None)),
        ("https://s3.example.com:443", Addressing.PATH, Place(b"s3.example.com", b"/the-bucket", None)),
        ("http://s3.example.com:443", Addressing.PATH, Place(b"s3.example.com:443", b"/the-bucket", None)),
        ("http://[::1]:9000", Addressing.PATH, Place(b"[::1]:9000", b"/the-bucket", None)),
        (
            "https://s3.example.com",
            Addressing.VIRTUAL_HOST,
            Place(b"the-bucket.s3.example.com", b"", "the-bucket.s3.example.com"),
        ),
        (
            "http://s3.example.com:9000",
            Addressing.VIRTUAL_HOST,
            Place(b"the-bucket.s3.example.com:9000", b"", "the-bucket.s3.example.com"),
        ),
    ],
)
def test_place_of_a_bucket(endpoint: str, addressing: Addressing, expected: Place) -> None:
    assert place_of(region(endpoint, addressing=addressing), BUCKET) == expected


@pytest.mark.parametrize("name", ["", "..", "a/b", "a?b", "a b", "a#b", "a\r\nb", "@evil.example", "ü", "a" * 256])
def test_what_is_no_bucket_name_is_never_sent(name: str) -> None:
    with pytest.raises(StorageError) as caught:
        place_of(region("http://127.0.0.1:1"), Bucket(name))
    assert caught.value.reason is StorageReason.NO_SUCH_BUCKET


@pytest.mark.parametrize("key", ["", "a//b", "/a", "a/", ".", "..", "a/./b", "a/..", "a\\b", "x" * 256, "汉" * 86])
def test_keys_that_seaweedfs_would_spoil(key: str) -> None:
    with pytest.raises(StorageError) as caught:
        s3_requests.check_key(REF._replace(key=ObjectKey(key)), PROFILES["seaweedfs"])
    assert caught.value.reason is StorageReason.INVALID_KEY


@pytest.mark.parametrize("key", ["a", "a/b", ".a", "a.", "a/...", "..a/b..", "x" * 255, "a\nb", "汉" * 85])
def test_keys_that_seaweedfs_keeps(key: str) -> None:
    s3_requests.check_key(REF._replace(key=ObjectKey(key)), PROFILES["seaweedfs"])


@pytest.mark.parametrize("value", ["a\nb", "a\r\nx-amz-acl: public-read", "a\0b", "\x7f"])
@pytest.mark.parametrize("field", ["cache_control", "user", "name"])
def test_no_header_can_be_smuggled_in(value: str, field: str) -> None:
    metadata = {
        "cache_control": ObjectMetadata(cache_control=value),
        "user": ObjectMetadata(user={"k": value}),
        "name": ObjectMetadata(user={value: "v"}),
    }[field]
    with pytest.raises(StorageError) as caught:
        s3_requests.put_headers(PutOptions(metadata=metadata), dialect=S3_DIALECT)
    assert caught.value.reason is StorageReason.INVALID_REQUEST


@pytest.mark.parametrize("name", ["a\tb", "a b", "a: b"])
def test_what_would_end_a_headers_name_is_refused(name: str) -> None:
    with pytest.raises(StorageError) as caught:
        s3_requests.put_headers(PutOptions(metadata=ObjectMetadata(user={name: "v"})), dialect=S3_DIALECT)
    assert caught.value.reason is StorageReason.INVALID_REQUEST


def test_a_tab_may_stand_in_a_value() -> None:
    headers = s3_requests.put_headers(PutOptions(metadata=ObjectMetadata(user={"k": "a\tb"})), dialect=S3_DIALECT)
    assert headers == ((b"x-amz-meta-k", b"a\tb"),)


def test_plain_copy_has_no_headers_but_its_source() -> None:
    assert s3_requests.copy_headers(CopyOptions(), dialect=S3_DIALECT) == ()


def test_no_tags_are_another_thing_than_the_sources_tags() -> None:
    headers = s3_requests.copy_headers(CopyOptions(tags=()), dialect=S3_DIALECT)
    assert headers == ((b"x-amz-tagging-directive", b"REPLACE"),)


def test_metadata_that_is_empty_replaces_too() -> None:
    headers = s3_requests.copy_headers(CopyOptions(metadata=ObjectMetadata()), dialect=S3_DIALECT)
    assert headers == ((b"x-amz-metadata-directive", b"REPLACE"),)


def test_user_metadata_beyond_ascii_goes_as_utf_8() -> None:
    options = PutOptions(metadata=ObjectMetadata(user={"Name": "日志"}))
    headers = s3_requests.put_headers(options, dialect=S3_DIALECT)
    assert headers == ((b"x-amz-meta-name", "日志".encode()),)


def test_tag_with_a_character_that_xml_cannot_carry() -> None:
    with pytest.raises(StorageError) as caught:
        s3_requests.put_tags(REF, [Tag(key="a", value="\x01")], dialect=S3_DIALECT)
    assert caught.value.reason is StorageReason.INVALID_REQUEST


def test_carriage_return_in_a_tag_survives_the_document() -> None:
    assert b"a&#13;b" in s3_requests.put_tags(REF, [Tag(key="k", value="a\rb")], dialect=S3_DIALECT).body


@pytest.mark.parametrize("addressing", Addressing)
def test_cos_names_the_source_of_a_copy_by_its_host(addressing: Addressing) -> None:
    place = COS_DIALECT.source_place(region("https://cos.ap-x.myqcloud.com", addressing=addressing), BUCKET)
    source = ObjectRef(BUCKET, ObjectKey("a b"), VersionId("v+1"))
    expected = b"the-bucket.cos.ap-x.myqcloud.com/a%20b?versionId=v%2B1"
    assert s3_requests.copy_source(place, source) == expected


def test_cos_has_other_words() -> None:
    headers = s3_requests.copy_headers(CopyOptions(tags=()), dialect=COS_DIALECT)
    assert tuple(headers) == ((b"x-cos-tagging-directive", b"Replaced"),)


def test_a_write_never_names_a_version() -> None:
    versioned = REF._replace(version_id=VersionId("v1"))
    for request in (
        s3_requests.put_object(versioned, options=PutOptions(), dialect=S3_DIALECT),
        s3_requests.abort_upload(versioned, upload_id="u"),
    ):
        assert b"versionId" not in request.query
