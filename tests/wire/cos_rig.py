"""The COS wire on a memory ledger, and a client whose requests are signed by the signer of cos-python-sdk-v5."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import unquote

import httpx
import requests
import xmltodict  # type: ignore[import-untyped]
from qcloud_cos import CosConfig, CosS3Auth
from starlette.applications import Starlette
from structlog.testing import capture_logs

from cosbatch.identity.callers import SigningKey
from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.model.clock import Clock, SystemClock
from cosbatch.model.identifiers import AccountId, JobId, RegionName
from cosbatch.model.jobs import Job
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import Account, Caller, Role, RoleProvider, UserRole
from cosbatch.model.states import Actor, JobStatus
from cosbatch.service.service import JobService
from cosbatch.web.cos import cos_routes
from tests.unit.service.job_builders import AWAY, HOME, region

ETAG: Final = "9c1185a5c5e9fc54612808977ee8f548"
HOST: Final = f"100000000001.cos-control.{HOME}.myqcloud.com"
REQUEST_ID: Final = "NjhhMDU3YzBfMDEyMzQ1NjdfODlhYl9jZGVm"


def account(number: int) -> Account:
    return Account(
        id=AccountId(f"account-{number}"),
        name=f"account {number}",
        uin=f"10000000000{number}",
        appid=f"125000000{number}",
        aws_account_id=f"00000000000{number}",
        created_at=0.0,
    )


def signing_key(number: int, *, name: str = "owner", role: UserRole = UserRole.OPERATOR, **more: Any) -> SigningKey:
    """Of a user of the account of that number."""
    caller = Caller(account=account(number), user=name, role=role, via="cos")
    key_id = f"AKID{name}{number}"
    return SigningKey(access_key_id=key_id, secret_access_key=f"secret of {key_id}", caller=caller, **more)


MINE: Final = signing_key(1)
THEIRS: Final = signing_key(2)
VIEWER: Final = signing_key(1, name="viewer", role=UserRole.VIEWER)
TEMPORARY: Final = signing_key(1, name="temporary", session_token="the-token", expires_at=4e9)


@dataclass
class Keys:
    """A KeyLookup."""

    known: dict[str, SigningKey] = field(
        default_factory=lambda: {key.access_key_id: key for key in (MINE, THEIRS, VIEWER, TEMPORARY)}
    )

    noted: list[str] = field(default_factory=list)
    """Ids of those that have signed a call."""

    async def signing_key(self, access_key_id: str) -> SigningKey | None:
        return self.known.get(access_key_id)

    async def used(self, key: SigningKey) -> None:
        self.noted.append(key.access_key_id)


@dataclass
class LedgerClock:
    """A second goes by for each look: creation times are in order. It starts an hour ago."""

    seconds: float = field(default_factory=lambda: float(int(time.time()) - 3600))

    def now(self) -> float:
        self.seconds += 1
        return self.seconds

    def boottime(self) -> float:
        return self.seconds


@dataclass
class Looks:
    """A ManifestLook."""

    etag: str = ETAG
    refusal: Exception | None = None

    async def __call__(self, manifest: Manifest, *, region: RegionName) -> str:
        if self.refusal:
            raise self.refusal
        return self.etag


@dataclass
class EveryRole:
    """A registry that knows each role, and what a role sees is what everybody sees."""

    looks: Looks

    async def find(self, arn: str, *, account: AccountId) -> Role:
        return Role(arn=arn, account=account, provider=RoleProvider.STORED, created_at=0.0)

    async def look(self, manifest: Manifest, *, region: RegionName, account: AccountId, role_arn: str) -> str:
        return await self.looks(manifest, region=region)


@dataclass(frozen=True)
class Wanted:
    """A request before it is signed."""

    method: str
    path: str
    """Percent-encoded, as it goes over the wire."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def with_headers(self, **headers: str | None) -> Wanted:
        """Underscores are hyphens; None removes one."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        merged = {name: value for name, value in {**self.headers, **changed}.items() if value is not None}
        return replace(self, headers=merged)


def wanted(
    method: str, path: str, query: Mapping[str, str] | None = None, *, body: bytes = b"", host: str = HOST
) -> Wanted:
    """As SDKs send it: host, appid, and for a body its type and MD5."""
    headers = {"host": host, "x-cos-appid": account(1).appid}
    if body:
        headers |= {"content-type": "application/xml", "content-md5": md5_of(body)}
    return Wanted(method=method, path=path, query=query or {}, headers=headers, body=body)


def md5_of(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def signed(request: Wanted, key: SigningKey = MINE, *, secret: str = "", base_url: str = "") -> httpx.Request:
    """Signed by the SDK's own code, for the hour around now."""
    prepared = requests.Request(
        request.method,
        (base_url or f"http://{request.headers.get('host', 'localhost')}") + request.path,
        headers=dict(request.headers),
        params=dict(request.query),
        data=request.body,
    ).prepare()
    config = CosConfig(
        Region=HOME, SecretId=key.access_key_id, SecretKey=secret or key.secret_access_key, Scheme="http"
    )
    path = unquote(request.path)
    if key.session_token and "x-cos-security-token" not in prepared.headers:
        prepared.headers["x-cos-security-token"] = key.session_token
    CosS3Auth(config, path, dict(request.query))(prepared)
    assert prepared.url is not None
    headers = [(str(name), str(value)) for name, value in prepared.headers.items()]
    return httpx.Request(request.method, prepared.url, headers=headers, content=request.body or None)


def unsigned(request: Wanted) -> httpx.Request:
    url = f"http://{HOST}{request.path}"
    return httpx.Request(
        request.method, url, params=dict(request.query), headers=dict(request.headers), content=request.body or None
    )


class CosRig:
    def __init__(
        self, *, clock: Clock | None = None, confirm_wait_seconds: float = 0.0, max_unfinished_jobs: int | None = None
    ) -> None:
        self.logs: Sequence[Mapping[str, Any]] = ()
        self.looks = Looks()
        self.keys = Keys()
        self.ledger = open_memory_ledger(LedgerClock())
        regions = {name: region(name) for name in (HOME, AWAY)}
        self.service = JobService(
            self.ledger,
            regions=regions,
            look=self.looks,
            max_unfinished_jobs=max_unfinished_jobs,
            roles=EveryRole(self.looks),
            deletes_allowed=True,
        )
        self.app = Starlette(
            routes=cos_routes(
                self.service,
                keys=self.keys,
                clock=clock or SystemClock(),
                new_request_id=lambda: REQUEST_ID,
                confirm_wait_seconds=confirm_wait_seconds,
            )
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app, raise_app_exceptions=False))

    async def send(self, request: Wanted, key: SigningKey = MINE) -> httpx.Response:
        return await self.client.send(signed(request, key))

    async def create(self, body: bytes, *, key: SigningKey = MINE, host: str = HOST) -> JobId:
        response = await self.send(wanted("POST", "/jobs", body=body, host=host), key)
        assert response.status_code == 200, response.text
        return JobId(xmltodict.parse(response.content)["CreateJobResult"]["JobId"])

    async def moved(self, job_id: JobId, *steps: JobStatus, reason: str = "moved by the test") -> Job:
        """The job, after the engine has brought it through ``steps``."""
        job = await self.ledger.job(job_id)
        for step in steps:
            job = await self.ledger.move(job_id, expect=[job.status], to=step, actor=Actor.ENGINE, reason=reason)
        return job


@asynccontextmanager
async def cos_rig(**options: Any) -> AsyncIterator[CosRig]:
    rig = CosRig(**options)
    with capture_logs() as rig.logs:
        async with rig.client:
            yield rig


def told(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an error; what every error has is looked at on the way."""
    assert response.headers["content-type"] == "application/xml", response.text
    error = xmltodict.parse(response.content)["Error"]
    assert set(error) == {"Code", "Message", "Resource", "RequestId", "TraceId"}
    assert error["RequestId"] == response.headers["x-cos-request-id"] == REQUEST_ID
    assert error["TraceId"] == response.headers["x-cos-trace-id"]
    assert response.headers["server"] == "tencent-cos"
    return response.status_code, error["Code"]


def message(response: httpx.Response) -> str:
    return str(xmltodict.parse(response.content)["Error"]["Message"])
