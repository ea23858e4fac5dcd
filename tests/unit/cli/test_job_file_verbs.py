"""Verbs that take a job file and run nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cosbatch.cli.check_job import checked_page
from tests.unit.cli.cli_rig import CliRig

CHECKED = {
    "outcome": "failed",
    "checks": [
        {"name": "manifest", "outcome": "passed", "detail": "it is well", "missing_permission": "", "way_out": ""},
        {
            "name": "destination_writable",
            "outcome": "failed",
            "detail": "refused",
            "missing_permission": "s3:PutObject on arn:aws:s3:::cold/*",
            "way_out": "let it write",
        },
        {"name": "object_lock", "outcome": "unknown", "detail": "nobody says", "missing_permission": "", "way_out": ""},
    ],
    "estimate": None,
}


@pytest.fixture
def rig(tmp_path: Path) -> CliRig:
    return CliRig(tmp_path)


def test_a_job_is_made_and_not_run(rig: CliRig) -> None:
    made = rig.call("create-job", str(rig.job_file), "--token", "once", "--json")
    assert made.exit_code == 0, made.output
    job: dict[str, Any] = json.loads(made.stdout)
    assert (job["status"], job["description"], rig.wiring.engines) == ("New", "move cold logs", 0)
    again = rig.call("create-job", str(rig.job_file), "--token", "once")
    assert again.stdout == f"Job {job['job_id']} is New, priority {job['priority']}\n"
    assert rig.call("create-job", str(rig.job_file), "--token", "twice").exit_code == 0
    assert len(rig.jobs()) == 2


def test_a_job_file_with_faults_is_refused(rig: CliRig) -> None:
    rig.job_file.write_text("region: local\ncolour: red\n")
    for verb in ("create-job", "check-job", "estimate"):
        refused = rig.call(verb, str(rig.job_file))
        assert (refused.exit_code, "colour" in refused.stderr) == (2, True)


def test_what_failed_comes_first_with_its_way_out() -> None:
    lines = checked_page(CHECKED).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["destination_writable", "object_lock", "manifest"]
    assert lines[-1] == "destination_writable: it lacks s3:PutObject on arn:aws:s3:::cold/*; let it write"


def test_a_check_says_that_the_store_does_not_answer(rig: CliRig, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ID", "SECRET"):
        monkeypatch.setenv(name, "x")
    (rig.folder / "state").mkdir()
    shown = rig.call("check-job", str(rig.job_file), "--json")
    told = json.loads(shown.stdout)
    outcomes = {check["name"]: check["outcome"] for check in told["checks"]}
    assert (shown.exit_code, outcomes["manifest"], told["estimate"]) == (0, "unknown", None)
    assert set(told) == {"outcome", "checks", "estimate", "request", "equivalents"}
    assert rig.call("check-job", str(rig.job_file), "--account", "nobody").exit_code == 2
