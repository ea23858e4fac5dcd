"""What must hold of the retry of a job, whatever had befallen it: its manifest lists every task that failed, and beside
those only versions that have to follow one of them."""

from __future__ import annotations

from collections import Counter
from urllib.parse import unquote

from cosbatch.ledger.port import JobLedger
from cosbatch.manifests.kept import KeptStore, drop_kept
from cosbatch.manifests.reader import read_manifest
from cosbatch.model.errors import IllegalMove, NoSuchResults
from cosbatch.model.identifiers import RegionName
from cosbatch.model.jobs import Job
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import LOCAL_CALLER
from cosbatch.model.regions import Provider, Region
from cosbatch.service.follow_up import FollowUp
from cosbatch.service.service import JobService
from cosbatch.storage.spool import Spool
from tests.simulation.invariants import require
from tests.simulation.rig import HERE, THERE, Report

Named = tuple[str, str]
"""Key and version."""


async def check_retry(job: Job, report: Report, *, ledger: JobLedger, spool: Spool) -> None:
    """The retry is made and not run. Of a dry run there is none."""
    failed = [row for row in report.rows if row[3] == "failed" and row[4] != "NotLatestVersion"]
    expected = Counter((unquote(row[1]), row[2]) for row in failed)
    desk = FollowUp(JobService(ledger, regions=_REGIONS, look=_look), ledger=ledger, spool=spool)
    try:
        made = (await desk.retry_failed(job.id, caller=LOCAL_CALLER)).job
    except IllegalMove:
        require(job.request.dry_run, "a job that has ended is not to be retried")
        return
    except NoSuchResults:
        require(not expected, f"{len(expected)} tasks failed, and none can be retried")
        return
    require(not job.request.dry_run, "what was never done is retried")
    listed = await _listed(made.request.manifest, spool)
    require(not expected - Counter(listed), f"failed, and not retried: {expected - Counter(listed)}")
    others = Counter(listed) - expected
    failed_keys = {key for key, _ in expected}
    strange = [name for name in others if not name[1] or name[0] not in failed_keys]
    require(not strange, f"retried, and did not fail: {strange}")
    succeeded = {(unquote(row[1]), row[2]) for row in report.by_status("succeeded")}
    require(set(others) <= succeeded, "a task that was never sent is retried")
    await drop_kept(spool, made.id)


async def _listed(manifest: Manifest, spool: Spool) -> list[Named]:
    reading = await read_manifest(manifest, KeptStore(spool, manifest.location))
    return [(row.key, row.version_id or "") async for batch in reading.batches() for row in batch]


async def _look(manifest: Manifest, *, region: RegionName) -> str:
    raise AssertionError("the manifest of a retry is in no store")


_REGIONS = {
    name: Region(name=name, provider=Provider.S3, endpoint=f"http://{name}", profile="s3", signing_region="us-east-1")
    for name in (HERE, THERE)
}
