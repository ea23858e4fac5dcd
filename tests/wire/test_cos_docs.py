"""The page for COS clients: its list of errors is complete, and its examples run."""

from __future__ import annotations

import asyncio
import os
import re
import sys

import pytest

from cosbatch.wire.cos_errors import HTTP_STATUS, CosCode
from tests.unit.test_docs import DOCS, first_column, section
from tests.wire import go_sdk
from tests.wire.cos_rig import MINE
from tests.wire.test_cos_socket import served

PAGE = "how-to/cos-clients.md"
_BLOCK = re.compile(r'```(?:python|sh) title="([^"]+)"\n(.*?)```', re.DOTALL)


def test_every_code_is_explained_with_its_status() -> None:
    table = section(PAGE, "Errors")
    assert first_column(table) == sorted(CosCode)
    statuses = [int(line.split("|")[2]) for line in table.splitlines() if line.startswith("| `")]
    assert statuses == [HTTP_STATUS[code] for code in sorted(CosCode)]


@pytest.mark.parametrize(("name", "program"), [("list_jobs.py", sys.executable), ("list_jobs.sh", "sh")])
async def test_an_example_lists_the_jobs(name: str, program: str) -> None:
    blocks = dict(_BLOCK.findall((DOCS / PAGE).read_text(encoding="utf-8")))
    async with served() as wire:
        job_id = await wire.rig.create(go_sdk.create_job())
        environment = os.environ | {
            "SERVICE": f"http://127.0.0.1:{wire.port}",
            "HOST": "batch.example.com",
            "APPID": MINE.caller.account.appid,
            "SECRET_ID": MINE.access_key_id,
            "SECRET_KEY": MINE.secret_access_key,
            "NO_PROXY": "*",
        }
        process = await asyncio.create_subprocess_exec(
            program, "-c", blocks[name], env=environment, stdout=-1, stderr=asyncio.subprocess.STDOUT
        )
        printed, _ = await process.communicate()
    assert job_id in printed.decode(), printed.decode()
