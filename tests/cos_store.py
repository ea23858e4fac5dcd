"""A stand-in for COS: its XML API with its own signatures over real sockets, with the store in memory behind it.

There is no COS to install. This speaks what COS documents, and cos-python-sdk-v5 speaks with it in the tests as well,
so that it cannot fit the adapter alone. Buckets are virtual hosts, ``<bucket>.cos.<region>.example``; for a program
that resolves names as the system does they are folders of ``127.0.0.1``, which COS itself does not offer.

>>> async with CosStore() as server:
...     bucket = server.memory.create_bucket("logs-1250000000")
...     store = server.open()
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import parse_qsl, unquote

from cosbatch.identity import cos_v5
from cosbatch.identity.credentials import Credentials, StaticCredentials
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import AuthenticationReason, NotAuthenticated, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName, VersionId
from cosbatch.model.operations import RestoreTier
from cosbatch.model.regions import Addressing, Provider, Region, Versioning
from cosbatch.storage.dialects import COS_DIALECT
from cosbatch.storage.http_client import HttpClient
from cosbatch.storage.http_dialer import Address
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import CompletedPart, RestoreOutcome
from cosbatch.storage.profiles import PROFILES
from cosbatch.storage.s3 import S3Store
from tests import cos_words
from tests.cos_words import Refused
from tests.unit.identity.cos_signing import Keys

REGION: Final = "us-east-1"
"""What the store in memory calls its buckets' region."""
DOMAIN: Final = f"cos.{REGION}.example"
LOOPBACK: Final = "127.0.0.1"
MAIN: Final = Credentials(access_key_id="AKMAIN", secret_access_key="SKMAIN")
OTHER: Final = Credentials(access_key_id="AKOTHER", secret_access_key="SKOTHER")
TEMPORARY: Final = Credentials(access_key_id="AKTEMP", secret_access_key="SKTEMP", session_token="token+/=")
_STATUS_OF: Final = {AuthenticationReason.TOKEN_EXPIRED: 400}


class Call(NamedTuple):
    """A request as it was understood."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    bucket: Bucket
    key: ObjectKey
    """Empty: the call is about the bucket."""
    pairs: Sequence[tuple[str, str]]
    """The headers with those that are repeated."""

    @property
    def ref(self) -> ObjectRef:
        version = self.query.get("versionId")
        return ObjectRef(self.bucket, self.key, VersionId(version) if version else None)


class Answer(NamedTuple):
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {}


Handle = Callable[[Call], Awaitable[Answer]]


class CosStore:
    """Buckets are made in ``memory``; they belong to MAIN and TEMPORARY."""

    other_access_key = OTHER.access_key_id
    other_secret_key = OTHER.secret_access_key

    def __init__(self) -> None:
        self.memory = MemoryStore(profile=PROFILES["cos"], clock=SystemClock())
        self.ahead_seconds = 0.0
        """Of its clock."""
        self._keys = Keys(MAIN, OTHER, TEMPORARY)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def open(self, *, access_key: str = "", secret_key: str = "", session_token: str = "") -> S3Store:
        """The product's adapter, as the main user where no other key is given."""
        credentials = Credentials(
            access_key_id=access_key or MAIN.access_key_id,
            secret_access_key=secret_key or MAIN.secret_access_key,
            session_token=session_token,
        )
        return open_cos_store(f"http://{DOMAIN}:{self.port}", credentials=credentials)

    # --- connections

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                call = await _read_call(reader, writer)
                writer.write(self._wire(await self._answer(call), call))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _wire(self, answer: Answer, call: Call) -> bytes:
        now = time.time() + self.ahead_seconds
        named = {
            "Server": "tencent-cos",
            "Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now)),
            "x-cos-request-id": "NWQxMjM=",
            "Content-Length": str(len(answer.body)),
            **answer.headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        head = f"HTTP/1.1 {answer.status} Told\r\n{lines}\r\n".encode("utf-8", "surrogateescape")
        return head if call.method == "HEAD" else head + answer.body

    async def _answer(self, call: Call) -> Answer:
        try:
            await self._let_in(call)
            return await self._handler(call)(call)
        except NotAuthenticated as error:
            return self._error(call, error.code, _STATUS_OF.get(error.reason, 403), error.message)
        except Refused as error:
            return self._error(call, error.code, error.status, error.message)
        except StorageError as error:
            code, status = cos_words.words_of(error, call.method)
            marker = error.reason is StorageReason.DELETE_MARKER and status == 405
            return self._error(call, code, status, error.message, {"x-cos-delete-marker": "true"} if marker else {})

    def _error(
        self, call: Call, code: str, status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> Answer:
        body = cos_words.error_document(code, message, f"{call.host}/")
        return Answer(body, status, {"Content-Type": "application/xml", "x-cos-trace-id": "OGV", **(headers or {})})

    async def _let_in(self, call: Call) -> None:
        signed = cos_v5.SignedRequest(
            method=call.method, path=call.path, query=tuple(call.query.items()), headers=call.pairs
        )
        key = await cos_v5.verify(signed, keys=self._keys, now=time.time() + self.ahead_seconds)
        if key.access_key_id == OTHER.access_key_id:
            raise Refused("AccessDenied", 403, "Access Denied.")
        digest = base64.b64encode(hashlib.md5(call.body).digest()).decode()
        if call.headers.get("content-md5", digest) != digest:
            raise Refused("BadDigest", 400)

    # --- what is asked

    def _handler(self, call: Call) -> Handle:
        about = "object" if call.key else "bucket" if call.bucket else "service"
        subresources = (
            *("uploadId", "uploads", "acl", "tagging", "restore"),
            *("versions", "versioning", "delete", "object-lock"),
        )
        found = next((name for name in subresources if name in call.query), "")
        handlers: dict[tuple[str, str, str], Handle] = {
            ("object", "HEAD", ""): self._head,
            ("object", "GET", ""): self._get,
            ("object", "PUT", ""): self._copy if "x-cos-copy-source" in call.headers else self._put,
            ("object", "DELETE", ""): self._delete,
            ("object", "POST", "restore"): self._restore,
            ("object", "POST", "uploads"): self._create_upload,
            ("object", "PUT", "uploadId"): self._part_copy if "x-cos-copy-source" in call.headers else self._part,
            ("object", "POST", "uploadId"): self._complete,
            ("object", "DELETE", "uploadId"): self._abort,
            ("object", "GET", "uploadId"): self._list_parts,
            ("object", "GET", "acl"): self._get_acl,
            ("object", "PUT", "acl"): self._put_acl,
            ("object", "GET", "tagging"): self._get_tags,
            ("object", "PUT", "tagging"): self._put_tags,
            ("object", "DELETE", "tagging"): self._delete_tags,
            ("service", "GET", ""): self._list_buckets,
            ("bucket", "HEAD", ""): self._head_bucket,
            ("bucket", "GET", ""): self._list_objects,
            ("bucket", "GET", "versions"): self._list_versions,
            ("bucket", "GET", "uploads"): self._list_uploads,
            ("bucket", "GET", "versioning"): self._versioning,
            ("bucket", "GET", "object-lock"): self._object_lock,
        }
        if (about, call.method, found) not in handlers:
            raise Refused("NotImplemented", 501)
        return handlers[about, call.method, found]

    async def _head(self, call: Call) -> Answer:
        meta = await self.memory.head(call.ref)
        return Answer(headers={**cos_words.meta_headers(meta), "Content-Length": str(meta.size_bytes)})

    async def _get(self, call: Call) -> Answer:
        whole = await self.memory.get(call.ref)
        body = b"".join([block async for block in whole])
        named = {**cos_words.meta_headers(whole.meta), "x-cos-hash-crc64ecma": cos_words.crc64(body)}
        asked = call.headers.get("range", "")
        if not asked:
            return Answer(body, headers=named)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        part = await self.memory.get(call.ref, first_byte=int(first), last_byte=int(last) if last else None)
        assert part.content_range is not None
        span = "{}-{}/{}".format(*part.content_range)
        return Answer(b"".join([block async for block in part]), 206, {**named, "content-range": f"bytes {span}"})

    async def _put(self, call: Call) -> Answer:
        outcome = await self.memory.put(call.ref, call.body, options=cos_words.put_options(call.headers))
        named = {"ETag": f'"{outcome.etag}"', "x-cos-hash-crc64ecma": cos_words.crc64(call.body)}
        return Answer(headers=named | _version(outcome.version_id))

    async def _copy(self, call: Call) -> Answer:
        options = cos_words.copy_options(call.headers)
        outcome = await self.memory.copy(self._source(call), call.ref, options=options)
        tree = [("ETag", f'"{outcome.etag}"'), ("CRC64", "1"), ("LastModified", cos_words.iso(time.time()))]
        return Answer(cos_words.document("CopyObjectResult", tree), headers=_version(outcome.version_id))

    def _source(self, call: Call) -> ObjectRef:
        """``<bucket>.cos.<region>.<domain>/<key>[?versionId=<id>]``."""
        host, slash, rest = call.headers["x-cos-copy-source"].partition("/")
        bucket = _bucket_of(host)
        key, _, version = rest.partition("?versionId=")
        if not slash or not bucket:
            raise Refused("InvalidCopySource", 400)
        return ObjectRef(bucket, ObjectKey(unquote(key)), VersionId(unquote(version)) if version else None)

    async def _delete(self, call: Call) -> Answer:
        return Answer(status=204, headers=_version(await self.memory.delete(call.ref)))

    async def _restore(self, call: Call) -> Answer:
        root = cos_words.parsed(call.body, "RestoreRequest")
        tier = root.findtext("CASJobParameters/Tier")
        if tier is None:
            raise Refused("MalformedXML", 400)
        days = int(root.findtext("Days", "0"))
        outcome = await self.memory.restore(call.ref, days=days, tier=RestoreTier(tier))
        return Answer(status=202 if outcome is RestoreOutcome.BEGUN else 200)

    async def _create_upload(self, call: Call) -> Answer:
        upload_id = await self.memory.create_upload(call.ref, options=cos_words.put_options(call.headers))
        return Answer(cos_words.document("InitiateMultipartUploadResult", [("UploadId", upload_id)]))

    async def _part(self, call: Call) -> Answer:
        number = int(call.query["partNumber"])
        part = await self.memory.upload_part(call.ref, upload_id=call.query["uploadId"], number=number, body=call.body)
        return Answer(headers={"ETag": f'"{part.etag}"', "x-cos-hash-crc64ecma": cos_words.crc64(call.body)})

    async def _part_copy(self, call: Call) -> Answer:
        first, _, last = call.headers["x-cos-copy-source-range"].removeprefix("bytes=").partition("-")
        part = await self.memory.upload_part_copy(
            self._source(call),
            call.ref,
            upload_id=call.query["uploadId"],
            number=int(call.query["partNumber"]),
            first_byte=int(first),
            last_byte=int(last),
            if_source_etag=cos_words.copy_options(call.headers).if_source_etag,
        )
        tree = [("ETag", f'"{part.etag}"'), ("LastModified", cos_words.iso(time.time()))]
        return Answer(cos_words.document("CopyPartResult", tree))

    async def _complete(self, call: Call) -> Answer:
        root = cos_words.parsed(call.body, "CompleteMultipartUpload")
        parts = [
            CompletedPart(int(part.findtext("PartNumber", "0")), part.findtext("ETag", "").strip('"'))
            for part in root.iter("Part")
        ]
        outcome = await self.memory.complete_upload(call.ref, upload_id=call.query["uploadId"], parts=parts)
        tree = [("Bucket", call.bucket), ("ETag", f'"{outcome.etag}"')]
        body = cos_words.document("CompleteMultipartUploadResult", tree)
        return Answer(body, headers=_version(outcome.version_id))

    async def _abort(self, call: Call) -> Answer:
        await self.memory.abort_upload(call.ref, upload_id=call.query["uploadId"])
        return Answer(status=204)

    async def _list_parts(self, call: Call) -> Answer:
        parts = await self.memory.list_parts(call.ref, upload_id=call.query["uploadId"])
        return Answer(cos_words.parts_document(parts, call.query))

    async def _get_acl(self, call: Call) -> Answer:
        return Answer(cos_words.acl_document(await self.memory.get_acl(call.ref)))

    async def _put_acl(self, call: Call) -> Answer:
        await self.memory.put_acl(call.ref, cos_words.acl_of(cos_words.parsed(call.body, "AccessControlPolicy")))
        return Answer()

    async def _get_tags(self, call: Call) -> Answer:
        tags = await self.memory.get_tags(call.ref)
        if not tags:
            raise Refused("NoSuchTagSet", 404)
        return Answer(cos_words.tags_document(tags))

    async def _put_tags(self, call: Call) -> Answer:
        await self.memory.put_tags(call.ref, cos_words.tags_of(cos_words.parsed(call.body, "Tagging")))
        return Answer()

    async def _delete_tags(self, call: Call) -> Answer:
        await self.memory.delete_tags(call.ref)
        return Answer(status=204)

    async def _head_bucket(self, call: Call) -> Answer:
        return Answer(headers={"x-cos-bucket-region": await self.memory.bucket_region(call.bucket)})

    async def _list_buckets(self, call: Call) -> Answer:
        return Answer(cos_words.buckets_document(await self.memory.list_buckets()))

    async def _list_objects(self, call: Call) -> Answer:
        prefix, marker, limit = call.query.get("prefix", ""), call.query.get("marker", ""), call.query["max-keys"]
        page = await self.memory.list_objects(
            call.bucket,
            prefix=prefix,
            start_after=marker,
            limit=int(limit),
            delimiter=call.query.get("delimiter", ""),
        )
        return Answer(cos_words.objects_document(page, call.query))

    async def _list_versions(self, call: Call) -> Answer:
        token = _token(call.query, "version-id-marker")
        limit = int(call.query["max-keys"])
        page = await self.memory.list_versions(
            call.bucket, prefix=call.query.get("prefix", ""), token=token, limit=limit
        )
        return Answer(cos_words.versions_document(page, _place(page.next_token), call.query))

    async def _list_uploads(self, call: Call) -> Answer:
        token = _token(call.query, "upload-id-marker")
        page = await self.memory.list_uploads(call.bucket, prefix=call.query.get("prefix", ""), token=token)
        return Answer(cos_words.uploads_document(page, _place(page.next_token), call.query))

    async def _versioning(self, call: Call) -> Answer:
        found = await self.memory.versioning(call.bucket)
        tree = [("Status", str(found))] if found is not Versioning.NEVER else []
        return Answer(cos_words.document("VersioningConfiguration", tree))

    async def _object_lock(self, call: Call) -> Answer:
        if await self.memory.object_lock(call.bucket) is None:
            raise Refused("NoSuchObjectLockConfiguration", 404)
        return Answer(cos_words.document("ObjectLockConfiguration", [("ObjectLockEnabled", "Enabled")]))


def open_cos_store(endpoint: str, *, credentials: Credentials = MAIN) -> S3Store:
    """The product's adapter, as a region with ``provider: cos`` gets it. Whatever the host, it connects to loopback."""
    clock = SystemClock()
    region = Region(
        name=RegionName("here"),
        provider=Provider.COS,
        endpoint=endpoint,
        profile="cos",
        signing_region=REGION,
        addressing=Addressing.VIRTUAL_HOST,
    )
    return S3Store(
        region=region,
        credentials=StaticCredentials(credentials),
        client=HttpClient(endpoint, max_connections=16, clock=clock, resolve=_loopback),
        signer=COS_DIALECT.signer(region, clock),
        profile=PROFILES["cos"],
        clock=clock,
        dialect=COS_DIALECT,
    )


async def _loopback(_: str, port: int) -> Sequence[Address]:
    return [Address(socket.AF_INET, ("127.0.0.1", port))]


def _bucket_of(host: str) -> Bucket:
    """Empty where it is no bucket of this region."""
    name = host.partition(":")[0]
    domain = next((each for each in (DOMAIN, LOOPBACK) if name.endswith(f".{each}")), None)
    return Bucket(name.removesuffix(f".{domain}")) if domain else Bucket("")


def _version(version_id: str | None) -> dict[str, str]:
    return {"x-cos-version-id": version_id} if version_id else {}


def _token(query: Mapping[str, str], second: str) -> str:
    """As the store in memory wants it."""
    return json.dumps([query["key-marker"], query.get(second, "")]) if query.get("key-marker") else ""


def _place(token: str) -> tuple[str, str]:
    key, second = json.loads(token) if token else ("", "")
    return key, second


async def _read_call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Call:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
    first, *lines = head.split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    pairs = [(name.lower(), value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines)]
    headers = dict(pairs)
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    path, _, query = target.partition("?")
    decoded = dict(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))
    host, decoded_path = headers.get("host", ""), unquote(path, errors="surrogateescape")
    bucket, key = _bucket_of(host), decoded_path[1:]
    if not bucket:
        first, _, key = key.partition("/")
        bucket = Bucket(first)
    return Call(method, host, decoded_path, decoded, headers, body, bucket, ObjectKey(key), pairs)
