"""A job that is not made yet is checked, and nothing is left of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from cosbatch.identity.policies import Access, Purpose
from cosbatch.ledger.people_port import AuditEntry
from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.model.errors import InvalidArgument, NoSuchJob, NotAllowed, RoleNotAssumed, RoleRefusal
from cosbatch.model.identifiers import AccountId, Bucket, ObjectKey, ObjectRef, RegionName, new_job_id
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import Manifest
from cosbatch.model.preflight import Check, CheckName, CheckOutcome, Preflight
from cosbatch.model.principals import Caller, UserRole
from cosbatch.operations.preflight import RoleSession
from cosbatch.service.documents import Document
from cosbatch.service.job_checks import JobChecked, JobChecker, OpenAs
from cosbatch.service.job_document import request_document
from cosbatch.service.job_schema import parse_job
from cosbatch.service.service import JobService
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.profiles import PROFILES
from cosbatch.wire.cos_requests import read_create_job
from tests.contract.ledgers import HandClock
from tests.unit.service.job_builders import AWAY, HOME, caller_of, job_content, region, without_places

ARN = "qcs::cam::uin/100000000001:roleName/batch"
ROWS = b"source-125,a%20b\nsource-125,c\n"
ME = caller_of("mine")
JOB: Mapping[str, Any] = {
    "manifest": {
        "location": {"object_arn": "qcs::cos:ap-guangzhou::lists-125/list.csv"},
        "spec": {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]},
    }
}


async def look(manifest: Manifest, *, region: RegionName) -> str:
    return "e1"


class Rig:
    def __init__(self, *, deletes_allowed: bool = False) -> None:
        clock = HandClock()
        self.profile = replace(PROFILES["cos"], tells_write_by_upload=True)
        self.store = MemoryStore(profile=self.profile, clock=clock)
        for name in ("lists-125", "source-125", "cold-125", "logs-125"):
            self.store.create_bucket(name, region=HOME)
        self.ledger = open_memory_ledger(clock)
        self.entries: list[AuditEntry] = []
        self.assumed: list[list[Access]] = []
        self.refusal: RoleNotAssumed | None = None
        self.writable: tuple[Bucket, ...] = ()
        regions = {name: region(name) for name in (HOME, AWAY)}
        jobs = JobService(self.ledger, regions=regions, look=look)
        self.estimated: list[str] = []
        self.checker = JobChecker(
            jobs=self.ledger,
            preflights=self.ledger.preflights,
            check_request=jobs.check_request if not deletes_allowed else _no_faults,
            regions=regions,
            profile_of=lambda _: self.profile,
            open_stores=self._open,
            free_space=self._free,
            min_free_share=0.2,
            deletes_allowed=deletes_allowed,
            clock=clock,
            record=self._record,
            estimate=self._estimate,
        )

    async def _record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    async def _free(self) -> float | None:
        return 0.5

    async def _estimate(self, request: JobRequest, caller: Caller) -> Mapping[str, object] | None:
        self.estimated.append(caller.user)
        return {"objects": 2}

    async def _open(self, request: JobRequest, account: AccountId, accesses: Sequence[Access]) -> OpenAs:
        self.assumed.append(list(accesses))
        if self.refusal is not None:
            raise self.refusal
        role = RoleSession(arn=ARN, is_narrowed=True, writable_buckets=self.writable) if request.role_arn else None
        return OpenAs(store=lambda _: self.store, role=role)

    async def fill(self, rows: bytes = ROWS, *keys: str) -> None:
        await self.store.put(ObjectRef(Bucket("lists-125"), ObjectKey("list.csv")), rows)
        for key in keys or ("a b", "c"):
            await self.store.put(ObjectRef(Bucket("source-125"), ObjectKey(key)), b"x")

    async def check(self, **changes: Any) -> JobChecked:
        request = parse_job(without_places(job_content(**{**JOB, **changes}))).request
        return await self.checker.check_job(request, caller=ME)


async def _no_faults(request: JobRequest, account: AccountId) -> None:
    return None


def named(checked: JobChecked) -> dict[str, Check]:
    return {check.name: check for check in checked.preflight.checks}


async def test_a_job_that_is_well() -> None:
    rig = Rig()
    await rig.fill()
    checked = await rig.check()
    assert checked.preflight.outcome is CheckOutcome.PASSED
    found = named(checked)
    assert {CheckName.MANIFEST, CheckName.FIRST_ROWS, CheckName.DESTINATION_WRITABLE, CheckName.SPOOL_SPACE} <= set(
        found
    )
    assert checked.estimate == {"objects": 2}
    assert len(rig.estimated) == 1


async def test_nothing_is_left_behind() -> None:
    rig = Rig()
    await rig.fill()
    await rig.check()
    assert rig.store.open_uploads() == ()
    assert await rig.ledger.jobs() == []
    for bucket in ("cold-125", "logs-125"):
        assert (await rig.store.list_objects(Bucket(bucket))).objects == ()
    assert [(entry.action, entry.outcome, entry.detail) for entry in rig.entries] == [("check-job", "done", "passed")]


async def test_the_manifests_etag_is_told_and_kept_to() -> None:
    rig = Rig()
    await rig.fill()
    checked = await rig.check()
    etag = checked.request.manifest.location.etag
    assert etag
    location = {**JOB["manifest"]["location"], "etag": "0" * 32}
    other = await rig.check(manifest={**JOB["manifest"], "location": location})
    check = named(other)[CheckName.MANIFEST]
    assert (check.outcome, etag in check.detail) == (CheckOutcome.FAILED, True)
    assert len(rig.estimated) == 1


@pytest.mark.parametrize("rows", [b"source-125\n", b""])
async def test_a_manifest_with_faults_is_an_answer(rows: bytes) -> None:
    rig = Rig()
    await rig.fill(rows)
    assert named(await rig.check())[CheckName.MANIFEST].outcome is CheckOutcome.FAILED


async def test_a_manifest_that_is_not_there_is_an_answer() -> None:
    checked = await Rig().check()
    assert named(checked)[CheckName.MANIFEST].outcome is CheckOutcome.FAILED
    assert checked.estimate is None


async def test_a_role_is_assumed_for_the_manifest_and_then_for_its_bucket() -> None:
    rig = Rig()
    await rig.fill()
    checked = await rig.check(role_arn="")
    assert "names no role" in named(checked)[CheckName.ROLE].detail
    sources = [
        [access.bucket for access in accesses if access.purpose is Purpose.SOURCE_READ] for accesses in rig.assumed
    ]
    assert sources == [[None], ["source-125"]]


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [(RoleRefusal.NOT_ALLOWED, CheckOutcome.FAILED), (RoleRefusal.UNAVAILABLE, CheckOutcome.UNKNOWN)],
)
async def test_a_role_that_cannot_be_assumed(reason: RoleRefusal, outcome: CheckOutcome) -> None:
    rig = Rig(deletes_allowed=True)
    rig.refusal = RoleNotAssumed(reason, "not for you")
    found = named(await rig.check(role_arn=ARN))
    assert found[CheckName.ROLE].outcome is outcome
    assert found[CheckName.MANIFEST].outcome is CheckOutcome.UNKNOWN


async def test_buckets_that_the_role_may_not_write_are_an_answer() -> None:
    rig = Rig(deletes_allowed=True)
    rig.writable = (Bucket("logs-125"),)
    await rig.fill()
    checked = await rig.check(role_arn=ARN)
    refused = named(checked)[CheckName.ALLOWED_BUCKETS]
    assert (refused.outcome, refused.value) == (CheckOutcome.FAILED, "cold-125")


async def test_a_deletion_that_is_not_allowed_is_an_answer() -> None:
    rig = Rig()
    await rig.fill()
    checked = await rig.check(operation={"cos_delete_object": {}})
    failed = [check for check in checked.preflight.checks if check.outcome is CheckOutcome.FAILED]
    assert [check.name for check in failed] == [CheckName.DELETES, CheckName.DELETES]
    assert any("deletes_allowed" in check.way_out for check in failed)


async def test_faults_of_the_request_are_no_answer() -> None:
    with pytest.raises(InvalidArgument, match="no registry of roles"):
        await Rig().check(role_arn=ARN)


async def test_who_only_looks_may_not_check() -> None:
    rig = Rig()
    request = parse_job(without_places(job_content(**JOB))).request
    with pytest.raises(NotAllowed):
        await rig.checker.check_job(request, caller=caller_of("mine", role=UserRole.VIEWER))
    assert [entry.outcome for entry in rig.entries] == ["refused"]
    assert rig.assumed == []


async def test_the_same_job_in_other_words() -> None:
    rig = Rig()
    await rig.fill()
    checked = await rig.check()
    words = checked.equivalents
    assert parse_job(Document(content=json.loads(words.json), lines={})).request == checked.request
    call = read_create_job(words.xml.encode())
    assert not [fault for fault in call.faults if fault.path != "RoleArn"]
    content = {name: call.content[name] for name in ("manifest", "operation", "report")}
    assert content["manifest"]["location"]["etag"].strip('"') == checked.request.manifest.location.etag
    assert words.cli().startswith("cat > job.yaml <<'END_OF_JOB'\n{\n")
    assert words.cli().endswith("END_OF_JOB\ncosbatch run job.yaml\n")
    there = words.cli(server="https://batch.example.com:8443")
    assert there.startswith(words.file)
    assert "COSBATCH_API_TOKEN" in there
    assert there.endswith("\ncosbatch create-job job.yaml --server https://batch.example.com:8443\n")
    assert json.loads(words.json) == request_document(checked.request)


async def test_what_was_found_of_a_job_is_its_accounts() -> None:
    rig = Rig()
    request = parse_job(without_places(job_content(**JOB))).request
    job = await rig.ledger.create(request, job_id=new_job_id(), account=ME.account.id, token="", digest="d")
    assert await rig.checker.job_preflight(job.id, caller=ME) is None
    found = Preflight(checked_at=1.0, checks=())
    await rig.ledger.preflights.keep_preflight(job.id, found)
    assert await rig.checker.job_preflight(job.id, caller=ME) == found
    with pytest.raises(NoSuchJob):
        await rig.checker.job_preflight(job.id, caller=caller_of("theirs"))
