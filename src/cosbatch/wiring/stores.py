"""The stores of one process, made of the region table."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from weakref import WeakSet

import structlog

from cosbatch.engine.job_credentials import JobCredentialSource
from cosbatch.engine.renewal import until_stopped
from cosbatch.identity.credentials import Credentials, CredentialSource, RenewingCredentials
from cosbatch.ledger.region_port import RegionLedger
from cosbatch.ledger.role_port import CredentialTerms
from cosbatch.model.clock import Clock
from cosbatch.model.errors import FailureCode, Fault, InvalidArgument, JobFailure
from cosbatch.model.identifiers import Bucket, JobId, RegionName
from cosbatch.model.regions import CappedPlace, RateKind, Region
from cosbatch.model.workers import BucketLoad
from cosbatch.settings import Settings, read_credentials, region_table
from cosbatch.storage.dialects import dialect_of
from cosbatch.storage.http_client import HttpClient, Timeouts
from cosbatch.storage.http_proxy import ProxyRules, ProxyUnusable, read_proxy_rules
from cosbatch.storage.pacing import BucketPacer, PacerBoard, StopSignal
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.profiles import PROFILES, CapabilityProfile, Option, Support
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.s3_routes import Neighbour
from cosbatch.wiring.region_table import RegionTable

log = structlog.get_logger(__name__)

SLOWEST_ANSWER = 5
"""An answer that comes bit by bit may take so many times as long as one that does not come at all."""
LOOK_EVERY_SECONDS: Final = 2.0
"""How often a process looks for changes of the region table, beside each time that it takes a job up."""


def profile_of(region: Region) -> CapabilityProfile:
    overrides = {Option(option): Support(support) for option, support in region.profile_overrides}
    profile = PROFILES[region.profile].with_overrides(overrides)
    return replace(profile, storage_classes=frozenset(region.storage_classes)) if region.storage_classes else profile


class _NobodysCredentials:
    """Of a region that only jobs with a role may use: its profile can be asked for, and nothing can be sent."""

    def __init__(self, region: RegionName) -> None:
        self._region = region

    async def credentials(self) -> Credentials:
        raise JobFailure(
            FailureCode.ASSUME_ROLE_FAILED,
            f"region {self._region} has no credentials of its own, and the job names no role",
        )

    def at_hand(self) -> None:
        return None

    async def renewed(self, stale: Credentials) -> Credentials:
        return await self.credentials()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Retired:
    """A client of a region as it was before it was changed."""

    client: HttpClient
    users: WeakSet[S3Store]
    """Stores that may send by it still: all that there were, for any of them may have been redirected there."""


class RegionStores:
    """The stores of one process: one client and one set of pacers for each region, made when it is first asked for.

    When a region changes, what is opened from then on is of the new one. Who has opened a store before goes on with it,
    and its client is closed when nobody has one any more; but rate and connections of a bucket are the process's own
    matter, and change at once for everybody.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        waits_for_shares: bool,
        proxies: ProxyRules,
        source_of: Callable[[JobId], JobCredentialSource] | None = None,
        kept: RegionLedger | None = None,
    ) -> None:
        """``waits_for_shares``: a bucket with a cap is asked only after :meth:`set_rate`; else this process has the
        whole of each cap on requests, and none on bytes. ``source_of``: what a job with a role signs with; without it
        none can be acted for.
        ``kept``: regions beside those of the settings; none are known before :meth:`look_again`."""
        self._settings = settings
        self._proxies = proxies
        self._clock = clock
        self._waits_for_shares = waits_for_shares
        self._table = RegionTable(region_table(settings), kept=kept)
        self._regions = self._table.regions
        self._made: WeakSet[S3Store] = WeakSet()
        self._retired: list[_Retired] = []
        self._stores: dict[RegionName, S3Store] = {}
        self._boards: dict[RegionName, PacerBoard] = {}
        self._clients: dict[Region, HttpClient] = {}
        """Also of regions to which another one's store redirects, whatever their credentials."""
        self._source_of = source_of
        self._sources: dict[JobId, JobCredentialSource] = {}
        self._acting: dict[JobId, dict[RegionName, S3Store]] = {}

    @property
    def regions(self) -> Mapping[RegionName, Region]:
        """As of the last look; the same object always shows the latest."""
        return self._regions

    async def look_again(self) -> None:
        before = dict(self._regions)
        changed = await self._table.look()
        if changed:
            log.info("regions-changed", regions=sorted(changed))
            self._take_over(changed, before=before)
        unused = [retired for retired in self._retired if not retired.users]
        self._retired = [retired for retired in self._retired if retired.users]
        await asyncio.gather(*[retired.client.close() for retired in unused])

    def _take_over(self, changed: Collection[RegionName], *, before: Mapping[RegionName, Region]) -> None:
        """Every store is made anew, for each knows the others as neighbours; clients only of what has changed."""
        self._stores.clear()
        for stores in self._acting.values():
            stores.clear()
        for region in [region for region in self._clients if region.name in changed]:
            self._retired.append(_Retired(client=self._clients.pop(region), users=WeakSet(self._made)))
        for name in changed:
            if name in self._boards and name in self._regions:
                self._pace_anew(name, before=before.get(name))

    def _pace_anew(self, name: RegionName, *, before: Region | None) -> None:
        board, region = self._boards[name], self._regions[name]
        board.set_connections(region.max_connections)
        if not self._has_shares(RateKind.REQUESTS, before, region):
            board.set_rate(self._first_rate(region))
        if not self._has_shares(RateKind.BYTES, before, region):
            board.set_byte_rate(self._first_byte_rate(region))

    def _has_shares(self, kind: RateKind, before: Region | None, region: Region) -> bool:
        """Then the next share will be one of the new cap."""
        had_cap = before is not None and _cap_in(before, kind) is not None
        return self._waits_for_shares and had_cap and _cap_in(region, kind) is not None

    def _first_rate(self, region: Region) -> float | None:
        has_to_wait = self._waits_for_shares and region.requests_per_second is not None
        return 0.0 if has_to_wait else region.requests_per_second

    def _first_byte_rate(self, region: Region) -> float | None:
        return 0.0 if self._waits_for_shares and region.bytes_per_second is not None else None

    def region(self, name: RegionName) -> Region:
        try:
            return self._regions[name]
        except KeyError:
            why = f"there is no region {name!r} any more, neither in the settings nor beside them; put it back"
            raise JobFailure(FailureCode.INTERNAL_ERROR, why) from None

    def plain(self, name: RegionName, *, acting: JobId | None = None) -> S3Store:
        stores = self._stores if acting is None else self._acting.setdefault(acting, {})
        if name not in stores:
            source = self._credentials(name) if acting is None else self._source(acting)
            stores[name] = self.signed_by(source, self.region(name))
        return stores[name]

    def signed_by(self, source: CredentialSource, region: Region) -> S3Store:
        """A region's store over the same connections, whoever signs."""
        return self._make(region, source)

    async def may_act(self, acting: JobId | None) -> bool:
        return acting is None or await self._source(acting).are_there()

    async def terms(self, acting: JobId | None) -> CredentialTerms | None:
        return None if acting is None else await self._source(acting).terms()

    def leave(self, acting: JobId | None) -> None:
        if acting is not None:
            self._acting.pop(acting, None)
            self._sources.pop(acting, None)

    def _source(self, acting: JobId) -> JobCredentialSource:
        if self._source_of is None:
            raise JobFailure(
                FailureCode.ASSUME_ROLE_FAILED,
                "the program that runs the job has no key to open the credentials of its role",
            )
        if acting not in self._sources:
            self._sources[acting] = self._source_of(acting)
        return self._sources[acting]

    def open(
        self,
        name: RegionName,
        *,
        acting: JobId | None,
        permit: Callable[[], None],
        stop: StopSignal | None = None,
        cut: StopSignal | None = None,
        may_write: bool = True,
    ) -> PersistentStore:
        return PersistentStore(
            self.plain(name, acting=acting),
            self._board(name),
            permit=permit,
            random=random.random,
            stop=stop,
            cut=cut,
            may_write=may_write,
        )

    def pace_of(self, name: RegionName, bucket: Bucket) -> BucketPacer:
        return self._board(name).pacer(bucket)

    # --- rates

    @property
    def caps_requests(self) -> bool:
        return any(region.requests_per_second is not None for region in self._regions.values())

    def cap_of(self, name: RegionName, kind: RateKind) -> float | None:
        return _cap_in(self._regions[name], kind) if name in self._regions else None

    def wanting_rate(self, *, since: float) -> set[CappedPlace]:
        return {
            CappedPlace(name, bucket, kind)
            for name, board in self._boards.items()
            for kind in RateKind
            if self.cap_of(name, kind) is not None
            for bucket in board.wanting_rate(kind, since=since)
        }

    def set_rate(self, capped: CappedPlace, per_second: float, *, until: float) -> None:
        if self.cap_of(capped.region, capped.kind) is not None:  # it had one when the share was asked for
            self._board(capped.region).set_share(capped.bucket, capped.kind, per_second, until=until)

    def loads(self) -> tuple[BucketLoad, ...]:
        return tuple(
            BucketLoad(region=name, bucket=pacer.bucket, in_flight=pacer.in_flight, limit=pacer.limit)
            for name, board in self._boards.items()
            for pacer in board.asked()
        )

    def answers(self) -> int:
        return sum(board.answers for board in self._boards.values())

    def repeats(self) -> int:
        return sum(board.repeats for board in self._boards.values())

    async def close(self) -> None:
        clients = [*self._clients.values(), *[retired.client for retired in self._retired]]
        await asyncio.gather(*[client.close() for client in clients])

    def _board(self, name: RegionName) -> PacerBoard:
        if name not in self._boards:
            region = self.region(name)
            self._boards[name] = PacerBoard(
                clock=self._clock,
                max_connections=region.max_connections,
                requests_per_second=self._first_rate(region),
                bytes_per_second=self._first_byte_rate(region),
            )
        return self._boards[name]

    def _make(self, region: Region, source: CredentialSource) -> S3Store:
        dialect = dialect_of(region.provider)
        store = S3Store(
            region=region,
            credentials=source,
            client=self._client(region),
            signer=dialect.signer(region, self._clock),
            dialect=dialect,
            profile=profile_of(region),
            clock=self._clock,
            neighbours=[
                Neighbour(other, partial(self._client, other))
                for other in self._regions.values()
                if other.name != region.name
            ],
        )
        self._made.add(store)
        return store

    def _credentials(self, name: RegionName) -> CredentialSource:
        """Read again when a store calls them expired: whoever renews them writes them where they were read."""
        declared = self._settings.regions.get(name)
        if declared is None or declared.credentials is None:
            return _NobodysCredentials(name)

        async def read_again() -> Credentials:
            return read_credentials(self._settings, name)

        return RenewingCredentials(read_credentials(self._settings, name), fetch=read_again, clock=self._clock)

    def _client(self, region: Region) -> HttpClient:
        if region not in self._clients:
            self._clients[region] = self._new_client(region)
        return self._clients[region]

    def _new_client(self, region: Region) -> HttpClient:
        settings = self._settings
        try:
            return HttpClient(
                region.endpoint,
                ca_file=region.ca_file,
                timeouts=Timeouts(
                    connect_seconds=settings.connect_timeout_seconds,
                    answer_seconds=settings.request_timeout_seconds,
                    total_seconds=settings.request_timeout_seconds * SLOWEST_ANSWER,
                ),
                max_connections=region.max_connections,
                clock=self._clock,
                proxies=self._proxies,
            )
        except ProxyUnusable as error:
            way_out = f"name an http:// proxy, or the host of {region.endpoint} in NO_PROXY"
            fault = Fault(path="the environment", value="", problem=str(error), way_out=way_out)
            raise InvalidArgument(f"region {region.name} cannot be reached", faults=[fault]) from None
        except OSError as error:  # the settings' own are tried when they are loaded; of others this host has its say
            why = f"the ca_file of region {region.name} cannot be used here: {error.strerror or error}"
            raise JobFailure(FailureCode.INTERNAL_ERROR, why) from error


def _cap_in(region: Region, kind: RateKind) -> float | None:
    return region.requests_per_second if kind is RateKind.REQUESTS else region.bytes_per_second


@asynccontextmanager
async def open_stores(
    settings: Settings,
    *,
    clock: Clock,
    waits_for_shares: bool = False,
    source_of: Callable[[JobId], JobCredentialSource] | None = None,
    kept: RegionLedger | None = None,
) -> AsyncIterator[RegionStores]:
    proxies = read_proxy_rules(os.environ)
    stores = RegionStores(
        settings,
        clock=clock,
        waits_for_shares=waits_for_shares,
        proxies=proxies,
        source_of=source_of,
        kept=kept,
    )
    try:
        await stores.look_again()
        yield stores
    finally:
        await stores.close()


@asynccontextmanager
async def looking_again(stores: RegionStores) -> AsyncIterator[None]:
    """Sees changes of the region table while the context is open, also those that concern running jobs."""
    stop = asyncio.Event()

    async def look() -> bool:
        await stores.look_again()
        return False

    looking = asyncio.create_task(until_stopped(look, stop=stop, pause_seconds=LOOK_EVERY_SECONDS))
    try:
        yield
    finally:
        stop.set()
        await looking
