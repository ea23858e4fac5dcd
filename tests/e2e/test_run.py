"""``cosbatch run`` on a real store: whole, stopped, paused, cancelled, killed, and run again."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.counting_proxy import CountingProxy
from tests.e2e.program import Ground, kill_group
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(300)
STOP_SECONDS = 120
KEYS = [f"logs/{number // 100:03d}/{number:05d}.log" for number in range(1200)]
ODD = ["a b", "plus+", "100%", "50%25", 'comma,"quote"\'', "中文/日志", "q?m#h", "~&=;", "tab\there", "new\nline"]


@pytest.fixture
def ground(seaweedfs_store: RealStore, tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(seaweedfs_store, tmp_path, f"run{uuid.uuid4().hex[:8]}")
    yield ground
    ground.kill_all()


@pytest.fixture
def proxy(seaweedfs_store: RealStore) -> Iterator[CountingProxy]:
    with CountingProxy(seaweedfs_store.endpoint) as proxy:
        yield proxy


def stuck(ground: Ground, proxy: CountingProxy, *, after: int) -> None:
    """So slow after some copies that signals and other programs, which take their time, still meet it."""
    ground.write_settings(region={"endpoint": proxy.endpoint, "max_connections": 8})
    proxy.hold_back(ground.target, after=after, seconds=2)


def test_every_row_has_one_true_outcome(ground: Ground) -> None:
    ground.put([*KEYS[:300], *ODD])
    listed = [*KEYS[:300], *ODD, "gone/1", "gone/2"]
    job = ground.call_json("run", ground.job_file(ground.csv(listed)), "--yes", expect=3)
    report = ground.report(job["job_id"])
    assert report.keys("succeeded") == sorted([*KEYS[:300], *ODD])
    assert report.keys("failed") == ["gone/1", "gone/2"]
    assert ground.keys_in(ground.target) == {*KEYS[:300], *ODD}
    assert report.summary["failures"][0]["error_code"] == "NoSuchKey"


def test_a_finished_run_tells_its_totals_again(ground: Ground) -> None:
    ground.put(KEYS[:50])
    job_file = ground.job_file(ground.csv(KEYS[:50]))
    first = ground.call_json("run", job_file, "--yes")
    assert ground.call_json("run", job_file, "--yes") == first
    again = ground.call_json("run", job_file, "--yes", "--again")
    assert again["job_id"] != first["job_id"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_all_processes_stops_cleanly_and_the_same_command_goes_on(
    ground: Ground, proxy: CountingProxy, number: signal.Signals
) -> None:
    """As a terminal sends it: Ctrl-C, or its own end. A program that was told to ignore them does so."""
    ground.wrapper = ("env", "--default-signal=INT,HUP")  # the tests themselves may run under nohup
    ground.put(KEYS)
    stuck(ground, proxy, after=200)
    job_file = ground.job_file(ground.csv(KEYS))
    running = ground.start("run", job_file, "--yes")
    ground.wait_for_copies(150)
    os.killpg(running.pid, number)
    assert running.wait(STOP_SECONDS) == 130
    stopped = ground.call_json("describe-job", ground.the_job())
    assert stopped["progress_summary"]["number_of_tasks_succeeded"] == len(ground.keys_in(ground.target))
    proxy.let_go()
    done = ground.call_json("run", job_file, "--yes")
    assert done["progress_summary"]["number_of_tasks_succeeded"] == len(KEYS)
    assert ground.report(done["job_id"]).keys("succeeded") == KEYS


def test_kill_9_of_the_whole_program_and_the_same_command(ground: Ground, proxy: CountingProxy) -> None:
    ground.put(KEYS)
    stuck(ground, proxy, after=300)
    job_file = ground.job_file(ground.csv([*KEYS, "gone"]))
    running = ground.start("run", job_file, "--yes")
    ground.wait_for_copies(250)
    kill_group(running)
    before = ground.keys_in(ground.target)
    assert len(before) < len(KEYS)
    proxy.let_go()
    done = ground.call_json("run", job_file, "--yes", expect=3)
    report = ground.report(done["job_id"])
    assert report.keys("succeeded") == KEYS
    assert report.keys("failed") == ["gone"]
    assert ground.keys_in(ground.target) == set(KEYS)


def test_a_cancel_from_another_terminal(ground: Ground, proxy: CountingProxy) -> None:
    ground.put(KEYS)
    stuck(ground, proxy, after=200)
    running = ground.start("run", ground.job_file(ground.csv(KEYS)), "--yes")
    ground.wait_for_copies(150)
    job_id = ground.the_job()
    ground.call("cancel", job_id, "--reason", "wrong list")
    assert running.wait(STOP_SECONDS) == 4
    report = ground.report(job_id)
    copied = ground.keys_in(ground.target)
    assert set(report.keys("succeeded")) == copied
    assert {KEYS[number] for number in report.not_attempted()} == set(KEYS) - copied
    assert report.summary["not_attempted"] == len(KEYS) - len(copied) > 0
    assert report.summary["status_reason"] == "wrong list"


def test_pause_and_resume_from_another_terminal(ground: Ground, proxy: CountingProxy) -> None:
    ground.put(KEYS)
    stuck(ground, proxy, after=200)
    running = ground.start("run", ground.job_file(ground.csv(KEYS)), "--yes")
    ground.wait_for_copies(150)
    job_id = ground.the_job()
    ground.call("pause", job_id)
    ground.wait_for_status(job_id, "Paused")
    copied = ground.keys_in(ground.target)
    assert len(copied) < len(KEYS)
    assert ground.call_json("describe-job", job_id)["progress_summary"]["number_of_tasks_succeeded"] == len(copied)
    proxy.let_go()
    ground.call("resume", job_id)
    assert running.wait(STOP_SECONDS) == 0
    report = ground.report(job_id)
    assert report.keys("succeeded") == KEYS
    assert (report.summary["succeeded"], report.summary["not_attempted"]) == (len(KEYS), 0)


def test_a_changed_file_with_an_unfinished_run_names_the_job(ground: Ground, proxy: CountingProxy) -> None:
    ground.put(KEYS)
    stuck(ground, proxy, after=150)
    arn = ground.csv(KEYS)
    running = ground.start("run", ground.job_file(arn), "--yes")
    ground.wait_for_copies(100)
    os.kill(running.pid, signal.SIGINT)
    running.wait(STOP_SECONDS)
    job_id = ground.the_job()
    error = ground.call_json("run", ground.job_file(arn, description="another"), "--yes", expect=2)
    assert job_id in str(error)


def test_bad_input_gathers_all_faults(ground: Ground) -> None:
    job_file = ground.job_file("arn:nonsense", copy={"storage_clas": "X"}, priority=-1, region="nowhere")
    error = ground.call_json("run", job_file, "--yes", expect=2)
    paths = " ".join(fault["path"] for fault in error["error"]["faults"])
    for field in ("object_arn", "storage_clas", "priority"):
        assert field in paths


def test_a_manifest_with_faults_touches_nothing(ground: Ground) -> None:
    ground.put(KEYS[:5])
    lines = [f"{ground.source},{key}" for key in KEYS[:5]]
    lines[2] = "another-bucket,key"
    lines[4] = f"{ground.source},bad%zz"
    ground.client.put_object(Bucket=ground.control, Key="bad.csv", Body="\n".join(lines).encode())
    job_file = ground.job_file(f"arn:aws:s3:::{ground.control}/bad.csv")
    job = ground.call_json("run", job_file, "--yes", expect=4)
    assert job["status"] == "Failed"
    assert "bad.csv:3" in job["failure_reasons"][0]["failure_reason"]
    assert "bad.csv:5" in job["failure_reasons"][0]["failure_reason"]
    assert ground.keys_in(ground.target) == set()


def test_no_secret_is_left_anywhere(ground: Ground) -> None:
    ground.put(KEYS[:20])
    job = ground.call_json("run", ground.job_file(ground.csv(KEYS[:20])), "--yes")
    secret = ground.store.secret_key.encode()
    for path in (ground.folder / "state").rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes(), path
    assert ground.store.secret_key not in str(ground.report(job["job_id"]))


def test_nothing_is_left_running(ground: Ground) -> None:
    ground.put(KEYS[:20])
    ground.call("run", ground.job_file(ground.csv(KEYS[:20])), "--yes")
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(ground.folder) in _cmdline(path)]
    assert left == []


def _cmdline(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
