"""A job that is not made is checked against a real store, as the service does it, and nothing is left there."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest

from cosbatch.ledger.sql_ledger import open_sqlite_ledger
from cosbatch.model.clock import SystemClock
from cosbatch.model.identifiers import Bucket
from cosbatch.model.preflight import CheckName, CheckOutcome
from cosbatch.model.principals import LOCAL_CALLER
from cosbatch.service.documents import Document
from cosbatch.service.job_checks import JobChecked
from cosbatch.service.job_schema import parse_job
from cosbatch.settings import load_settings
from cosbatch.wiring.job_checks import job_checker
from cosbatch.wiring.service import job_service
from cosbatch.wiring.stores import open_stores
from tests.e2e.program import Ground
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(300)


def check(ground: Ground, document: dict[str, Any]) -> JobChecked:
    async def ask() -> JobChecked:
        settings, data, clock = load_settings(ground.folder / "cosbatch.yaml"), ground.folder / "state", SystemClock()
        data.mkdir(exist_ok=True)
        ledger = await open_sqlite_ledger(data)
        try:
            async with open_stores(settings, clock=clock, kept=ledger.regions) as stores:
                checker = job_checker(
                    settings,
                    data,
                    ledger=ledger,
                    service=job_service(settings, ledger, stores, desk=None),
                    stores=stores,
                    desk=None,
                    clock=clock,
                    record=ledger.people.record,
                )
                request = parse_job(Document(content=document, lines={})).request
                return await checker.check_job(request, caller=LOCAL_CALLER)
        finally:
            await ledger.close()

    return asyncio.run(ask())


def test_a_job_that_is_well_and_one_that_is_not(seaweedfs_store: RealStore, tmp_path: Path) -> None:
    ground = Ground(seaweedfs_store, tmp_path, f"chk{uuid.uuid4().hex[:8]}")
    keys = [f"a/{number} b" for number in range(10)]
    ground.put(keys)
    arn = ground.csv(keys)

    well = check(ground, ground.document(arn))
    found = {found.name: found for found in well.preflight.checks}
    assert [one for one in found.values() if one.outcome is CheckOutcome.FAILED] == []
    for name in (CheckName.MANIFEST, CheckName.FIRST_ROWS, CheckName.DESTINATION_WRITABLE, CheckName.REPORT_WRITABLE):
        assert found[name].outcome is CheckOutcome.PASSED, found[name]

    gone = check(ground, ground.document(ground.csv([f"gone/{number}" for number in range(10)], name="gone.csv")))
    assert [one.name for one in gone.preflight.checks if one.outcome is CheckOutcome.FAILED] == [CheckName.FIRST_ROWS]

    nowhere = check(ground, ground.document(arn, copy={"target_resource": "arn:aws:s3:::no-such-bucket-here"}))
    failed = [one.name for one in nowhere.preflight.checks if one.outcome is CheckOutcome.FAILED]
    assert failed == [CheckName.DESTINATION_BUCKET]

    assert ground.keys_in(ground.target) == set()
    for bucket in (ground.target, ground.control):
        assert not ground.client.list_multipart_uploads(Bucket=Bucket(bucket)).get("Uploads")
