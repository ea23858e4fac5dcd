"""Jobs over the JSON API: made, described, changed, deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.service.job_builders import job_content
from tests.wire.rest_rig import ETAG, VIEWER, RestRig, rest_rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    async with rest_rig(tmp_path) as made:
        yield made


async def test_a_job_is_made_and_described(rig: RestRig) -> None:
    made = await rig.call("POST", "/jobs", json=job_content(description="夜间归档", confirmation_required=True))
    assert made.status_code == 201, made.text
    job = made.json()
    assert made.headers["location"] == f"/api/v1/jobs/{job['job_id']}"
    assert (job["status"], job["priority"], job["description"]) == ("New", 10, "夜间归档")
    assert job["request"]["manifest"]["location"]["etag"] == ETAG
    assert job["creation_time"] == "2023-11-14T22:13:20.000Z"
    assert job["actions"] == ["cancel", "change_priority"]
    described = await rig.call("GET", f"/jobs/{job['job_id']}", by=VIEWER)
    assert described.json() == job
