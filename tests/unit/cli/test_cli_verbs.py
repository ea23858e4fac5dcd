from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cosbatch.cli.main import VERBS, LazyVerbs, cli
from cosbatch.manifests.sample import Oddity, Remark, SampleRow
from cosbatch.model.errors import Fault, LedgerUnavailable, StorageError, StorageReason
from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Hold
from cosbatch.model.manifests import ManifestFormat
from cosbatch.model.states import Actor, JobStatus
from tests.unit.cli.cli_rig import CliRig
from tests.unit.cli.memory_engine import inspection


@pytest.fixture
def rig(tmp_path: Path) -> CliRig:
    return CliRig(tmp_path)


@pytest.fixture
def suspended(rig: CliRig) -> str:
    rig.run(answer="n\n")
    return str(rig.jobs()[0]["job_id"])


class TestHelp:
    @pytest.mark.parametrize(
        ("verb", "lacking"),
        [
            (["demo"], ["--config", "--data", "--log-level"]),
            (["manifest", "inspect"], ["--data", "--log-level"]),
            (["store", "probe"], ["--data", "--log-level"]),
            (["run"], []),
        ],
    )
    def test_no_option_is_offered_that_does_nothing(self, verb: list[str], lacking: list[str]) -> None:
        shown = CliRunner().invoke(cli, [*verb, "--help"]).stdout

        assert [option for option in ("--config", "--data", "--log-level") if option not in shown] == lacking
        assert "--json" in shown

    def test_it_imports_nothing_heavy(self) -> None:
        program = (
            "import sys\n"
            "from cosbatch.cli.main import cli\n"
            "cli(['--help'], prog_name='cosbatch', standalone_mode=False)\n"
            "heavy = {'sqlalchemy', 'pydantic', 'pyarrow', 'fastapi', 'rich', 'structlog', 'yaml', 'asyncio'}\n"
            "sys.exit(f'imported: {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)\n"
        )

        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

        assert result.returncode == 0, result.stderr
        assert "run" in result.stdout

    def test_it_lists_every_verb_with_the_verbs_own_words(self) -> None:
        group = cli
        assert isinstance(group, LazyVerbs)
        context = click.Context(group)

        for name, verb in VERBS.items():
            command = group.get_command(context, name)
            assert command is not None
            if not verb.summary.startswith("Short for "):
                assert (command.help or "").startswith(verb.summary), name

    def test_an_unknown_verb_is_2(self) -> None:
        assert CliRunner().invoke(cli, ["copy"]).exit_code == 2

    def test_the_version(self) -> None:
        assert "0." in CliRunner().invoke(cli, ["--version"]).stdout

    def test_python_dash_m(self) -> None:
        result = subprocess.run([sys.executable, "-m", "cosbatch", "--version"], capture_output=True, text=True)

        assert (result.returncode, result.stdout.split()[0]) == (0, "cosbatch,")


class TestListJobs:
    def test_looking_makes_no_folder(self, rig: CliRig) -> None:
        rig.wiring.is_untouched = True
        rig.wiring.unreachable = LedgerUnavailable("a ledger was opened")

        result = rig.call("list-jobs")

        assert (result.exit_code, result.stdout) == (0, "No jobs.\n")

    def test_none(self, rig: CliRig) -> None:
        assert rig.call("list-jobs").stdout == "No jobs.\n"

    def test_a_table_newest_first(self, rig: CliRig, suspended: str) -> None:
        rig.wiring.etag = "e2"
        rig.call("cancel", suspended)
        rig.wiring.script.failed = 1
        rig.run("--yes")

        header, newest, oldest = rig.call("list-jobs").stdout.splitlines()

        assert header.split() == ["JOB", "STATUS", "PRIORITY", "TASKS", "SUCCEEDED", "FAILED", "CREATED", "DESCRIPTION"]
        assert newest.split()[1:6] == ["Complete", "10", "4", "3", "1"]
        assert oldest.split()[:3] == [suspended, "Cancelling", "10"]
        assert oldest.endswith("move cold logs")

    def test_by_status_and_in_pages(self, rig: CliRig, suspended: str) -> None:
        rig.call("cancel", suspended)
        rig.wiring.etag = "e2"
        rig.run("--yes")

        assert suspended in rig.call("list-jobs", "--status", "cancelling").stdout
        assert suspended not in rig.call("list-jobs", "--status", "Complete", "--status", "Failed").stdout
        first = json.loads(rig.call("list-jobs", "--limit", "1", "--json").stdout)
        second = json.loads(rig.call("list-jobs", "--limit", "1", "--after", first["next_token"], "--json").stdout)
        assert [job["job_id"] for job in second["jobs"]] == [suspended]
        assert second["next_token"] == ""

    def test_by_region(self, rig: CliRig, suspended: str) -> None:
        assert suspended in rig.call("list-jobs", "--region", "local").stdout
        assert rig.call("list-jobs", "--region", "elsewhere").stdout == "No jobs.\n"


class TestDeleteJob:
    def test_a_job_that_has_ended_is_gone(self, rig: CliRig) -> None:
        rig.run("--yes")
        job_id = str(rig.jobs()[0]["job_id"])

        result = rig.call("delete-job", job_id)

        assert (result.exit_code, result.stdout) == (0, f"Job {job_id} is deleted.\n")
        assert rig.jobs() == []
        assert rig.call("describe-job", job_id).exit_code == 2
        assert rig.call("delete-job", job_id, "--json").exit_code == 2

    def test_json(self, rig: CliRig) -> None:
        rig.run("--yes")
        job_id = str(rig.jobs()[0]["job_id"])

        assert json.loads(rig.call("delete-job", job_id, "--json").stdout) == {"deleted": job_id}

    def test_one_that_has_not_ended_stays(self, rig: CliRig, suspended: str) -> None:
        result = rig.call("delete-job", suspended)

        assert result.exit_code == 2
        assert result.stderr.endswith("only a job that has ended can be deleted; cancel it first\n")
        assert [job["job_id"] for job in rig.jobs()] == [suspended]


class TestDescribeJob:
    def test_a_suspension_shows_its_cause_and_its_date(self, rig: CliRig, suspended: str) -> None:
        job = json.loads(rig.call("describe-job", suspended, "--json").stdout)
        page = rig.call("describe-job", suspended).stdout

        assert job["suspended_cause"] == "awaiting confirmation"
        assert f"Waits for  awaiting confirmation, since {job['suspended_date']}\n" in page

    def test_events_say_who_and_which_way(self, rig: CliRig, suspended: str) -> None:
        rig.call("cancel", suspended, "--reason", "wrong bucket")

        job = json.loads(rig.call("describe-job", suspended, "--json").stdout)
        page = rig.call("describe-job", suspended).stdout

        told = [(event["kind"], event["actor"], event["by"]) for event in job["events"]]
        assert told[0] == ("created", "user", "local via cli")
        assert told[1] == ("moved", "engine", "")
        assert told[-1] == ("moved", "user", "local via cli")
        assert [line.split()[1:4] for line in page.splitlines() if "wrong bucket" in line][-1] == [
            "local",
            "via",
            "cli",
        ]

    def test_a_page(self, rig: CliRig) -> None:
        rig.wiring.script.failed = 1
        rig.run("--yes")
        job_id = rig.jobs()[0]["job_id"]

        page = rig.call("describe-job", job_id).stdout

        assert "Status    Complete: by script" in page
        assert "4 tasks, 3 succeeded, 1 failed" in page
        assert "Prefix         'raw/' becomes 'old/'" in page
        assert "Permission     the destination bucket's" in page
        assert "NoSuchKey  1      raw/gone\\n" in page
        assert "awaiting confirmation" in page
        assert "Possible now: retry-failed, clone-job, redeliver-report, delete-job\n" in page

    def test_what_waits_says_for_what_and_what_can_be_done(self, rig: CliRig, suspended: str) -> None:
        hold = Hold(bucket="cold-125", reason="connection refused", since=1_754_103_600)
        asyncio.run(rig.wiring.ledger.set_hold(JobId(suspended), hold))

        page = rig.call("describe-job", suspended).stdout

        assert "On hold" in page
        assert "cold-125 since 2025-08-02T03:00:00Z: connection refused" in page
        assert "Possible now: clone-job, confirm, cancel, update-job-priority" in page

    def test_json(self, rig: CliRig, suspended: str) -> None:
        job = json.loads(rig.call("describe-job", suspended, "--json").stdout)

        assert job["status"] == "Suspended"
        assert job["progress_summary"]["total_number_of_tasks"] == 4
        assert job["operation"]["cos_put_object_copy"]["storage_class"] == "STANDARD_IA"
        assert [event["status"] for event in job["events"]][-1] == "Suspended"

    def test_an_unknown_job_is_2(self, rig: CliRig) -> None:
        result = rig.call("describe-job", "01980000-0000-7000-8000-000000000000")

        assert result.exit_code == 2
        assert "01980000-0000-7000-8000-000000000000" in result.stderr


class TestChanges:
    def test_confirm_and_its_long_form(self, rig: CliRig, suspended: str) -> None:
        assert rig.call("confirm", suspended).stdout == f"Job {suspended} is Ready, priority 10\n"
        refused = rig.call("update-job-status", suspended, "--to", "Ready")
        assert refused.exit_code == 2
        assert "confirm is not possible now; possible are cancel" in refused.stderr

    def test_cancel_keeps_the_reason(self, rig: CliRig, suspended: str) -> None:
        rig.call("cancel", suspended, "--reason", "wrong bucket")

        assert (
            json.loads(rig.call("describe-job", suspended, "--json").stdout)["status_update_reason"] == "wrong bucket"
        )

    def test_pause_and_resume(self, rig: CliRig, suspended: str) -> None:
        rig.call("confirm", suspended)
        _engine_moves(rig, suspended, JobStatus.READY, JobStatus.ACTIVE)

        assert json.loads(rig.call("pause", suspended, "--json").stdout)["paused_by"] == "user"
        _engine_moves(rig, suspended, JobStatus.PAUSING, JobStatus.PAUSED)
        assert "is Active" in rig.call("resume-job", suspended).stdout

    def test_priority(self, rig: CliRig, suspended: str) -> None:
        assert rig.call("update-job-priority", suspended, "42").stdout.endswith("priority 42\n")
        assert rig.call("update-job-priority", suspended, "0").exit_code == 2


class TestManifestInspect:
    def test_a_page(self, rig: CliRig) -> None:
        warning = Remark(Oddity.HEADER_ROW, "the first row names columns")
        rig.wiring.inspection = inspection(warnings=(warning,))

        result = rig.call("manifest", "inspect", "local", "logs-125/list.csv.gz", "--fields", "Bucket,Key")

        assert result.exit_code == 0
        assert "ETag           e1" in result.stdout
        assert "1     raw/a b.txt  logs-125,raw/a%20b.txt" in result.stdout
        assert "Warning: the first row names columns" in result.stdout

    def test_faults_are_2(self, rig: CliRig) -> None:
        rig.wiring.inspection = inspection(faults=(Fault(path="list.csv:2", value="%ZZ", problem="is no key"),))

        result = rig.call("manifest", "inspect", "local", "arn:aws:s3:::logs-125/list.csv", "--json")

        assert result.exit_code == 2
        assert json.loads(result.stdout)["faults"][0]["path"] == "list.csv:2"

    def test_a_manifest_that_is_not_there_is_2(self, rig: CliRig) -> None:
        result = rig.call("manifest", "inspect", "local", "logs-125/gone.csv")

        assert result.exit_code == 2
        assert result.stderr == "cosbatch: ManifestNotFound: there is no such object\n"

    def test_json_is_utf_8_whatever_the_manifest_is(self, rig: CliRig) -> None:
        row = SampleRow(line=1, cells=("logs-125", "caf\udce9 中"), row=None)
        rig.wiring.inspection = replace(inspection(), first_rows=(row,))

        result = rig.call("manifest", "inspect", "local", "logs-125/list.csv", "--json")

        assert result.exit_code == 0
        assert json.loads(result.stdout_bytes.decode("utf-8"))["first_rows"][0]["cells"][1] == "caf\udce9 中"
        assert "caf\\xe9 中" in rig.call("manifest", "inspect", "local", "logs-125/list.csv").stdout

    def test_an_inventory_has_no_raw_keys(self, rig: CliRig) -> None:
        rig.wiring.inspection = replace(inspection(), format=ManifestFormat.S3_INVENTORY_CSV)
        for options in ([], ["--format", "S3InventoryReport_CSV_20161130"]):
            place = ["local", "logs-125/manifest.json", "--key-encoding", "raw"]
            result = rig.call("manifest", "inspect", *place, *options)

            assert result.exit_code == 2
            assert "always URL-encoded" in result.stderr

    def test_a_format_that_nobody_gave_is_guessed_from_the_content_and_shown_as_such(self, rig: CliRig) -> None:
        place = ["manifest", "inspect", "local", "logs-125/manifest.json"]

        assert "Format may be " in rig.call(*place).stdout
        assert rig.wiring.guessed_format is True
        assert json.loads(rig.call(*place, "--json").stdout)["format_is_guessed"] is True
        assert "Format may be " not in rig.call(*place, "--format", "COSBatchOperations_CSV_V1").stdout
        assert rig.wiring.guessed_format is False

    @pytest.mark.parametrize("arguments", [["logs-125"], ["arn:aws:s3:::logs-125"], ["b/k", "--fields", "Bucket,Kee"]])
    def test_bad_arguments_are_2(self, rig: CliRig, arguments: list[str]) -> None:
        assert rig.call("manifest", "inspect", "local", *arguments).exit_code == 2


class TestStoreProbe:
    def test_prints_a_profile_to_paste(self, rig: CliRig) -> None:
        result = rig.call("store", "probe", "local", "logs-125", "--prefix", "p/")

        assert "\nprofile_overrides:\n" in result.stdout
        assert "no grants on local logs-125 p/" in result.stdout

    def test_json_has_fields_for_machines(self, rig: CliRig) -> None:
        found = json.loads(rig.call("store", "probe", "local", "logs-125", "--json").stdout)

        assert found["profile"] == "s3"
        assert list(found["profile_overrides"]) == ["grants"]
        assert found["not_tried"] == {"restore": "needs an archived object"}
        assert found["left_behind"] == ["p/x"]

    @pytest.mark.parametrize(
        ("reason", "code"),
        [
            (StorageReason.NO_SUCH_BUCKET, 2),
            (StorageReason.ACCESS_DENIED, 2),
            (StorageReason.CREDENTIALS_REFUSED, 2),
            (StorageReason.SLOW_DOWN, 1),
            (StorageReason.REFUSED, 1),
        ],
    )
    def test_a_no_of_the_store_is_2_and_its_silence_1(self, rig: CliRig, reason: StorageReason, code: int) -> None:
        rig.wiring.probe_refusal = StorageError(reason, "no")

        assert rig.call("store", "probe", "local", "logs-125").exit_code == code


@pytest.mark.parametrize("verb", [["manifest", "inspect", "lokal", "b/k.csv"], ["store", "probe", "lokal", "b"]])
def test_an_unknown_region_is_named_with_the_known_ones(rig: CliRig, verb: list[str]) -> None:
    result = rig.call(*verb)

    assert result.exit_code == 2
    assert "has no such region (it is 'lokal'); known are local" in result.stderr


class TestAnErrorThatNobodyForesaw:
    def test_is_one_line_and_its_traceback_is_in_the_log(self, rig: CliRig) -> None:
        rig.wiring.unreachable = ValueError("a broken thing")

        result = rig.call("list-jobs")

        log_file = rig.folder / "state" / "cosbatch.log"
        assert result.exit_code == 1
        assert result.stderr == f"cosbatch: internal error (ValueError); its traceback is in {log_file}\n"
        logged = json.loads(log_file.read_text(encoding="utf-8").splitlines()[-1])
        assert logged["event"] == "internal-error"
        assert "ValueError: a broken thing" in logged["exception"]

    def test_in_json(self, rig: CliRig) -> None:
        rig.wiring.unreachable = ValueError("a broken thing")

        result = rig.call("list-jobs", "--json")

        assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (1, "InternalError")

    def test_is_shown_whole_to_who_asks_for_it(self, rig: CliRig) -> None:
        rig.wiring.unreachable = ValueError("a broken thing")

        assert "Traceback" in rig.call("list-jobs", "--log-level", "debug").stderr

    def test_is_shown_whole_where_there_is_no_log(self, rig: CliRig) -> None:
        (rig.folder / "state").symlink_to(rig.folder / "nowhere" / "at" / "all")
        rig.wiring.unreachable = ValueError("a broken thing")

        result = rig.call("list-jobs")

        assert result.exit_code == 1
        assert "ValueError: a broken thing" in result.stderr
        assert result.stderr.endswith("cosbatch: internal error (ValueError)\n")


class TestErrors:
    def test_a_settings_file_with_faults_is_2(self, rig: CliRig) -> None:
        rig.settings_file.write_text("worker: 3\n")

        result = rig.call("list-jobs")

        assert result.exit_code == 2
        assert (
            "worker (line 1): is no field that is known here (it is '(hidden)'); did you mean \"workers\"?"
            in result.stderr
        )

    def test_what_did_not_answer_is_1(self, rig: CliRig) -> None:
        rig.wiring.unreachable = LedgerUnavailable("the ledger did not answer within 30 s")

        result = rig.call("list-jobs")

        assert result.exit_code == 1
        assert result.stderr == "cosbatch: the ledger did not answer within 30 s\n"


def _engine_moves(rig: CliRig, job_id: str, status: JobStatus, to: JobStatus) -> None:
    asyncio.run(rig.wiring.ledger.move(JobId(job_id), expect=[status], to=to, actor=Actor.ENGINE, reason="test"))
