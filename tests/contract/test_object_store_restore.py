"""Asking for archived objects back, held against the adapters whose stores know archived classes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cosbatch.model.errors import StorageReason
from cosbatch.model.identifiers import Bucket, ObjectRef
from cosbatch.model.operations import RestoreTier
from cosbatch.storage.disposition import Action, disposition
from cosbatch.storage.port import PutOptions, RestoreOutcome
from tests.contract.stores import Subject, at, cos_subject, memory_subject, real_subject, refused
from tests.moto_store import moto_store as moto_store

ARCHIVED = {"memory": "GLACIER", "s3": "GLACIER", "cos": "ARCHIVE"}
"""A class of each."""


@pytest.fixture(params=["memory", "cos", "moto"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "memory":
        yield memory_subject()
        return
    if request.param == "cos":
        async with cos_subject() as standing_in:
            yield standing_in
        return
    async with real_subject(request.getfixturevalue("moto_store")) as real:
        yield real


async def archived(subject: Subject, key: str = "dir/ü+ b") -> ObjectRef:
    ref = at(subject.bucket(), key)
    await subject.store.put(ref, b"cold", options=PutOptions(storage_class=ARCHIVED[subject.name]))
    return ref


async def test_the_first_request_begins_it(subject: Subject) -> None:
    ref = await archived(subject)
    assert (await subject.store.head(ref)).restore == ""
    assert await subject.store.restore(ref, days=3, tier=RestoreTier.BULK) is RestoreOutcome.BEGUN
    assert (await subject.store.head(ref)).restore.startswith("ongoing-request=")


async def test_a_second_request_while_the_first_is_worked_on(subject: Subject) -> None:
    if subject.name == "s3":
        return  # moto restores at once
    ref = await archived(subject)
    await subject.store.restore(ref, days=3, tier=RestoreTier.BULK)
    error = await refused(subject.store.restore(ref, days=3, tier=RestoreTier.BULK))
    assert (error.reason, error.http_status) == (StorageReason.RESTORE_IN_PROGRESS, 409)


async def test_not_archived(subject: Subject) -> None:
    ref = at(subject.bucket(), "warm")
    await subject.store.put(ref, b"1")
    error = await refused(subject.store.restore(ref, days=3, tier=RestoreTier.BULK))
    words = ("RestoreNonArchiveObject", 405) if subject.name == "cos" else ("InvalidObjectState", 403)
    assert (error.reason, error.code, error.http_status) == (StorageReason.INVALID_OBJECT_STATE, *words)
    assert disposition(error, writes=True).action is Action.FAIL_TASK


async def test_nothing_there(subject: Subject) -> None:
    ref = at(subject.bucket(), "none")
    error = await refused(subject.store.restore(ref, days=3, tier=RestoreTier.STANDARD))
    assert (error.reason, error.http_status) == (StorageReason.NO_SUCH_KEY, 404)


async def test_missing_bucket(subject: Subject) -> None:
    ref = at(Bucket("contract-of-nobody"), "k")
    error = await refused(subject.store.restore(ref, days=3, tier=RestoreTier.STANDARD))
    assert error.reason is StorageReason.NO_SUCH_BUCKET
