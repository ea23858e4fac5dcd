"""The verbs of roles: register, make at the provider, look, test, delete; and the policies to paste where the key may
not make a role by itself.

Every verb names who calls. Changing the registry takes an admin; an operator, who makes jobs with roles, may test them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import Access, Policy, cam_policy, cam_trust, iam_policy, iam_trust
from cosbatch.identity.role_tests import RoleTest
from cosbatch.identity.roles import purpose_of_role, seal_credentials
from cosbatch.ledger.list_port import RoleUse
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.role_port import RoleLedger
from cosbatch.model.arns import parse_role_arn
from cosbatch.model.clock import Clock
from cosbatch.model.errors import Fault, InvalidArgument, NotAllowed, RoleNotAssumed, RoleRefusal
from cosbatch.model.identifiers import AccountId, Bucket, RegionName
from cosbatch.model.jobs import JobRequest, PlanFindings, region_written
from cosbatch.model.principals import Caller, Role, RoleProvider, UserRole
from cosbatch.model.regions import CLOUD_DOMAINS, Region, Versioning, is_same_store
from cosbatch.operations.job_access import job_access, with_source
from cosbatch.service.audit import Record, audited
from cosbatch.service.job_rules import unknown_region
from cosbatch.service.role_desk import RoleDesk
from cosbatch.service.role_trial import try_accesses
from cosbatch.service.service import named_regions
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import CapabilityProfile

_EXTERNAL_ID: Final = re.compile(r"([A-Za-z0-9_+=,.@:/-]{2,128})?")
_PROVIDER_DOMAINS: Final = (*CLOUD_DOMAINS, "tencentcloudapi.com")
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]")
BUCKETS_MAX: Final = 1000
_DESCRIPTION_MAX_BYTES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRole:
    """What somebody registers."""

    arn: str
    provider: RoleProvider
    key: Credentials = field(repr=False)
    """The key that assumes it; of a stored role its credentials."""
    external_id: str = ""
    sts_endpoint: str = ""
    sts_region: str = ""
    description: str = ""
    writable_buckets: tuple[Bucket, ...] = ()
    """What jobs under it may write or delete from; empty: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePolicies:
    """What to paste at the provider: JSON documents of its own language."""

    trust: Policy
    permission: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleMade:
    """What came of registering a role."""

    role: Role
    is_made: bool
    """It was made at the provider."""
    why_not: str = ""
    """Where it was asked for: what the provider has said. The policies are then to be pasted by somebody who may."""
    policies: RolePolicies | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSeen:
    """A role, what it was last found to be allowed, and how many jobs name it."""

    role: Role
    last_test: RoleTest | None
    use: RoleUse
    key_hint: str
    """By which an administrator knows its key again, see ``RoleDesk.key_hint``; empty for everybody else."""


class RoleService:
    """Another account's roles do not exist for a caller (NoSuchRole)."""

    def __init__(
        self,
        ledger: RoleLedger,
        *,
        jobs: JobLedger,
        desk: RoleDesk,
        cipher: Cipher,
        clock: Clock,
        regions: Mapping[RegionName, Region],
        profile_of: Callable[[Region], CapabilityProfile],
        open_store: Callable[[RegionName, Credentials], ObjectStore],
        record: Record,
    ) -> None:
        """``open_store``: a region's store, signed with what is given."""
        self._ledger = ledger
        self._jobs = jobs
        self._desk = desk
        self._cipher = cipher
        self._clock = clock
        self._regions = regions
        self._profile_of = profile_of
        self._open_store = open_store
        self._record = record

    # --- changing the registry

    async def create_role(
        self,
        new: NewRole,
        *,
        caller: Caller,
        make_for: JobRequest | None = None,
        source_bucket: Bucket | None = None,
        principal: str = "",
    ) -> RoleMade:
        """Registers a role; with ``make_for`` it is made at its provider first, with what this job needs of its
        ``source_bucket``, to be assumed by ``principal`` (see :meth:`policies_for`).

        Where the key may not make it, it is registered all the same, and the policies come back to be pasted. Raises
        InvalidArgument with all faults, also where the account or the provider has a role of that name already.
        """
        async with audited(self._record, caller, "create-role", target=new.arn) as write:
            made = await self._create(
                new, caller=caller, make_for=make_for, source_bucket=source_bucket, principal=principal
            )
            write.target, write.detail = made.role.arn, "made and registered" if made.is_made else "registered"
        return made

    async def _create(
        self, new: NewRole, *, caller: Caller, make_for: JobRequest | None, source_bucket: Bucket | None, principal: str
    ) -> RoleMade:
        _check_admin(caller, to="register roles")
        faults = list(self._faults(new))
        if make_for is not None and new.provider is RoleProvider.STORED:
            problem, way_out = "has no provider that could make it", "register it without making it"
            faults.append(Fault(path="provider", value=new.provider, problem=problem, way_out=way_out))
        if faults:
            raise InvalidArgument("the role cannot be registered", faults=faults)
        role = self._role(new, caller)
        if await self._desk.is_known(role.arn, account=role.account):
            fault = Fault(path="arn", value=role.arn, problem="is registered already", way_out="delete it here first")
            raise InvalidArgument("the role cannot be registered", faults=[fault])
        made = RoleMade(role=role, is_made=False)
        if make_for is not None:
            policies = self._policies(role, make_for, source_bucket, principal)
            made = await self._make(role, new.key, policies)
        purpose = purpose_of_role(role.account, made.role.arn)
        await self._ledger.add_role(made.role, sealed=seal_credentials(new.key, cipher=self._cipher, purpose=purpose))
        return made

    def _role(self, new: NewRole, caller: Caller) -> Role:
        return Role(
            arn=new.arn,
            account=caller.account.id,
            provider=new.provider,
            created_at=self._clock.now(),
            description=new.description,
            external_id=new.external_id,
            sts_endpoint=new.sts_endpoint,
            sts_region=new.sts_region,
            writable_buckets=new.writable_buckets,
        )

    async def _make(self, role: Role, key: Credentials, policies: RolePolicies) -> RoleMade:
        named = parse_role_arn(role.arn)
        assert named is not None
        try:
            arn = await self._desk.provider(role.provider).create(
                role, key=key, name=named.name, trust=policies.trust, permission=policies.permission
            )
        except RoleNotAssumed as error:
            if error.reason is RoleRefusal.ALREADY_THERE:
                problem, way_out = f"is there already: {error}", "register it without making it, or choose another name"
                fault = Fault(path="arn", value=role.arn, problem=problem, way_out=way_out)
                raise InvalidArgument("the role cannot be made", faults=[fault]) from error
            return RoleMade(role=role, is_made=False, why_not=str(error), policies=policies)
        return RoleMade(role=replace(role, arn=arn), is_made=True, policies=policies)

    async def replace_role_key(self, arn: str, *, key: Credentials, caller: Caller) -> Role:
        """Another key in place of the one that assumes it, or of a stored role's own credentials; of that one nothing
        is left here. Jobs go on with what they have until it is renewed with the new key, which is tried at once.

        Nothing is asked of the provider: :meth:`test_role` says what the new key may. InvalidArgument where the key is
        incomplete or the settings declare the role, NoSuchRole."""
        async with audited(self._record, caller, "replace-role-key", target=arn) as write:
            _check_admin(caller, to="change roles")
            role = await self._desk.find(arn, account=caller.account.id)
            faults = list(_key_faults(key))
            if role.is_declared:
                way_out = "change it where the settings take it from"
                faults.append(Fault(path="role_arn", value=arn, problem="is declared", way_out=way_out))
            if faults:
                raise InvalidArgument("the role's key cannot be replaced", faults=faults)
            sealed = seal_credentials(key, cipher=self._cipher, purpose=purpose_of_role(role.account, arn))
            changed = await self._ledger.replace_key(arn, account=role.account, sealed=sealed, at=self._clock.now())
            write.detail = f"to {key.access_key_id}"
        return changed

    async def delete_role(self, arn: str, *, caller: Caller) -> None:
        """From the registry; the provider keeps it. InvalidArgument where a job names it that is unfinished, or has its
        report still to deliver, or the settings declare it."""
        async with audited(self._record, caller, "delete-role", target=arn):
            await self._delete(arn, caller=caller)

    async def _delete(self, arn: str, *, caller: Caller) -> None:
        _check_admin(caller, to="delete roles")
        role = await self._desk.find(arn, account=caller.account.id)
        if role.is_declared:
            fault = Fault(path="arn", value=arn, problem="is declared", way_out="delete it from the settings file")
            raise InvalidArgument("the role cannot be deleted", faults=[fault])
        for job in [queued.job for queued in await self._jobs.queued_jobs()]:
            if (job.account, job.request.role_arn) == (caller.account.id, arn):
                problem = f"is needed by job {job.id}, which is {job.status}"
                fault = Fault(path="arn", value=arn, problem=problem, way_out="cancel the job, or wait for its end")
                raise InvalidArgument("the role cannot be deleted", faults=[fault])
        await self._ledger.remove_role(arn, account=caller.account.id)

    # --- looking

    async def list_roles(self, *, caller: Caller) -> list[Role]:
        """By their ARNs; no secrets."""
        return await self._desk.roles(account=caller.account.id)

    async def describe_role(self, arn: str, *, caller: Caller) -> Role:
        return await self._desk.find(arn, account=caller.account.id)

    async def see_roles(self, *, caller: Caller) -> list[RoleSeen]:
        """By their ARNs."""
        return await self._seen(await self.list_roles(caller=caller), caller)

    async def see_role(self, arn: str, *, caller: Caller) -> RoleSeen:
        (seen,) = await self._seen([await self.describe_role(arn, caller=caller)], caller)
        return seen

    async def _seen(self, roles: Sequence[Role], caller: Caller) -> list[RoleSeen]:
        tests = await self._ledger.tests(account=caller.account.id)
        uses = await self._jobs.lists.role_uses(account=caller.account.id)
        shows_keys = caller.role.may(UserRole.ADMIN)
        return [
            RoleSeen(
                role=role,
                last_test=tests.get(role.arn),
                use=uses.get(role.arn, RoleUse()),
                key_hint=await self._desk.key_hint(role) if shows_keys else "",
            )
            for role in roles
        ]

    # --- policies and tests

    def policies_for(
        self,
        arn: str,
        *,
        provider: RoleProvider,
        request: JobRequest,
        source_bucket: Bucket | None = None,
        external_id: str = "",
        principal: str = "",
    ) -> RolePolicies:
        """The trust policy and the least permission policy for a job, as the provider writes them.

        ``principal`` is who assumes the role: the operator's own user. Empty for the account of the role itself.
        """
        role = Role(arn=arn, account=AccountId(""), provider=provider, created_at=0.0, external_id=external_id)
        return self._policies(role, request, source_bucket, principal)

    def _check_regions(self, request: JobRequest) -> None:
        faults = [
            unknown_region(path, region=region, known=self._regions)
            for path, region in named_regions(request)
            if region is not None and region not in self._regions
        ]
        if faults:
            raise InvalidArgument("the job cannot be looked at", faults=faults)

    def _policies(self, role: Role, request: JobRequest, source_bucket: Bucket | None, principal: str) -> RolePolicies:
        accesses = self._accesses(request, source_bucket)
        owner = named.account if (named := parse_role_arn(role.arn)) else ""
        if role.provider is RoleProvider.TENCENT_STS:
            who = principal or f"qcs::cam::uin/{owner}:root"
            return RolePolicies(
                trust=cam_trust(principal=who, external_id=role.external_id), permission=cam_policy(accesses)
            )
        who = principal or f"arn:aws:iam::{owner}:root"
        return RolePolicies(
            trust=iam_trust(principal=who, external_id=role.external_id), permission=iam_policy(accesses)
        )

    def _accesses(self, request: JobRequest, source_bucket: Bucket | None) -> list[Access]:
        """What the job does from its first look to its last; of a source that nobody has named, of any bucket's."""
        self._check_regions(request)
        source, target = self._regions[request.region], self._regions[region_written(request)]
        source_profile, target_profile = self._profile_of(source), self._profile_of(target)
        same_store = is_same_store(source, target)
        findings = PlanFindings(
            source_bucket=source_bucket or Bucket(""),
            source_versioning=Versioning.ENABLED,
            target_versioning=Versioning.ENABLED,
            manifest_etag="",
        )
        planning, working = [
            job_access(
                request,
                findings=known,
                source_profile=source_profile,
                target_profile=target_profile,
                same_store=same_store,
            )
            for known in (None, findings)
        ]
        return [*(with_source(planning, source_bucket) if source_bucket else planning), *working]

    async def test_role(self, arn: str, *, caller: Caller, request: JobRequest) -> RoleTest:
        """Says of each thing that the job needs whether the role may do it, by doing it: the manifest is read, an
        object that it lists is looked at, and a multipart upload is begun and aborted where the job will write. What
        came of it is kept.

        Raises NoSuchRole, RoleNotAssumed, and StorageError where a store does not answer."""
        async with audited(self._record, caller, "test-role", target=arn) as write:
            try:
                tested = await self._test(arn, caller=caller, request=request)
            except RoleNotAssumed as error:
                if not error.may_pass:
                    refused = RoleTest(at=self._clock.now(), by=caller.user, refusal=str(error))
                    await self._ledger.keep_test(arn, account=caller.account.id, test=refused)
                raise
            await self._ledger.keep_test(arn, account=caller.account.id, test=tested)
            write.detail = "; ".join(f"{access.purpose}: {access.verdict}" for access in tested.accesses)
        return tested

    async def _test(self, arn: str, *, caller: Caller, request: JobRequest) -> RoleTest:
        if not caller.role.may(UserRole.OPERATOR):
            raise NotAllowed(f"user {caller.user} is a {caller.role} and may not test roles; that takes an operator")

        async def open_stores(accesses: Sequence[Access]) -> tuple[Callable[[RegionName], ObjectStore], bool]:
            assumed = await self._desk.assume(
                arn, account=caller.account.id, session_name="cosbatch-test", accesses=accesses
            )
            return lambda region: self._open_store(region, assumed.credentials), assumed.is_narrowed

        tested, is_narrowed = await try_accesses(request, accesses_of=self._accesses, open_stores=open_stores)
        return RoleTest(at=self._clock.now(), by=caller.user, is_narrowed=is_narrowed, accesses=tested)

    # --- faults

    def _faults(self, new: NewRole) -> Iterator[Fault]:
        if (form := _wrong_form(new)) is not None:
            problem = f"is no name of a role that {new.provider} has"
            yield Fault(path="arn", value=new.arn[:200], problem=problem, way_out=f"write {form}")
        if not _EXTERNAL_ID.fullmatch(new.external_id):
            way_out = "use 2 to 128 letters, digits and _+=,.@:/-"
            yield Fault(path="external_id", value=new.external_id[:200], problem="cannot be one", way_out=way_out)
        yield from _key_faults(new.key)
        if new.sts_endpoint and not self._is_known_endpoint(new.sts_endpoint):
            yield Fault(
                path="sts_endpoint",
                value=new.sts_endpoint[:200],
                problem="is no address of the region table, and none of AWS or Tencent Cloud",
                way_out="name the endpoint of a region, or let the operator declare the role in the settings",
            )
        yield from _bucket_faults(new.writable_buckets)
        if (size := len(new.description.encode())) > _DESCRIPTION_MAX_BYTES:
            problem = f"is {size} bytes long, {_DESCRIPTION_MAX_BYTES} are allowed"
            yield Fault(path="description", value="", problem=problem, way_out="make it shorter")

    def _is_known_endpoint(self, endpoint: str) -> bool:
        """Addresses come from the operator: nobody else may send this service, with a key in its hand, anywhere."""
        if endpoint.removesuffix("/") in {region.endpoint for region in self._regions.values()}:
            return True
        address = urlsplit(endpoint)
        host = address.hostname or ""
        return address.scheme == "https" and any(host.endswith(f".{domain}") for domain in _PROVIDER_DOMAINS)


def _key_faults(key: Credentials) -> Iterator[Fault]:
    if not key.access_key_id or not key.secret_access_key:
        yield Fault(path="key", value="", problem="is incomplete", way_out="give the id and the secret")


def _wrong_form(new: NewRole) -> str | None:
    """How the provider names roles, where this is no such name."""
    is_cam = new.arn.startswith("qcs:")
    is_name = parse_role_arn(new.arn) is not None
    if new.provider is RoleProvider.TENCENT_STS:
        return None if is_name and is_cam else "qcs::cam::uin/<uin>:roleName/<name>"
    if new.provider is RoleProvider.AWS_STS:
        return None if is_name and not is_cam else "arn:aws:iam::<account>:role/<name>"
    return None if is_name else "qcs::cam::uin/<uin>:roleName/<name> or arn:aws:iam::<account>:role/<name>"


def _bucket_faults(buckets: Sequence[Bucket]) -> Iterator[Fault]:
    for number, bucket in enumerate(buckets):
        if not _BUCKET.fullmatch(bucket):
            way_out = "write the bucket's name alone, 3 to 128 letters, digits, dots, underscores and hyphens"
            path = f"writable_buckets[{number}]"
            yield Fault(path=path, value=bucket[:200], problem="is no name of a bucket", way_out=way_out)
    if len(buckets) > BUCKETS_MAX:
        problem = f"{len(buckets)} buckets are named, {BUCKETS_MAX} are allowed"
        yield Fault(path="writable_buckets", value="", problem=problem, way_out="register another role for the rest")


def _check_admin(caller: Caller, *, to: str) -> None:
    if not caller.role.may(UserRole.ADMIN):
        raise NotAllowed(f"user {caller.user} is a {caller.role} and may not {to}; that takes an admin")
