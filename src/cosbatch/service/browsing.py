"""Looks around in a region's store for somebody who makes a job: buckets, objects, a manifest, and whether the store
answers at all.

Who looks with a role of the own account sees what that may see. A region's own credentials may see more than one
account's buckets, so looking with them takes an admin. Requests go to endpoints of the region table alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import Access, Purpose
from cosbatch.manifests.check import CheckLimits, ManifestChecked, check_manifest
from cosbatch.manifests.inspect import Inspection, inspect_manifest
from cosbatch.model.errors import (
    Fault,
    InvalidArgument,
    JobFailure,
    NoSuchRole,
    NotAllowed,
    StorageError,
    StorageReason,
)
from cosbatch.model.identifiers import Bucket, RegionName
from cosbatch.model.manifests import Manifest, ManifestFormat
from cosbatch.model.principals import Caller, UserRole
from cosbatch.model.regions import Region
from cosbatch.operations.job_access import manifest_access
from cosbatch.service.job_rules import unknown_region
from cosbatch.service.role_desk import RoleDesk
from cosbatch.storage.patience import answered_within
from cosbatch.storage.port import BrowsedStore, BucketEntry, ListPage

LOOK_SECONDS: Final = 15.0
"""How long somebody waits for a store."""
CHECK_LIMITS: Final = CheckLimits()
CHECKS_AT_ONCE: Final = 2
"""Each keeps something of a million rows in memory."""
_SESSION: Final = "cosbatch-browse"
_NOBODY: Final = Credentials(access_key_id="cosbatch-test", secret_access_key="cosbatch-test")  # noqa: S106  # of nobody
"""Signs the test of a region that has no credentials: any answer shows that the store is there."""
_KEY_REFUSED: Final = (StorageReason.CREDENTIALS_REFUSED, StorageReason.CREDENTIALS_EXPIRED)

OpenBrowsed = Callable[[RegionName, Credentials | None], BrowsedStore]
"""A region's store, signed with what is given; without that, with the region's own credentials, if it has some."""


class KeyFound(StrEnum):
    """What a store makes of a region's own credentials."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The store has said no to the question, but not why."""
    NONE = "none"
    """The region has no credentials of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionTried:
    is_reachable: bool
    latency_seconds: float | None
    """Of one request, with the connection where there was none yet; None where no answer came."""
    credentials: KeyFound
    detail: str
    """What the store has said, or why it could not be asked."""


class Browsing:
    """Raises InvalidArgument for an unknown region or role, NotAllowed, RoleNotAssumed, and StorageError."""

    def __init__(
        self,
        *,
        regions: Mapping[RegionName, Region],
        with_credentials: frozenset[RegionName],
        look_again: Callable[[], Awaitable[None]],
        desk: RoleDesk,
        open_store: OpenBrowsed,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """``look_again``: called before a name is looked up in the ``regions``, which may change."""
        self._regions = regions
        self.with_credentials = with_credentials
        """Regions that have credentials of their own."""
        self._look_again = look_again
        self._desk = desk
        self._open_store = open_store
        self._look_seconds = look_seconds
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)

    async def list_buckets(self, caller: Caller, *, region: str, role_arn: str = "") -> tuple[BucketEntry, ...]:
        """By name; some stores list the buckets of all their regions."""
        name = await self._known(region)
        access = Access(purpose=Purpose.SOURCE_READ, region=name, bucket=None, actions=("s3:ListAllMyBuckets",))
        store = await self._store(caller, name, role_arn, [access])
        async with self._patience(name, "GET /"):
            return tuple(sorted(await store.list_buckets()))

    async def list_objects(
        self,
        caller: Caller,
        *,
        region: str,
        bucket: Bucket,
        prefix: str = "",
        delimiter: str = "",
        token: str = "",
        limit: int = 1000,
        role_arn: str = "",
    ) -> ListPage:
        name = await self._known(region)
        access = Access(purpose=Purpose.SOURCE_READ, region=name, bucket=bucket, actions=("s3:ListBucket",))
        store = await self._store(caller, name, role_arn, [access])
        async with self._patience(name, f"GET {bucket}"):
            return await store.list_objects(bucket, prefix=prefix, delimiter=delimiter, token=token, limit=limit)

    async def inspect(
        self, caller: Caller, *, region: str, manifest: Manifest, guess_format: bool = False, role_arn: str = ""
    ) -> Inspection:
        """Also JobFailure: see :func:`cosbatch.manifests.inspect.inspect_manifest`."""
        name = await self._known(region)
        named = manifest
        if guess_format:  # an inventory's index names files beside it
            named = replace(manifest, spec=replace(manifest.spec, format=ManifestFormat.COS_INVENTORY_CSV))
        store = await self._store(caller, name, role_arn, [manifest_access(named, region=name)])
        return await inspect_manifest(manifest, store, guess_format=guess_format, look_seconds=self._look_seconds)

    async def check_manifest(
        self, caller: Caller, *, region: str, manifest: Manifest, guess_format: bool = False, role_arn: str = ""
    ) -> ManifestChecked:
        """Reads as far as somebody waits for it; fields that are not given are guessed. Also JobFailure: see
        :func:`cosbatch.manifests.check.check_manifest`."""
        name = await self._known(region)
        named = replace(manifest, spec=replace(manifest.spec, format=ManifestFormat.COS_INVENTORY_CSV))
        store = await self._store(caller, name, role_arn, [manifest_access(named, region=name)])
        async with self._checks, self._patience(name, f"GET {manifest.location.bucket}/{manifest.location.key}"):
            look = await inspect_manifest(manifest, store, guess_format=guess_format, look_seconds=self._look_seconds)
            spec = replace(manifest.spec, format=look.format, fields=manifest.spec.fields or look.guessed_fields)
            return await check_manifest(
                replace(manifest, spec=spec), store, limits=CHECK_LIMITS, time=time.perf_counter
            )

    async def test_region(self, caller: Caller, *, region: str) -> RegionTried:
        """Asks the store for the list of its buckets, and tells nothing of them; and of its address to admins alone."""
        if not caller.role.may(UserRole.OPERATOR):
            raise NotAllowed(f"user {caller.user} is a {caller.role} and may not test regions; that takes an operator")
        name = await self._known(region)
        has_own, shows_all = name in self.with_credentials, caller.role.may(UserRole.ADMIN)
        began = time.perf_counter()
        try:
            store = self._open_store(name, None if has_own else _NOBODY)
            async with self._patience(name, "GET /"):
                await store.list_buckets()
        except JobFailure as failure:
            return _not_there(has_own, failure.reason if shows_all else failure.failure_code)
        except StorageError as error:
            if not error.http_status:
                return _not_there(has_own, str(error) if shows_all else error.code)
            found = KeyFound.REFUSED if error.reason in _KEY_REFUSED else KeyFound.UNKNOWN
            return _there(began, found if has_own else KeyFound.NONE, f"{error.http_status} {error.code}")
        return _there(began, KeyFound.ACCEPTED if has_own else KeyFound.NONE, "200")

    # --- which store

    async def _known(self, region: str) -> RegionName:
        await self._look_again()
        if region not in self._regions:
            fault = unknown_region("region", region=region, known=self._regions)
            raise InvalidArgument("the region is not known here", faults=[fault])
        return RegionName(region)

    async def _store(
        self, caller: Caller, region: RegionName, role_arn: str, accesses: Sequence[Access]
    ) -> BrowsedStore:
        if not caller.role.may(UserRole.OPERATOR):
            raise NotAllowed(f"user {caller.user} is a {caller.role} and may not look into stores; ask an operator")
        if role_arn:
            return self._open_store(region, await self._credentials_of(role_arn, caller, accesses))
        if not caller.role.may(UserRole.ADMIN):
            raise NotAllowed(
                "the region's own credentials may see more than the account's buckets: name a role of the account in"
                " role_arn, or ask an admin to look"
            )
        if region not in self.with_credentials:
            problem, way_out = "is missing: the region has no credentials of its own", "name a role of the account"
            fault = Fault(path="role_arn", value="", problem=problem, way_out=way_out)
            raise InvalidArgument("the store cannot be asked", faults=[fault])
        return self._open_store(region, None)

    async def _credentials_of(self, role_arn: str, caller: Caller, accesses: Sequence[Access]) -> Credentials:
        try:
            assumed = await self._desk.assume(
                role_arn, account=caller.account.id, session_name=_SESSION, accesses=accesses
            )
        except NoSuchRole as error:
            problem, way_out = "is no role of the account", "register it first, or name one of those that are"
            fault = Fault(path="role_arn", value=role_arn[:200], problem=problem, way_out=way_out)
            raise InvalidArgument("the store cannot be asked", faults=[fault]) from error
        return assumed.credentials

    def _patience(self, region: RegionName, target: str) -> AbstractAsyncContextManager[None]:
        return answered_within(self._look_seconds, store=f"the store of region {region}", target=target)


def _there(began: float, credentials: KeyFound, detail: str) -> RegionTried:
    seconds = time.perf_counter() - began
    return RegionTried(is_reachable=True, latency_seconds=seconds, credentials=credentials, detail=detail)


def _not_there(has_own: bool, detail: str) -> RegionTried:
    credentials = KeyFound.UNKNOWN if has_own else KeyFound.NONE
    return RegionTried(is_reachable=False, latency_seconds=None, credentials=credentials, detail=detail)
