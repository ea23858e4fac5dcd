"""The store under test: one after another, in one suite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.stores import STORES, Subject, cos_subject, memory_subject, real_subject
from tests.stores import ceph_store as ceph_store
from tests.stores import seaweedfs_store as seaweedfs_store


@pytest.fixture(params=STORES)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "memory":
        yield memory_subject()
        return
    if request.param == "cos":
        async with cos_subject() as standing_in:
            yield standing_in
        return
    async with real_subject(request.getfixturevalue(f"{request.param}_store")) as real:
        yield real
