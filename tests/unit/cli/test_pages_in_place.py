"""Restore, delete and tagging as people see them: in the plan, in the question, on the job's page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.cli_rig import JOB, CliRig

START = JOB.index("operation:")
END = JOB.index("report:")
PAGES = {
    "cos_delete_object: {}": "each object, or the version that its row names",
    "cos_initiate_restore_object: {expiration_in_days: 7, job_tier: Bulk}": "archived objects for 7 days, tier Bulk",
    "cos_put_object_tagging: {tagging_directive: Replaced, tag_set: [{key: a, value: b}]}": "replaced by a=b",
    "cos_put_object_tagging: {tagging_directive: Add, tag_set: [{key: a, value: b}]}": "with a=b added",
    "cos_put_object_tagging: {tagging_directive: Delete, tag_set: [{key: a}, {key: c}]}": "a, c taken away",
    "cos_put_object_tagging: {tagging_directive: Delete}": "all taken away",
}


@pytest.fixture
def rig(tmp_path: Path) -> CliRig:
    return CliRig(tmp_path)


def write(rig: CliRig, operation: str) -> None:
    rig.job_file.write_text(f"{JOB[:START]}operation:\n  {operation}\n{JOB[END:]}", encoding="utf-8")


@pytest.mark.parametrize("operation", PAGES)
def test_the_plan_and_the_page_say_what_is_done(rig: CliRig, operation: str) -> None:
    write(rig, operation)
    plan = rig.run("--yes", "--confirm-count", "4").stderr
    assert PAGES[operation] in plan
    lines = [line.split() for line in plan.splitlines()]
    assert ["In", "logs-125", "in", "local"] in lines
    assert ["First", "raw/a", "b.txt"] in lines
    assert "Copies" not in plan
    page = rig.call("describe-job", rig.jobs()[0]["job_id"]).stdout
    assert PAGES[operation] in page


def test_a_deletion_is_asked_for_by_name(rig: CliRig) -> None:
    write(rig, "cos_delete_object: {}")
    declined = rig.run(answer="n\n")
    assert "Delete what these 4 rows name?" in declined.stderr
    assert declined.exit_code == 1
    assert [job["status"] for job in rig.jobs()] == ["Suspended"]


def test_a_deletion_that_nobody_can_be_asked_about_needs_a_yes(rig: CliRig) -> None:
    write(rig, "cos_delete_object: {}")
    refused = rig.run()
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert rig.jobs() == []


def test_a_deletion_is_confirmed_by_the_number_of_its_rows(rig: CliRig) -> None:
    write(rig, "cos_delete_object: {}")
    for answer in ("y\n", "3\n", "\n"):
        assert rig.run(answer=answer).exit_code == 1
    assert [job["status"] for job in rig.jobs()] == ["Suspended"]
    typed = rig.run(answer="4\n")
    assert "Type their number (4) to go on" in typed.stderr
    assert [job["status"] for job in rig.jobs()] == ["Complete"]


def test_a_deletion_that_nobody_is_asked_about_needs_a_count(rig: CliRig) -> None:
    write(rig, "cos_delete_object: {}")
    refused = rig.run("--yes")
    assert refused.exit_code == 2
    assert "--confirm-count" in refused.stderr
    assert rig.jobs() == []


def test_a_count_that_is_too_small_deletes_nothing(rig: CliRig) -> None:
    write(rig, "cos_delete_object: {}")
    refused = rig.run("--yes", "--confirm-count", "3")
    assert refused.exit_code == 2
    assert "is less than the 4 objects or versions that the job deletes" in refused.stderr
    assert [job["status"] for job in rig.jobs()] == ["Suspended"]
    confirmed = rig.call("confirm", rig.jobs()[0]["job_id"])
    assert confirmed.exit_code == 2
    assert "write 4 to confirm that" in confirmed.stderr
