"""The capability profiles are true: each option is tried on each store, and the documentation says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from cosbatch.model.clock import SystemClock
from cosbatch.model.regions import Versioning
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.probe import EMULATIONS, Finding, ProbeReport, probe_store
from cosbatch.storage.profiles import PROFILES, Option, Support
from tests.contract.option_table import render_page
from tests.contract.stores import GAPS, Gap, Subject
from tests.stores import RealStore

DOCS = Path(__file__).parents[2] / "docs" / "store-options.md"


def differences(report: ProbeReport, name: str) -> dict[str, str]:
    """Lines of the profile that are not what was found; ``applied`` where the profile says less: promote it."""
    found = {str(option): str(support) for option, support in report.overrides(PROFILES[name]).items()}
    if Gap.GRANTS_SHUT_THE_OWNER_OUT in GAPS.get(name, ()):
        assert found.pop("grants", "applied") == "applied"
    return found


async def test_profile_is_true(subject: Subject) -> None:
    bucket = subject.bucket(versioning=Versioning.ENABLED)
    report = await probe_store(subject.store, bucket)
    assert differences(report, subject.store.profile.name) == {}
    assert report.left_behind == ()
    unknown = [option for option in Option if report.findings[option].finding is Finding.UNKNOWN]
    assert unknown == [Option.RESTORE]


async def test_profile_is_true_of_unversioned_buckets(subject: Subject) -> None:
    report = await probe_store(subject.store, subject.bucket(), prefix="deep/ü/")
    assert differences(report, subject.store.profile.name) == {}
    assert report.findings[Option.VERSIONS].finding is Finding.UNKNOWN


async def test_probe_leaves_nothing_behind(subject: Subject) -> None:
    bucket = subject.bucket(versioning=Versioning.ENABLED)
    await probe_store(subject.store, bucket)
    assert (await subject.store.list_versions(bucket)).objects == ()
    assert (await subject.store.list_uploads(bucket)).uploads == ()


@pytest.mark.parametrize("name", ["seaweedfs", pytest.param("ceph", marks=pytest.mark.system)])
def test_restore_is_refused_where_the_profile_says_so(request: pytest.FixtureRequest, name: str) -> None:
    real: RealStore = request.getfixturevalue(f"{name}_store")
    assert PROFILES[name].supports(Option.RESTORE) is Support.REFUSED
    admin = real.admin()
    admin.create_bucket(Bucket="contract-restore")
    try:
        admin.put_object(Bucket="contract-restore", Key="k", Body=b"1")
        with pytest.raises(ClientError):
            admin.restore_object(Bucket="contract-restore", Key="k", RestoreRequest={"Days": 1})
    finally:
        admin.delete_object(Bucket="contract-restore", Key="k")
        admin.delete_bucket(Bucket="contract-restore")


@pytest.mark.parametrize("name", PROFILES)
async def test_memory_store_plays_every_profile(name: str) -> None:
    """What a profile does not call applied, the store in memory ignores, as such a store would."""
    store = MemoryStore(profile=PROFILES[name], clock=SystemClock())
    bucket = store.create_bucket("b", versioning=Versioning.ENABLED)
    assert differences(await probe_store(store, bucket), name) == {}


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_emulated_can_be(name: str) -> None:
    """The request that stands in for an option is one that the store applies."""
    profile = PROFILES[name]
    for option in Option:
        if profile.supports(option) is Support.EMULATED:
            needed = EMULATIONS[option]
            assert needed is None or profile.supports(needed) is Support.APPLIED


def test_documentation_shows_the_same() -> None:
    assert DOCS.read_text() == render_page(), "run: python -m tests.contract.option_table > docs/store-options.md"
