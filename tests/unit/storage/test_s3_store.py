"""The adapter against a server that answers what it is told: errors in success, lost meanings, redirects, bodies."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import AsyncIterator

import pytest

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, VersionId
from cosbatch.model.operations import RestoreTier
from cosbatch.storage.body_checks import words_of
from cosbatch.storage.disposition import is_outcome_unknown
from cosbatch.storage.held_bodies import HeldBody
from cosbatch.storage.port import CompletedPart, CopyOptions, ObjectMetadata, PutOptions, RestoreOutcome
from cosbatch.storage.profiles import BodyCheck
from cosbatch.storage.s3 import COPY_PLANS_KEPT, S3Store
from cosbatch.storage.telling_why import bucket_region_or_cause, head_or_cause
from tests.capturing_store import CapturingStore
from tests.contract.stores import Blocks, content, refused
from tests.stores import open_store

BUCKET = Bucket("the-bucket")
REF = ObjectRef(BUCKET, ObjectKey("dir/target"))
SOURCE = ObjectRef(Bucket("source-bucket"), ObjectKey("a source"))
COPIED = b"<CopyObjectResult><ETag>&quot;abc&quot;</ETag></CopyObjectResult>"
HEAD = {"etag": '"abc"', "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT"}
LARGE = bytes(range(256)) * 1024
LARGE_ETAG = hashlib.md5(LARGE).hexdigest()
LARGE_MD5 = base64.b64encode(hashlib.md5(LARGE).digest()).decode()
LARGE_SHA256 = hashlib.sha256(LARGE).hexdigest()
LARGE_CRC32 = base64.b64encode(zlib.crc32(LARGE).to_bytes(4, "big")).decode()
ABOUT_BODIES = frozenset({"content-md5", "x-amz-content-sha256", "x-amz-checksum-crc32"})


@pytest.fixture
async def server() -> AsyncIterator[CapturingStore]:
    async with CapturingStore() as running:
        yield running


@pytest.fixture
async def store(server: CapturingStore) -> AsyncIterator[S3Store]:
    opened = open_store(server.endpoint, secret_key="very-secret", session_token="the-token")
    yield opened
    await opened.close()


class TestCopy:
    async def test_outcome(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(b" \n " + COPIED, headers={"x-amz-version-id": "v7"})
        assert await store.copy(SOURCE, REF, options=CopyOptions()) == ("abc", "v7")
        request = server.requests[0]
        assert (request.method, request.path, request.query) == ("PUT", "/the-bucket/dir/target", "")
        assert request.headers["x-amz-copy-source"] == "source-bucket/a%20source"
        assert request.headers["content-length"] == "0"

    async def test_the_same_key_in_two_places(self, server: CapturingStore, store: S3Store) -> None:
        key = ObjectKey("dir/a b/中")
        server.answer(COPIED)
        await store.copy(ObjectRef(SOURCE.bucket, key, VersionId("v/1")), ObjectRef(BUCKET, key), options=CopyOptions())
        request = server.requests[0]
        assert request.path == "/the-bucket/dir/a%20b/%E4%B8%AD"
        assert request.headers["x-amz-copy-source"] == "source-bucket/dir/a%20b/%E4%B8%AD?versionId=v%2F1"

    async def test_keys_that_the_store_cannot_keep_send_nothing(self, server: CapturingStore) -> None:
        strange = ObjectRef(BUCKET, ObjectKey("a//b"))
        store = open_store(server.endpoint, profile="seaweedfs")
        for source, target in ((strange, REF), (SOURCE, strange)):
            error = await refused(store.copy(source, target, options=CopyOptions()))
            assert error.reason is StorageReason.INVALID_KEY
        assert server.requests == []
        await store.close()

    @pytest.mark.parametrize("space", [b"", b"  ", b"\n" * 100, b'  <?xml version="1.0" encoding="UTF-8"?>\n'])
    async def test_error_in_a_success(self, server: CapturingStore, store: S3Store, space: bytes) -> None:
        server.answer(space + b"<Error><Code>SlowDown</Code><Message>later</Message></Error>")
        error = await refused(store.copy(SOURCE, REF, options=CopyOptions()))
        assert (error.reason, error.code, error.http_status) == (StorageReason.SLOW_DOWN, "SlowDown", 200)
        assert error.target == "PUT the-bucket/dir/target"

    @pytest.mark.parametrize(
        "body", [b"", b"    ", b"<html>hello</html>", b"<CopyObjectResult><ETag></ETag></CopyObjectResult>"]
    )
    async def test_success_without_a_result(self, server: CapturingStore, store: S3Store, body: bytes) -> None:
        server.answer(body)
        error = await refused(store.copy(SOURCE, REF, options=CopyOptions()))
        assert (error.reason, error.http_status) == (StorageReason.MALFORMED_ANSWER, 200)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (503, b"<html>no server is available to handle this request</html>"),
            (503, b""),
            (202, b""),
            (201, COPIED),
            (200, b"<Error></Error>"),
            (200, b"<Error><Code>SomethingNew</Code></Error>"),
        ],
    )
    async def test_what_leaves_open_whether_it_was_done(
        self, server: CapturingStore, store: S3Store, status: int, body: bytes
    ) -> None:
        """A proxy's 503, a success that is none: such a copy is looked at, not sent again and not given up."""
        server.answer(body, status=status)
        assert is_outcome_unknown(await refused(store.copy(SOURCE, REF, options=CopyOptions())))

    async def test_options_are_laid_out_once_and_kept_apart(self, server: CapturingStore, store: S3Store) -> None:
        first = CopyOptions(storage_class="GLACIER")
        second = CopyOptions(metadata=ObjectMetadata(user={"a": "b"}))
        for options in (first, second, first, second):
            server.answer(COPIED)
            await store.copy(SOURCE, REF, options=options)
        classes = [request.headers.get("x-amz-storage-class") for request in server.requests]
        assert classes == ["GLACIER", None, "GLACIER", None]
        assert len(store._copy_plans) == 2

    async def test_plans_are_bounded(self, server: CapturingStore, store: S3Store) -> None:
        for number in range(COPY_PLANS_KEPT + 10):
            server.answer(COPIED)
            await store.copy(SOURCE, REF, options=CopyOptions(if_modified_since=number))
        assert len(store._copy_plans) == COPY_PLANS_KEPT
        conditions = {request.headers["x-amz-copy-source-if-modified-since"] for request in server.requests}
        assert len(conditions) == COPY_PLANS_KEPT + 10

    async def test_missing_version_of_the_source(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(b"<Error><Code>NoSuchKey</Code></Error>", status=404)
        source = SOURCE._replace(version_id=VersionId("v1"))
        error = await refused(store.copy(source, REF, options=CopyOptions()))
        assert error.reason is StorageReason.NO_SUCH_VERSION


class TestSending:
    async def test_bytes_are_hashed(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(headers={"etag": '"abc"'})
        await store.put(REF, b"hello")
        headers = server.requests[0].headers
        assert headers["content-md5"] == base64.b64encode(hashlib.md5(b"hello").digest()).decode()
        assert headers["x-amz-content-sha256"] == hashlib.sha256(b"hello").hexdigest()

    async def test_streams_are_not(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(headers={"etag": '"abc"'})
        await store.put(REF, Blocks(b"hel", b"lo"))
        request = server.requests[0]
        assert request.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
        assert (request.headers["content-length"], request.body) == ("5", b"hello")

    @pytest.mark.parametrize(
        ("profile", "said"),
        [
            ("seaweedfs", {"x-amz-checksum-crc32": LARGE_CRC32, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}),
            ("ceph", {"x-amz-content-sha256": LARGE_SHA256}),
            ("s3", {"content-md5": LARGE_MD5, "x-amz-content-sha256": LARGE_SHA256}),
            ("cos", {"content-md5": LARGE_MD5, "x-amz-content-sha256": LARGE_SHA256}),
            ("generic", {"content-md5": LARGE_MD5, "x-amz-content-sha256": LARGE_SHA256}),
        ],
    )
    async def test_a_held_body_gets_the_hash_that_its_store_checks(
        self, server: CapturingStore, profile: str, said: dict[str, str]
    ) -> None:
        server.answer(headers={"etag": '"abc"', "x-amz-checksum-crc32": LARGE_CRC32})
        store = open_store(server.endpoint, profile=profile)
        await store.upload_part(REF, upload_id="u", number=1, body=HeldBody(memoryview(LARGE)))
        await store.close()
        request = server.requests[0]
        hashes = {name: text for name, text in request.headers.items() if name in ABOUT_BODIES}
        assert (hashes, request.headers["content-length"]) == (said, str(len(LARGE)))
        assert request.body == LARGE

    def test_over_tls_one_hash_is_enough(self) -> None:
        body = HeldBody(memoryview(LARGE))
        words = words_of(body, BodyCheck.MD5, is_private=True)
        assert words.payload_hash == b"UNSIGNED-PAYLOAD"
        assert dict(words.headers)[b"content-md5"] == LARGE_MD5.encode()
        assert words_of(body, BodyCheck.SHA256, is_private=True).payload_hash == LARGE_SHA256.encode()

    async def test_a_small_held_body_is_as_bytes_are(self, server: CapturingStore) -> None:
        store = open_store(server.endpoint, profile="seaweedfs")
        for body in (b"hello", HeldBody(memoryview(b"hello"))):
            server.answer(headers={"etag": '"abc"'})
            await store.put(REF, body)
        await store.close()
        first, second = ({**request.headers, "x-amz-date": "", "authorization": ""} for request in server.requests)
        assert first == second

    @pytest.mark.parametrize("etag", [LARGE_ETAG, "0" * 32])
    async def test_a_checksum_that_the_store_does_not_know_is_made_up_for(
        self, server: CapturingStore, etag: str
    ) -> None:
        """An older release takes any bytes: what has arrived is known by its ETag, or nobody knows."""
        store = open_store(server.endpoint, profile="seaweedfs")
        server.answer(headers={"etag": f'"{etag}"'})
        upload = store.upload_part(REF, upload_id="u", number=1, body=HeldBody(memoryview(LARGE)))
        if etag == LARGE_ETAG:
            assert await upload == CompletedPart(1, etag)
        else:
            assert is_outcome_unknown(await refused(upload))
        await store.close()

    async def test_temporary_credentials_show_their_token(self, server: CapturingStore, store: S3Store) -> None:
        await refused(store.head(REF))
        assert server.requests[0].headers["x-amz-security-token"] == "the-token"

    async def test_error_never_repeats_a_secret(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(
            b"<Error><Code>AccessDenied</Code><Message>the-token is not good, nor very-secret</Message></Error>",
            status=403,
        )
        error = await refused(store.put(REF, b"1"))
        assert error.message == "*** is not good, nor ***"

    async def test_tabs_are_sent_to_stores_that_sign_them_alike(self, server: CapturingStore, store: S3Store) -> None:
        metadata = ObjectMetadata(user={"k": "a\tb"})
        server.answer(COPIED)
        await store.copy(SOURCE, REF, options=CopyOptions(metadata=metadata))
        assert server.requests[0].headers["x-amz-meta-k"] == "a\tb"
        ceph = open_store(server.endpoint, profile="ceph")
        for call in (
            ceph.copy(SOURCE, REF, options=CopyOptions(metadata=metadata)),
            ceph.put(REF, b"1", options=PutOptions(metadata=metadata)),
        ):
            error = await refused(call)
            assert (error.reason, error.http_status) == (StorageReason.INVALID_REQUEST, 0)
        assert len(server.requests) == 1
        await ceph.close()

    async def test_empty_keys_send_nothing(self, server: CapturingStore, store: S3Store) -> None:
        empty = ObjectRef(BUCKET, ObjectKey(""))
        for call in (
            store.delete(empty),
            store.put(empty, b"1"),
            store.head(empty),
            store.copy(empty, REF, options=CopyOptions()),
            store.copy(REF, empty, options=CopyOptions()),
            store.create_upload(empty, options=PutOptions()),
            store.upload_part_copy(empty, REF, upload_id="u", number=1, first_byte=0, last_byte=1),
        ):
            assert (await refused(call)).reason is StorageReason.INVALID_KEY
        assert server.requests == []


class TestAnswers:
    async def test_put_without_an_etag(self, server: CapturingStore, store: S3Store) -> None:
        assert (await refused(store.put(REF, b"1"))).reason is StorageReason.MALFORMED_ANSWER

    async def test_error_in_the_success_of_a_completion(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(b"\n \n<Error><Code>InternalError</Code></Error>")
        error = await refused(store.complete_upload(REF, upload_id="u", parts=[CompletedPart(1, "e")]))
        assert (error.reason, error.http_status) == (StorageReason.SERVER_ERROR, 200)

    async def test_completion_that_says_nothing(self, server: CapturingStore, store: S3Store) -> None:
        error = await refused(store.complete_upload(REF, upload_id="u", parts=[CompletedPart(1, "e")]))
        assert error.reason is StorageReason.MALFORMED_ANSWER

    async def test_page_of_a_proxy_in_the_place_of_a_list(self, server: CapturingStore, store: S3Store) -> None:
        for page in (b"<html><body>Welcome</body></html>", b"Welcome", b""):
            server.answer(page)
            assert (await refused(store.list_objects(BUCKET))).reason is StorageReason.MALFORMED_ANSWER

    async def test_parts_of_several_pages(self, server: CapturingStore, store: S3Store) -> None:
        def page(number: int, *, more: bool) -> bytes:
            part = f'<Part><PartNumber>{number}</PartNumber><ETag>"e{number}"</ETag><Size>5</Size></Part>'
            return f"<ListPartsResult><IsTruncated>{str(more).lower()}</IsTruncated>{part}</ListPartsResult>".encode()

        server.answer(page(1, more=True))
        server.answer(page(2, more=False))
        assert [part.number for part in await store.list_parts(REF, upload_id="u")] == [1, 2]
        assert "part-number-marker=1" in server.requests[1].query

    async def test_whole_object_in_the_place_of_a_range(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(b"0123456789", headers=HEAD)
        error = await refused(store.get(REF, first_byte=2, last_byte=4))
        assert error.reason is StorageReason.MALFORMED_ANSWER

    async def test_body(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(b"0123456789", headers=HEAD | {"x-amz-meta-a": "b"})
        body = await store.get(REF)
        assert body.meta.metadata.user == {"a": "b"}
        assert b"".join([block async for block in body]) == b"0123456789"

    @pytest.mark.parametrize("status", [200, 201, 204])
    async def test_a_get_that_fails_keeps_no_connection(
        self, server: CapturingStore, store: S3Store, status: int
    ) -> None:
        """Of 256 connections none would be left for the request after them."""
        for _ in range(260):
            server.answer(status=status, headers={"last-modified": "yesterday"})
            await refused(store.get(REF))
        server.answer(b"12", headers=HEAD)
        assert await content(store, REF) == b"12"

    async def test_words_that_are_no_encoded_words(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(headers=HEAD | {"x-amz-meta-a": "=?utf-8?b?abcde?=", "x-amz-meta-b": "=?UTF-8?Q?M=C3=BCller?="})
        assert (await store.get(REF)).meta.metadata.user == {"a": "=?utf-8?b?abcde?=", "b": "Müller"}

    async def test_only_some_stores_encode_words(self, server: CapturingStore) -> None:
        store = open_store(server.endpoint, profile="minio")
        server.answer(headers=HEAD | {"x-amz-meta-a": "=?UTF-8?Q?M=C3=BCller?="})
        assert (await store.head(REF)).metadata.user == {"a": "=?UTF-8?Q?M=C3=BCller?="}
        await store.close()

    async def test_no_tag_set_is_no_tags(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(b"<Error><Code>NoSuchTagSet</Code></Error>", status=404)
        assert await store.get_tags(REF) == ()
        server.answer(b"<Error><Code>NoSuchTagSet</Code></Error>", status=404)
        assert await store.get_tags(REF._replace(version_id=VersionId("v"))) == ()
        server.answer(b"<Error><Code>NoSuchKey</Code></Error>", status=404)
        assert (await refused(store.get_tags(REF))).reason is StorageReason.NO_SUCH_KEY

    async def test_refused_get(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(b"<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>", status=404)
        error = await refused(content(store, REF))
        assert (error.reason, error.message) == (StorageReason.NO_SUCH_KEY, "gone")

    async def test_retry_after_of_a_busy_store(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(b"<Error><Code>SlowDown</Code></Error>", status=503, headers={"retry-after": "7"})
        error = await refused(store.put(REF, b"1"))
        assert (error.reason, error.retry_after_seconds) == (StorageReason.SLOW_DOWN, 7.0)


class TestRegionOfABucket:
    @pytest.mark.parametrize("status", [200, 301, 307, 400])
    async def test_is_named_even_where_it_is_another(self, server: CapturingStore, store: S3Store, status: int) -> None:
        server.answer(status=status, headers={"x-amz-bucket-region": "eu-west-1"})
        assert await store.bucket_region(BUCKET) == "eu-west-1"

    async def test_is_empty_where_the_store_does_not_say(self, server: CapturingStore, store: S3Store) -> None:
        assert await store.bucket_region(BUCKET) == ""

    @pytest.mark.parametrize(
        ("status", "reason"),
        [
            (301, StorageReason.WRONG_REGION),
            (403, StorageReason.ACCESS_DENIED),
            (404, StorageReason.NO_SUCH_BUCKET),
        ],
    )
    async def test_refusals(self, server: CapturingStore, store: S3Store, status: int, reason: StorageReason) -> None:
        server.answer(status=status)
        with pytest.raises(StorageError) as caught:
            await store.bucket_region(BUCKET)
        assert caught.value.reason is reason


class TestTellingWhy:
    """An answer to HEAD has no body, so the cause is asked for."""

    async def test_of_an_object(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(status=403)
        server.answer(b"<Error><Code>SignatureDoesNotMatch</Code></Error>", status=403)
        error = await refused(head_or_cause(store, REF))
        assert (error.reason, error.code) == (StorageReason.CREDENTIALS_REFUSED, "SignatureDoesNotMatch")
        assert [request.method for request in server.requests] == ["HEAD", "GET"]
        assert server.requests[1].headers["range"] == "bytes=0-0"

    async def test_of_a_bucket_that_is_not_there(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(status=404)
        server.answer(b"<Error><Code>NoSuchBucket</Code></Error>", status=404)
        assert (await refused(head_or_cause(store, REF))).reason is StorageReason.NO_SUCH_BUCKET

    async def test_of_a_bucket(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(status=400)
        server.answer(b"<Error><Code>InvalidBucketName</Code></Error>", status=400)
        error = await refused(bucket_region_or_cause(store, BUCKET))
        assert error.code == "InvalidBucketName"
        assert "max-keys=1" in server.requests[1].query

    @pytest.mark.parametrize("status", [206, 416])
    async def test_where_the_second_answer_tells_nothing_the_first_one_counts(
        self, server: CapturingStore, store: S3Store, status: int
    ) -> None:
        server.answer(status=403)
        body = b"<Error><Code>InvalidRange</Code></Error>" if status == 416 else b"x"
        server.answer(body, status=status, headers=HEAD | {"content-range": "bytes 0-0/1"})
        assert (await refused(head_or_cause(store, REF))).reason is StorageReason.ACCESS_DENIED

    async def test_a_good_answer_costs_one_request(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(headers=HEAD | {"content-length": "5"})
        assert (await head_or_cause(store, REF)).etag == "abc"
        assert len(server.requests) == 1


class TestRestore:
    @pytest.mark.parametrize(("status", "outcome"), [(202, RestoreOutcome.BEGUN), (200, RestoreOutcome.EXTENDED)])
    async def test_outcome(self, server: CapturingStore, store: S3Store, status: int, outcome: RestoreOutcome) -> None:
        server.answer(status=status)
        assert await store.restore(REF, days=30, tier=RestoreTier.BULK) is outcome
        request = server.requests[0]
        assert (request.method, request.path, request.query) == ("POST", "/the-bucket/dir/target", "restore=")
        assert "content-md5" in request.headers

    @pytest.mark.parametrize(
        ("status", "code", "reason"),
        [
            (409, "RestoreAlreadyInProgress", StorageReason.RESTORE_IN_PROGRESS),
            (403, "InvalidObjectState", StorageReason.INVALID_OBJECT_STATE),
            (405, "RestoreNonArchiveObject", StorageReason.INVALID_OBJECT_STATE),
        ],
    )
    async def test_refusals(
        self, server: CapturingStore, store: S3Store, status: int, code: str, reason: StorageReason
    ) -> None:
        server.answer(f"<Error><Code>{code}</Code></Error>".encode(), status=status)
        error = await refused(store.restore(REF, days=1, tier=RestoreTier.STANDARD))
        assert (error.reason, error.code, error.http_status) == (reason, code, status)
        assert not is_outcome_unknown(error)

    async def test_an_error_in_a_success(self, server: CapturingStore, store: S3Store) -> None:
        server.answer(b"<Error><Code>InternalError</Code></Error>", status=202)
        assert is_outcome_unknown(await refused(store.restore(REF, days=1, tier=RestoreTier.STANDARD)))

    @pytest.mark.parametrize("method", ["delete", "delete_tags"])
    async def test_no_other_write_is_accepted_for_later(
        self, server: CapturingStore, store: S3Store, method: str
    ) -> None:
        server.answer(status=202)
        assert is_outcome_unknown(await refused(getattr(store, method)(REF)))
