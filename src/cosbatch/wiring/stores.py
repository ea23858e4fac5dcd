"""The stores of one process, made of the region table."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from cosbatch.engine.job_credentials import JobCredentialSource
from cosbatch.identity.credentials import Credentials, CredentialSource, RenewingCredentials
from cosbatch.model.clock import Clock
from cosbatch.model.errors import FailureCode, Fault, InvalidArgument, JobFailure
from cosbatch.model.identifiers import Bucket, JobId, RegionName
from cosbatch.model.jobs import Hold
from cosbatch.model.regions import Place, Region
from cosbatch.model.workers import BucketLoad
from cosbatch.settings import Settings, read_credentials, region_table
from cosbatch.storage.dialects import dialect_of
from cosbatch.storage.http_client import HttpClient, Timeouts
from cosbatch.storage.http_proxy import ProxyRules, ProxyUnusable, read_proxy_rules
from cosbatch.storage.pacing import PacerBoard, StopSignal
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.profiles import PROFILES, CapabilityProfile, Option, Support
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.s3_routes import Neighbour

SLOWEST_ANSWER = 5
"""An answer that comes bit by bit may take so many times as long as one that does not come at all."""


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
            f"region {self._region} has no credentials of its own in the settings, and the job names no role",
        )

    async def renewed(self, stale: Credentials) -> Credentials:
        return await self.credentials()


class RegionStores:
    """The stores of one process: one client and one set of pacers for each region, made when it is first asked for."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        waits_for_shares: bool,
        proxies: ProxyRules,
        source_of: Callable[[JobId], JobCredentialSource] | None = None,
    ) -> None:
        """``waits_for_shares``: a bucket with a rate cap is asked only after :meth:`set_rate`; else this process has
        the whole of each cap. ``source_of``: what a job with a role signs with; without it none can be acted for."""
        self._settings = settings
        self._proxies = proxies
        self._clock = clock
        self._waits_for_shares = waits_for_shares
        self._regions = region_table(settings)
        self._stores: dict[RegionName, S3Store] = {}
        self._boards: dict[RegionName, PacerBoard] = {}
        self._clients: dict[RegionName, HttpClient] = {}
        """Also of regions to which another one's store redirects, whatever their credentials."""
        self._source_of = source_of
        self._sources: dict[JobId, JobCredentialSource] = {}
        self._acting: dict[JobId, dict[RegionName, S3Store]] = {}

    def region(self, name: RegionName) -> Region:
        try:
            return self._regions[name]
        except KeyError:
            raise JobFailure(
                FailureCode.INTERNAL_ERROR, f"the settings have no region {name!r} any more; put it back"
            ) from None

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
    ) -> PersistentStore:
        return PersistentStore(
            self.plain(name, acting=acting),
            self._board(name),
            permit=permit,
            random=random.random,
            stop=stop,
            cut=cut,
        )

    def limit_of(self, name: RegionName, bucket: Bucket) -> int:
        return self._board(name).pacer(bucket).limit

    def hold_of(self, name: RegionName, bucket: Bucket) -> Hold | None:
        return self._board(name).pacer(bucket).held

    # --- rates

    @property
    def has_caps(self) -> bool:
        return any(region.requests_per_second is not None for region in self._regions.values())

    def cap_of(self, name: RegionName) -> float | None:
        return self._regions[name].requests_per_second if name in self._regions else None

    def wanting_rate(self, *, since: float) -> set[Place]:
        return {
            (name, bucket)
            for name, board in self._boards.items()
            if self.cap_of(name) is not None
            for bucket in board.wanting_rate(since=since)
        }

    def set_rate(self, place: Place, requests_per_second: float, *, until: float) -> None:
        name, bucket = place
        self._board(name).pacer(bucket).set_rate(requests_per_second, until=until)

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
        await asyncio.gather(*[client.close() for client in self._clients.values()])

    def _board(self, name: RegionName) -> PacerBoard:
        if name not in self._boards:
            region = self.region(name)
            has_to_wait = self._waits_for_shares and region.requests_per_second is not None
            self._boards[name] = PacerBoard(
                clock=self._clock,
                max_connections=region.max_connections,
                requests_per_second=0.0 if has_to_wait else region.requests_per_second,
            )
        return self._boards[name]

    def _make(self, region: Region, source: CredentialSource) -> S3Store:
        dialect = dialect_of(region.provider)
        return S3Store(
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

    def _credentials(self, name: RegionName) -> CredentialSource:
        """Read again when a store calls them expired: whoever renews them writes them where they were read."""
        if name in self._settings.regions and self._settings.regions[name].credentials is None:
            return _NobodysCredentials(name)

        async def read_again() -> Credentials:
            return read_credentials(self._settings, name)

        return RenewingCredentials(read_credentials(self._settings, name), fetch=read_again, clock=self._clock)

    def _client(self, region: Region) -> HttpClient:
        if region.name not in self._clients:
            self._clients[region.name] = self._new_client(region)
        return self._clients[region.name]

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


@asynccontextmanager
async def open_stores(
    settings: Settings,
    *,
    clock: Clock,
    waits_for_shares: bool = False,
    source_of: Callable[[JobId], JobCredentialSource] | None = None,
) -> AsyncIterator[RegionStores]:
    proxies = read_proxy_rules(os.environ)
    stores = RegionStores(
        settings, clock=clock, waits_for_shares=waits_for_shares, proxies=proxies, source_of=source_of
    )
    try:
        yield stores
    finally:
        await stores.close()
