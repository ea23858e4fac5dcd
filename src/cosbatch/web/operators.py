"""The operators' endpoints: ``/healthz``, ``/readyz``, ``/metrics``. They say nothing of a job's content."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cosbatch.ledger.port import JobLedger
from cosbatch.model.census import JobCensus
from cosbatch.model.errors import CosbatchError
from cosbatch.model.webhooks import WebhookQueue
from cosbatch.web.measures import CallMeasures
from cosbatch.web.metrics import Facts, FactsPage

CENSUS_SECONDS: Final = 5.0
"""A census walks over all jobs: whoever asks more often gets the last one."""
_NO_STORE: Final = {"cache-control": "no-store"}
_log = structlog.get_logger(__name__)


class Workplace(Protocol):
    """What the operators' endpoints ask of the service that runs."""

    @property
    def leases_expired(self) -> int: ...

    @property
    def webhook_outcomes(self) -> Mapping[str, int]:
        """Messages that this service has tried to send to webhooks, by what came of them."""
        ...

    def parts(self) -> dict[str, bool]:
        """Part of the engine -> whether it runs: ``scheduler``, ``finisher``, ``planner``, ``worker-1`` ..."""
        ...

    async def written_seconds_ago(self) -> float | None:
        """When the ledger took this service's last check-in; None: never, or not lately."""
        ...

    async def free_spool_share(self) -> float | None:
        """0 to 1; None where it cannot be told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that has to be well before calls should come here."""

    name: str
    is_well: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorNeeds:
    version: str
    ledger: JobLedger
    webhook_queue: Callable[[], Awaitable[WebhookQueue]]
    workplace: Workplace
    measures: CallMeasures
    seen_within_seconds: float
    """A process that has not checked in for longer is not counted."""
    min_free_spool_share: float
    check_seconds: float = 3.0
    """How long a check may take: whoever asks whether the service is well has little patience."""
    token: str = ""
    """Bearer token of ``/metrics`` and of the details of ``/readyz``; empty: they are open."""


def operator_routes(needs: OperatorNeeds) -> list[Route]:
    operators = _Operators(needs)
    return [
        Route("/healthz", operators.healthz, name="healthz", methods=["GET"]),
        Route("/readyz", operators.readyz, name="readyz", methods=["GET"]),
        Route("/metrics", operators.metrics, name="metrics", methods=["GET"]),
    ]


class _Operators:
    def __init__(self, needs: OperatorNeeds) -> None:
        self._needs = needs
        self._census: JobCensus | None = None
        self._census_at = 0.0

    async def healthz(self, request: Request) -> Response:
        """The process answers: whatever else is wrong, another start would not mend it."""
        return JSONResponse({"status": "ok"}, headers=_NO_STORE)

    async def readyz(self, request: Request) -> Response:
        checks = [await self._ledger(), *self._parts(), await self._spool()]
        is_ready = all(check.is_well for check in checks)
        content: dict[str, object] = {"status": "ready" if is_ready else "not ready"}
        if self._may_see(request):
            content["checks"] = {check.name: {"ok": check.is_well, "detail": check.detail} for check in checks}
        return JSONResponse(content, status_code=200 if is_ready else 503, headers=_NO_STORE)

    async def metrics(self, request: Request) -> Response:
        if not self._may_see(request):
            headers = {"www-authenticate": "Bearer", **_NO_STORE}
            return PlainTextResponse("send the bearer token of the settings\n", status_code=401, headers=headers)
        try:
            facts = await self._facts()
        except CosbatchError as error:
            _log.warning("no-metrics", error=str(error))
            return PlainTextResponse("the ledger does not answer now\n", status_code=503, headers=_NO_STORE)
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        page = FactsPage(facts, self._needs.measures.collect())
        return Response(encode(page), headers={"content-type": content_type, **_NO_STORE})

    async def _facts(self) -> Facts:
        needs = self._needs
        if self._census is None or time.monotonic() - self._census_at >= CENSUS_SECONDS:
            self._census = await needs.ledger.census()
            self._census_at = time.monotonic()
        return Facts(
            version=needs.version,
            census=self._census,
            workers=await needs.ledger.workers(seen_within_seconds=needs.seen_within_seconds),
            leases_expired=needs.workplace.leases_expired,
            webhooks=await needs.webhook_queue(),
            webhook_outcomes=needs.workplace.webhook_outcomes,
        )

    def _may_see(self, request: Request) -> bool:
        if not self._needs.token:
            return True
        kind, _, sent = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), self._needs.token.encode())

    # --- checks

    async def _ledger(self) -> Check:
        return await self._checked("ledger", self._ledger_is_written)

    async def _ledger_is_written(self) -> tuple[bool, str]:
        ago = await self._needs.workplace.written_seconds_ago()
        if ago is None:
            return False, "it has not taken a write of this service lately"
        return True, f"it took a write {ago:.1f} s ago"

    def _parts(self) -> list[Check]:
        return [
            Check(name=name, is_well=runs, detail="runs" if runs else "does not run")
            for name, runs in self._needs.workplace.parts().items()
        ]

    async def _spool(self) -> Check:
        return await self._checked("work area", self._spool_has_room)

    async def _spool_has_room(self) -> tuple[bool, str]:
        free = await self._needs.workplace.free_spool_share()
        if free is None:
            return True, "its free space cannot be told"
        has_room = free >= self._needs.min_free_spool_share
        needed = "" if has_room else f"; no job is planned below {self._needs.min_free_spool_share:.0%}"
        return has_room, f"{free:.1%} free{needed}"

    async def _checked(self, name: str, look: Callable[[], Awaitable[tuple[bool, str]]]) -> Check:
        try:
            async with asyncio.timeout(self._needs.check_seconds):
                is_well, detail = await look()
        except (CosbatchError, TimeoutError) as error:
            _log.warning("not-ready", check=name, error=str(error) or "it takes too long")
            return Check(name=name, is_well=False, detail="it does not answer")
        return Check(name=name, is_well=is_well, detail=detail)
