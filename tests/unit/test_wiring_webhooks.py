"""A service with a webhook in its settings: what happens to a job arrives, signed with the secret that stands there."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.ledger.sql_ledger import open_sqlite_ledger
from cosbatch.model.errors import InvalidArgument
from cosbatch.model.states import JobStatus
from cosbatch.service.people_names import account_id
from cosbatch.settings import Settings, load_settings
from cosbatch.wire.webhook_messages import new_secret
from cosbatch.wiring import open_serving
from cosbatch.wiring.webhooks import declare_settings_webhooks
from tests.contract.ledgers import new_job
from tests.webhook_receiver import Receiver, listening

SECRET = new_secret()
NUMBERS = {"uin": "100000000001", "appid": "1250000000", "aws_account_id": "123456789012"}


def settings_in(folder: Path, url: str, **changes: Any) -> Settings:
    (folder / "secret").write_text(SECRET + "\n")
    webhook = {"account": "acme", "url": url, "secret": "file:secret"} | changes
    document = {
        "workers": 1,
        "accounts": {"acme": NUMBERS},
        "webhooks": {"pager": webhook},
        "server": {"webhooks_allow_private": True, "webhooks_source": "https://batch.example.com"},
    }
    (folder / "cosbatch.yaml").write_text(json.dumps(document))
    return load_settings(folder / "cosbatch.yaml")


async def test_what_happens_to_a_job_arrives(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with listening(Receiver()) as receiver:
        settings = settings_in(tmp_path, receiver.url, statuses=["New", "Failing"])
        async with open_serving(settings, state, host="127.0.0.1", port=0), asyncio.timeout(60):
            ledger = await open_sqlite_ledger(state)
            job = await new_job(ledger, account=account_id("acme"))  # its region is not there: it fails
            while len(receiver.got) < 2:
                await receiver.arrived.wait()
                receiver.arrived.clear()
            [webhook] = await ledger.webhooks.webhooks(account=None)
            await ledger.close()
    assert receiver.statuses == ["New", "Failing"]
    for got in receiver.got:
        message = Verifier(SECRET).verify(got.body, got.headers)
        assert (message["subject"], message["source"]) == (job.id, "https://batch.example.com")
    assert (webhook.is_declared, webhook.statuses) == (True, (JobStatus.NEW, JobStatus.FAILING))


async def test_a_webhook_that_cannot_be_is_told_with_all_its_faults(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "ftp://hooks.example.com/", account="nobody")
    (tmp_path / "secret").write_text("hush")
    ledger = await open_sqlite_ledger(tmp_path / "state")
    with pytest.raises(InvalidArgument) as raised:
        await declare_settings_webhooks(settings, ledger=ledger, cipher=Cipher(KeyRing(current=bytes(32))))
    assert await ledger.webhooks.webhooks(account=None) == []
    await ledger.close()
    paths = [fault.path for fault in raised.value.faults]
    assert paths == ["webhooks.pager.account", "webhooks.pager.url", "webhooks.pager.secret"]
    assert "hush" not in str(raised.value)
