"""The object store over the S3 protocol, and over COS's own: signs a request, sends it, and makes a value or a
StorageError of the answer.

Copies are the hot path: all that copies of one job have in common is laid out once, in a request template.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from cosbatch.identity.credentials import Credentials, CredentialSource
from cosbatch.model.clock import Clock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectRef, RegionName, VersionId
from cosbatch.model.operations import RestoreTier, Tag
from cosbatch.model.regions import Region, Versioning
from cosbatch.storage import s3_answers, s3_errors, s3_requests
from cosbatch.storage.body_checks import BodyWords, WatchedBody, has_arrived, new_crc64, words_of, words_of_request
from cosbatch.storage.dialects import S3_DIALECT, Dialect
from cosbatch.storage.held_bodies import HeldBody
from cosbatch.storage.http_client import HttpAnswer, HttpClient, StreamedAnswer
from cosbatch.storage.http_connection import FIRST_REFUSAL
from cosbatch.storage.http_limits import SMALL_BODY_BYTES
from cosbatch.storage.places import Place, place_of
from cosbatch.storage.port import (
    AccessControl,
    BucketEntry,
    CompletedPart,
    CopyOptions,
    CopyOutcome,
    ListPage,
    LockRule,
    ObjectBody,
    ObjectMeta,
    PutOptions,
    PutOutcome,
    RestoreOutcome,
    SizedBody,
    UploadedPart,
    UploadPage,
)
from cosbatch.storage.profiles import CapabilityProfile
from cosbatch.storage.request_heads import Header, HeadTemplate, Signer, quote_path
from cosbatch.storage.s3_answers import AnswerFaulty
from cosbatch.storage.s3_body import S3Body
from cosbatch.storage.s3_corrections import Corrections
from cosbatch.storage.s3_requests import S3Request
from cosbatch.storage.s3_routes import Answer, Neighbour, Route, Routes
from cosbatch.storage.signer import EMPTY_SHA256

if TYPE_CHECKING:
    from cosbatch.storage.crc64 import Crc64

COPY_PLANS_KEPT: Final = 64
_new: Final = tuple.__new__
"""Makes a named tuple in half of the time: one is made for every object."""
ACCEPTED: Final = 202
PARTIAL_CONTENT: Final = 206
OTHER_BYTES: Final = "the store has other bytes than were sent"

_SAID_BY_STORES_WITHOUT: Final = frozenset({StorageReason.MALFORMED_ANSWER, StorageReason.SERVER_ERROR})
"""What a store makes of a question for object lock that it does not know: the bucket's list, or an error of its own."""
_NO_TAGS: Final = frozenset({"NoSuchTagSet", "NoSuchTagSetError"})

_Value = TypeVar("_Value")
_PageT = TypeVar("_PageT", ListPage, UploadPage)
_AnswerT = TypeVar("_AnswerT", bound=Answer)


class _CopyPlan(NamedTuple):
    """What all copies of one job between two buckets have in common."""

    options: CopyOptions
    """Kept alive, so that its identity stays its own."""
    template: HeadTemplate
    headers: tuple[Header, ...]
    """Those that the options ask for."""
    target_place: Place
    target_folder: bytes
    """The path of the target bucket as far as its keys begin."""
    source_folder: bytes
    """What names a source, as far as its key begins."""


class S3Store:
    """An :class:`~cosbatch.storage.port.ObjectStore` in a region that speaks the S3 protocol in one of its dialects."""

    def __init__(
        self,
        *,
        region: Region,
        credentials: CredentialSource,
        client: HttpClient,
        signer: Signer,
        profile: CapabilityProfile,
        clock: Clock,
        dialect: Dialect = S3_DIALECT,
        neighbours: Sequence[Neighbour] = (),
    ) -> None:
        """``neighbours`` are the other regions of the table: the store may redirect there, or copy from there."""
        self.profile = profile
        self._has_unusable_keys = profile.unusable_keys is not None
        self._region = region
        self._credentials = credentials
        self._client = client
        self._signer = signer
        self._clock = clock
        self._dialect = dialect
        self._prefix = dialect.header_prefix.decode()
        self._version_header = f"{self._prefix}version-id"
        self._routes = Routes(region, client=client, signer=signer, neighbours=neighbours, dialect=dialect, clock=clock)
        self._corrections = Corrections(self._routes, credentials=credentials, clock=clock)
        self._regions = {each.name: each for each in (region, *(neighbour.region for neighbour in neighbours))}
        self._copy_plans: dict[tuple[int, Bucket, Bucket], _CopyPlan] = {}

    # --- objects

    async def head(self, ref: ObjectRef) -> ObjectMeta:
        request = s3_requests.head_object(ref)
        answer = await self._read(request, about_version=ref.version_id is not None)
        return self._understood(answer, request, lambda: self._meta(answer))

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
        request = s3_requests.get_object(ref, first_byte=first_byte, last_byte=last_byte)

        def send(route: Route, credentials: Credentials) -> Awaitable[StreamedAnswer]:
            head = self._head(request, credentials, route)
            return route.client.open(head, target=request.target, host=route.place.connect_to)

        answer, credentials = await self._ask(request, send)
        try:
            if answer.status not in (200, PARTIAL_CONTENT):
                raise self._refusal(answer, request, credentials, about_version=ref.version_id is not None)
            return self._body(answer, request, first_byte=first_byte, last_byte=last_byte)
        except BaseException:
            await answer.aclose()
            raise

    async def put(self, ref: ObjectRef, body: bytes | SizedBody, *, options: PutOptions = PutOptions()) -> PutOutcome:
        request = s3_requests.put_object(ref, options=options, dialect=self._dialect)
        answer = await self._upload(request, body)
        etag = s3_answers.bare_etag(answer.headers.get("etag", ""))
        if not etag:
            raise self._malformed("the answer has no etag", answer, request)
        return PutOutcome(etag, self._version(answer))

    async def copy(self, source: ObjectRef, target: ObjectRef, *, options: CopyOptions) -> CopyOutcome:
        if self._has_unusable_keys or not source.key or not target.key:
            s3_requests.check_key(source, self.profile)
            if target.key != source.key:
                s3_requests.check_key(target, self.profile)
        plan = self._copy_plans.get((id(options), source.bucket, target.bucket))
        if plan is None:
            plan = self._plan_copies(source.bucket, target.bucket, options)
        place = plan.target_place
        credentials = self._credentials.at_hand() or await self._credentials.credentials()
        quoted = quote_path(target.key)
        # Mostly one key: encoding it twice costs up to 4 us.
        source_text = plan.source_folder + (quoted if source.key == target.key else quote_path(source.key))
        if source.version_id is not None:
            source_text += s3_requests.version_of_source(source.version_id)
        head = plan.template.head(credentials, plan.target_folder + quoted, (source_text,))
        shown = f"PUT {target.bucket}/{target.key}"
        sent_at = self._clock.boottime()
        answer = await self._client.exchange(head, reads_only=False, target=shown, host=place.connect_to)
        if answer.status == 200:
            etag = s3_answers.copied_etag(answer.body)
            if etag:
                version = answer.headers.get(self._version_header)
                return _new(CopyOutcome, (etag, version or None))
        headers = (*plan.headers, (self._dialect.header(b"copy-source"), source_text))
        request = S3Request(b"PUT", target.bucket, target.key, headers=headers)
        return await self._copy_again(
            answer, request, credentials, sent_at, about_version=source.version_id is not None
        )

    async def _copy_again(
        self, answer: HttpAnswer, request: S3Request, credentials: Credentials, sent_at: float, *, about_version: bool
    ) -> CopyOutcome:
        """A copy that has no result yet: perhaps it only has to go elsewhere."""
        send = self._sender(request, reads_only=False)
        answer, credentials = await self._corrections.sent_again(
            answer, request, credentials, send, write_sent_at=sent_at
        )
        etag = s3_answers.copied_etag(answer.body) if answer.status == 200 else None
        if etag:
            return CopyOutcome(etag, self._version(answer))
        raise self._failed(answer, request, credentials, about_version=about_version)

    async def delete(self, ref: ObjectRef) -> VersionId | None:
        answer = await self._write(s3_requests.delete_object(ref))
        return self._version(answer)

    async def restore(self, ref: ObjectRef, *, days: int, tier: RestoreTier) -> RestoreOutcome:
        request = s3_requests.restore_object(ref, days=days, tier=tier, dialect=self._dialect)
        answer = await self._write(request, about_version=ref.version_id is not None, successes=(200, ACCEPTED))
        return RestoreOutcome.BEGUN if answer.status == ACCEPTED else RestoreOutcome.EXTENDED

    # --- multipart uploads

    async def create_upload(self, target: ObjectRef, *, options: PutOptions) -> str:
        request = s3_requests.create_upload(target, options=options, dialect=self._dialect)
        answer = await self._write(request)
        return self._understood(answer, request, lambda: s3_answers.upload_id_of(answer.body))

    async def upload_part(
        self, target: ObjectRef, *, upload_id: str, number: int, body: bytes | SizedBody
    ) -> CompletedPart:
        request = s3_requests.upload_part(target, upload_id=upload_id, number=number)
        answer = await self._upload(request, body)
        etag = s3_answers.bare_etag(answer.headers.get("etag", ""))
        if not etag:
            raise self._malformed("the answer has no etag", answer, request)
        return CompletedPart(number, etag)

    async def upload_part_copy(
        self,
        source: ObjectRef,
        target: ObjectRef,
        *,
        upload_id: str,
        number: int,
        first_byte: int,
        last_byte: int,
        if_source_etag: str = "",
        source_region: RegionName | None = None,
    ) -> CompletedPart:
        s3_requests.check_key(source, self.profile)
        request = s3_requests.upload_part_copy(
            source,
            target,
            upload_id=upload_id,
            number=number,
            first_byte=first_byte,
            last_byte=last_byte,
            if_source_etag=if_source_etag,
            source_place=self._source_place(source.bucket, source_region),
            dialect=self._dialect,
        )
        answer = await self._write(request, about_version=source.version_id is not None)
        etag = s3_answers.copied_etag(answer.body)
        if not etag:
            raise self._malformed("the answer is neither a CopyPartResult nor an Error", answer, request)
        return CompletedPart(number, etag)

    async def complete_upload(
        self, target: ObjectRef, *, upload_id: str, parts: Sequence[CompletedPart]
    ) -> CopyOutcome:
        request = s3_requests.complete_upload(target, upload_id=upload_id, parts=parts, dialect=self._dialect)
        answer = await self._write(request)
        etag = s3_answers.copied_etag(answer.body)
        if etag is None:
            raise self._malformed("the answer is neither a CompleteMultipartUploadResult nor an Error", answer, request)
        return CopyOutcome(etag, self._version(answer))

    async def abort_upload(self, target: ObjectRef, *, upload_id: str) -> None:
        await self._write(s3_requests.abort_upload(target, upload_id=upload_id))

    async def list_parts(self, target: ObjectRef, *, upload_id: str) -> list[UploadedPart]:
        found: list[UploadedPart] = []
        after = -1
        while True:
            request = s3_requests.list_parts(target, upload_id=upload_id, after=max(after, 0), dialect=self._dialect)
            answer = await self._read(request)
            page, last = self._understood(answer, request, partial(s3_answers.parts_of, answer.body))
            if 0 < last <= after:
                raise self._malformed("the list of parts comes again instead of going on", answer, request)
            found += page
            if not last:
                return found
            after = last

    async def list_uploads(self, bucket: Bucket, *, prefix: str = "", token: str = "") -> UploadPage:
        request = s3_requests.list_uploads(bucket, prefix=prefix, token=token, dialect=self._dialect)
        return await self._read_page(request, token, s3_answers.uploads_of)

    # --- access lists and tags

    async def get_acl(self, ref: ObjectRef) -> AccessControl:
        parse = partial(s3_answers.access_control_of, dialect=self._dialect)
        return await self._read_of_object(s3_requests.get_acl(ref), ref, parse)

    async def put_acl(self, ref: ObjectRef, acl: AccessControl) -> None:
        await self._write(
            s3_requests.put_acl(ref, acl, dialect=self._dialect), about_version=ref.version_id is not None
        )

    async def get_tags(self, ref: ObjectRef) -> tuple[Tag, ...]:
        """COS and others answer 404 where an object has no tags (COS, GET Object tagging)."""
        try:
            return await self._read_of_object(s3_requests.get_tags(ref), ref, s3_answers.tags_of)
        except StorageError as error:
            if error.code in _NO_TAGS:
                return ()
            raise

    async def put_tags(self, ref: ObjectRef, tags: Sequence[Tag]) -> None:
        request = s3_requests.put_tags(ref, tags, dialect=self._dialect)
        await self._write(request, about_version=ref.version_id is not None)

    async def delete_tags(self, ref: ObjectRef) -> None:
        await self._write(s3_requests.delete_tags(ref), about_version=ref.version_id is not None)

    # --- buckets

    async def list_buckets(self) -> tuple[BucketEntry, ...]:
        request = s3_requests.list_buckets()
        credentials = await self._credentials.credentials()
        answer = await self._sender(request, reads_only=True)(self._routes.service(), credentials)
        if answer.status != 200 or s3_answers.is_error_document(answer.body):
            raise self._refusal(answer, request, credentials)
        return self._understood(answer, request, lambda: s3_answers.buckets_of(answer.body))

    async def list_objects(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        start_after: str = "",
        token: str = "",
        limit: int = 1000,
        delimiter: str = "",
    ) -> ListPage:
        request = s3_requests.list_objects(
            bucket,
            prefix=prefix,
            start_after=start_after,
            token=token,
            limit=limit,
            delimiter=delimiter,
            dialect=self._dialect,
        )
        return await self._read_page(request, token, partial(s3_answers.objects_of, dialect=self._dialect))

    async def list_versions(self, bucket: Bucket, *, prefix: str = "", token: str = "", limit: int = 1000) -> ListPage:
        request = s3_requests.list_versions(bucket, prefix=prefix, token=token, limit=limit)
        return await self._read_page(request, token, s3_answers.versions_of)

    async def bucket_region(self, bucket: Bucket) -> str:
        """S3 names the region also in the answer that sends the asker there (301, or 400 for the signature's)."""
        request = s3_requests.head_bucket(bucket)
        answer, credentials = await self._ask(request, self._sender(request, reads_only=True), follows=False)
        named = answer.headers.get(f"{self._prefix}bucket-region", "")
        if answer.status == 200 or (named and answer.status in (301, 307, 400)):
            return named
        raise self._refusal(answer, request, credentials)

    async def versioning(self, bucket: Bucket) -> Versioning:
        return await self._read_document(s3_requests.get_versioning(bucket), s3_answers.versioning_of)

    async def object_lock(self, bucket: Bucket) -> LockRule | None:
        try:
            return await self._read_document(s3_requests.get_object_lock(bucket), s3_answers.object_lock_of)
        except StorageError as error:
            if error.code in s3_answers.NO_OBJECT_LOCK:
                return None
            if error.reason not in _SAID_BY_STORES_WITHOUT:
                raise
            raise StorageError(
                StorageReason.NOT_IMPLEMENTED,
                f"the store does not know object lock: {error.message}",
                code=error.code,
                http_status=error.http_status,
                target=error.target,
                request_id=error.request_id,
            ) from error

    async def close(self) -> None:
        await self._client.close()

    # --- sending

    def _plan_copies(self, source: Bucket, target: Bucket, options: CopyOptions) -> _CopyPlan:
        place = place_of(self._region, target)
        headers = s3_requests.copy_headers(options, dialect=self._dialect)
        s3_requests.check_headers(headers, self.profile)
        template = self._signer.template(
            b"PUT",
            place.host,
            fixed_headers=((b"content-length", b"0"), *headers),
            varying_header_names=(self._dialect.header(b"copy-source"),),
            payload_hash=EMPTY_SHA256,
        )
        source_place = self._source_place(source, options.source_region)
        plan = _CopyPlan(options, template, headers, place, place.path + b"/", source_place + b"/")
        while len(self._copy_plans) >= COPY_PLANS_KEPT:
            del self._copy_plans[next(iter(self._copy_plans))]
        self._copy_plans[id(options), source, target] = plan
        return plan

    def _source_place(self, bucket: Bucket, region: RegionName | None) -> bytes:
        return self._dialect.source_place(self._regions.get(region or self._region.name, self._region), bucket)

    def _head(
        self,
        request: S3Request,
        credentials: Credentials,
        route: Route,
        *,
        words: BodyWords | None = None,
    ) -> bytes:
        """``words``: of a body that is not part of the request."""
        if request.key is not None:
            s3_requests.check_key(ObjectRef(request.bucket, request.key), self.profile)
        s3_requests.check_headers(request.headers, self.profile)
        place = route.place
        path = place.path + b"/" + quote_path(request.key) if request.key is not None else place.path or b"/"
        about_body, payload_hash = words or words_of_request(request)
        return route.signer.head(
            credentials,
            request.method,
            place.host,
            path,
            request.query,
            headers=(*about_body, *request.headers),
            payload_hash=payload_hash,
        )

    def _sender(self, request: S3Request, *, reads_only: bool) -> Callable[[Route, Credentials], Awaitable[HttpAnswer]]:
        """What sends the request by a route, as often as it is called."""

        def send(route: Route, credentials: Credentials) -> Awaitable[HttpAnswer]:
            head = self._head(request, credentials, route)
            host = route.place.connect_to
            return route.client.exchange(head, request.body, reads_only=reads_only, target=request.target, host=host)

        return send

    async def _ask(
        self,
        request: S3Request,
        send: Callable[[Route, Credentials], Awaitable[_AnswerT]],
        *,
        writes: bool = False,
        follows: bool = True,
    ) -> tuple[_AnswerT, Credentials]:
        """The answer, and the credentials that it is about."""
        credentials = await self._credentials.credentials()
        sent_at = self._clock.boottime() if writes else None
        answer = await send(self._routes.home(request.bucket), credentials)
        if answer.status < FIRST_REFUSAL:
            return answer, credentials
        return await self._corrections.sent_again(
            answer, request, credentials, send, write_sent_at=sent_at, follows=follows
        )

    async def _read(self, request: S3Request, *, about_version: bool = False) -> Answer:
        answer, credentials = await self._ask(request, self._sender(request, reads_only=True))
        if answer.status != 200 or s3_answers.is_error_document(answer.body):
            raise self._refusal(answer, request, credentials, about_version=about_version)
        return answer

    async def _read_document(self, request: S3Request, parse: Callable[[bytes], _Value]) -> _Value:
        answer = await self._read(request)
        return self._understood(answer, request, lambda: parse(answer.body))

    async def _read_page(self, request: S3Request, token: str, parse: Callable[[bytes], _PageT]) -> _PageT:
        """A store that loses its place would else be asked for ever."""
        answer = await self._read(request)
        page = self._understood(answer, request, lambda: parse(answer.body))
        if page.next_token and page.next_token == token:
            raise self._malformed("the same page of the list comes again", answer, request)
        return page

    async def _read_of_object(self, request: S3Request, ref: ObjectRef, parse: Callable[[bytes], _Value]) -> _Value:
        answer = await self._read(request, about_version=ref.version_id is not None)
        return self._understood(answer, request, lambda: parse(answer.body))

    async def _write(
        self, request: S3Request, *, about_version: bool = False, successes: Collection[int] = (200, 204)
    ) -> Answer:
        answer, credentials = await self._ask(request, self._sender(request, reads_only=False), writes=True)
        if answer.status not in successes or s3_answers.is_error_document(answer.body):
            raise self._refusal(answer, request, credentials, about_version=about_version)
        return answer

    async def _upload(self, request: S3Request, body: bytes | SizedBody) -> Answer:
        if isinstance(body, HeldBody) and body.size_bytes <= SMALL_BODY_BYTES:
            body = bytes(body.content)
        if isinstance(body, bytes):
            written = await self._write(request._replace(body=body))
            if self._crc64_of(written):
                crc64 = new_crc64()
                crc64.update(body)
                self._check_crc64(crc64, written, request)
            return written
        is_private = self._region.endpoint.startswith("https:") or not self._dialect.hashes_payload
        words = words_of(body, self.profile.body_check, is_private=is_private)
        watched = WatchedBody(body) if self._dialect.crc64_header else None
        sent = watched or body

        def send(route: Route, credentials: Credentials) -> Awaitable[HttpAnswer]:
            head = self._head(request, credentials, route, words=words)
            return route.client.send(head, sent, target=request.target, host=route.place.connect_to)

        answer, credentials = await self._ask(request, send, writes=True)
        if answer.status != 200 or s3_answers.is_error_document(answer.body):
            raise self._refusal(answer, request, credentials)
        if not has_arrived(body, words, answer.headers):
            raise self._malformed(OTHER_BYTES, answer, request)
        if watched is not None:
            self._check_crc64(watched.crc64, answer, request)
        return answer

    def _crc64_of(self, answer: Answer) -> str:
        """Empty where the answer names none."""
        return answer.headers.get(self._dialect.crc64_header, "") if self._dialect.crc64_header else ""

    def _check_crc64(self, crc64: Crc64, answer: Answer, request: S3Request) -> None:
        named = self._crc64_of(answer)
        if named and not crc64.ends_as(named):
            raise self._malformed(OTHER_BYTES, answer, request)

    # --- understanding

    def _body(
        self, answer: StreamedAnswer, request: S3Request, *, first_byte: int, last_byte: int | None
    ) -> ObjectBody:
        """Other bytes than those that were asked for must not pass as them: they would be copied."""
        content_range = s3_answers.range_of(answer.headers)
        if any(name == b"range" for name, _ in request.headers):
            if content_range is None:
                raise self._malformed("a range was asked for, and the answer is not one", answer, request)
            first, last, whole = content_range
            wanted = whole - 1 if last_byte is None else min(last_byte, whole - 1)
            if (first, last) != (first_byte, wanted):
                raise self._malformed("the answer is another range than was asked for", answer, request)
        elif answer.status == PARTIAL_CONTENT:
            raise self._malformed("the whole object was asked for, and the answer is a part", answer, request)
        meta = self._understood(answer, request, lambda: self._meta(answer))
        crc64 = self._crc64_of(answer) if content_range is None else ""
        return S3Body(answer, meta=meta, content_range=content_range, crc64=crc64, target=request.target)

    def _meta(self, answer: Answer) -> ObjectMeta:
        return s3_answers.meta_of(answer.headers, prefix=self._prefix, encoded_words=self.profile.encodes_metadata)

    def _version(self, answer: Answer) -> VersionId | None:
        version = answer.headers.get(self._version_header)
        return VersionId(version) if version else None

    def _understood(self, answer: Answer, request: S3Request, parse: Callable[[], _Value]) -> _Value:
        try:
            return parse()
        except AnswerFaulty as fault:
            raise self._malformed(str(fault), answer, request) from fault

    def _malformed(self, problem: str, answer: Answer, request: S3Request) -> StorageError:
        return s3_errors.malformed(problem, status=answer.status, headers=answer.headers, target=request.target)

    def _failed(
        self, answer: Answer, request: S3Request, credentials: Credentials, *, about_version: bool
    ) -> StorageError:
        """A copy that has no result: an error, with whatever status it came."""
        if answer.status == 200 and not s3_answers.is_error_document(answer.body):
            return self._malformed("the answer is neither a CopyObjectResult nor an Error", answer, request)
        return self._refusal(answer, request, credentials, about_version=about_version)

    def _refusal(
        self, answer: Answer, request: S3Request, credentials: Credentials, *, about_version: bool = False
    ) -> StorageError:
        return s3_errors.refusal(
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            target=request.target,
            about_version=about_version,
            about_bucket=request.key is None,
            now=self._clock.now(),
            secrets=(credentials.secret_access_key, credentials.session_token),
        )
