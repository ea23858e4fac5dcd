"""The command line and a service over a socket: the verbs, a run from its file to its end, profiles, and errors."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
import yaml
from click.testing import CliRunner, Result

from cosbatch.cli.invocation import Surroundings
from cosbatch.cli.main import cli
from cosbatch.model.identifiers import JobId
from cosbatch.model.states import JobStatus
from tests.unit.service.job_builders import job_content
from tests.wire.rest_rig import OPERATOR, RestRig, rest_rig
from tests.wire.test_sdk import listening

S = JobStatus
T = TypeVar("T")


def no_wiring() -> Any:
    raise AssertionError("nothing on this host is to be opened")


class Desk:
    """Somebody at another host. The service runs in a thread: the program heeds signals, which takes the main one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rig: RestRig
        self.url = self.token = ""
        self._loop = asyncio.new_event_loop()
        self._ready, self._done = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()])

    async def _serve(self) -> None:
        (self.folder / "service").mkdir()
        try:
            async with rest_rig(self.folder / "service") as self.rig, listening(self.rig.app) as self.url:
                self.token = await self.rig.token(OPERATOR)
                self._ready.set()
                await self._done.wait()
        finally:
            self._ready.set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()
        self._loop.close()

    def there(self, work: Coroutine[Any, Any, T]) -> T:
        """Done by the service."""
        return self.begin(work).result(timeout=60)

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, *arguments: str, answer: str | None = None, **environ: str) -> Result:
        surroundings = Surroundings(wiring=no_wiring, can_ask=answer is not None, is_live=False)
        given = {"COSBATCH_SERVER_URL": self.url, "COSBATCH_API_TOKEN": self.token} | environ
        return CliRunner(env=given).invoke(cli, arguments, obj=surroundings, input=answer, catch_exceptions=False)

    def job_file(self, **changes: Any) -> str:
        path = self.folder / "job.yaml"
        path.write_text(yaml.safe_dump(job_content(**changes)))
        return str(path)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as desk:
        yield desk


def test_every_verb(here: Desk) -> None:
    job_id = here.there(here.rig.made(description="cold logs", report={"enabled": False}))
    shown = here.call("describe-job", job_id)
    assert (shown.exit_code, "cold logs" in shown.stdout, "created" in shown.stdout) == (0, True, True)
    assert f"Job {job_id} is New, priority 77" in here.call("update-job-priority", job_id, "77").stdout
    here.there(here.rig.moved(job_id, S.PREPARING, S.SUSPENDED))
    assert "is Ready" in here.call("confirm", job_id).stdout
    here.there(here.rig.moved(job_id, S.ACTIVE))
    assert "is Pausing" in here.call("pause", job_id, "--reason", "lunch").stdout
    here.there(here.rig.moved(job_id, S.PAUSED))
    assert "is Active" in here.call("resume", job_id).stdout
    assert json.loads(here.call("cancel", job_id, "--json").stdout)["status"] == "Cancelling"
    here.there(here.rig.moved(job_id, S.CANCELLED))
    assert "is deleted" in here.call("delete-job", job_id).stdout
    gone = here.call("describe-job", job_id)
    assert (gone.exit_code, job_id in gone.stderr) == (2, True)


def test_a_job_reads_the_same_here_and_there(tmp_path: Path) -> None:
    with Desk(tmp_path) as here:
        job_id = here.there(here.rig.made())
        told = json.loads(here.call("describe-job", job_id, "--json").stdout)
    folder = ["--data", str(tmp_path / "service"), "--account", "first"]
    kept = CliRunner(env={}).invoke(cli, ["describe-job", job_id, "--json", *folder])
    assert kept.exit_code == 0, kept.output
    assert told == json.loads(kept.stdout)


async def the_job(rig: RestRig) -> JobId:
    while not (jobs := await rig.ledger.jobs()):
        await asyncio.sleep(0.05)
    return jobs[0].id


async def planned(rig: RestRig) -> JobId:
    """The job, as soon as there is one and its plan is made."""
    job_id = await the_job(rig)
    await rig.moved(job_id, S.PREPARING, S.SUSPENDED)
    return job_id


async def carried_out(rig: RestRig) -> JobId:
    """The job, after it was confirmed and has come to its end."""
    job_id = await planned(rig)
    while (await rig.ledger.job(job_id)).status is not S.READY:
        await asyncio.sleep(0.05)
    await rig.moved(job_id, S.ACTIVE, S.COMPLETING, S.COMPLETE)
    return job_id


def test_a_run_from_its_file_to_its_end(here: Desk) -> None:
    path = here.job_file(report={"enabled": False})
    engine = here.begin(carried_out(here.rig))
    ended = here.call("run", path, answer="y\n")
    job_id = engine.result(timeout=60)
    assert ended.exit_code == 0, ended.output
    assert f"Job {job_id} Complete" in ended.stdout
    assert "Run it?" in ended.stderr
    again = here.call("run", path, "--yes")
    assert (again.exit_code, f"Job {job_id} Complete" in again.stdout) == (0, True)


def test_a_run_anew_is_another_job(here: Desk) -> None:
    path = here.job_file(report={"enabled": False})
    first = here.begin(carried_out(here.rig))
    here.call("run", path, "--yes")
    engine = here.begin(anew(here.rig, first.result(timeout=60)))
    assert here.call("run", path, "--yes", "--again").exit_code == 0
    assert len(here.there(here.rig.ledger.jobs())) == 2
    engine.result(timeout=60)


async def anew(rig: RestRig, first: JobId) -> None:
    while len(jobs := await rig.ledger.jobs()) < 2:
        await asyncio.sleep(0.05)
    [second] = [job.id for job in jobs if job.id != first]
    await rig.moved(second, S.PREPARING, S.READY, S.ACTIVE, S.COMPLETING, S.COMPLETE)


def test_who_says_no_leaves_the_job_waiting(here: Desk) -> None:
    engine = here.begin(planned(here.rig))
    assert here.call("run", here.job_file(), answer="n\n").exit_code == 1
    assert here.there(here.rig.ledger.job(engine.result(timeout=60))).status is S.SUSPENDED


def test_a_file_with_faults_makes_no_job(here: Desk) -> None:
    told = here.call("run", here.job_file(region="nowhere"), "--yes", "--json")
    assert told.exit_code == 2
    [fault] = json.loads(told.stdout)["error"]["faults"]
    assert fault["path"] == "manifest.location.object_arn (line 3)"
    assert here.there(here.rig.ledger.jobs()) == []


def test_a_run_that_nobody_can_confirm_makes_no_job(here: Desk) -> None:
    told = here.call("run", here.job_file())
    assert (told.exit_code, "--yes" in told.stderr) == (2, True)
    assert here.there(here.rig.ledger.jobs()) == []


def test_a_profile_names_the_service(here: Desk, tmp_path: Path) -> None:
    job_id = here.there(here.rig.made())
    (tmp_path / "token").write_text(here.token)
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text(yaml.safe_dump({"profiles": {"lab": {"server": here.url, "token": "file:token"}}}))
    bare = {"COSBATCH_SERVER_URL": "", "COSBATCH_API_TOKEN": "", "COSBATCH_PROFILES": str(profiles)}
    assert here.call("describe-job", job_id, "--profile", "lab", **bare).exit_code == 0
    told = here.call("describe-job", job_id, "--profile", "lap", **bare)
    assert (told.exit_code, "lab" in told.stderr) == (2, True)


@pytest.mark.parametrize("option", [("--data", "x"), ("--account", "first"), ("--config", "y")])
def test_two_places_are_one_too_many(option: tuple[str, str]) -> None:
    told = CliRunner(env={}).invoke(cli, ["describe-job", "j", "--server", "http://127.0.0.1:9", *option])
    assert (told.exit_code, "give one of them" in told.stderr) == (2, True)


def test_a_wrong_token_and_a_service_that_is_away(tmp_path: Path) -> None:
    with Desk(tmp_path) as here:
        told = here.call("describe-job", "j", COSBATCH_API_TOKEN="cosb_wrong")  # no secret
        assert (told.exit_code, "token" in told.stderr) == (2, True)
        none = here.call("describe-job", "j", COSBATCH_API_TOKEN="")
        assert (none.exit_code, "COSBATCH_API_TOKEN: is not set" in none.stderr) == (2, True)
    away = here.call("describe-job", "j", "--json")
    assert (away.exit_code, here.url in json.loads(away.stdout)["error"]["message"]) == (1, True)
