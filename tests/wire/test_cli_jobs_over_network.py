"""The command line at a service: jobs that are listed, made, checked and followed by others."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cosbatch.model.states import JobStatus
from tests.wire.rest_rig import VIEWER
from tests.wire.test_cli_over_network import Desk
from tests.wire.test_sdk_follow_up import ended_job


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as desk:
        yield desk


def told(desk: Desk, *arguments: str, expect: int = 0) -> dict[str, Any]:
    result = desk.call(*arguments, "--json")
    assert result.exit_code == expect, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_jobs_are_listed_page_by_page(here: Desk) -> None:
    made = [here.there(here.rig.made(description=f"job {number}")) for number in range(3)]
    first = told(here, "list-jobs", "--limit", "2")
    second = told(here, "list-jobs", "--limit", "2", "--after", first["next_token"])
    assert [job["job_id"] for job in [*first["jobs"], *second["jobs"]]] == made[::-1]
    assert second["next_token"] == ""
    here.there(here.rig.moved(made[0], JobStatus.PREPARING))
    shown = here.call("list-jobs", "--status", "Preparing")
    assert (made[0] in shown.stdout, made[1] in shown.stdout) == (True, False)
    assert here.call("list-jobs", "--region", "nowhere").exit_code == 0


def test_what_failed_is_retried_and_the_whole_is_cloned(here: Desk) -> None:
    old = here.there(ended_job(here.rig))
    again = ("retry-failed", old, "--code", "NoSuchKey", "--priority", "7", "--token", "once")
    made = told(here, *again)
    assert (made["is_new"], made["job"]["priority"], told(here, *again)["is_new"]) == (True, 7, False)
    location = made["job"]["manifest"]["location"]
    assert location["retry_of"] == {"job_id": old, "error_code": "NoSuchKey"}
    shown = here.call("describe-job", made["job"]["job_id"]).stdout
    assert f"what failed in job {old} with NoSuchKey" in shown
    refused = here.call("retry-failed", old, "--code", "SlowDown")
    assert (refused.exit_code, "AccessDenied, NoSuchKey" in refused.stderr) == (2, True)

    here.rig.looks.etag = "0" * 32
    cloned = here.call("clone-job", old, "--description", "once more")
    assert (cloned.exit_code, "another one than that of the old job" in cloned.stderr) == (0, True)


def test_a_report_is_printed_and_delivered_again(here: Desk, tmp_path: Path) -> None:
    old = here.there(ended_job(here.rig))
    rows = here.call("report", old).stdout.splitlines()
    assert [row.split(",")[1] for row in rows] == ["a%20b", "%3D%C3%A9", "c"]
    assert here.call("report", old, "--failed").stdout.splitlines() == rows[1:]
    assert json.loads(here.call("report", old, "--code", "NoSuchKey", "--json").stdout)["key"] == "=é"
    assert told(here, "report", old, "--summary")["failed"] == 2
    assert here.call("report", old, "--output", str(tmp_path / "rows.csv")).exit_code == 0
    assert (tmp_path / "rows.csv").read_text().splitlines() == rows
    asked = here.call("redeliver-report", old)
    assert asked.stdout == f"Job {old} is Complete; its report: not delivered yet\n"


def test_a_report_that_cannot_be_had_leaves_no_file(here: Desk, tmp_path: Path) -> None:
    refused = here.call("report", "no-such-job", "--output", str(tmp_path / "rows.csv"))
    assert (refused.exit_code, (tmp_path / "rows.csv").exists()) == (2, False)


def test_a_job_is_made_and_left_to_the_service(here: Desk) -> None:
    path = here.job_file(description="made and left")
    made = told(here, "create-job", path, "--token", "once")
    assert (made["status"], made["description"]) == ("New", "made and left")
    assert told(here, "create-job", path, "--token", "once")["job_id"] == made["job_id"]
    assert told(here, "create-job", path)["job_id"] != made["job_id"]
    refused = here.call("create-job", here.job_file(region="nowhere"))
    assert (refused.exit_code, "nowhere" in refused.stderr) == (2, True)


def test_a_job_is_checked_before_it_is_made(here: Desk) -> None:
    """The regions of this rig have no credentials, and the job names no role."""
    path = here.job_file()
    shown = here.call("check-job", path)
    assert shown.exit_code == 4
    assert shown.stdout.splitlines()[1].startswith("manifest")
    assert told(here, "check-job", path, expect=4)["outcome"] == "failed"
    assert here.there(here.rig.ledger.jobs()) == []
    viewer = here.there(here.rig.token(VIEWER))
    refused = here.call("check-job", path, COSBATCH_API_TOKEN=viewer)
    assert (refused.exit_code, "operator" in refused.stderr) == (2, True)


def as_told(desk: Desk, checked: dict[str, Any]) -> dict[str, Any]:
    """The job that the lines for a shell make, with a token and nothing else that names a service."""
    *lines, command = checked["equivalents"]["cli"].splitlines()
    subprocess.run(["sh"], input="\n".join(lines), text=True, check=True)
    program, *arguments = shlex.split(command)
    assert program == "cosbatch"
    result = desk.call(*arguments, "--json", COSBATCH_SERVER_URL="")
    assert result.exit_code == 0, result.output
    made: dict[str, Any] = json.loads(result.stdout)
    return made


def test_the_command_line_that_is_told_makes_the_job_with_this_service(
    here: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = as_told(here, told(here, "check-job", here.job_file(description="it's told"), expect=4))
    assert (made["status"], made["description"]) == ("New", "it's told")
    old = here.there(ended_job(here.rig))
    for verb in ("retry-failed", "clone-job"):
        again = as_told(here, told(here, verb, old, "--check", "--priority", "3", expect=4))
        assert (again["job"]["status"], again["job"]["priority"]) == ("New", 3)
        old = again["job"]["job_id"]  # a clone of a retry has a manifest that only the service has
    assert len(here.there(here.rig.ledger.jobs())) == 4


def test_a_retry_is_checked_before_it_is_made(here: Desk) -> None:
    old = here.there(ended_job(here.rig))
    asked = ("retry-failed", old, "--code", "NoSuchKey", "--check")
    shown = here.call(*asked)
    assert shown.exit_code == 4
    assert "1 row, all there are" in shown.stdout
    checked = told(here, *asked, "--priority", "3", expect=4)
    assert (checked["outcome"], checked["estimate"]["rows"], checked["request"]["priority"]) == ("failed", 1, 3)
    refused = here.call("retry-failed", old, "--code", "SlowDown", "--check")
    assert (refused.exit_code, "AccessDenied, NoSuchKey" in refused.stderr) == (2, True)
    assert len(here.there(here.rig.ledger.jobs())) == 1


def test_a_clone_of_a_retry_is_checked_before_it_is_made(here: Desk) -> None:
    old = here.there(ended_job(here.rig))
    retry = told(here, "retry-failed", old)["job"]["job_id"]
    shown = here.call("clone-job", retry, "--check")
    assert shown.exit_code == 4
    assert "2 rows, all there are" in shown.stdout
    checked = told(here, "clone-job", retry, "--check", "--priority", "3", expect=4)
    assert (checked["estimate"]["rows"], checked["request"]["priority"]) == (2, 3)
    line = f"\ncosbatch clone-job {retry} --changes changes.yaml --server {here.url}\n"
    assert checked["equivalents"]["cli"].endswith(line)
    assert len(here.there(here.rig.ledger.jobs())) == 2


def test_where_nothing_can_be_estimated_it_is_told_why(here: Desk) -> None:
    told_why = told(here, "estimate", here.job_file(), expect=2)["error"]
    assert "manifest" in {fault["path"] for fault in told_why["faults"]}
    for options in (["--whole"], ["--requests-per-second", "10"]):
        refused = here.call("estimate", here.job_file(), *options)
        assert (refused.exit_code, "--config" in refused.stderr) == (2, True)
