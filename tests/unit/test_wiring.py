"""Values that wiring makes of settings."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from cosbatch.ledger.sql_ledger import open_sqlite_ledger
from cosbatch.model.errors import InvalidArgument
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName
from cosbatch.model.regions import Provider, Region
from cosbatch.settings import LogFormat, Settings, load_settings
from cosbatch.storage.profiles import PROFILES, Option, Support
from cosbatch.wiring import borrowed_store, has_jobs, logging_to_folder, profile_of
from tests.capturing_store import CapturingStore

REGIONS = """\
regions:
  one:
    endpoint: http://one.example
    profile: s3
    signing_region: one
    credentials: {access_key_id: env:TEST_ID, secret_access_key: env:TEST_SECRET, session_token: file:token}
  two:
    endpoint: http://two.example:8080
    profile: s3
    signing_region: two
    credentials: {access_key_id: env:NOT_THERE, secret_access_key: env:NOT_THERE}
"""
FOUND = {"etag": '"e"', "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT"}
REF = ObjectRef(Bucket("the-bucket"), ObjectKey("k"))


def region(**changes: object) -> Region:
    here = {"name": RegionName("r"), "provider": Provider.S3, "endpoint": "http://h", "profile": "ceph"}
    return Region(**{**here, "signing_region": "us-east-1", **changes})  # type: ignore[arg-type]


def test_a_region_has_its_profile() -> None:
    assert profile_of(region()).storage_classes == PROFILES["ceph"].storage_classes


def test_a_region_may_name_its_own_storage_classes() -> None:
    assert profile_of(region(storage_classes=("COLD", "STANDARD"))).storage_classes == {"COLD", "STANDARD"}


def test_single_options_may_be_overridden() -> None:
    overridden = profile_of(region(profile_overrides=(("sse-aes256", "applied"),)))
    assert overridden.supports(Option.SSE_AES256) is Support.APPLIED
    assert overridden.supports(Option.RESTORE) is Support.REFUSED


def test_a_log_line_is_one_object(tmp_path: Path) -> None:
    with logging_to_folder(tmp_path, level="info"):
        structlog.get_logger().info("met", key="a\nb \udcff 中")
    (line,) = (tmp_path / "cosbatch.log").read_text().splitlines()
    assert json.loads(line)["event"] == "met"


def test_a_log_line_may_be_for_eyes(tmp_path: Path) -> None:
    secret = "hush"
    with logging_to_folder(tmp_path, level="info", log_format=LogFormat.CONSOLE):
        structlog.get_logger().info("met", key="a\nb \udcff 中", job_id="j1")
        try:
            raise ValueError(len(secret))
        except ValueError:
            structlog.get_logger().exception("broke")
    met, broke, *traceback = (tmp_path / "cosbatch.log").read_text().splitlines()
    assert met.endswith(r"[info     ] met job_id=j1 key='a\nb \udcff 中'")
    assert broke.endswith("[error    ] broke")
    assert (traceback[0], traceback[-1]) == ("Traceback (most recent call last):", "ValueError: 4")
    assert "hush" not in "\n".join(traceback)


def test_a_log_on_a_full_disk_breaks_nothing_off(tmp_path: Path) -> None:
    (tmp_path / "cosbatch.log").symlink_to("/dev/full")
    with logging_to_folder(tmp_path, level="info"):
        structlog.get_logger().warning("disk-full")


class TestStores:
    @pytest.fixture
    async def proxy(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CapturingStore]:
        for name in ("HTTP_PROXY", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        async with CapturingStore() as running:
            monkeypatch.setenv("http_proxy", running.endpoint)
            yield running

    @pytest.fixture
    def settings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
        monkeypatch.setenv("TEST_ID", "AK")
        monkeypatch.setenv("TEST_SECRET", "SK")
        (tmp_path / "cosbatch.yaml").write_text(REGIONS)
        (tmp_path / "token").write_text("old-token")
        return load_settings(tmp_path / "cosbatch.yaml")

    async def test_a_proxy_of_the_environment_is_used(self, proxy: CapturingStore, settings: Settings) -> None:
        proxy.answer(headers=FOUND)
        async with borrowed_store(settings, RegionName("one")) as store:
            assert (await store.head(REF)).etag == "e"
        assert proxy.requests[0].path == "http://one.example/the-bucket/k"

    async def test_a_proxy_that_is_not_spoken_to_is_named_before_anything_is_sent(
        self, proxy: CapturingStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "socks5://me:hush@proxy.example:1080")
        with pytest.raises(InvalidArgument, match="HTTP_PROXY") as raised:
            async with borrowed_store(settings, RegionName("one")):
                pass
        assert "hush" not in str(raised.value)

    async def test_a_redirect_leads_to_other_regions_of_the_settings(
        self, proxy: CapturingStore, settings: Settings
    ) -> None:
        """With the credentials of the first: those of the other need not even be there."""
        proxy.answer(status=307, headers={"location": "http://two.example:8080/the-bucket/k"})
        proxy.answer(headers=FOUND)
        async with borrowed_store(settings, RegionName("one")) as store:
            await store.head(REF)
        assert [request.path for request in proxy.requests] == [
            "http://one.example/the-bucket/k",
            "http://two.example:8080/the-bucket/k",
        ]
        assert "/two/s3/" in proxy.requests[1].headers["authorization"]

    async def test_credentials_are_read_again_when_they_have_expired(
        self, proxy: CapturingStore, settings: Settings, tmp_path: Path
    ) -> None:
        async with borrowed_store(settings, RegionName("one")) as store:
            (tmp_path / "token").write_text("new-token")
            proxy.answer(b"<Error><Code>ExpiredToken</Code></Error>", status=400)
            await store.delete(REF)
        tokens = [request.headers["x-amz-security-token"] for request in proxy.requests]
        assert tokens == ["old-token", "new-token"]


async def test_others_may_not_read_what_is_in_an_open_folder(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    assert not has_jobs(folder)
    with logging_to_folder(folder, level="info"):
        ledger = await open_sqlite_ledger(folder)
        assert has_jobs(folder)
        await ledger.close()
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"ledger.db", "cosbatch.log"} <= modes.keys()
