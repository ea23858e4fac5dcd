"""The samples of the how-to pages are run, from top to bottom, on one service: REST, SDK and CLI, and each page, beside
the others."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from cosbatch.client import Client, HttpTransport
from tests.e2e.counting_proxy import CountingProxy
from tests.e2e.doc_samples import NOT_RUN, Sample, samples_of
from tests.e2e.program import PROGRAM, Ground
from tests.e2e.service import Service, start_service
from tests.stores import RealStore

PAGES: Final = ("verbs.md", "sdk.md", "network-cli.md")
SCOPES: Final = ("--scope", "jobs:write", "--scope", "admin")
WAYS: Final = ("REST", "SDK", "CLI")
KEYS: Final = [f"2026/{number:03d}.log" for number in range(20)]
TARGET: Final = "web-logs-copy"
WAIT_SECONDS: Final = 120
SHELL_ENDS: Final = (
    "\ndeclare -p | grep -E '^declare -[-x]+ ([A-Z]+_ID|COSBATCH_[A-Z_]+)=' > vars; declare -f >> vars\n"
)
"""What one sample leaves to the next one: ids, what it has exported for cosbatch, functions."""


@dataclass(slots=True)
class SlowTarget:
    """Jobs that are to be paused last until then, however long a command takes to start: from the moment in which one
    of them is confirmed until the last one is paused, their copies take their time."""

    proxy: CountingProxy
    not_paused: set[Path]
    """The folders of those who pause a job."""

    def met(self, when: str, *, by: Path) -> None:
        if when == "Suspended":
            self.proxy.hold_back(TARGET, after=0, seconds=2)
        elif when == "Paused":
            self.not_paused.discard(by)
            if not self.not_paused:
                self.proxy.let_go()


@dataclass(slots=True, kw_only=True)
class Reader:
    """Somebody who follows a page one way, in a folder of its own."""

    folder: Path
    environ: Mapping[str, str]
    target: SlowTarget
    names: dict[str, Any] = field(default_factory=dict)

    def follow(self, samples: list[Sample]) -> int:
        """How many samples were run."""
        (self.folder / "vars").touch()
        try:
            self._run(samples)
        finally:
            for client in [made for made in self.names.values() if isinstance(made, Client | HttpTransport)]:
                client.close()
        return sum(not sample.title for sample in samples)

    def _run(self, samples: list[Sample]) -> None:
        for sample in samples:
            if sample.when:
                self._wait(sample)
            if sample.title:
                (self.folder / sample.title).write_text(sample.text)
            elif sample.language == "python":
                self._python(sample)
            else:
                assert sample.language == "sh", f"{sample.place}: nobody knows how to run {sample.language!r}"
                self._shell(sample)

    def _python(self, sample: Sample) -> None:
        code = "\n" * int(sample.place.rpartition(":")[2]) + sample.text
        exec(compile(code, sample.place, "exec", dont_inherit=True), self.names)

    def _shell(self, sample: Sample) -> None:
        script = f". ./vars\n{sample.text}{SHELL_ENDS}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{sample.place}\n{sample.text}\n{done.stdout}\n{done.stderr}"

    def _wait(self, sample: Sample) -> None:
        ends = time.monotonic() + WAIT_SECONDS
        while not _is_there(job := self._job(), when=sample.when):
            assert time.monotonic() < ends, f"{sample.place}: {job}"
            time.sleep(0.1)
        self.target.met(sample.when, by=self.folder)

    def _job(self) -> dict[str, Any]:
        vars_ = dict(line.split("=", 1) for line in (self.folder / "vars").read_text().splitlines() if "_ID=" in line)
        job_id = self.names.get("job_id") or vars_["declare -- JOB_ID"].strip('"')
        url, token = self.environ["COSBATCH_SERVER_URL"], self.environ["COSBATCH_API_TOKEN"]
        answer = httpx.get(f"{url}/api/v1/jobs/{job_id}", headers={"authorization": f"Bearer {token}"})
        return dict(answer.raise_for_status().json())


def _is_there(job: Mapping[str, Any], *, when: str) -> bool:
    if when == "ended":
        return bool(job["is_final"]) and job["report"]["state"] != "pending"
    assert not job["is_final"], job
    return bool(job["status"] == when)


@pytest.fixture
def proxy(seaweedfs_store: RealStore) -> Iterator[CountingProxy]:
    with CountingProxy(seaweedfs_store.endpoint) as proxy:
        yield proxy


@pytest.fixture
def service(seaweedfs_store: RealStore, proxy: CountingProxy, tmp_path: Path) -> Iterator[Service]:
    """The region ``local`` is that of the page whose jobs are paused."""
    ground = Ground(seaweedfs_store, tmp_path, f"docs{uuid.uuid4().hex[:8]}")
    ground.write_settings(
        region={"endpoint": proxy.endpoint, "max_connections": 2},
        others={"lab": seaweedfs_store},
        workers=1,
        poll_seconds=0.1,
    )
    settings = ground.folder / "cosbatch.yaml"
    settings.write_text(settings.read_text().replace("here:", "local:"))
    for bucket in ("web-logs", TARGET, "batch-lists"):
        ground.client.create_bucket(Bucket=bucket)
    for key in KEYS:
        ground.client.put_object(Bucket="web-logs", Key=key, Body=key.encode())
    rows = "".join(f"web-logs,{key}\n" for key in [*KEYS, "2026/gone.log"])
    ground.client.put_object(Bucket="batch-lists", Key="logs.csv", Body=rows.encode())
    yield start_service(ground)
    ground.kill_all()


def of_way(samples: list[Sample], way: str) -> list[Sample]:
    """What somebody runs who goes this way: Python or the shell, and of the tabs one."""
    language = "python" if way == "SDK" else "sh"
    return [sample for sample in samples if sample.tab in ("", way) and (sample.title or sample.language == language)]


@pytest.mark.timeout(600)
def test_every_sample_runs(
    service: Service, proxy: CountingProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = service.ground.call_json("admin", "create-token", "admin", *SCOPES)["token"]
    paths = os.pathsep.join([str(PROGRAM.parent), os.environ["PATH"]])
    environ = {
        "PATH": paths,
        "HOME": str(tmp_path),
        "COSBATCH_SERVER_URL": service.address,
        "COSBATCH_API_TOKEN": token,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    verbs = runnable("verbs.md")
    readers = {way: of_way(verbs, way) for way in WAYS} | {page: runnable(page) for page in PAGES[1:]}
    folders = {name: tmp_path / name if name != "SDK" else tmp_path for name in readers}
    target = SlowTarget(proxy, {folders[way] for way in WAYS})
    with ThreadPoolExecutor(len(readers)) as pool:
        ends = []
        for name, samples in readers.items():
            folders[name].mkdir(exist_ok=True)
            ends.append(pool.submit(Reader(folder=folders[name], environ=environ, target=target).follow, samples))
        ran = sum(end.result() for end in ends)
    assert ran >= len([sample for page in PAGES for sample in runnable(page) if not sample.title])
    assert service.stop() == 0


def runnable(page: str) -> list[Sample]:
    return [sample for sample in samples_of(page) if sample.title != NOT_RUN]


def test_almost_nothing_is_left_out() -> None:
    left_out = [sample for page in PAGES for sample in samples_of(page) if sample.title == NOT_RUN]
    assert len(left_out) == 1


def test_every_section_of_a_verb_shows_the_three_ways() -> None:
    tabs = [sample.tab for sample in samples_of("verbs.md") if sample.tab]
    assert tabs == list(WAYS) * (len(tabs) // 3)
    assert len(tabs) > 45
