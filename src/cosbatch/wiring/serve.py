"""The service: the engine and the wires over one data folder, in one process and its children."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import structlog
from starlette.routing import BaseRoute

from cosbatch import __version__
from cosbatch.engine.processes import Supervisor
from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.passwords import Passwords
from cosbatch.ledger.people_port import PeopleBook
from cosbatch.ledger.sql_people import open_sqlite_people
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import CosbatchError, Fault, InvalidArgument, SealBroken
from cosbatch.service.founding import (
    DeclaredAccount,
    DeclaredUser,
    FirstRunFile,
    bootstrap,
    declare,
)
from cosbatch.service.people import secret_purpose
from cosbatch.service.sign_in import SignIn
from cosbatch.settings import EnvOrFileSecret, ServerSettings, Settings
from cosbatch.web.app import create_app
from cosbatch.web.calls import CallLimits, current_request_id
from cosbatch.web.console.routes import console_routes
from cosbatch.web.cos import cos_routes
from cosbatch.web.listener import Listener, Listening, server_log
from cosbatch.web.measures import CallMeasures
from cosbatch.web.operators import OperatorNeeds, operator_routes
from cosbatch.web.rest.app import rest_routes
from cosbatch.wiring.admin import seen_at_work
from cosbatch.wiring.console import console_folders
from cosbatch.wiring.engine import Engine, engine_limits, open_engine
from cosbatch.wiring.first_run import write_first_run
from cosbatch.wiring.keys import key_ring
from cosbatch.wiring.rest import RestParts, rest_desks
from cosbatch.wiring.webhooks import declare_settings_webhooks

log = structlog.get_logger(__name__)


class Breakable(Protocol):
    async def until_broken(self) -> None:
        """Until a part has ended by an error; raises that."""
        ...


class Serving:
    """A service that runs while its context is open."""

    def __init__(
        self, *, address: str, first_run: Path | None, engine: Breakable, listener: asyncio.Task[None]
    ) -> None:
        self.address = address
        """``http[s]://host:port``."""
        self.first_run = first_run
        """The file that this start has written, where it was the first one of the folder."""
        self._engine = engine
        self._listener = listener

    async def until_broken(self) -> None:
        """Until a part of the service ends, which it does by an error alone; raises that. Half a service is none: what
        is left is drained, and whoever watches the process starts it again."""
        engine = asyncio.create_task(self._engine.until_broken())
        try:
            done, _ = await asyncio.wait([engine, self._listener], return_when=asyncio.FIRST_COMPLETED)
        finally:
            engine.cancel()
        for part in done:
            part.result()
        raise CosbatchError("a part of the service has ended by itself; its log says more")


@asynccontextmanager
async def open_serving(
    settings: Settings,
    data_dir: Path,
    *,
    host: str,
    port: int,
    log_level: str = "info",
    supervisor: Supervisor | None = None,
    sample: Mapping[str, Any] | None = None,
) -> AsyncIterator[Serving]:
    """Leaving the context lets nobody new in, answers the calls under way, and then drains the engine. ``sample``: the
    document of a job that a newcomer can begin with.

    InvalidArgument where it must not or cannot listen there, where the folder or a setting cannot be used.
    """
    listener = Listener(_listening(settings.server, host=host, port=port))
    try:
        with server_log(), seen_at_work(data_dir, role="service"):
            book = await open_sqlite_people(data_dir)
            try:
                async with _opened(
                    settings, data_dir, listener, book, log_level=log_level, supervisor=supervisor, sample=sample
                ) as serving:
                    yield serving
            finally:
                await book.close()
    finally:
        listener.close()


@asynccontextmanager
async def _opened(
    settings: Settings,
    data_dir: Path,
    listener: Listener,
    book: PeopleBook,
    *,
    log_level: str,
    supervisor: Supervisor | None,
    sample: Mapping[str, Any] | None,
) -> AsyncIterator[Serving]:
    cipher = Cipher(key_ring(settings, data_dir, may_make=not await book.has_sealed()))
    await _check_opens(book, cipher)
    first_run = await _begin(settings, data_dir, book, cipher, address=listener.address)
    async with open_engine(
        settings,
        data_dir,
        log_level=log_level,
        supervisor=supervisor,
        cipher=cipher,
        deletes_allowed=settings.server.deletes_allowed,
    ) as engine:
        await declare_settings_webhooks(settings, ledger=engine.ledger, cipher=cipher)
        measures = CallMeasures()
        app = create_app(
            [
                *operator_routes(_operator_needs(settings, engine, measures)),
                *_wires(settings, engine, data_dir, book, cipher, sample=sample),
                *console_routes(console_folders()),
            ],
            limits=CallLimits(body_seconds=settings.server.body_seconds, max_body_bytes=settings.server.max_body_bytes),
            measures=measures,
        )
        async with listener.serving(app) as server:
            log.info("serving", address=listener.address, version=__version__, workers=settings.workers)
            try:
                yield Serving(address=listener.address, first_run=first_run, engine=engine, listener=server)
            finally:
                log.info("draining")


async def _check_opens(book: PeopleBook, cipher: Cipher) -> None:
    """InvalidArgument where the keys open none of the ledger's secrets: such a service would let nobody in.
    One secret that is damaged keeps nobody else out."""
    broken = None
    for key in await book.access_keys():
        known = await book.access_key(key.access_key_id)
        if known is None:
            continue
        try:
            cipher.open(known.sealed_secret, purpose=secret_purpose(key.access_key_id))
        except SealBroken as error:
            broken = error
        else:
            return
    if broken is not None:
        ids = ", ".join(cipher.ring_ids)
        way_out = "put the keys back as they were when the ledger was last used"
        fault = Fault(path="server.encryption_key", value=ids, problem=f"is another: {broken}", way_out=way_out)
        raise InvalidArgument("the encryption key does not open the ledger's secrets", faults=[fault])


async def _begin(settings: Settings, data_dir: Path, book: PeopleBook, cipher: Cipher, *, address: str) -> Path | None:
    """The first account, user and key, and what the settings declare; the path of what the first start has written."""
    clock = SystemClock()
    made = await bootstrap(book, cipher=cipher, passwords=Passwords(), clock=clock)
    path = write_first_run(data_dir, made, address=address) if made else None
    await declare(
        book,
        accounts=[
            DeclaredAccount(
                name=name,
                uin=account.uin,
                appid=account.appid,
                aws_account_id=account.aws_account_id,
                is_disabled=account.is_disabled,
            )
            for name, account in settings.accounts.items()
        ],
        users=[
            DeclaredUser(name=name, account=user.account, role=user.role, is_disabled=user.is_disabled)
            for name, user in settings.users.items()
        ],
        clock=clock,
    )
    return path


def _wires(
    settings: Settings,
    engine: Engine,
    data_dir: Path,
    book: PeopleBook,
    cipher: Cipher,
    *,
    sample: Mapping[str, Any] | None,
) -> list[BaseRoute]:
    clock, passwords = SystemClock(), Passwords()
    sign_in = SignIn(
        book,
        cipher=cipher,
        passwords=passwords,
        clock=clock,
        forget_first_run=FirstRunFile(data_dir).forget,
    )
    parts = RestParts(
        settings=settings,
        data_dir=data_dir,
        clock=clock,
        ledger=engine.ledger,
        book=book,
        cipher=cipher,
        passwords=passwords,
        stores=engine.stores,
        roles=engine.roles,
        service=engine.service,
        sign_in=sign_in,
        sample=sample,
    )
    return [
        *cos_routes(engine.service, keys=sign_in, clock=clock, new_request_id=current_request_id),
        *rest_routes(rest_desks(parts)),
    ]


def _operator_needs(settings: Settings, engine: Engine, measures: CallMeasures) -> OperatorNeeds:
    return OperatorNeeds(
        version=__version__,
        ledger=engine.ledger,
        webhook_queue=engine.ledger.webhooks.queue,
        workplace=engine,
        measures=measures,
        seen_within_seconds=engine_limits(settings).share_seconds,
        min_free_spool_share=settings.min_free_spool_share,
        token=_token(settings.server.metrics_token),
    )


def _listening(server: ServerSettings, *, host: str, port: int) -> Listening:
    return Listening(
        host=host,
        port=port,
        certificate_file=server.tls_certificate_file,
        key_file=server.tls_key_file,
        allow_plain_beyond_loopback=server.allow_plain_http_beyond_loopback,
        trusted_proxies=tuple(server.trusted_proxies),
        max_connections=server.max_connections,
        drain_seconds=server.drain_seconds,
    )


def _token(source: EnvOrFileSecret | None) -> str:
    return source.read(path="server.metrics_token", environ=os.environ) if source else ""
