"""``--account``: jobs of a service, from the command line on its own host."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from cosbatch.cli.callers import caller_in
from cosbatch.model.principals import LOCAL_CALLER, UserRole
from cosbatch.service.people_names import account_id
from tests.contract.ledgers import job_id, new_job
from tests.unit.cli.cli_rig import CliRig


def test_without_an_account_it_is_who_runs_without_a_service() -> None:
    assert caller_in("") == LOCAL_CALLER


def test_in_an_account_it_is_an_admin_by_the_name_that_the_system_has() -> None:
    caller = caller_in("main")
    assert (caller.account.id, caller.role, caller.via) == (account_id("main"), UserRole.ADMIN, "cli")
    assert caller.user not in ("", LOCAL_CALLER.user)


def test_accounts_are_walls_here_too(tmp_path: Path) -> None:
    rig = CliRig(tmp_path)
    asyncio.run(_two_jobs(rig))

    def listed(*options: str) -> list[str]:
        return [job["job_id"] for job in json.loads(rig.call("list-jobs", "--json", *options).stdout)["jobs"]]

    assert listed() == [job_id(1)]
    assert listed("--account", "main") == [job_id(2)]
    assert listed("--account", "other") == []
    assert rig.call("cancel", job_id(2)).exit_code == 2
    for verb in (["list-jobs"], ["cancel", job_id(2)], ["describe-job", job_id(2)], ["delete-job", job_id(2)]):
        refused = rig.call(*verb, "--account", "mian")
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "there is no account 'mian'; known: main, other" in refused.stderr
    assert rig.call("cancel", job_id(2), "--account", "main").exit_code == 0
    told = json.loads(rig.call("describe-job", job_id(2), "--account", "main", "--json").stdout)
    assert told["status"] == "Cancelling"


def test_without_any_job_an_account_can_be_wrong_too(tmp_path: Path) -> None:
    rig = CliRig(tmp_path)
    rig.wiring.is_untouched = True
    assert rig.call("list-jobs").stdout == "No jobs.\n"
    refused = rig.call("list-jobs", "--account", "main")
    assert (refused.exit_code, refused.stdout) == (2, "")


async def _two_jobs(rig: CliRig) -> None:
    await new_job(rig.wiring.ledger, 1)
    await new_job(rig.wiring.ledger, 2, account=account_id("main"))
