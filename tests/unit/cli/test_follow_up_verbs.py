"""Retries, clones, reports once more and downloads, on the command line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cosbatch.model.identifiers import JobId
from cosbatch.model.principals import LOCAL_CALLER
from cosbatch.model.reports import ReportState
from tests.unit.cli.cli_rig import CliRig
from tests.unit.service.ended_jobs import Outcome, end, work
from tests.unit.service.job_builders import job_request

RESULTS: list[list[Outcome]] = [[("a b", ""), ("é", "NoSuchKey")], [("c", "AccessDenied")]]


@pytest.fixture
def rig(tmp_path: Path) -> CliRig:
    made = CliRig(tmp_path)
    made.settings_file.write_text(made.settings_file.read_text().replace("local:", "ap-guangzhou:"))
    return made


@pytest.fixture
def ended(rig: CliRig) -> JobId:
    return asyncio.run(ended_job(rig))


async def ended_job(rig: CliRig) -> JobId:
    ledger, spool = rig.wiring.ledger, rig.wiring.spool
    request = job_request()
    job_id = JobId("019ac01f-7b00-7000-8000-0123456789ab")
    await ledger.create(request, job_id=job_id, account=LOCAL_CALLER.account.id, token=job_id, digest="d")
    await work(ledger, spool, job_id, RESULTS)
    await end(ledger, job_id, state=ReportState.FAILED)
    return job_id


def told(rig: CliRig, *arguments: str) -> dict[str, Any]:
    result = rig.call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_retry_is_a_job_of_what_failed(rig: CliRig, ended: JobId) -> None:
    made = told(rig, "retry-failed", ended, "--code", "NoSuchKey", "--priority", "7")
    location = made["job"]["manifest"]["location"]
    assert (made["is_new"], made["job"]["status"], made["job"]["priority"]) == (True, "New", 7)
    assert made["job"]["description"] == f"Retry of {ended}"
    assert location["retry_of"] == {"job_id": ended, "error_code": "NoSuchKey"}
    shown = rig.call("describe-job", made["job"]["job_id"]).stdout
    assert f"what failed in job {ended} with NoSuchKey" in shown


def test_it_is_told_in_words_too(rig: CliRig, ended: JobId) -> None:
    result = rig.call("retry-failed", ended, "--token", "once")
    assert result.exit_code == 0
    assert result.stdout.endswith(" is New, priority 10\n")
    again = rig.call("retry-failed", ended, "--token", "once")
    assert again.stdout == result.stdout.replace("10\n", "10 (made before, under this token)\n")


@pytest.mark.parametrize("verb", ["retry-failed", "clone-job"])
def test_follow_ups_are_checked_on_the_folder_itself(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder's own ledger is asked, which another one than this rig's works on."""
    for name in ("ID", "SECRET"):
        monkeypatch.setenv(name, "x")
    rig = CliRig(tmp_path)
    (rig.folder / "state").mkdir()
    refused = rig.call(verb, "019ac01f-7b00-7000-8000-0123456789ab", "--check")
    assert (refused.exit_code, "there is no job 019ac01f" in refused.stderr) == (2, True)


def test_what_cannot_be_retried_is_bad_input(rig: CliRig, ended: JobId) -> None:
    result = rig.call("retry-failed", ended, "--code", "SlowDown")
    assert result.exit_code == 2
    assert "AccessDenied, NoSuchKey" in result.stderr


def test_a_clone_with_changes_from_a_file(rig: CliRig, ended: JobId, tmp_path: Path) -> None:
    changes = tmp_path / "changes.yaml"
    changes.write_text("report: {prefix: elsewhere}\nverify: all\npriority: 3\n")
    rig.wiring.etag = "e2"
    result = rig.call("clone-job", ended, "--changes", str(changes), "--confirm", "--priority", "4")
    assert result.exit_code == 0, result.output
    assert "another one than that of the old job" in result.stderr
    job = rig.described_jobs()[0]
    assert (job["report"]["prefix"], job["verify"], job["priority"]) == ("elsewhere", "all", 4)
    assert (job["confirmation_required"], job["manifest"]["location"]["etag"]) == (True, "e2")


def test_changes_that_cannot_be_read(rig: CliRig, ended: JobId, tmp_path: Path) -> None:
    missing = rig.call("clone-job", ended, "--changes", str(tmp_path / "none.yaml"))
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (2, True)
    (tmp_path / "odd.yaml").write_text("nonsense: 1\n")
    odd = rig.call("clone-job", ended, "--changes", str(tmp_path / "odd.yaml"))
    assert (odd.exit_code, "nonsense" in odd.stderr) == (2, True)


def test_a_report_is_asked_for_again(rig: CliRig, ended: JobId) -> None:
    result = rig.call("redeliver-report", ended)
    assert result.stdout == f"Job {ended} is Complete; its report: not delivered yet\n"
    assert told(rig, "redeliver-report", ended)["report_state"] == "pending"


def test_results_are_printed(rig: CliRig, ended: JobId) -> None:
    rows = rig.call("report", ended).stdout.splitlines()
    assert [row.split(",")[1] for row in rows] == ["a%20b", "%C3%A9", "c"]
    assert len(rig.call("report", ended, "--failed").stdout.splitlines()) == 2
    lines = rig.call("report", ended, "--code", "NoSuchKey", "--json").stdout.splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["é"]


def test_the_summary_is_printed(rig: CliRig, ended: JobId) -> None:
    assert "failures.NoSuchKey,1\n" in rig.call("report", ended, "--summary").stdout
    assert told(rig, "report", ended, "--summary")["failed"] == 2


def test_a_file_is_written_once(rig: CliRig, ended: JobId, tmp_path: Path) -> None:
    target = tmp_path / "results.csv"
    assert rig.call("report", ended, "--output", str(target)).exit_code == 0
    assert target.read_bytes().startswith(b"raw-125,a%20b,,succeeded,,200,Successful\n")
    again = rig.call("report", ended, "--failed", "--output", str(target))
    assert (again.exit_code, "File exists" in again.stderr) == (2, True)
    assert len(target.read_bytes().splitlines()) == 3


@pytest.mark.parametrize("verb", ["retry-failed", "clone-job", "redeliver-report", "report"])
def test_a_job_that_is_not_there(rig: CliRig, verb: str) -> None:
    result = rig.call(verb, "nothing")
    assert (result.exit_code, "there is no job nothing" in result.stderr) == (2, True)
