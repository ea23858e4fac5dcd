"""The JSON API as ``cosbatch serve`` has it, over a ledger in a real folder; calls come in without a socket.

Two accounts: ``anna`` (admin), ``olga`` (operator) and ``vera`` (viewer) in the first; ``berta`` (admin) in the second.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI
from starlette.routing import Mount
from structlog.testing import capture_logs

from cosbatch import __version__
from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.identity.passwords import HashCost, Passwords
from cosbatch.identity.tokens import TokenScope
from cosbatch.ledger.people_port import AuditEntry
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.ledger.sqlite import DATABASE_FILE
from cosbatch.model.errors import LedgerUnavailable
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.jobs import Job
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import UserRole
from cosbatch.model.states import Actor, JobStatus
from cosbatch.service.founding import FirstRunFile
from cosbatch.service.people import People, local_operator
from cosbatch.service.service import JobService
from cosbatch.service.sign_in import SignIn
from cosbatch.settings import Settings
from cosbatch.web.app import create_app
from cosbatch.web.calls import CallLimits
from cosbatch.web.measures import CallMeasures
from cosbatch.web.rest.app import all_calls, bare_app, set_desks
from cosbatch.web.rest.calls import PREFIX
from cosbatch.wiring.rest import RestParts, rest_desks
from cosbatch.wiring.stores import RegionStores, open_stores
from tests.contract.ledgers import HandClock
from tests.contract.people import NOW
from tests.unit.service.job_builders import AWAY, HOME, job_content

QUICK: Final = HashCost(rounds=1, memory_kib=64, lanes=1)
ROOT: Final = local_operator("root")
ETAG: Final = "9c1185a5c5e9fc54612808977ee8f548"
BASE: Final = "http://cosbatch.test"
ADMIN, OPERATOR, VIEWER, STRANGER = "anna", "olga", "vera", "berta"
PASSWORD: Final = "four words in a row"
_MADE: Final[list[bytes]] = []
_SPARE_ROUTES: Final[list[FastAPI]] = []
"""Those of rigs that are gone: to make all routes takes most of the time that a rig takes."""


def settings(**changes: Any) -> Settings:
    """Two regions whose stores nobody asks; a test that needs a store names its own. Admins of the first account are
    the operators."""
    region = {"provider": "s3", "endpoint": "http://127.0.0.1:9", "profile": "cos"}
    given = {"regions": {HOME: region, AWAY: region}, "server": {"operator_account": "first"}, **changes}
    return Settings.model_validate(given)


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
class RestRig:
    client: httpx.AsyncClient
    clock: HandClock
    folder: Path
    ledger: SqlLedger
    people: People
    looks: Looks
    service: JobService
    parts: RestParts
    app: Any
    logs: list[Any]
    tokens: dict[tuple[str, frozenset[TokenScope]], str] = field(default_factory=dict)

    async def token(self, user: str, *scopes: TokenScope) -> str:
        """An API token of the user; without scopes, of all that there are."""
        wanted = frozenset(scopes or TokenScope)
        if (user, wanted) not in self.tokens:
            made = await self.people.create_token(ROOT, user=user, scopes=wanted)
            self.tokens[user, wanted] = made.text
        return self.tokens[user, wanted]

    async def call(
        self,
        method: str,
        path: str,
        *,
        by: str | None = OPERATOR,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """``path`` is below /api/v1. By API token of the user; None: of nobody."""
        named = {"authorization": f"Bearer {await self.token(by)}"} if by else {}
        body = {} if json is None else {"json": json}
        return await self.client.request(method, f"/api/v1{path}", headers={**named, **(headers or {})}, **body, **more)

    async def made(self, *, by: str = OPERATOR, **changes: Any) -> JobId:
        """The id of a new job."""
        answer = await self.call("POST", "/jobs", by=by, json=job_content(**changes))
        assert answer.status_code == 201, answer.text
        return JobId(answer.json()["job_id"])

    async def moved(self, job_id: JobId, *steps: JobStatus, reason: str = "moved by the test") -> Job:
        """The job, after the engine has brought it through ``steps``."""
        job = await self.ledger.job(job_id)
        for step in steps:
            job = await self.ledger.move(job_id, expect=[job.status], to=step, actor=Actor.ENGINE, reason=reason)
        return job

    async def told(self) -> list[AuditEntry]:
        """The audit log, newest first."""
        return [line.entry for line in await self.ledger.people.audit(limit=1000)]


@asynccontextmanager
async def rest_rig(
    folder: Path,
    *,
    with_settings: Settings | None = None,
    max_unfinished_jobs: int | None = None,
    base_url: str = BASE,
    sample: Mapping[str, Any] | None = None,
) -> AsyncIterator[RestRig]:
    chosen = with_settings or settings()
    clock = HandClock(NOW)
    if not (folder / DATABASE_FILE).exists():
        (folder / DATABASE_FILE).write_bytes(await _furnished())
    ledger = await open_sqlite_ledger(folder, clock=clock)
    routes = _SPARE_ROUTES.pop() if _SPARE_ROUTES else bare_app(all_calls(), version=__version__)
    try:
        async with open_stores(chosen, clock=clock, kept=ledger.regions) as stores:
            rig = _rig(chosen, folder, clock, ledger, stores, max_unfinished_jobs, base_url, routes, sample)
            with capture_logs() as rig.logs:
                async with rig.client:
                    yield rig
    finally:
        _SPARE_ROUTES.append(routes)
        with suppress(LedgerUnavailable):  # a test may have closed it
            await ledger.close()


def _rig(
    chosen: Settings,
    folder: Path,
    clock: HandClock,
    ledger: SqlLedger,
    stores: RegionStores,
    max_unfinished_jobs: int | None,
    base_url: str,
    routes: FastAPI,
    sample: Mapping[str, Any] | None,
) -> RestRig:
    cipher, passwords, looks = Cipher(KeyRing(current=b"k" * 32)), Passwords(QUICK), Looks()
    forget = FirstRunFile(folder).forget
    service = JobService(
        ledger,
        regions=stores.regions,
        look=looks,
        max_unfinished_jobs=max_unfinished_jobs,
        record=ledger.people.record,
        look_again=stores.look_again,
        deletes_allowed=chosen.server.deletes_allowed,
    )
    parts = RestParts(
        settings=chosen,
        data_dir=folder,
        clock=clock,
        ledger=ledger,
        book=ledger.people,
        cipher=cipher,
        passwords=passwords,
        stores=stores,
        roles=None,
        service=service,
        sign_in=SignIn(ledger.people, cipher=cipher, passwords=passwords, clock=clock, forget_first_run=forget),
        sample=sample,
    )
    people = People(ledger.people, cipher=lambda: cipher, passwords=passwords, clock=clock, forget_first_run=forget)
    set_desks(routes, rest_desks(parts))
    app = create_app([Mount(PREFIX, app=routes, name="rest")], limits=CallLimits(), measures=CallMeasures())
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=("192.0.2.1", 40000))
    return RestRig(
        client=httpx.AsyncClient(transport=transport, base_url=base_url),
        clock=clock,
        folder=folder,
        ledger=ledger,
        people=people,
        looks=looks,
        service=service,
        parts=parts,
        app=app,
        logs=[],
    )


async def _furnished() -> bytes:
    """A ledger with everybody in it: made once, for it takes a while."""
    if not _MADE:
        with tempfile.TemporaryDirectory() as folder:
            ledger = await open_sqlite_ledger(Path(folder), clock=HandClock(NOW))
            await _furnish(ledger)
            await ledger.close()
            _MADE.append((Path(folder) / DATABASE_FILE).read_bytes())
    return _MADE[0]


async def _furnish(ledger: SqlLedger) -> None:
    people = People(
        ledger.people,
        cipher=lambda: Cipher(KeyRing(current=b"k" * 32)),
        passwords=Passwords(QUICK),
        clock=HandClock(NOW),
        forget_first_run=lambda user: None,
    )
    for name in ("first", "second"):
        await people.create_account(ROOT, name=name)
    for user, account, role in (
        (ADMIN, "first", UserRole.ADMIN),
        (OPERATOR, "first", UserRole.OPERATOR),
        (VIEWER, "first", UserRole.VIEWER),
        (STRANGER, "second", UserRole.ADMIN),
    ):
        of = next(found for found in await ledger.people.accounts() if found.name == account)
        await people.create_user(ROOT, name=user, role=role, account=of.id, password=PASSWORD)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal; what every one of them has is looked at on the way."""
    assert answer.headers["content-type"] == "application/json", answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "request_id", "faults"}
    assert error["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, error["code"]


def faults(answer: httpx.Response) -> dict[str, str]:
    """Path -> problem."""
    return {fault["path"]: fault["problem"] for fault in answer.json()["error"]["faults"]}
