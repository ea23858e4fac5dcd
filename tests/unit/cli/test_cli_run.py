from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from cosbatch.cli.runs_index import RunsIndex
from cosbatch.ledger.port import JobLedger
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import JobId
from cosbatch.model.states import Actor, JobStatus
from tests.simulation.test_trouble import Between
from tests.unit.cli.cli_rig import JOB, SETTINGS, CliRig

_TO_COMPLETING = (JobStatus.SUSPENDED, JobStatus.READY, JobStatus.ACTIVE, JobStatus.COMPLETING)
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def rig(tmp_path: Path) -> CliRig:
    return CliRig(tmp_path)


class TestToTheEnd:
    def test_all_succeeded_is_0(self, rig: CliRig) -> None:
        result = rig.run("--yes")

        assert result.exit_code == 0
        job_id = rig.jobs()[0]["job_id"]
        assert f"Job {job_id} Complete: 4 tasks, 4 succeeded, 0 failed, 1.5 MB in" in result.stdout
        assert f"Report: s3://logs-125/reports/job-{job_id}/manifest.json" in result.stdout

    def test_the_plan_is_shown_before_anything_runs(self, rig: CliRig) -> None:
        plan = rig.run("--yes").stderr

        assert "raw/a b.txt -> old/a b.txt" in plan
        assert "4 tasks" in plan
        assert "logs-125 in local" in plan
        assert "cold-125 in local" in plan
        assert "STANDARD_IA" in plan
        assert plan.index("4 tasks") < plan.index("Active")

    def test_progress_always_says_how_many_failed(self, rig: CliRig) -> None:
        rig.wiring.script.failed = 1

        lines = rig.run("--yes").stderr.splitlines()

        assert any(
            line.startswith("Active: 0/4 (0.0%), 0 failed, ") and line.endswith("7/32 in flight") for line in lines
        )
        assert any(line.startswith("Completing: 4/4 (100.0%), 1 failed, ") for line in lines)

    def test_a_dry_run_asks_nobody_and_says_what_it_is(self, rig: CliRig) -> None:
        rig.wiring.script.failed = 1

        result = rig.run("--dry-run")

        assert result.exit_code == 3
        assert "Complete (dry run): 4 tasks, 3 would succeed, 1 would fail" in result.stdout
        assert "nothing is written but the report" in result.stderr
        assert [job["dry_run"] for job in rig.described_jobs()] == [True]

    def test_a_job_file_may_ask_for_a_dry_run(self, rig: CliRig) -> None:
        rig.job_file.write_text(f"dry_run: true\n{JOB}", encoding="utf-8")

        assert "would succeed" in rig.run().stdout

    def test_a_dry_run_is_another_run_than_the_run(self, rig: CliRig) -> None:
        rig.run("--dry-run")
        rig.run("--yes")
        again = rig.run("--dry-run")

        assert "has ended before" in again.stderr
        assert [job["dry_run"] for job in rig.described_jobs()] == [False, True]

    def test_failed_tasks_are_3_and_named(self, rig: CliRig) -> None:
        rig.wiring.script.failed = 1

        result = rig.run("--yes")

        assert result.exit_code == 3
        assert "4 tasks, 3 succeeded, 1 failed" in result.stdout
        assert "NoSuchKey  1      raw/gone\\n" in result.stdout

    def test_a_job_that_fails_is_4_and_says_why(self, rig: CliRig) -> None:
        rig.wiring.script.fails_in_planning = FailureCode.MANIFEST_EMPTY

        result = rig.run("--yes")

        assert result.exit_code == 4
        assert "Reason: ManifestEmpty: by script" in result.stdout

    def test_json_is_all_of_standard_output(self, rig: CliRig) -> None:
        rig.wiring.script.failed = 1

        result = rig.run("--yes", "--json")

        job = json.loads(result.stdout)
        assert result.exit_code == 3
        assert job["status"] == "Complete"
        assert job["progress_summary"]["number_of_tasks_failed"] == 1
        assert job["failures_by_code"] == {"NoSuchKey": {"count": 1, "sample_keys": ["raw/gone\n"]}}


class TestTheQuestion:
    def test_yes_runs_it(self, rig: CliRig) -> None:
        result = rig.run(answer="y\n")

        assert result.exit_code == 0
        assert "raw/a b.txt -> old/a b.txt" in result.stderr
        assert "Run it?" in result.stderr

    def test_no_leaves_it_suspended_and_the_same_command_asks_again(self, rig: CliRig) -> None:
        declined = rig.run(answer="n\n")

        assert declined.exit_code == 1
        assert "Nothing was touched" in declined.stderr
        assert [job["status"] for job in rig.jobs()] == ["Suspended"]
        assert rig.run(answer="y\n").exit_code == 0
        assert len(rig.jobs()) == 1

    @pytest.mark.parametrize(
        ("to", "code", "status"), [(JobStatus.READY, 0, "Complete"), (JobStatus.CANCELLING, 4, "Cancelled")]
    )
    def test_yes_goes_on_with_what_another_terminal_did(
        self, rig: CliRig, to: JobStatus, code: int, status: str
    ) -> None:
        rig.wiring.meanwhile = lambda: _by_another(rig, to)

        result = rig.run(answer="y\n")

        assert result.exit_code == code
        assert [job["status"] for job in rig.jobs()] == [status]

    def test_no_after_another_terminal_said_yes_does_not_say_that_it_waits(self, rig: CliRig) -> None:
        rig.wiring.meanwhile = lambda: _by_another(rig, JobStatus.READY)

        result = rig.run(answer="n\n")

        assert result.exit_code == 1
        assert "is Ready by now" in result.stderr

    def test_of_two_that_say_yes_at_once_both_go_on(self, rig: CliRig) -> None:
        async def move(method: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
            if options["to"] is JobStatus.READY:
                await method(*args, **options)  # the other one was first
            return await method(*args, **options)

        rig.wiring.seen_ledger = cast(JobLedger, Between(rig.wiring.ledger, move=move))

        assert rig.run("--yes").exit_code == 0

    def test_where_nobody_can_be_asked_yes_is_demanded_before_anything_is_made(self, rig: CliRig) -> None:
        result = rig.run()

        assert result.exit_code == 2
        assert "add --yes" in result.stderr
        assert rig.jobs() == []

    def test_where_nobody_can_be_asked_an_unfinished_run_needs_yes_too(self, rig: CliRig) -> None:
        rig.run(answer="n\n")

        assert "add --yes" in rig.run().stderr
        assert [job["status"] for job in rig.jobs()] == ["Suspended"]

    def test_two_calls_that_confirm_at_once_both_go_on(self, rig: CliRig) -> None:
        rig.wiring.script.confirmed_by_another = True

        assert rig.run("--yes").exit_code == 0

    def test_totals_are_told_where_nobody_can_be_asked(self, rig: CliRig) -> None:
        rig.wiring.script.failed = 1
        first = rig.run("--yes")

        again = rig.run()

        assert (again.exit_code, again.stdout) == (3, first.stdout)
        assert "add --yes" in rig.run("--again").stderr
        assert len(rig.jobs()) == 1


class TestAHold:
    @pytest.mark.parametrize("status", [JobStatus.ACTIVE, JobStatus.COMPLETING])
    def test_why_a_job_waits_is_shown_at_once(self, rig: CliRig, status: JobStatus) -> None:
        rig.wiring.script.holds_in = status

        lines = rig.run("--yes").stderr.splitlines()

        held = [number for number, line in enumerate(lines) if line.startswith(f"{status}, on hold (logs-125: connect")]
        assert len(held) == 1
        assert any(line.startswith(f"{status}: ") for line in lines[held[0] :])


class TestAReportThatWaits:
    @pytest.fixture
    def ended(self, rig: CliRig) -> CliRig:
        rig.wiring.script.report_waits = True
        rig.wiring.script.fails_in_planning = FailureCode.MANIFEST_EMPTY
        result = rig.run("--yes")
        assert result.exit_code == 4
        assert "Report: not delivered yet" in result.stdout
        assert "the same command tries again" in result.stderr
        return rig

    def test_is_delivered_by_the_same_command(self, ended: CliRig) -> None:
        result = ended.run("--yes")

        assert result.exit_code == 4
        assert "Its report is not delivered yet: trying" in result.stderr
        assert f"Report: s3://logs-125/reports/job-{ended.jobs()[0]['job_id']}/manifest.json" in result.stdout
        assert ended.wiring.engines == 2
        ended.run("--yes")
        assert ended.wiring.engines == 2

    def test_is_waited_for_until_the_next_try_has_failed(self, ended: CliRig) -> None:
        ended.wiring.script.next_try = "is held"

        result = ended.run()

        assert result.exit_code == 4
        assert "not delivered yet (logs-125: connection refused); the same command tries again" in result.stderr
        assert "Report: not delivered yet (logs-125: connection refused)\n" in result.stdout

    def test_is_no_hold_of_the_job_on_its_page(self, ended: CliRig) -> None:
        ended.wiring.script.next_try = "is held"
        ended.run()

        page = ended.call("describe-job", ended.jobs()[0]["job_id"]).stdout

        assert "Report    not delivered yet (logs-125: connection refused)\n" in page
        assert "On hold" not in page

    def test_is_not_waited_for_without_end(self, ended: CliRig) -> None:
        ended.wiring.script.next_try = "never ends"
        ended.patience_seconds = 0.01

        result = ended.run("--yes", "--json")

        assert result.exit_code == 4
        assert json.loads(result.stdout)["report_state"] == "pending"


class TestTheSameCommand:
    def test_repeats_the_totals_of_a_run_that_has_ended(self, rig: CliRig) -> None:
        rig.wiring.script.failed = 1
        first = rig.run("--yes")

        second = rig.run("--yes")

        assert second.exit_code == first.exit_code == 3
        assert second.stdout == first.stdout
        assert "--again" in second.stderr
        assert rig.wiring.engines == 1

    def test_does_not_see_comments_and_order(self, rig: CliRig) -> None:
        rig.run("--yes")
        rig.job_file.write_text("# moved\n" + JOB.replace("region: local\n", "") + "region: local\n")

        rig.run("--yes")

        assert len(rig.jobs()) == 1

    def test_goes_on_wherever_the_file_lies(self, rig: CliRig) -> None:
        rig.run(answer="n\n")
        rig.job_file = rig.job_file.rename(rig.folder / "renamed.yaml")

        assert rig.run("--yes").exit_code == 0
        assert len(rig.jobs()) == 1

    def test_again_runs_anew_and_then_goes_on_with_that_one(self, rig: CliRig) -> None:
        rig.run("--yes")

        declined = rig.run("--again", answer="n\n")
        assert declined.exit_code == 1
        assert rig.run("--again", "--yes").exit_code == 0

        assert [job["status"] for job in rig.jobs()] == ["Complete", "Complete"]
        second, first = rig.described_jobs()
        assert second["client_request_token"] == first["client_request_token"] + ".2"
        rig.run("--yes")
        assert len(rig.jobs()) == 2

    def test_a_later_run_is_found_when_earlier_ones_are_gone(self, rig: CliRig) -> None:
        rig.run("--yes")
        rig.run("--again", "--yes")
        second, first = rig.described_jobs()
        rig.call("delete-job", first["job_id"])

        rig.run("--yes")
        assert [job["job_id"] for job in rig.jobs()] == [second["job_id"]]

        rig.run("--again", "--yes")
        third = rig.described_jobs()[0]
        assert third["client_request_token"] == first["client_request_token"] + ".3"

    def test_a_run_whose_records_are_gone_is_made_anew(self, rig: CliRig) -> None:
        rig.run("--yes")
        [first] = rig.described_jobs()
        rig.call("delete-job", first["job_id"])

        assert rig.run("--yes").exit_code == 0

        [job] = rig.described_jobs()
        assert job["job_id"] != first["job_id"]
        assert job["client_request_token"] == first["client_request_token"]

    def test_a_replaced_manifest_is_another_run(self, rig: CliRig) -> None:
        rig.run("--yes")
        rig.wiring.etag = "e2"

        rig.run("--yes")

        assert len(rig.jobs()) == 2

    def test_again_on_an_unfinished_run_says_that_it_goes_on(self, rig: CliRig) -> None:
        rig.run(answer="n\n")

        result = rig.run("--again", "--yes")

        assert "has not ended, so --again goes on with it; cosbatch cancel" in result.stderr
        assert len(rig.jobs()) == 1

    def test_is_another_run_on_another_store(self, rig: CliRig) -> None:
        rig.run("--yes")
        rig.settings_file.write_text(SETTINGS.replace("http://127.0.0.1:1", "http://127.0.0.1:2"))

        assert rig.run("--yes").exit_code == 0
        assert len(rig.jobs()) == 2

    def test_does_not_leave_an_unfinished_run_for_another_store(self, rig: CliRig) -> None:
        rig.run(answer="n\n")
        rig.settings_file.write_text(SETTINGS.replace("http://127.0.0.1:1", "http://127.0.0.1:2"))

        result = rig.run("--yes")

        assert result.exit_code == 2
        assert "the endpoint of a region" in result.stderr

    def test_resumes_what_a_user_paused(self, rig: CliRig) -> None:
        rig.run(answer="n\n")
        job_id = rig.jobs()[0]["job_id"]
        rig.call("confirm", job_id)
        rig.wiring.script.stays_in = None
        _move(rig, job_id, JobStatus.READY, JobStatus.ACTIVE)
        rig.call("pause", job_id)

        assert rig.run("--yes").exit_code == 0


class TestAChangedFile:
    def test_with_an_unfinished_run_is_an_error_that_names_the_job(self, rig: CliRig) -> None:
        rig.run(answer="n\n")
        job_id = rig.jobs()[0]["job_id"]
        rig.job_file.write_text(JOB.replace("STANDARD_IA", "ARCHIVE"))

        result = rig.run("--yes")

        assert result.exit_code == 2
        assert job_id in result.stderr
        assert f"cosbatch cancel {job_id}" in result.stderr
        assert len(rig.jobs()) == 1

    def test_may_run_once_the_earlier_one_is_given_up(self, rig: CliRig) -> None:
        rig.run(answer="n\n")
        rig.call("cancel", rig.jobs()[0]["job_id"])
        rig.job_file.write_text(JOB.replace("STANDARD_IA", "ARCHIVE"))

        assert rig.run("--yes").exit_code == 0

    def test_may_run_while_the_earlier_one_only_waits_for_its_report(self, rig: CliRig) -> None:
        rig.run(answer="n\n")
        job_id = rig.jobs()[0]["job_id"]
        for status, to in itertools.pairwise(_TO_COMPLETING):
            _move(rig, job_id, status, to, by=Actor.USER if to is JobStatus.READY else Actor.ENGINE)
        rig.job_file.write_text(JOB.replace("prefix: reports", "prefix: elsewhere"))

        assert rig.run("--yes").exit_code == 0

    def test_may_run_where_a_crash_left_a_token_without_a_job(self, rig: CliRig) -> None:
        RunsIndex(rig.folder / "state").remember(rig.job_file, "run-of-which-no-job-was-made")

        assert rig.run("--yes").exit_code == 0

    def test_may_run_once_the_earlier_one_has_ended(self, rig: CliRig) -> None:
        rig.run("--yes")
        rig.job_file.write_text(JOB.replace("STANDARD_IA", "ARCHIVE"))

        assert rig.run("--yes").exit_code == 0
        assert len(rig.jobs()) == 2


class TestJson:
    """Every end of a command is one JSON object on standard output."""

    def test_no(self, rig: CliRig) -> None:
        result = rig.run("--json", answer="n\n")

        assert result.exit_code == 1
        assert json.loads(result.stdout)["status"] == "Suspended"

    @pytest.mark.parametrize(
        "arguments",
        [
            ["run", "none.yaml", "--json"],
            ["run", "--json"],
            ["list-jobs", "--json", "--limit", "0"],
            ["manifest", "inspect", "local", "logs-125", "--json"],
            ["--json", "list-jobs"],
        ],
    )
    def test_arguments_that_cannot_be_meant(self, rig: CliRig, arguments: list[str]) -> None:
        result = rig.call(*arguments)

        assert result.exit_code == 2
        error = json.loads(result.stdout)["error"]
        assert error["code"] == "InvalidArgument"
        assert error["faults"][0]["problem"] == error["message"]

    def test_ctrl_c(self, rig: CliRig) -> None:
        files = ["--config", str(rig.settings_file), "--data", str(rig.folder / "state"), "--json"]
        with _started("Active", "ends", ["run", str(rig.job_file), "--yes", *files]) as process:
            _until(process, "Active:")
            process.send_signal(signal.SIGINT)
            stdout, _ = process.communicate()

        assert process.returncode == 130
        assert json.loads(stdout)["status"] == "Active"

    def test_ctrl_c_before_there_is_a_job(self, rig: CliRig) -> None:
        files = ["--config", str(rig.settings_file), "--data", str(rig.folder / "state"), "--json"]
        for verb in (["run", str(rig.job_file), "--yes"], ["list-jobs"]):
            with _started("Active", "hangs", [*verb, *files]) as process:
                _until(process, "asked")
                process.send_signal(signal.SIGINT)
                stdout, _ = process.communicate()

            assert process.returncode == 130
            assert json.loads(stdout)["error"]["code"] == "Interrupted"


class TestBadInput:
    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b'{"a": [1]}', b"\xff", b"[" * 100_000])
    def test_a_damaged_list_of_runs(self, rig: CliRig, content: bytes) -> None:
        rig.run("--yes")
        (rig.folder / "state" / "runs.json").write_bytes(content)

        result = rig.run("--yes", "--again")

        assert result.exit_code == 2
        assert "runs.json: is damaged; remove it" in result.stderr
        (rig.folder / "state" / "runs.json").unlink()
        assert rig.run("--yes", "--again").exit_code == 0

    def test_a_job_file_with_faults(self, rig: CliRig) -> None:
        rig.job_file.write_text(JOB.replace("storage_class", "storageclass").replace("region: local", "region: 7"))

        result = rig.run("--yes")

        assert result.exit_code == 2
        assert "has 2 faults" in result.stderr
        assert "region (line 1)" in result.stderr
        assert 'did you mean "storage_class"?' in result.stderr

    def test_in_json(self, rig: CliRig) -> None:
        rig.job_file.write_text(JOB.replace("local", "lokal"))

        result = rig.run("--yes", "--json")

        error = json.loads(result.stdout)["error"]
        assert result.exit_code == 2
        assert error["code"] == "InvalidArgument"
        assert error["faults"][0]["path"] == "region (line 1)"
        assert error["faults"][0]["way_out"] == 'did you mean "local"?'

    def test_a_region_that_the_settings_do_not_have(self, rig: CliRig) -> None:
        rig.settings_file.write_text("workers: 1\n")

        result = rig.run("--yes")

        assert result.exit_code == 2
        assert (
            "region (line 1): is not in the region table (it is 'local'); add a region to the settings file"
            in result.stderr
        )

    def test_a_data_folder_that_cannot_be_one(self, rig: CliRig) -> None:
        (rig.folder / "state").symlink_to(rig.folder / "nowhere" / "at" / "all")

        result = rig.run("--yes")

        assert result.exit_code == 2
        assert "--data: cannot be written to" in result.stderr

    def test_a_file_that_is_not_there(self, rig: CliRig) -> None:
        assert rig.call("run", str(rig.folder / "none.yaml"), "--yes").exit_code == 2

    def test_a_file_that_is_not_text(self, rig: CliRig) -> None:
        rig.job_file.write_bytes(b"\xff\xfe\x00")

        result = rig.run("--yes")

        assert result.exit_code == 2
        assert "cannot be read" in result.stderr


class TestCtrlC:
    @pytest.fixture
    def command(self, tmp_path: Path) -> list[str]:
        (tmp_path / "job.yaml").write_text(JOB)
        (tmp_path / "cosbatch.yaml").write_text(SETTINGS)
        files = ["--config", str(tmp_path / "cosbatch.yaml"), "--data", str(tmp_path / "state")]
        return ["run", str(tmp_path / "job.yaml"), "--yes", *files]

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_once_stops_cleanly_and_says_how_to_go_on(self, command: list[str], number: signal.Signals) -> None:
        heeding = ["env", "--default-signal=INT,TERM,HUP"]  # the tests themselves may run under nohup
        with _started("Active", "ends", command, before=heeding) as process:
            lines = _until(process, "Active:")
            process.send_signal(number)
            rest = _rest(process)

        assert process.returncode == 130
        assert lines
        assert rest.index("Ctrl-C again") < rest.index("drained") < rest.index("the same command goes on with job")

    def test_a_closed_terminal_means_nothing_below_nohup(self, command: list[str]) -> None:
        with _started("Active", "ends", command, before=["nohup"]) as process:
            _until(process, "Active:")
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            rest = _rest(process)

        assert process.returncode == 130
        assert rest.count("Ctrl-C again") == 1

    def test_twice_stops_at_once(self, command: list[str]) -> None:
        with _started("Active", "lasts", command) as process:
            _until(process, "Active:")
            process.send_signal(signal.SIGINT)
            _until(process, "Ctrl-C again")
            process.send_signal(signal.SIGINT)
            rest = _rest(process)

        assert process.returncode == 130
        assert "drained" not in rest

    def test_twice_gives_the_terminal_back(self, command: list[str]) -> None:
        with _started("Active", "lasts-live", command, FORCE_COLOR="1", TERM="xterm") as process:
            lines = _until(process, "7/32 in flight")
            process.send_signal(signal.SIGINT)
            lines += _until(process, "Ctrl-C again")
            process.send_signal(signal.SIGINT)
            drawn = "".join(lines) + _rest(process)

        assert process.returncode == 130
        assert drawn.rindex(SHOW_CURSOR) > drawn.rindex(HIDE_CURSOR)

    @pytest.mark.parametrize("verb", [["list-jobs"], ["describe-job", "x"], ["pause", "x"]])
    def test_ends_every_verb_with_130(self, command: list[str], verb: list[str]) -> None:
        with _started("Active", "hangs", [*verb, *command[-4:]]) as process:
            _until(process, "asked")
            process.send_signal(signal.SIGINT)
            rest = _rest(process)

        assert (process.returncode, rest.strip()) == (130, "Interrupted.")


def _move(rig: CliRig, job_id: str, status: JobStatus, to: JobStatus, *, by: Actor = Actor.ENGINE) -> None:
    asyncio.run(rig.wiring.ledger.move(JobId(job_id), expect=[status], to=to, actor=by, reason="test"))


async def _by_another(rig: CliRig, to: JobStatus) -> None:
    (job,) = await rig.wiring.ledger.jobs()
    await rig.wiring.ledger.move(job.id, expect=[JobStatus.SUSPENDED], to=to, actor=Actor.USER, reason="from elsewhere")


def _started(
    status: str, what: str, command: list[str], *, before: Sequence[str] = (), **environment: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tests.unit.cli.memory_engine", status, what, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment() | environment,
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    """With compiled modules kept: the program starts twice as fast."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(Path.cwd())}


def _until(process: subprocess.Popen[str], word: str) -> list[str]:
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if word in line:
            return lines
    raise AssertionError(f"{word!r} never came: {lines}")


def _rest(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    rest = process.stderr.read()
    process.wait(timeout=30)
    return rest
