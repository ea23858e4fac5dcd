"""Samples of failures name the store's own id of the request that it refused: its operator asks for nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from cosbatch.model.errors import StorageError, StorageReason, Unanswered
from cosbatch.model.jobs import Job, Verify
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.reports import FailureSample
from cosbatch.storage.port import ObjectStore
from tests.simulation.rig import TARGET, Rig, View
from tests.simulation.test_trouble import Between, Call
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

KEYS = ["denied", "fine", "found", "lost", "unread"]


def refusal(request_id: str) -> StorageError:
    return StorageError(StorageReason.ACCESS_DENIED, "no", code="AccessDenied", http_status=403, request_id=request_id)


async def copy(method: Call, source: Any, target: Any, **options: Any) -> Any:
    if source.key == "denied":
        raise refusal("id-of-the-copy")
    outcome = await method(source, target, **options)
    if source.key in ("lost", "found"):
        raise Unanswered("the reply got lost")
    return outcome


async def head(method: Call, ref: Any) -> Any:
    if ref.bucket == TARGET and ref.key in ("lost", "unread"):
        raise refusal(f"id-of-the-look-at-{ref.key}")
    return await method(ref)


async def samples_of(rig: Rig, job: Job) -> dict[str, list[FailureSample]]:
    return await rig.ledger.lists.failure_samples(job.id)


@virtual_time
async def test_the_id_of_the_refused_request_stands_with_the_sample(clock: VirtualClock) -> None:
    rig = Rig(clock)
    store = cast(ObjectStore, Between(rig.store, copy=copy, head=head))
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    rig.start()
    rig.put_objects(KEYS)
    job = await rig.submit(replace(rig.request(rig.csv_manifest(KEYS)), verify=Verify.ALL, failure_threshold=None))
    done = await rig.until(job)
    kept = await samples_of(rig, done)
    assert {code: {sample.key: sample.request_id for sample in samples} for code, samples in kept.items()} == {
        "AccessDenied": {"denied": "id-of-the-copy"},
        "OutcomeUnknown": {"lost": "id-of-the-look-at-lost"},
        "NotVerified": {"unread": "id-of-the-look-at-unread"},
    }
    assert done.tally.succeeded == 2
    await rig.drain()


@virtual_time
async def test_what_was_never_refused_has_none(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.start()
    rig.put_objects(KEYS[:1])
    operation = PutObjectCopy(
        target_bucket=TARGET, prefix_replace=True, resources_prefix="logs/", target_key_prefix="old/"
    )
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS[:1]), operation=operation, failure_threshold=None))
    done = await rig.until(job)
    [sample] = [sample for samples in (await samples_of(rig, done)).values() for sample in samples]
    assert (sample.error_code, sample.request_id) == ("PrefixMismatch", "")
    await rig.drain()
