"""What stops a job before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from cosbatch.model.errors import FailureCode, JobFailure, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, RegionName
from cosbatch.model.jobs import PlanFindings
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import Provider, Region, Versioning
from cosbatch.model.reports import ReportSpec
from cosbatch.operations.checks import raise_failed
from cosbatch.operations.preflight import Ground, look_before_start
from cosbatch.operations.preflight_sites import names_its_regions
from cosbatch.operations.target_key import overlap_rule
from cosbatch.operations.write_check import WriteCheck, WriteTried
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import PROFILES, Option, Support
from tests.unit.operations.copy_rig import REGION, SOURCE, TARGET, HandClock, job_request

HERE = Region(
    name=REGION, provider=Provider.S3, endpoint="http://127.0.0.1:1", profile="s3", signing_region="us-east-1"
)


class RefusingStore:
    """A store in memory that answers some questions with an error."""

    def __init__(self, inner: MemoryStore, refusals: Mapping[str, Exception]) -> None:
        self._inner = inner
        self._refusals = refusals
        self.profile = inner.profile

    def __getattr__(self, name: str) -> Any:
        if name not in self._refusals:
            return getattr(self._inner, name)

        async def refuse(*_: Any, **__: Any) -> None:
            raise self._refusals[name]

        return refuse


def store(*buckets: str, profile: str = "s3", region: str = "us-east-1") -> MemoryStore:
    made = MemoryStore(profile=PROFILES[profile], clock=HandClock())
    for name in buckets:
        made.create_bucket(name, region=region, versioning=Versioning.ENABLED if name == TARGET else Versioning.NEVER)
    return made


async def may_write(_: WriteCheck) -> WriteTried:
    return WriteTried()


async def findings_of(ground: Ground) -> PlanFindings:
    """As the planner has it: raises with every failed check."""
    found = await look_before_start(ground, ask_write=may_write, waits=True)
    raise_failed(found.checks)
    return found.findings


async def prepare(
    source: Any,
    *,
    region: Region = HERE,
    report: ObjectStore | None = None,
    report_keys: Sequence[ObjectKey] = (),
    **changes: Any,
) -> PlanFindings:
    spec = ReportSpec(enabled=report is not None, bucket=Bucket("reports"))
    request = job_request(replace(PutObjectCopy(target_bucket=TARGET), **changes), report=spec)
    return await findings_of(
        Ground(
            request=request,
            source_bucket=SOURCE,
            source=source,
            target=source,
            report=report,
            report_keys=report_keys,
            source_region=region,
            target_region=region,
        )
    )


async def test_findings_have_the_versioning_of_both_buckets() -> None:
    assert await prepare(store(SOURCE, TARGET)) == PlanFindings(
        source_bucket=SOURCE,
        source_versioning=Versioning.NEVER,
        target_versioning=Versioning.ENABLED,
        manifest_etag="e",
    )


async def test_one_bucket_is_asked_once() -> None:
    findings = await prepare(store(SOURCE), target_bucket=SOURCE)
    assert findings.target_versioning is Versioning.NEVER


@pytest.mark.parametrize(
    ("buckets", "code", "path"),
    [
        ((TARGET,), FailureCode.SOURCE_NOT_FOUND, "Manifest.Location"),
        ((SOURCE,), FailureCode.TARGET_NOT_FOUND, "Operation.COSPutObjectCopy.TargetResource"),
    ],
)
async def test_a_missing_bucket(buckets: tuple[str, ...], code: FailureCode, path: str) -> None:
    with pytest.raises(JobFailure) as caught:
        await prepare(store(*buckets))
    assert caught.value.failure_code is code
    assert [fault.path for fault in caught.value.faults] == [path]


async def prepare_two(source: dict[str, StorageError], target: dict[str, StorageError]) -> PlanFindings:
    """A job from one store to another, each of which refuses some questions."""
    far = RegionName("far")
    return await findings_of(
        Ground(
            request=job_request(PutObjectCopy(target_bucket=TARGET, target_region=far)),
            source_bucket=SOURCE,
            source=cast(ObjectStore, RefusingStore(store(SOURCE), source)),
            target=cast(ObjectStore, RefusingStore(store(TARGET), target)),
            report=None,
            source_region=HERE,
            target_region=replace(HERE, name=far),
        )
    )


async def test_a_bucket_that_is_only_read_is_not_asked_for_its_versioning() -> None:
    denied = StorageError(StorageReason.ACCESS_DENIED, "no", http_status=403)
    findings = await prepare_two({"versioning": denied}, {})
    assert findings.target_versioning is Versioning.ENABLED
    with pytest.raises(JobFailure) as caught:
        await prepare_two({}, {"versioning": denied})
    assert [fault.path for fault in caught.value.faults] == ["Operation"]


async def test_a_store_without_versions_is_not_asked_for_its_versioning() -> None:
    source = store(SOURCE)
    source.profile = source.profile.with_overrides({Option.VERSIONS: Support.REFUSED})
    not_there = StorageError(StorageReason.NOT_IMPLEMENTED, "no", http_status=501)
    refusing = RefusingStore(source, {"versioning": not_there})
    assert (await prepare(refusing, target_bucket=SOURCE)).target_versioning is Versioning.NEVER


async def test_a_missing_report_bucket() -> None:
    with pytest.raises(JobFailure) as caught:
        await prepare(store(SOURCE, TARGET), report=store())
    assert caught.value.failure_code is FailureCode.REPORT_BUCKET_NOT_FOUND


@pytest.mark.parametrize(
    ("prefix", "problem"),
    [("rep//x y/", "takes no keys like rep//x y/job-1/manifest.json"), ("r/" * 510, "have up to")],
)
async def test_a_report_that_the_store_cannot_keep(prefix: str, problem: str) -> None:
    reports = store("reports", profile="seaweedfs")
    keys = [ObjectKey(f"{prefix}job-1/{name}") for name in ("manifest.json", "results/succeeded-00000.csv")]
    with pytest.raises(JobFailure, match=problem) as caught:
        await prepare(store(SOURCE, TARGET), report=reports, report_keys=keys)
    assert caught.value.failure_code is FailureCode.UNSUPPORTED_OPTION
    assert [fault.path for fault in caught.value.faults] == ["Report.Prefix"]
    await prepare(store(SOURCE, TARGET), report=reports, report_keys=[ObjectKey("rep/job-1/manifest.json")])


async def test_a_bucket_in_another_region_names_both() -> None:
    with pytest.raises(JobFailure) as caught:
        await prepare(store(SOURCE, TARGET, region="eu-west-1"))
    assert all("is in eu-west-1" in fault.problem and "is us-east-1" in fault.problem for fault in caught.value.faults)
    assert caught.value.failure_code is FailureCode.REGION_MISMATCH


async def test_regions_of_a_store_of_ones_own_stay_unchecked() -> None:
    mine = replace(HERE, profile="minio")
    assert not names_its_regions(mine)
    assert names_its_regions(replace(HERE, provider=Provider.COS, profile="cos"))
    assert await prepare(store(SOURCE, TARGET, region="default"), region=mine)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (StorageReason.ACCESS_DENIED, FailureCode.ROLE_LACKS_PERMISSION),
        (StorageReason.WRONG_REGION, FailureCode.REGION_MISMATCH),
        (StorageReason.INVALID_REQUEST, FailureCode.ROLE_LACKS_PERMISSION),
    ],
)
@pytest.mark.parametrize("question", ["bucket_region", "versioning"])
async def test_a_refused_question(question: str, reason: StorageReason, code: FailureCode) -> None:
    refusing = RefusingStore(store(SOURCE, TARGET), {question: StorageError(reason, "no", http_status=403)})
    with pytest.raises(JobFailure) as caught:
        await prepare(refusing)
    assert caught.value.failure_code is code


async def test_a_store_that_does_not_answer_is_no_fault_of_the_job() -> None:
    refusing = RefusingStore(store(SOURCE, TARGET), {"bucket_region": StorageError(StorageReason.REFUSED, "no")})
    with pytest.raises(StorageError):
        await prepare(refusing)


async def test_options_and_buckets_are_faults_together() -> None:
    with pytest.raises(JobFailure) as caught:
        await prepare(store(SOURCE, profile="minio"), storage_class="COLD", unmodified_since_constraint=0)
    assert caught.value.failure_code is FailureCode.UNSUPPORTED_OPTION
    assert len(caught.value.faults) == 2
    assert caught.value.reason == "the job has 2 faults"


async def test_the_reason_fits_the_wire() -> None:
    with pytest.raises(JobFailure) as caught:
        await prepare(store(SOURCE, TARGET, profile="cos"), storage_class="é" * 300)
    assert len(caught.value.reason.encode()) <= 256


def test_the_planner_finds_the_prefix_rule_here() -> None:
    params = PutObjectCopy(target_bucket=SOURCE, prefix_replace=True, target_key_prefix="copy/")
    refuses = overlap_rule(params, source_bucket=SOURCE, in_one_region=True)
    assert refuses is not None
    assert refuses(ObjectKey("copy/x"))
    far = replace(params, target_region=RegionName("far"))
    assert overlap_rule(far, source_bucket=SOURCE, in_one_region=False) is None
