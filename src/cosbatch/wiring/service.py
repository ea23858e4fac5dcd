"""The verbs over a data folder without an engine, the roles that jobs name, and looks at stores for people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.credentials import StaticCredentials
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.ledger.sqlite import DATABASE_FILE
from cosbatch.manifests.inspect import Inspection, inspect_manifest
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import JobFailure, ServiceUnavailable
from cosbatch.model.identifiers import AccountId, Bucket, ObjectRef, RegionName
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import Role, RoleProvider
from cosbatch.model.regions import Region
from cosbatch.operations.job_access import manifest_access
from cosbatch.service.people_names import check_account
from cosbatch.service.role_desk import DeclaredRole, ProviderOfRoles, RoleDesk
from cosbatch.service.service import JobService
from cosbatch.settings import Settings, declared_roles
from cosbatch.storage.patience import LOOK_SECONDS, answered_within
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.probe import Probed, probe_store
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.telling_why import bucket_region_or_cause, head_or_cause
from cosbatch.wiring.keys import key_ring, key_ring_file
from cosbatch.wiring.stores import RegionStores, open_stores


def has_jobs(data_dir: Path) -> bool:
    """False where no job was ever made in the folder. Looking must not make one."""
    try:
        return (data_dir / DATABASE_FILE).exists()
    except OSError:
        return True  # opening it tells what is wrong


@asynccontextmanager
async def open_service(settings: Settings, data_dir: Path, *, account: str = "") -> AsyncIterator[JobService]:
    """Ledger and verbs, without an engine: what another process of the same data folder does is seen and steered.
    NoSuchName where somebody asks for an ``account`` that there is not."""
    ledger = await open_sqlite_ledger(data_dir)
    try:
        await check_known(ledger, account)
        async with open_stores(settings, clock=SystemClock(), kept=ledger.regions) as stores:
            desk = desk_where_needed(settings, data_dir, ledger, regions=stores.regions)
            yield job_service(settings, ledger, stores, desk=desk)
    finally:
        await ledger.close()


async def check_known(ledger: SqlLedger, account: str) -> None:
    """NoSuchName where an account is named that there is not."""
    if account:
        check_account(account, known=[known.name for known in await ledger.people.accounts()])


def job_service(
    settings: Settings,
    ledger: SqlLedger,
    stores: RegionStores,
    *,
    desk: RoleDesk | None,
    deletes_allowed: bool = True,
) -> JobService:
    """``deletes_allowed``: whoever runs the program on a folder of his own has no switch to set."""

    async def look(manifest: Manifest, *, region: RegionName) -> str:
        # The bare store: a person waits, and wants the refusal rather than a long hold.
        meta = await head_or_cause(opened_for_look(partial(stores.plain, region), region), _ref_of(manifest))
        return meta.etag

    roles = None if desk is None else _DeskRoles(desk, stores)
    return JobService(
        ledger,
        regions=stores.regions,
        look=look,
        max_unfinished_jobs=settings.max_unfinished_jobs,
        roles=roles,
        record=ledger.people.record,
        look_again=stores.look_again,
        deletes_allowed=deletes_allowed,
    )


# --- roles


def desk_where_needed(
    settings: Settings,
    data_dir: Path,
    ledger: SqlLedger,
    *,
    cipher: Cipher | None = None,
    regions: Mapping[RegionName, Region],
) -> RoleDesk | None:
    """None where there can be no role."""
    cipher = cipher or own_cipher(settings, data_dir)
    return None if cipher is None else role_desk(settings, ledger, cipher=cipher, regions=regions)


def own_cipher(settings: Settings, data_dir: Path) -> Cipher | None:
    """Of a folder whose ledger may have sealed roles, or for roles of the settings; else none is made."""
    file = key_ring_file(settings, data_dir)
    if not settings.roles and file is not None and not file.exists():
        return None
    return Cipher(key_ring(settings, data_dir, may_make=True))


def role_desk(
    settings: Settings, ledger: SqlLedger, *, cipher: Cipher, regions: Mapping[RegionName, Region]
) -> RoleDesk:
    """``regions`` may change: an STS that is a region's own store is trusted as that is."""
    declared = [DeclaredRole(role=role, key=key) for role, key in declared_roles(settings)]
    provider = partial(_provider_of_roles, regions)
    return RoleDesk(ledger.roles, cipher=cipher, declared=declared, provider=provider)


class _DeskRoles:
    """What making a job asks about its role."""

    def __init__(self, desk: RoleDesk, stores: RegionStores) -> None:
        self._desk = desk
        self._stores = stores

    async def find(self, arn: str, *, account: AccountId) -> Role:
        return await self._desk.find(arn, account=account)

    async def look(self, manifest: Manifest, *, region: RegionName, account: AccountId, role_arn: str) -> str:
        accesses = [manifest_access(manifest, region=region)]
        assumed = await self._desk.assume(role_arn, account=account, session_name="cosbatch-look", accesses=accesses)
        source = StaticCredentials(assumed.credentials)
        store = opened_for_look(lambda: self._stores.signed_by(source, self._stores.region(region)), region)
        return (await head_or_cause(store, _ref_of(manifest))).etag


def _provider_of_roles(regions: Mapping[RegionName, Region], kind: RoleProvider) -> ProviderOfRoles:
    """Their libraries are heavy: only who assumes a role pays for them."""
    if kind is RoleProvider.TENCENT_STS:
        from cosbatch.identity.sts_tencent import TencentRoles

        return TencentRoles()
    from cosbatch.identity.sts_aws import AwsRoles

    ca_files = {region.endpoint: region.ca_file for region in regions.values() if region.ca_file}
    return AwsRoles(ca_files=ca_files)


def opened_for_look(open_store: Callable[[], S3Store], region: RegionName) -> S3Store:
    """For a look before the job is made: what keeps a store shut is no failure of a job yet."""
    try:
        return open_store()
    except JobFailure as failure:
        why = f"the store of region {region} cannot be asked by this service; its operator has to look at the region"
        raise ServiceUnavailable(why) from failure


def _ref_of(manifest: Manifest) -> ObjectRef:
    location = manifest.location
    return ObjectRef(location.bucket, location.key, location.version_id)


def _always() -> None:
    """The permit of requests that belong to no lease."""


@asynccontextmanager
async def borrowed_store(settings: Settings, region: RegionName) -> AsyncIterator[PersistentStore]:
    """A region's store for a while, with retries and pacing."""
    async with open_stores(settings, clock=SystemClock()) as stores:
        yield stores.open(region, acting=None, permit=_always)


async def inspect(
    settings: Settings, region: RegionName, manifest: Manifest, *, guess_format: bool = False
) -> Inspection:
    """What a manifest looks like, from its first rows."""
    async with open_stores(settings, clock=SystemClock()) as stores:
        return await inspect_manifest(manifest, stores.plain(region), guess_format=guess_format)


async def probe(settings: Settings, region: RegionName, bucket: Bucket, prefix: str) -> Probed:
    """What a store does with each option, beside what its region's profile says."""
    async with open_stores(settings, clock=SystemClock()) as stores:
        async with answered_within(LOOK_SECONDS, store=f"the store of region {region}", target=f"HEAD {bucket}"):
            await bucket_region_or_cause(stores.plain(region), bucket)
        found = await probe_store(stores.plain(region), bucket, prefix=prefix)
        return Probed(found, stores.plain(region).profile)
