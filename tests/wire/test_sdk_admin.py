"""The SDK on the real application: people, roles, regions, webhooks, the audit log, the own session."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

import httpx
import pytest

from cosbatch.client import AsyncClient, AsyncHttpTransport, Client, ServerAddress
from cosbatch.identity.tokens import TokenScope
from cosbatch.model.errors import InvalidArgument, NameTaken, NoSuchName, NoSuchRole, NotAllowed, NotAuthenticated
from cosbatch.model.principals import RoleProvider, UserRole
from cosbatch.model.states import JobStatus
from tests.unit.service.job_builders import AWAY, HOME, job_content
from tests.wire.rest_rig import ADMIN, OPERATOR, PASSWORD, STRANGER, VIEWER, RestRig, rest_rig
from tests.wire.test_sdk import QUICK, client_of, listening, sdk


async def test_a_user_from_its_making_to_its_end(tmp_path: Path) -> None:
    async with sdk(tmp_path, by=ADMIN) as (rig, client):
        made = await client.create_user("nina", role=UserRole.VIEWER)
        assert (made.user.account, made.user.must_change_password, bool(made.password)) == ("first", True, True)
        assert await client.describe_user("nina") == made.user
        assert (await client.update_user("nina", role=UserRole.OPERATOR)).role is UserRole.OPERATOR
        assert (await client.update_user("nina", is_disabled=True)).is_disabled
        assert (await client.reset_password("nina")).password != made.password
        with pytest.raises(NameTaken):
            await client.create_user("nina")
        await client.delete_user("nina")
        with pytest.raises(NoSuchName):
            await client.describe_user("nobody")
        with pytest.raises(NotAllowed):
            await client_of(rig, await rig.token(VIEWER)).create_user("otto")


async def test_every_page_of_a_list(tmp_path: Path) -> None:
    async with sdk(tmp_path, by=ADMIN) as (_, client):
        names = [user.name async for user in client.every(client.list_users, limit=1)]
        assert {ADMIN, OPERATOR, VIEWER} <= set(names)
        assert names == [user.name for user in (await client.list_users()).items]


async def test_keys_and_tokens(tmp_path: Path) -> None:
    async with sdk(tmp_path, by=ADMIN) as (rig, client):
        key = await client.create_access_key(OPERATOR, description="for tests")
        other = (await client.create_access_key(OPERATOR)).access_key.access_key_id
        with pytest.raises(InvalidArgument):
            await client.delete_access_key(other)
        await client.update_access_key(other, is_disabled=True)
        await client.delete_access_key(other)
        await client.update_access_key(key.access_key.access_key_id, is_disabled=True)
        [listed] = (await client.list_access_keys(user=OPERATOR)).items
        assert (listed.is_disabled, listed.description, bool(key.secret_access_key)) == (True, "for tests", True)
        made = await client.create_token(OPERATOR, scopes=[TokenScope.JOBS_READ], lasts_days=1)
        theirs = client_of(rig, made.text)
        session = await theirs.get_session()
        assert (session.user, session.via, session.csrf_token) == (OPERATOR, "rest", None)
        assert "describe_job" in session.operations
        assert "create_job" not in session.operations
        await client.revoke_token(made.token.id)
        with pytest.raises(NotAuthenticated):
            await theirs.get_session()
        [known] = [one for one in (await client.list_tokens(user=OPERATOR)).items if one.id == made.token.id]
        assert (known.is_revoked, known.scopes) == (True, (TokenScope.JOBS_READ,))


async def test_accounts(tmp_path: Path) -> None:
    async with sdk(tmp_path, by=ADMIN) as (_, client):
        made = await client.create_account("third", uin="100000000777")
        assert made.uin == "100000000777"
        assert await client.describe_account("third") == made
        assert (await client.update_account("third", is_disabled=True)).is_disabled
        assert "third" in [account.name for account in (await client.list_accounts()).items]


async def test_regions(tmp_path: Path) -> None:
    async with sdk(tmp_path, by=ADMIN) as (_, client):
        made = await client.create_region("lab", {"endpoint": "http://127.0.0.1:9", "requests_per_second": 5})
        assert made.connection is not None
        assert (made.is_declared, made.connection.requests_per_second) == (False, 5.0)
        changed = await client.update_region("lab", {"requests_per_second": None, "bytes_per_second": 1e6})
        assert changed.connection is not None
        assert (changed.connection.requests_per_second, changed.connection.bytes_per_second) == (None, 1e6)
        assert not (await client.test_region("lab")).is_reachable
        assert {HOME, AWAY, "lab"} == {region.name for region in (await client.list_regions()).items}
        await client.delete_region("lab")
        with pytest.raises(InvalidArgument) as caught:
            await client.create_region("lab", {"endpoint": "gopher://x"})
        assert "endpoint" in caught.value.faults[0].path


async def test_a_role_gets_another_key(tmp_path: Path) -> None:
    async with sdk(tmp_path, by=ADMIN) as (_, client):
        arn = "arn:aws:iam::123456789012:role/copy"
        made = await client.create_role(
            arn, provider=RoleProvider.STORED, access_key_id="AKIA1", secret_access_key="secret"
        )
        changed = await client.replace_role_key(arn, access_key_id="AKIA2", secret_access_key="another")
        assert (made.role.key_changed_at, changed.key_changed_at is None) == (None, False)
        assert await client.describe_role(arn) == changed
        with pytest.raises(NoSuchRole):
            await client.replace_role_key(arn + "2", access_key_id="AKIA2", secret_access_key="another")


async def test_policies_of_a_role(tmp_path: Path) -> None:
    async with sdk(tmp_path, by=ADMIN) as (_, client):
        arn = "arn:aws:iam::123456789012:role/copy"
        found = await client.role_policies(arn, provider=RoleProvider.AWS_STS, job=job_content())
        assert found.permission["Statement"]
        assert (await client.list_roles()).items == ()


async def test_webhooks(tmp_path: Path) -> None:
    async with sdk(tmp_path, by=ADMIN) as (_, client):
        url = "https://hooks.example.com/x"
        made = await client.create_webhook("ops", url, statuses=[JobStatus.COMPLETE])
        assert (made.statuses, made.secret.startswith("whsec_")) == ((JobStatus.COMPLETE,), True)
        assert not (await client.disable_webhook("ops")).is_enabled
        assert (await client.enable_webhook("ops")).is_enabled
        assert (await client.rotate_webhook_secret("ops")).older_secret_until is not None
        assert (await client.webhook_deliveries("ops")).items == ()
        assert [hook.name for hook in (await client.list_webhooks()).items] == ["ops"]
        await client.delete_webhook("ops")


async def test_the_audit_log(tmp_path: Path) -> None:
    async with sdk(tmp_path, by=ADMIN) as (_, client):
        await client.create_user("nina")
        [line] = (await client.list_audit(action="create-user", target="nina", outcome="done", since=0.0)).items
        assert (line.actor, line.target, line.via) == (ADMIN, "nina", "rest")
        pieces: list[bytes] = []
        await client.download_audit(pieces.append, action="create-user", target="nina")
        [row] = csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig")))
        assert row["target"] == "nina"


async def test_what_the_service_says_of_itself(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (_, client):
        offered = await client.get_capabilities()
        assert {HOME, AWAY} == {region.name for region in offered.regions}
        assert offered.limits.page_max == 1000
        assert set(dir(client)) >= {call.operation_id for call in offered.calls}
        assert (await client.get_openapi_document())["openapi"].startswith("3.1")


async def test_the_settings_that_a_service_works_by(tmp_path: Path) -> None:
    async with sdk(tmp_path, by=ADMIN) as (_, client):
        known = {one.name: one for one in (await client.list_settings()).items}
        assert known["server.deletes_allowed"].value in (True, False)
        assert all(one.description for one in known.values())


async def test_jobs_are_counted(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        for _ in range(3):
            await rig.made()
        page = await client.list_jobs(limit=1)
        assert (page.total, page.counts.by_status[JobStatus.NEW], page.items[0].creator) == (3, 3, OPERATOR)
        assert len([job async for job in client.every(client.list_jobs, limit=1, creator=OPERATOR)]) == 3
        assert (await client.list_jobs(priority_from=10**6)).items == ()
        outlook = await client.job_outlook(page.items[0].id)
        assert (outlook.is_final, outlook.expires_at, "cancel" in outlook.actions) == (False, None, True)
        assert outlook.actions == page.items[0].actions


def nobody(rig: RestRig) -> AsyncClient:
    server = ServerAddress(url="http://cosbatch.test")
    transport = AsyncHttpTransport(server, http=httpx.ASGITransport(app=rig.app, raise_app_exceptions=False))
    return AsyncClient(transport=transport, patience=QUICK)


async def test_a_session_is_kept_and_its_writes_are_proven(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, _):
        client = nobody(rig)
        with pytest.raises(NotAuthenticated):
            await client.log_in(OPERATOR, "three wrong words")
        session = await client.log_in(OPERATOR, PASSWORD)
        assert (session.user, session.via) == (OPERATOR, "console")
        job = await client.create_job(job_content())
        assert (await client.get_session()).csrf_token == session.csrf_token
        await client.change_password(PASSWORD, "four other words altogether")
        with pytest.raises(NotAuthenticated):
            await client.describe_job(job.id)
        await client.log_in(OPERATOR, "four other words altogether")
        await client.log_out()
        with pytest.raises(NotAuthenticated):
            await client.get_session()


async def test_the_client_that_waits_keeps_a_session_over_a_socket(tmp_path: Path) -> None:
    async with rest_rig(tmp_path) as rig, listening(rig.app) as url:
        assert await asyncio.to_thread(made_by_hand, url) == ["nina"]


def made_by_hand(url: str) -> list[str]:
    with Client(url, patience=QUICK) as client:
        assert client.log_in(ADMIN, PASSWORD).is_service_operator
        client.create_user("nina", account="second")
        names = [user.name for user in client.every(client.list_users, account="second", limit=1)]
        client.log_out()
        with pytest.raises(NotAuthenticated):
            client.list_users()
        return [name for name in names if name != STRANGER]
