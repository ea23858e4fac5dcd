"""Webhooks over the API, from making one to a message that is sent again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from cosbatch.engine.webhook_sender import WebhookSender
from cosbatch.storage.guarded_post import GuardedPost
from tests.webhook_receiver import Receiver, listening
from tests.wire.rest_rig import ADMIN, OPERATOR, STRANGER, VIEWER, RestRig, faults, refusal, rest_rig, settings

URL = "https://hooks.example.com/cosbatch"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    lab = settings(server={"webhooks_allow_private": True})
    async with rest_rig(tmp_path, with_settings=lab) as opened:
        yield opened


async def create(rig: RestRig, *, url: str = URL, **form: object) -> str:
    """The secret."""
    answer = await rig.call("POST", "/webhooks", by=ADMIN, json={"name": "pager", "url": url, **form})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/api/v1/webhooks/pager"
    secret: str = answer.json()["secret"]
    return secret


async def test_a_webhook_is_made_described_changed_and_deleted(rig: RestRig) -> None:
    secret = await create(rig, statuses=["Complete", "Failed"])

    described = await rig.call("GET", "/webhooks/pager", by=ADMIN)
    assert described.json()["statuses"] == ["Complete", "Failed"]
    assert secret not in described.text
    listed = await rig.call("GET", "/webhooks", by=ADMIN)
    assert listed.json() == {"items": [described.json()], "next_cursor": None}
    off = await rig.call("POST", "/webhooks/pager/disable", by=ADMIN)
    assert off.json()["is_enabled"] is False
    on = await rig.call("POST", "/webhooks/pager/enable", by=ADMIN)
    assert on.json()["is_enabled"] is True
    rotated = await rig.call("POST", "/webhooks/pager/rotate-secret", by=ADMIN)
    assert rotated.json()["secret"] != secret
    assert rotated.json()["older_secret_until"] is not None

    assert (await rig.call("DELETE", "/webhooks/pager", by=ADMIN)).status_code == 204
    assert refusal(await rig.call("GET", "/webhooks/pager", by=ADMIN)) == (404, "NoSuchEntity")
    told = [entry.action for entry in await rig.told() if "webhook" in entry.action]
    assert told == ["delete-webhook", "rotate-webhook-secret", "enable-webhook", "disable-webhook", "create-webhook"]


async def test_faults_name_their_fields(rig: RestRig) -> None:
    answer = await rig.call("POST", "/webhooks", by=ADMIN, json={"name": "a b", "url": "ftp://x/", "secret": "hush"})
    assert refusal(answer) == (400, "InvalidArgument")
    assert set(faults(answer)) == {"name", "url", "secret"}
    assert "hush" not in answer.text


@pytest.mark.parametrize("user", [OPERATOR, VIEWER])
async def test_only_an_admin_sees_them(rig: RestRig, user: str) -> None:
    await create(rig)
    for method, path in [
        ("GET", "/webhooks"),
        ("GET", "/webhooks/pager"),
        ("GET", "/webhooks/pager/deliveries"),
        ("POST", "/webhooks/pager/test"),
        ("DELETE", "/webhooks/pager"),
    ]:
        assert refusal(await rig.call(method, path, by=user)) == (403, "AccessDenied"), path


async def test_another_accounts_webhook_does_not_exist(rig: RestRig) -> None:
    await create(rig)
    assert (await rig.call("GET", "/webhooks", by=STRANGER)).json()["items"] == []
    for method, path in [
        ("GET", "/webhooks/pager"),
        ("GET", "/webhooks/pager/deliveries"),
        ("POST", "/webhooks/pager/deliveries/1/redeliver"),
        ("POST", "/webhooks/pager/test"),
        ("POST", "/webhooks/pager/disable"),
        ("POST", "/webhooks/pager/rotate-secret"),
        ("DELETE", "/webhooks/pager"),
    ]:
        assert refusal(await rig.call(method, path, by=STRANGER)) == (404, "NoSuchEntity"), path


async def test_a_name_is_taken_once(rig: RestRig) -> None:
    await create(rig)
    again = await rig.call("POST", "/webhooks", by=ADMIN, json={"name": "pager", "url": URL})
    assert refusal(again) == (409, "EntityAlreadyExists")


async def test_a_test_message_is_sent_at_once(rig: RestRig) -> None:
    rig.clock.at = time.time()
    async with listening(Receiver()) as receiver:
        secret = await create(rig, url=receiver.url)
        answer = await rig.call("POST", "/webhooks/pager/test", by=ADMIN)
    assert answer.json()["is_taken"] is True
    [got] = receiver.got
    assert Verifier(secret).verify(got.body, got.headers)["id"] == answer.json()["message_id"]


async def test_what_was_sent_is_listed_in_pages_and_sent_again(rig: RestRig) -> None:
    async with listening(Receiver()) as receiver:
        await create(rig, url=receiver.url)
        for _ in range(3):
            await rig.made()
        sender = WebhookSender(
            ledger=rig.ledger.webhooks,
            cipher=rig.parts.cipher,
            post=GuardedPost(allow_private=True),
            clock=rig.clock,
            source="/here",
        )
        while await sender.step():
            await sender.settled()
        first = (await rig.call("GET", "/webhooks/pager/deliveries?limit=2", by=ADMIN)).json()
        cursor = first["next_cursor"]
        rest = (await rig.call("GET", f"/webhooks/pager/deliveries?limit=2&cursor={cursor}", by=ADMIN)).json()
        found = first["items"] + rest["items"]
        assert [item["delivery_id"] for item in found] == sorted((item["delivery_id"] for item in found), reverse=True)
        assert [(item["state"], item["status"], item["attempts"]) for item in found] == [("delivered", "New", 1)] * 3
        assert rest["next_cursor"] is None

        again = await rig.call("POST", f"/webhooks/pager/deliveries/{found[0]['delivery_id']}/redeliver", by=ADMIN)
        assert again.json()["state"] == "waiting"
        while await sender.step():
            await sender.settled()
    assert [got.message["id"] for got in receiver.got][-1] == found[0]["message_id"]
    for unknown in ("dlv-000000004711", "4711", "x"):
        missing = await rig.call("POST", f"/webhooks/pager/deliveries/{unknown}/redeliver", by=ADMIN)
        assert refusal(missing) == (404, "NoSuchEntity")
    wrong = await rig.call("GET", "/webhooks/pager/deliveries?cursor=x", by=ADMIN)
    assert refusal(wrong) == (400, "InvalidArgument")
