"""Answers as values: odd headers, documents with every kind of key, and documents that are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.regions import Versioning
from cosbatch.storage import s3_answers
from cosbatch.storage.port import AclGrant, LockRule, ObjectMeta, ObjectMetadata
from cosbatch.storage.s3_answers import AnswerFaulty

HEADERS = {
    "etag": '"abc"',
    "content-length": "12",
    "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
    "content-type": "text/plain",
}


def meta(encoded_words: bool = False, **headers: str) -> ObjectMeta:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return s3_answers.meta_of(HEADERS | named, prefix="x-amz-", encoded_words=encoded_words)


def on_the_wire(text: str) -> str:
    """UTF-8, as the client hands over a header's bytes."""
    return text.encode().decode("latin-1")


class TestHeaders:
    def test_what_a_head_says(self) -> None:
        found = meta(
            x_amz_version_id="v1",
            x_amz_storage_class="GLACIER",
            x_amz_server_side_encryption="AES256",
            x_amz_restore='ongoing-request="true"',
            x_amz_tagging_count="3",
            x_amz_replication_status="COMPLETED",
            expires="Thu, 01 Jan 2037 00:00:00 GMT",
        )
        assert (found.etag, found.size_bytes, found.last_modified) == ("abc", 12, 1_700_000_000.0)
        assert (found.version_id, found.storage_class, found.sse_algorithm) == ("v1", "GLACIER", "AES256")
        assert (found.restore, found.tag_count, found.replication_status) == ('ongoing-request="true"', 3, "COMPLETED")
        assert found.metadata.expires == "Thu, 01 Jan 2037 00:00:00 GMT"

    def test_a_plain_answer_has_no_more_than_it_says(self) -> None:
        found = meta()
        assert (found.version_id, found.storage_class, found.tag_count) == (None, "", None)
        assert found.metadata.user == {}

    @pytest.mark.parametrize(
        ("sent", "read"),
        [
            ("plain", "plain"),
            (on_the_wire("Müller 日志"), "Müller 日志"),
            ("caf\xe9", "caf\xe9"),
            ("=?UTF-8?Q?M=C3=BCller?=", "=?UTF-8?Q?M=C3=BCller?="),
            ("=?UTF-8?Q?abc?=", "=?UTF-8?Q?abc?="),
            ("=?utf-8?b?abcde?=", "=?utf-8?b?abcde?="),
            ("a\tb", "a\tb"),
        ],
    )
    def test_metadata_are_read_as_text(self, sent: str, read: str) -> None:
        found = meta(
            x_amz_meta_name=sent,
            cache_control=sent,
            content_disposition=sent,
            content_encoding=sent,
            content_language=sent,
            content_type=sent,
            expires=sent,
        )
        assert found.metadata == ObjectMetadata(
            cache_control=read,
            content_disposition=read,
            content_encoding=read,
            content_language=read,
            content_type=read,
            expires=read,
            user={"name": read},
        )

    @pytest.mark.parametrize(
        ("sent", "read"),
        [
            ("=?UTF-8?Q?M=C3=BCller?=", "Müller"),
            ("=?UTF-8?B?5pel5b+X?=", "日志"),
            ("=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=", "ÄMÄZÕÑ S3"),
            ("=?UTF-8?Q?abc?=", "=?UTF-8?Q?abc?="),
            ("=?utf-8?b?abcde?=", "=?utf-8?b?abcde?="),
            ("=?no-such-charset?Q?x?=", "=?no-such-charset?Q?x?="),
            ("what =? is this", "what =? is this"),
        ],
    )
    def test_words_of_a_store_that_encodes(self, sent: str, read: str) -> None:
        """The third is the example in Amazon's documentation: what came as UTF-8 was taken for Latin-1."""
        found = meta(x_amz_meta_name=sent, content_disposition=sent, encoded_words=True).metadata
        assert (found.user, found.content_disposition) == ({"name": read}, read)

    @given(st.text(max_size=40))
    def test_no_header_value_breaks_the_reader(self, value: str) -> None:
        assert isinstance(s3_answers.readable(value, encoded_words=True), str)

    @given(st.sampled_from("bqBQ"), st.text(alphabet="abc+/=_C3B ?", max_size=12))
    def test_no_encoded_word_breaks_the_reader(self, encoding: str, word: str) -> None:
        assert isinstance(s3_answers.readable(f"=?utf-8?{encoding}?{word}?=", encoded_words=True), str)

    @given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs")), max_size=40))
    def test_what_was_sent_is_read(self, value: str) -> None:
        """Nothing is decoded twice: metadata that are read and written again stay as they are."""
        assert s3_answers.readable(on_the_wire(value)) == value

    @pytest.mark.parametrize(
        ("sent", "kept"), [("aws-chunked", ""), ("gzip,aws-chunked", "gzip"), ("gzip, br", "gzip, br")]
    )
    def test_aws_chunked_is_no_encoding_of_the_object(self, sent: str, kept: str) -> None:
        assert meta(content_encoding=sent).metadata.content_encoding == kept

    def test_size_of_a_range_is_the_whole_size(self) -> None:
        assert meta(content_range="bytes 2-4/999").size_bytes == 999

    @pytest.mark.parametrize("text", ["", "bytes */10", "bytes 1-2", "items 1-2/3", "bytes a-b/c"])
    def test_what_is_no_range(self, text: str) -> None:
        assert s3_answers.range_of({"content-range": text}) is None

    @pytest.mark.parametrize("broken", [{"content-length": ""}, {"last-modified": "yesterday"}, {"last-modified": ""}])
    def test_faulty_headers(self, broken: dict[str, str]) -> None:
        with pytest.raises(AnswerFaulty):
            s3_answers.meta_of(HEADERS | broken, prefix="x-amz-")


class TestCopyAnswers:
    @pytest.mark.parametrize(
        ("body", "etag"),
        [
            (b"<CopyObjectResult><ETag>&quot;abc&quot;</ETag></CopyObjectResult>", "abc"),
            (b'   \n <?xml version="1.0"?><CopyObjectResult><ETag>"abc"</ETag></CopyObjectResult>', "abc"),
            (b"<CopyPartResult><ETag>&#34;abc-2&#34;</ETag></CopyPartResult>", "abc-2"),
            (b"<CopyObjectResult><ETag>abc</ETag></CopyObjectResult>", "abc"),
            (b"<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>", ""),
            (b"<CompleteMultipartUploadResult><ETag/></CompleteMultipartUploadResult>", ""),
            (b"", None),
            (b"   ", None),
            (b"<Error><Code>InternalError</Code><ETag>x</ETag></Error>", None),
            (b"<CopyObjectResult><ETag>abc", None),
        ],
    )
    def test_etag(self, body: bytes, etag: str | None) -> None:
        assert s3_answers.copied_etag(body) == etag

    def test_error_behind_white_space(self) -> None:
        assert s3_answers.is_error_document(b"      \n\n<?xml version='1.0'?><Error><Code>SlowDown</Code></Error>")

    def test_upload_id_beside_a_key_that_xml_cannot_carry(self) -> None:
        body = b"<InitiateMultipartUploadResult><Key>a\x01b</Key><UploadId>u&amp;1</UploadId></I>"
        assert s3_answers.upload_id_of(body) == "u&1"
        with pytest.raises(AnswerFaulty):
            s3_answers.upload_id_of(b"<InitiateMultipartUploadResult/>")


def listing(*entries: str, encoded: bool = True, more: str = "", name: str = "ListBucketResult") -> bytes:
    encoding = "<EncodingType>url</EncodingType>" if encoded else ""
    cut = f"<IsTruncated>true</IsTruncated>{more}" if more else "<IsTruncated>false</IsTruncated>"
    body = f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{encoding}{cut}{"".join(entries)}'
    return f"{body}</{name}>".encode()


def entry(key: str, kind: str = "Contents", more: str = "") -> str:
    date = "<LastModified>2023-11-14T22:13:20.500Z</LastModified>"
    facts = f'{date}<ETag>"e"</ETag><Size>5</Size><StorageClass>GLACIER</StorageClass>'
    return f"<{kind}><Key>{key}</Key>{facts}{more}</{kind}>"


class TestLists:
    def test_objects(self) -> None:
        page = s3_answers.objects_of(
            listing(entry("a%2Fb+c%0A"), more="<NextContinuationToken>t+1</NextContinuationToken>")
        )
        listed = page.objects[0]
        assert (listed.key, listed.size_bytes, listed.etag) == ("a/b c\n", 5, "e")
        assert (listed.last_modified, listed.storage_class) == (1_700_000_000.5, "GLACIER")
        assert (listed.version_id, listed.is_latest, listed.is_delete_marker) == (None, True, False)
        assert page.next_token == "t+1"

    def test_a_store_that_does_not_encode(self) -> None:
        page = s3_answers.objects_of(listing(entry("a%2Fb+c &amp; d"), encoded=False))
        assert [listed.key for listed in page.objects] == ["a%2Fb+c & d"]
        assert page.next_token == ""

    def test_versions_in_their_order(self) -> None:
        marker = (
            "<DeleteMarker><Key>k</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest>"
            "<LastModified>2023-11-14T22:13:20Z</LastModified></DeleteMarker>"
        )
        version = entry("k", "Version", "<VersionId>null</VersionId><IsLatest>false</IsLatest>")
        more = "<NextKeyMarker>k%2B</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>"
        page = s3_answers.versions_of(listing(marker, version, more=more, name="ListVersionsResult"))
        assert [(v.version_id, v.is_latest, v.is_delete_marker, v.size_bytes) for v in page.objects] == [
            ("v3", True, True, 0),
            ("null", False, False, 5),
        ]
        assert page.next_token == '["k+", "null"]'

    def test_parts_beside_a_key_that_xml_cannot_carry(self) -> None:
        body = (
            b"<ListPartsResult><Key>a\x01b</Key><IsTruncated>true</IsTruncated>"
            b'<Part><PartNumber>7</PartNumber><ETag>"e7"</ETag><Size>9</Size></Part></ListPartsResult>'
        )
        assert s3_answers.parts_of(body) == ([(7, "e7", 9)], 7)

    def test_a_page_that_goes_on_must_say_where(self) -> None:
        with pytest.raises(AnswerFaulty):
            s3_answers.objects_of(listing(more="<Nothing/>"))

    @pytest.mark.parametrize(
        ("status", "expected"), [("Enabled", "Enabled"), ("Suspended", "Suspended"), ("", "never")]
    )
    def test_versioning(self, status: str, expected: str) -> None:
        inside = f"<Status>{status}</Status>" if status else ""
        body = f"<VersioningConfiguration>{inside}</VersioningConfiguration>".encode()
        assert s3_answers.versioning_of(body) is Versioning(expected)

    @pytest.mark.parametrize(
        ("inside", "expected"),
        [
            ("", None),
            ("<ObjectLockEnabled>Enabled</ObjectLockEnabled>", LockRule(mode="", days=0, years=0)),
            (
                (
                    "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode>"
                    "<Days>30</Days></DefaultRetention></Rule>"
                ),
                LockRule(mode="COMPLIANCE", days=30, years=0),
            ),
            (
                (
                    "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode>"
                    "<Years>2</Years></DefaultRetention></Rule>"
                ),
                LockRule(mode="GOVERNANCE", days=0, years=2),
            ),
        ],
    )
    def test_object_lock(self, inside: str, expected: LockRule | None) -> None:
        body = f"<ObjectLockConfiguration>{inside}</ObjectLockConfiguration>".encode()
        assert s3_answers.object_lock_of(body) == expected

    def test_what_is_no_object_lock(self) -> None:
        with pytest.raises(AnswerFaulty):
            s3_answers.object_lock_of(b"<ListBucketResult></ListBucketResult>")

    def test_grants(self) -> None:
        body = (
            b'<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>me</ID></Owner>'
            b'<AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            b' xsi:type="CanonicalUser"><ID>you</ID><DisplayName>You</DisplayName></Grantee>'
            b"<Permission>READ</Permission></Grant><Grant><Grantee><URI>http://group</URI></Grantee>"
            b"<Permission>WRITE</Permission></Grant></AccessControlList></AccessControlPolicy>"
        )
        found = s3_answers.access_control_of(body)
        assert (found.owner_id, found.owner_display_name) == ("me", "")
        assert found.grants == (AclGrant("you", "", "READ", "You"), AclGrant("", "http://group", "WRITE"))

    def test_no_tags(self) -> None:
        assert s3_answers.tags_of(b"<Tagging><TagSet/></Tagging>") == ()
        assert s3_answers.tags_of(b"") == ()


class TestHostileDocuments:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"not xml",
            b"<Tagging><TagSet>",
            b"<html><body>a proxy's page</html>",
            b"<ListVersionsResult/>",
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><ListBucketResult>&x;</ListBucketResult>',
            b'<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><ListBucketResult>&b;</ListBucketResult>',
            b"<Error><Code>SlowDown</Code></Error>",
        ],
    )
    def test_is_refused(self, body: bytes) -> None:
        with pytest.raises(AnswerFaulty):
            s3_answers.objects_of(body)

    @given(st.binary(max_size=200))
    def test_nothing_else_is_raised(self, body: bytes) -> None:
        for parse, name in (
            (s3_answers.objects_of, b"ListBucketResult"),
            (s3_answers.versions_of, b"ListVersionsResult"),
            (s3_answers.parts_of, b"ListPartsResult"),
            (s3_answers.access_control_of, b"AccessControlPolicy"),
        ):
            try:
                parse(b"<%s>%s</%s>" % (name, body, name))
            except AnswerFaulty:
                continue
