"""What every object store must do, held against each adapter: objects, copies, tags, access lists, errors."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey
from cosbatch.model.operations import Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.disposition import Action, disposition
from cosbatch.storage.port import AclGrant, CopyOptions, LockRule, ObjectMetadata, PutOptions
from tests.contract.stores import ODD_KEYS, REFUSED_KEYS, Blocks, Gap, Subject, at, content, refused

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
METADATA = ObjectMetadata(
    cache_control="max-age=60",
    content_disposition='attachment; filename="a.txt"',
    content_encoding="gzip",
    content_language="de",
    content_type="text/x-plain; charset=utf-8",
    expires="Wed, 21 Oct 2037 07:28:00 GMT",
    user={"owner": "anna", "with-dash": "a  b", "empty-looking": "0"},
)
TAGS = (Tag(key="team", value="red + blue"), Tag(key="größe", value="ä=c/d@e:f"))


class TestObjects:
    async def test_what_was_put_is_read_back(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "dir/object")
        body = b"hello, store"

        outcome = await subject.store.put(ref, body, options=PutOptions(metadata=METADATA))
        meta = await subject.store.head(ref)

        assert outcome.etag == meta.etag == hashlib.md5(body).hexdigest()
        assert (outcome.version_id, meta.version_id) == (None, None)
        assert meta.size_bytes == len(body)
        assert meta.metadata == METADATA
        assert await content(subject.store, ref) == body

    async def test_empty_object(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "empty")
        await subject.store.put(ref, b"")
        assert (await subject.store.head(ref)).size_bytes == 0
        assert await content(subject.store, ref) == b""

    async def test_last_modified_is_in_whole_seconds_and_now(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "k")
        await subject.store.put(ref, b"1")
        head = (await subject.store.head(ref)).last_modified
        listed = (await subject.store.list_objects(ref.bucket)).objects[0].last_modified
        assert head == int(head)
        assert abs(head - listed) <= 1

    async def test_user_metadata_beyond_ascii(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "k")
        user = {"name": "Müller 日志"}
        await subject.store.put(ref, b"1", options=PutOptions(metadata=ObjectMetadata(user=user)))
        assert (await subject.store.head(ref)).metadata.user == user

    @pytest.mark.parametrize("value", ["=?UTF-8?Q?M=C3=BCller?=", "=?UTF-8?Q?abc?=", "=?utf-8?b?abcde?=", "a\tb"])
    async def test_user_metadata_that_look_encoded_or_have_a_tab(self, subject: Subject, value: str) -> None:
        ref = at(subject.bucket(), "k")
        metadata = ObjectMetadata(cache_control=value, user={"name": value})
        call = subject.store.put(ref, b"1", options=PutOptions(metadata=metadata))
        if "\t" in value and subject.has(Gap.SIGNS_TABS_OTHERWISE):
            assert (await refused(call)).reason is StorageReason.INVALID_REQUEST
            return
        await call
        seen = (await subject.store.head(ref)).metadata
        assert (seen.cache_control, seen.user) == (value, {"name": value})

    async def test_other_metadata_beyond_ascii(self, subject: Subject) -> None:
        """Read and written again they are the same."""
        first, again = (at(subject.bucket(), key) for key in ("first", "again"))
        metadata = ObjectMetadata(cache_control="max-age=1, x=é", content_disposition='attachment; filename="日志"')
        await subject.store.put(first, b"1", options=PutOptions(metadata=metadata))
        seen = (await subject.store.head(first)).metadata
        assert (seen.cache_control, seen.content_disposition) == (metadata.cache_control, metadata.content_disposition)
        await subject.store.put(again, b"1", options=PutOptions(metadata=seen))
        assert (await subject.store.head(again)).metadata == seen

    async def test_names_of_user_metadata_become_lower_case(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "k")
        await subject.store.put(ref, b"1", options=PutOptions(metadata=ObjectMetadata(user={"Mixed-Case": "v"})))
        assert (await subject.store.head(ref)).metadata.user == {"mixed-case": "v"}

    async def test_put_with_tags(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "k")
        await subject.store.put(ref, b"1", options=PutOptions(tags=TAGS))
        assert set(await subject.store.get_tags(ref)) == set(TAGS)

    async def test_streamed_body(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "streamed")
        blocks = [bytes([n]) * 300_000 for n in range(12)]

        outcome = await subject.store.put(ref, Blocks(*blocks))

        assert outcome.etag
        assert hashlib.sha256(await content(subject.store, ref)).digest() == hashlib.sha256(b"".join(blocks)).digest()

    async def test_body_shorter_than_announced_leaves_no_object(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "short")
        error = await refused(subject.store.put(ref, Blocks(b"abc", announced=10)))
        assert error.reason is StorageReason.BODY_DAMAGED
        assert (await refused(subject.store.head(ref))).reason is StorageReason.NO_SUCH_KEY

    async def test_put_replaces(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "k")
        await subject.store.put(ref, b"old", options=PutOptions(metadata=METADATA, tags=TAGS))
        await subject.store.put(ref, b"newer")
        meta = await subject.store.head(ref)
        assert (meta.size_bytes, meta.metadata.user, meta.metadata.cache_control) == (5, {}, "")
        assert await subject.store.get_tags(ref) == ()

    @pytest.mark.parametrize(
        ("first", "last", "expected"),
        [(0, 0, b"0"), (2, 4, b"234"), (7, None, b"789"), (0, 99, b"0123456789"), (9, 9, b"9")],
    )
    async def test_range(self, subject: Subject, first: int, last: int | None, expected: bytes) -> None:
        ref = at(subject.bucket(), "digits")
        await subject.store.put(ref, b"0123456789")
        body = await subject.store.get(ref, first_byte=first, last_byte=last)
        assert b"".join([block async for block in body]) == expected
        assert body.content_range == (first, first + len(expected) - 1, 10)
        assert body.meta.size_bytes == 10

    async def test_whole_object_has_no_range(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "digits")
        await subject.store.put(ref, b"0123456789")
        body = await subject.store.get(ref)
        await body.aclose()
        assert body.content_range is None

    async def test_range_behind_the_end(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "digits")
        await subject.store.put(ref, b"0123456789")
        error = await refused(subject.store.get(ref, first_byte=10, last_byte=12))
        assert (error.reason, error.http_status) == (StorageReason.INVALID_REQUEST, 416)

    async def test_a_body_may_be_left_half_read(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "big")
        await subject.store.put(ref, b"x" * 2_000_000)
        body = await subject.store.get(ref)
        async for _ in body:
            break
        await body.aclose()
        assert (await subject.store.head(ref)).size_bytes == 2_000_000

    async def test_delete(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "k")
        await subject.store.put(ref, b"1")
        assert await subject.store.delete(ref) is None
        assert (await refused(subject.store.head(ref))).reason is StorageReason.NO_SUCH_KEY

    async def test_delete_of_nothing_is_no_error(self, subject: Subject) -> None:
        assert await subject.store.delete(at(subject.bucket(), "never")) is None


class TestErrors:
    async def test_missing_key(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "never")
        for call in (
            subject.store.head(ref),
            subject.store.get(ref),
            subject.store.get_tags(ref),
            subject.store.copy(ref, at(ref.bucket, "copied"), options=CopyOptions()),
        ):
            error = await refused(call)
            assert (error.reason, error.http_status) == (StorageReason.NO_SUCH_KEY, 404)

    async def test_missing_bucket(self, subject: Subject) -> None:
        known = at(subject.bucket(), "k")
        await subject.store.put(known, b"1")
        bucket = Bucket("never-made-by-anybody")
        ref = at(bucket, "k")
        for call in (
            subject.store.get(ref),
            subject.store.put(ref, b"1"),
            subject.store.list_objects(bucket),
            subject.store.list_versions(bucket),
            subject.store.bucket_region(bucket),
            subject.store.versioning(bucket),
            subject.store.create_upload(ref, options=PutOptions()),
        ):
            error = await refused(call)
            assert (error.reason, error.http_status) == (StorageReason.NO_SUCH_BUCKET, 404)
        error = await refused(subject.store.copy(known, ref, options=CopyOptions()))
        expected = (StorageReason.NO_SUCH_BUCKET, 404)
        if subject.has(Gap.COPY_TO_NOWHERE_IS_500):
            expected = (StorageReason.SERVER_ERROR, 500)
        assert (error.reason, error.http_status) == expected

    async def test_copy_from_a_missing_bucket(self, subject: Subject) -> None:
        source = at(Bucket("never-made-by-anybody"), "k")
        error = await refused(subject.store.copy(source, at(subject.bucket(), "k"), options=CopyOptions()))
        assert (error.reason, error.http_status) == (StorageReason.NO_SUCH_BUCKET, 404)

    async def test_head_cannot_tell_a_missing_bucket_from_a_missing_key(self, subject: Subject) -> None:
        error = await refused(subject.store.head(at(Bucket("never-made-by-anybody"), "k")))
        assert error.reason is StorageReason.NO_SUCH_KEY

    async def test_key_longer_than_any_store_takes(self, subject: Subject) -> None:
        error = await refused(subject.store.put(at(subject.bucket(), "k" * 1025), b"1"))
        assert error.reason is StorageReason.INVALID_KEY

    async def test_empty_key_never_reaches_the_bucket(self, subject: Subject) -> None:
        """``DELETE /bucket/`` would delete the bucket, ``PUT /bucket/`` make one."""
        bucket = subject.bucket()
        assert (await refused(subject.store.put(at(bucket, ""), b"1"))).reason is StorageReason.INVALID_KEY
        if subject.wire is not None:
            assert (await refused(subject.store.delete(at(bucket, "")))).reason is StorageReason.INVALID_KEY
        assert await subject.store.versioning(bucket) is Versioning.NEVER

    async def test_the_error_names_its_request(self, subject: Subject) -> None:
        bucket = subject.bucket()
        error = await refused(subject.store.get(at(bucket, "dir/never")))
        assert error.target == f"GET {bucket}/dir/never"
        assert error.code == "NoSuchKey"

    async def test_other_user_is_denied(self, subject: Subject) -> None:
        if subject.wire is None:
            return
        ref = at(subject.bucket(), "k")
        await subject.store.put(ref, b"1")
        other = subject.wire.open(access_key=subject.wire.other_access_key, secret_key=subject.wire.other_secret_key)
        try:
            for call in (other.head(ref), other.get(ref), other.put(ref, b"2"), other.bucket_region(ref.bucket)):
                error = await refused(call)
                assert (error.reason, error.http_status) == (StorageReason.ACCESS_DENIED, 403)
        finally:
            await other.close()

    @pytest.mark.parametrize(("access_key", "secret_key"), [("AKNOBODY", "SK"), ("AKMAIN", "wrong")])
    async def test_wrong_credentials(self, subject: Subject, access_key: str, secret_key: str) -> None:
        if subject.wire is None:
            return
        ref = at(subject.bucket(), "k")
        stranger = subject.wire.open(access_key=access_key, secret_key=secret_key)
        try:
            error = await refused(stranger.put(ref, b"1"))
            is_odd = subject.has(Gap.STRANGERS_ARE_DENIED)
            expected = StorageReason.ACCESS_DENIED if is_odd else StorageReason.CREDENTIALS_REFUSED
            assert (error.reason, error.http_status) == (expected, 403)
        finally:
            await stranger.close()


class TestOddKeys:
    @pytest.mark.parametrize("name", ODD_KEYS)
    async def test_key_survives_every_way(self, subject: Subject, name: str) -> None:
        """Put, head, get, list, copied to and from, tagged, deleted; or refused by the reason that is known."""
        bucket, store = subject.bucket(), subject.store
        ref = at(bucket, ODD_KEYS[name])
        known_refusal = REFUSED_KEYS[subject.name].get(name)
        if known_refusal is not None:
            assert (await refused(store.put(ref, name.encode()))).reason is known_refusal
            assert (await store.list_objects(bucket)).objects == ()
            return

        await store.put(ref, name.encode())
        assert (await store.head(ref)).size_bytes == len(name)
        assert await content(store, ref) == name.encode()
        assert [listed.key for listed in (await store.list_objects(bucket)).objects] == [ref.key]
        assert [listed.key for listed in (await store.list_versions(bucket)).objects] == [_as_listed(subject, ref.key)]

        plain = at(bucket, "plain")
        await store.copy(ref, plain, options=CopyOptions())
        await store.delete(ref)
        assert (await refused(store.head(ref))).reason is StorageReason.NO_SUCH_KEY
        await store.copy(plain, ref, options=CopyOptions(metadata=ObjectMetadata(user={"a": "b"})))
        await store.put_tags(ref, TAGS)
        assert await content(store, ref) == name.encode()
        assert set(await store.get_tags(ref)) == set(TAGS)

    @pytest.mark.parametrize("name", ODD_KEYS)
    async def test_key_survives_an_upload(self, subject: Subject, name: str) -> None:
        ref, store = at(subject.bucket(), ODD_KEYS[name]), subject.store
        known_refusal = REFUSED_KEYS[subject.name].get(name)
        if known_refusal is not None:
            assert (await refused(store.create_upload(ref, options=PutOptions()))).reason is known_refusal
            return

        upload_id = await store.create_upload(ref, options=PutOptions())
        part = await store.upload_part(ref, upload_id=upload_id, number=1, body=b"part")
        assert [part.number for part in await store.list_parts(ref, upload_id=upload_id)] == [1]
        if subject.has(Gap.UPLOADS_NOT_LISTABLE) and name == "control character":
            assert (await refused(store.list_uploads(ref.bucket))).reason is StorageReason.MALFORMED_ANSWER
        else:
            listed = (await store.list_uploads(ref.bucket)).uploads
            assert [upload.key for upload in listed] == [_as_listed(subject, ref.key)]
        await store.complete_upload(ref, upload_id=upload_id, parts=[part])
        assert await content(store, ref) == b"part"

    @pytest.mark.parametrize("name", ODD_KEYS)
    async def test_what_the_profile_refuses_the_store_would_spoil(self, subject: Subject, name: str) -> None:
        """Put past the adapter: a refusal that a newer version of the store makes needless shall be noticed."""
        if subject.real is None or name not in REFUSED_KEYS[subject.name]:
            return
        bucket, admin = subject.bucket(), subject.real.admin()
        try:
            admin.put_object(Bucket=bucket, Key=ODD_KEYS[name], Body=b"content")
            kept = {
                listed["Key"]: admin.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read()
                for listed in admin.list_objects_v2(Bucket=bucket).get("Contents", ())
            }
        except ClientError:
            kept = {}
        assert kept != {ODD_KEYS[name]: b"content"}

    async def test_keys_that_look_alike_are_two_objects(self, subject: Subject) -> None:
        bucket, store = subject.bucket(), subject.store
        pairs = ("a+b", "a b", "a%20b", "a%2Bb", "e\u0301", "\u00e9", "A", "a")
        for key in pairs:
            await store.put(at(bucket, key), key.encode())
        assert [await content(store, at(bucket, key)) for key in pairs] == [key.encode() for key in pairs]
        assert {listed.key for listed in (await store.list_objects(bucket)).objects} == set(pairs)


def _as_listed(subject: Subject, key: str) -> str:
    if subject.has(Gap.LISTS_CONTROL_CHARACTERS_WRONG):
        return key.replace("\x01", "\ufffd")
    return key


class TestCopy:
    async def test_plain_copy_takes_everything_along(self, subject: Subject) -> None:
        bucket, store = subject.bucket(), subject.store
        source, target = at(bucket, "source"), at(subject.bucket(), "dir/target")
        await store.put(source, b"content", options=PutOptions(metadata=METADATA, tags=TAGS))

        outcome = await store.copy(source, target, options=CopyOptions())

        meta = await store.head(target)
        assert outcome.etag == meta.etag == hashlib.md5(b"content").hexdigest()
        assert outcome.version_id is None
        assert meta.metadata == METADATA
        assert set(await store.get_tags(target)) == set(TAGS)
        assert await content(store, target) == b"content"

    async def test_plain_copy_forgets_what_the_target_was(self, subject: Subject) -> None:
        bucket, store = subject.bucket(), subject.store
        await store.put(at(bucket, "source"), b"content", options=PutOptions(metadata=ObjectMetadata(user={"a": "1"})))
        await store.put(at(bucket, "target"), b"old", options=PutOptions(metadata=METADATA, tags=TAGS))
        await store.copy(at(bucket, "source"), at(bucket, "target"), options=CopyOptions())
        assert (await store.head(at(bucket, "target"))).metadata.user == {"a": "1"}
        assert await store.get_tags(at(bucket, "target")) == ()

    async def test_onto_itself_with_new_metadata(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "k")
        await subject.store.put(ref, b"content")
        await subject.store.copy(ref, ref, options=CopyOptions(metadata=METADATA))
        assert (await subject.store.head(ref)).metadata == METADATA
        assert await content(subject.store, ref) == b"content"

    async def test_onto_itself_without_a_change(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "k")
        await subject.store.put(ref, b"content")
        error = await refused(subject.store.copy(ref, ref, options=CopyOptions()))
        assert error.reason is StorageReason.INVALID_REQUEST

    async def test_unknown_storage_class(self, subject: Subject) -> None:
        bucket, store = subject.bucket(), subject.store
        await store.put(at(bucket, "k"), b"1")
        call = store.copy(at(bucket, "k"), at(bucket, "copied"), options=CopyOptions(storage_class="NO_SUCH_CLASS"))
        if subject.has(Gap.ANY_STORAGE_CLASS):
            assert (await call).etag
        else:
            assert (await refused(call)).reason is StorageReason.INVALID_REQUEST

    async def test_the_same_options_for_many_copies(self, subject: Subject) -> None:
        """As a job does: one options value, many keys, two source buckets."""
        store, target = subject.store, subject.bucket()
        options = CopyOptions(metadata=METADATA)
        for bucket in (subject.bucket(), subject.bucket()):
            for key in ("a", "dir/b", "ü"):
                await store.put(at(bucket, key), f"{bucket}{key}".encode())
                await store.copy(at(bucket, key), at(target, f"{bucket}/{key}"), options=options)
                assert await content(store, at(target, f"{bucket}/{key}")) == f"{bucket}{key}".encode()


class TestTagsAndAccess:
    async def test_tags(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "k")
        await subject.store.put(ref, b"1")
        assert await subject.store.get_tags(ref) == ()
        await subject.store.put_tags(ref, TAGS)
        assert set(await subject.store.get_tags(ref)) == set(TAGS)
        await subject.store.put_tags(ref, TAGS[:1])
        assert await subject.store.get_tags(ref) == TAGS[:1]
        await subject.store.delete_tags(ref)
        assert await subject.store.get_tags(ref) == ()

    async def test_tags_of_a_versioned_object(self, subject: Subject) -> None:
        ref = at(subject.bucket(versioning=Versioning.ENABLED), "k")
        first = ref._replace(version_id=(await subject.store.put(ref, b"1")).version_id)
        await subject.store.put(ref, b"2")
        await subject.store.put_tags(first, TAGS)
        assert set(await subject.store.get_tags(first)) == set(TAGS)
        assert await subject.store.get_tags(ref) == ()
        await subject.store.delete_tags(first)
        assert await subject.store.get_tags(first) == ()
        await subject.store.put_tags(ref, TAGS)
        await subject.store.delete_tags(ref)
        left = await subject.store.get_tags(ref)
        assert set(left) == (set(TAGS) if subject.has(Gap.KEEPS_TAGS_ON_DELETE) else set())
        await subject.store.put_tags(ref, ())
        assert await subject.store.get_tags(ref) == ()

    async def test_access_list(self, subject: Subject) -> None:
        ref = at(subject.bucket(), "k")
        await subject.store.put(ref, b"1")
        before = await subject.store.get_acl(ref)
        assert [(grant.id, grant.uri, grant.permission) for grant in before.grants] == [
            (before.owner_id, "", "FULL_CONTROL")
        ]
        public = AclGrant("", ALL_USERS, "READ")
        await subject.store.put_acl(ref, replace(before, grants=(*before.grants, public)))
        after = await subject.store.get_acl(ref)
        assert after.owner_id == before.owner_id
        assert {(grant.id, grant.uri, grant.permission) for grant in after.grants} == {
            (before.owner_id, "", "FULL_CONTROL"),
            ("", ALL_USERS, "READ"),
        }


class TestVersions:
    def _reason_of_marker(self, subject: Subject) -> StorageReason:
        if subject.has(Gap.MARKERS_LOOK_MISSING):
            return StorageReason.NO_SUCH_VERSION
        return StorageReason.DELETE_MARKER

    async def test_versions_of_one_key(self, subject: Subject) -> None:
        ref, store = at(subject.bucket(versioning=Versioning.ENABLED), "k"), subject.store
        first = ref._replace(version_id=(await store.put(ref, b"first")).version_id)
        second = ref._replace(version_id=(await store.put(ref, b"second")).version_id)
        assert first.version_id
        assert second.version_id
        assert first != second
        assert (await store.head(ref)).version_id == second.version_id
        assert (await store.head(first)).size_bytes == 5
        assert await content(store, first) == b"first"
        assert await content(store, ref) == b"second"

    async def test_copy_of_a_version(self, subject: Subject) -> None:
        ref, store = at(subject.bucket(versioning=Versioning.ENABLED), "k"), subject.store
        first = ref._replace(version_id=(await store.put(ref, b"first")).version_id)
        await store.put(ref, b"second")
        outcome = await store.copy(first, at(ref.bucket, "copied"), options=CopyOptions())
        made = (await store.head(at(ref.bucket, "copied"))).version_id
        assert made is not None
        assert outcome.version_id == (None if subject.has(Gap.COPIES_HIDE_THEIR_VERSION) else made)
        assert await content(store, at(ref.bucket, "copied")) == b"first"

    async def test_a_version_brought_back(self, subject: Subject) -> None:
        ref, store = at(subject.bucket(versioning=Versioning.ENABLED), "k"), subject.store
        first = ref._replace(version_id=(await store.put(ref, b"first")).version_id)
        await store.put(ref, b"second")
        await store.copy(first, ref, options=CopyOptions())
        assert await content(store, ref) == b"first"
        assert len((await store.list_versions(ref.bucket)).objects) == 3

    async def test_delete_makes_a_marker(self, subject: Subject) -> None:
        ref, store = at(subject.bucket(versioning=Versioning.ENABLED), "k"), subject.store
        first = ref._replace(version_id=(await store.put(ref, b"first")).version_id)
        marker = ref._replace(version_id=await store.delete(ref))
        assert marker.version_id not in (None, first.version_id)
        assert (await refused(store.head(ref))).reason is StorageReason.NO_SUCH_KEY
        assert (await refused(store.head(marker))).reason is self._reason_of_marker(subject)
        assert (await refused(store.get(marker))).reason is self._reason_of_marker(subject)
        assert await content(store, first) == b"first"
        listed = (await store.list_versions(ref.bucket)).objects
        assert [(entry.version_id, entry.is_delete_marker, entry.is_latest) for entry in listed] == [
            (marker.version_id, True, True),
            (first.version_id, False, False),
        ]
        assert (await store.list_objects(ref.bucket)).objects == ()

    async def test_copy_of_a_marker(self, subject: Subject) -> None:
        ref, store = at(subject.bucket(versioning=Versioning.ENABLED), "k"), subject.store
        await store.put(ref, b"first")
        marker = ref._replace(version_id=await store.delete(ref))
        target = at(ref.bucket, "copied")
        assert (await refused(store.copy(ref, target, options=CopyOptions()))).reason is StorageReason.NO_SUCH_KEY
        error = await refused(store.copy(marker, target, options=CopyOptions()))
        is_odd = subject.has(Gap.MARKER_COPIES_LOOK_INVALID)
        assert error.reason is (StorageReason.INVALID_REQUEST if is_odd else self._reason_of_marker(subject))

    async def test_removing_the_marker_brings_the_object_back(self, subject: Subject) -> None:
        ref, store = at(subject.bucket(versioning=Versioning.ENABLED), "k"), subject.store
        await store.put(ref, b"first")
        marker = await store.delete(ref)
        assert await store.delete(ref._replace(version_id=marker)) == marker
        assert await content(store, ref) == b"first"

    async def test_unknown_version(self, subject: Subject) -> None:
        ref, store = at(subject.bucket(versioning=Versioning.ENABLED), "k"), subject.store
        first = await store.put(ref, b"first")
        await store.put(ref, b"second")
        gone = ref._replace(version_id=first.version_id)
        await store.delete(gone)
        assert (await refused(store.head(gone))).reason is StorageReason.NO_SUCH_VERSION
        assert (await refused(store.get(gone))).reason is StorageReason.NO_SUCH_VERSION
        error = await refused(store.copy(gone, at(ref.bucket, "copied"), options=CopyOptions()))
        assert error.reason is StorageReason.NO_SUCH_VERSION

    async def test_null_version_of_an_object_older_than_versioning(self, subject: Subject) -> None:
        bucket, store = subject.bucket(), subject.store
        ref = at(bucket, "k")
        await store.put(ref, b"old")
        listed = (await store.list_versions(bucket)).objects
        assert [(entry.key, entry.version_id, entry.is_latest) for entry in listed] == [("k", "null", True)]

    async def test_suspended_bucket_keeps_one_null_version(self, subject: Subject) -> None:
        ref, store = at(subject.bucket(versioning=Versioning.SUSPENDED), "k"), subject.store
        await store.put(ref, b"first")
        await store.put(ref, b"second")
        listed = (await store.list_versions(ref.bucket)).objects
        assert [(entry.version_id, entry.size_bytes) for entry in listed] == [("null", 6)]

    async def test_versioning_of_buckets(self, subject: Subject) -> None:
        for versioning in Versioning:
            assert await subject.store.versioning(subject.bucket(versioning=versioning)) is versioning

    async def test_object_lock_of_a_bucket_without_one(self, subject: Subject) -> None:
        told: LockRule | StorageError | None
        try:
            told = await subject.store.object_lock(subject.bucket())
        except StorageError as error:
            told = error
        # A store that has no such thing says so once and for all: nobody waits for it.
        assert told is None or (
            isinstance(told, StorageError) and disposition(told, writes=False).action is Action.FAIL_TASK
        )


class TestLists:
    KEYS = ("a", "a-", "a/b", "a/c", "a0", "b", "é", "日")

    async def _filled(self, subject: Subject) -> Bucket:
        bucket = subject.bucket()
        for key in self.KEYS:
            await subject.store.put(at(bucket, key), key.encode())
        return bucket

    async def test_pages_cover_everything_once(self, subject: Subject) -> None:
        bucket = await self._filled(subject)
        found: list[ObjectKey] = []
        token, pages = "", 0
        while pages == 0 or token:
            page = await subject.store.list_objects(bucket, token=token, limit=3)
            assert len(page.objects) <= 3
            found += [listed.key for listed in page.objects]
            token, pages = page.next_token, pages + 1
        assert sorted(found) == sorted(self.KEYS)
        in_byte_order = found == sorted(self.KEYS, key=str.encode)
        assert in_byte_order is not subject.has(Gap.LISTS_IN_TREE_ORDER)

    async def test_prefix(self, subject: Subject) -> None:
        bucket = await self._filled(subject)
        page = await subject.store.list_objects(bucket, prefix="a/")
        assert [listed.key for listed in page.objects] == ["a/b", "a/c"]
        assert (await subject.store.list_objects(bucket, prefix="nothing")).objects == ()

    async def test_folders_stand_for_what_is_in_them(self, subject: Subject) -> None:
        bucket = await self._filled(subject)
        page = await subject.store.list_objects(bucket, delimiter="/")
        listed = {listed.key for listed in page.objects}
        folders = {key.partition("/")[0] + "/" for key in self.KEYS if "/" in key}
        assert set(page.folders) == folders
        assert listed == {key for key in self.KEYS if "/" not in key}
        inside = await subject.store.list_objects(bucket, prefix="a/", delimiter="/")
        assert ([listed.key for listed in inside.objects], inside.folders) == (["a/b", "a/c"], ())

    async def test_pages_of_folders_cover_everything_once(self, subject: Subject) -> None:
        bucket = await self._filled(subject)
        found: list[str] = []
        token, pages, most = "", 0, 0
        while pages == 0 or token:
            page = await subject.store.list_objects(bucket, token=token, limit=1, delimiter="/")
            most = max(most, len(page.objects) + len(page.folders))
            found += [*[listed.key for listed in page.objects], *page.folders]
            token, pages = page.next_token, pages + 1
        assert sorted(found) == sorted({key.partition("/")[0] + "/" if "/" in key else key for key in self.KEYS})
        assert most == (2 if subject.has(Gap.FOLDERS_BEYOND_LIMIT) else 1)

    async def test_buckets(self, subject: Subject) -> None:
        made = {subject.bucket() for _ in range(2)}
        listed = {entry.name: entry for entry in await subject.store.list_buckets()}
        assert made <= listed.keys()
        assert all(entry.created_at is None or entry.created_at > 1e9 for entry in listed.values())

    async def test_start_after(self, subject: Subject) -> None:
        bucket = await self._filled(subject)
        page = await subject.store.list_objects(bucket, start_after="a0")
        assert [listed.key for listed in page.objects] == ["b", "é", "日"]

    async def test_what_is_listed(self, subject: Subject) -> None:
        bucket = subject.bucket()
        outcome = await subject.store.put(at(bucket, "k"), b"12345")
        listed = (await subject.store.list_objects(bucket)).objects[0]
        assert (listed.key, listed.size_bytes, listed.etag) == ("k", 5, outcome.etag)
        assert listed.storage_class in ("", "STANDARD")
        assert (listed.version_id, listed.is_latest, listed.is_delete_marker) == (None, True, False)

    async def test_version_pages_cover_everything_once(self, subject: Subject) -> None:
        bucket, store = subject.bucket(versioning=Versioning.ENABLED), subject.store
        made = []
        for key in ("a", "b/c", "ü"):
            made += [(key, (await store.put(at(bucket, key), body)).version_id) for body in (b"1", b"22")]
            made.append((key, await store.delete(at(bucket, key))))
        found = []
        token, pages = "", 0
        while pages == 0 or token:
            page = await store.list_versions(bucket, token=token, limit=2)
            found += [(entry.key, entry.version_id) for entry in page.objects]
            token, pages = page.next_token, pages + 1
        assert len(found) == len(made) == 9
        assert set(found) == set(made)
        newest_first = [version for key, version in reversed(made) if key == "b/c"]
        assert [version for key, version in found if key == "b/c"] == newest_first

    async def test_bucket_region(self, subject: Subject) -> None:
        region = await subject.store.bucket_region(subject.bucket())
        assert region == ("" if subject.has(Gap.NO_BUCKET_REGION) else "us-east-1")
