"""The probe on stores in memory that are what they are told to be."""

from __future__ import annotations

import pytest

from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket
from cosbatch.model.regions import Versioning
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.probe import Finding, probe_store, render_overrides
from cosbatch.storage.profiles import PROFILES, Option, Support


def store_that(**support: str) -> tuple[MemoryStore, Bucket]:
    """A store like S3 but for some options."""
    overrides = {Option(name.replace("_", "-")): Support(value) for name, value in support.items()}
    store = MemoryStore(profile=PROFILES["s3"].with_overrides(overrides), clock=SystemClock())
    return store, store.create_bucket("b", versioning=Versioning.ENABLED)


async def test_store_that_is_as_its_profile_says() -> None:
    report = await probe_store(*store_that())
    assert report.overrides(PROFILES["s3"]) == {}
    assert "no overrides are needed" in render_overrides(report, PROFILES["s3"])


async def test_what_a_further_request_can_do_is_emulated() -> None:
    report = await probe_store(*store_that(tagging_replace="refused", canned_acl="refused", source_dates="refused"))
    assert report.overrides(PROFILES["s3"]) == {
        Option.TAGGING_REPLACE: Support.EMULATED,
        Option.CANNED_ACL: Support.EMULATED,
        Option.SOURCE_DATES: Support.EMULATED,
    }


async def test_what_no_request_can_do_is_refused() -> None:
    report = await probe_store(*store_that(object_acl="refused", canned_acl="refused", sse_aes256="refused"))
    assert report.overrides(PROFILES["s3"]) == {
        Option.OBJECT_ACL: Support.REFUSED,
        Option.CANNED_ACL: Support.REFUSED,
        Option.SSE_AES256: Support.REFUSED,
    }


async def test_store_that_does_more_than_the_profile_says() -> None:
    report = await probe_store(*store_that())
    overrides = report.overrides(PROFILES["ceph"])
    assert overrides[Option.TAGGING_REPLACE] is Support.APPLIED
    assert overrides[Option.SSE_AES256] is Support.APPLIED


async def test_an_error_is_a_finding() -> None:
    report = await probe_store(*store_that(part_copy="refused"))
    found = report.findings[Option.PART_COPY]
    assert found.finding is Finding.REFUSED
    assert "NotImplemented (501)" in found.detail


async def test_overrides_are_yaml_with_reasons() -> None:
    report = await probe_store(*store_that(sse_aes256="refused"))
    lines = render_overrides(report, PROFILES["s3"]).splitlines()
    assert lines[:2] == ["profile: s3", "profile_overrides:"]
    assert lines[2].startswith("  sse-aes256: refused  # ignored: what was made shows")
    assert lines[3].startswith("# not tried: restore: ")


async def test_nothing_is_left_behind_nor_touched() -> None:
    store, bucket = store_that(part_copy="refused")
    store.put_now("b", "other", b"mine")
    report = await probe_store(store, bucket, prefix="scratch/")
    assert [listed.key for listed in (await store.list_versions(bucket)).objects] == ["other"]
    assert store.open_uploads() == ()
    assert report.left_behind == ()


async def test_where_nothing_can_be_written_nothing_is_said() -> None:
    store, _ = store_that()
    with pytest.raises(StorageError) as caught:
        await probe_store(store, Bucket("missing"))
    assert caught.value.reason is StorageReason.NO_SUCH_BUCKET
