"""The wire over a socket: a real server, and requests that the SDK's signer signs as they leave."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import uvicorn
import xmltodict  # type: ignore[import-untyped]
from qcloud_cos import CosConfig, CosS3Auth

from cosbatch.identity.callers import SigningKey
from tests.unit.service.job_builders import HOME
from tests.wire import go_sdk
from tests.wire.cos_rig import MINE, TEMPORARY, CosRig, account, cos_rig, md5_of
from tests.wire.go_structs import unmarshal


@dataclass(frozen=True)
class Served:
    rig: CosRig
    port: int

    async def send(self, method: str, path: str, **query: str) -> requests.Response:
        return await asyncio.to_thread(self._send, method, path, query)

    async def post(self, body: bytes) -> requests.Response:
        headers = {"Content-Type": "application/xml", "Content-MD5": md5_of(body)}
        return await asyncio.to_thread(self._send, "POST", "/jobs", {}, body=body, headers=headers)

    def _send(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        """Without a Host of its own: the signer signs the address without its port, as the SDK does."""
        config = CosConfig(Region=HOME, SecretId=MINE.access_key_id, SecretKey=MINE.secret_access_key, Scheme="http")
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method,
                f"http://127.0.0.1:{self.port}{path}",
                params=query,
                data=body,
                headers={"x-cos-appid": account(1).appid} | (headers or {}),
                auth=CosS3Auth(config, path, query),
                timeout=30,
            )


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    async with cos_rig() as rig:
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(rig.app, log_config=None, lifespan="off", server_header=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield Served(rig=rig, port=listener.getsockname()[1])
        finally:
            server.should_exit = True
            await serving
            listener.close()


async def test_a_job_from_its_making_to_its_removal() -> None:
    async with served() as wire:
        made = await wire.post(go_sdk.create_job(report=go_sdk.NO_REPORT))
        assert made.status_code == 200, made.text
        assert made.headers["Content-Type"] == "application/xml"
        assert made.raw.headers.getlist("server") == ["tencent-cos"]
        job_id = xmltodict.parse(made.content)["CreateJobResult"]["JobId"]
        described = await wire.send("GET", f"/jobs/{job_id}")
        assert xmltodict.parse(described.content)["DescribeJobResult"]["Job"]["Status"] == "New"
        listed = await wire.send("GET", "/jobs", jobStatuses="New,Active", maxResults="1000")
        assert job_id in listed.text
        assert (await wire.send("POST", f"/jobs/{job_id}/priority", priority="7")).status_code == 200
        reason = "wrong bucket: a+b & 中文/%"
        query = {"requestedJobStatus": "Cancelled", "statusUpdateReason": reason}
        cancelled = await wire.send("POST", f"/jobs/{job_id}/status", **query)
        assert xmltodict.parse(cancelled.content)["UpdateJobStatusResult"]["StatusUpdateReason"] == reason
        refused = await wire.send("DELETE", f"/jobs/{job_id}")
        assert (refused.status_code, "x-cos-trace-id" in refused.headers) == (400, True)


@pytest.mark.parametrize("key", [MINE, TEMPORARY], ids=["key", "temporary key"])
async def test_the_go_sdk_s_own_bytes(key: SigningKey) -> None:
    """Made and read as the SDK does it; beside its structs nothing of ours is in the way."""
    async with served() as wire:

        async def call(method: str, path: str, query: Mapping[str, str] | None = None, *, body: bytes = b"") -> Any:
            reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            writer.write(
                go_sdk.request_bytes(
                    method,
                    path,
                    query or {},
                    host=f"127.0.0.1:{wire.port}",
                    appid=key.caller.account.appid,
                    secret_id=key.access_key_id,
                    secret_key=key.secret_access_key,
                    token=key.session_token,
                    now=int(time.time()),
                    body=body,
                )
            )
            head, _, content = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            await writer.wait_closed()
            assert head.startswith(b"HTTP/1.1 200 "), content
            return unmarshal(content, content.partition(b">")[0].decode().removeprefix("<"))

        operation = go_sdk.copy_operation(*go_sdk.EVERY_COPY_FIELD)
        job_id = (await call("POST", "/jobs", body=go_sdk.create_job(operation=operation)))["JobId"]
        job = (await call("GET", f"/jobs/{job_id}"))["Job"]
        copy = job["Operation"]["COSPutObjectCopy"]
        assert copy["NewObjectMetadata"]["UserMetadata>member"][1] == {"Key": "by", "Value": "batch & co"}
        assert (copy["ModifiedSinceConstraint"], copy["PrefixReplace"]) == (1576812701, "true")
        assert (job["Priority"], job["Report"]["Enabled"]) == (10, "true")
        page = await call("GET", "/jobs", {"jobStatuses": "New", "maxResults": "10"})
        assert [member["JobId"] for member in page["Jobs"]["member"]] == [job_id]
        assert (await call("POST", f"/jobs/{job_id}/priority", {"priority": "20"}))["Priority"] == 20
        reason = "not now: a+b & 中文"
        query = {"requestedJobStatus": "Cancelled", "statusUpdateReason": reason}
        assert (await call("POST", f"/jobs/{job_id}/status", query))["StatusUpdateReason"] == reason


async def test_bytes_that_are_no_request_of_an_sdk() -> None:
    """Over a socket nothing has tidied up what arrives."""
    async with served() as wire:
        for head, status in (
            (b"GET /jobs HTTP/1.1\r\nHost: x\r\n\r\n", b"403"),
            (b"GET /jobs/%FF%00 HTTP/1.1\r\nHost: \xff\r\nx-cos-appid: \xe4\r\n\r\n", b"403"),
            (b"POST /jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"403"),
            (b"GET //jobs HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
            (b"GET /jobs/a%2Fb?x=%FF&q-ak=%0a HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            writer.write(head)
            assert (await reader.readline()).split()[1] == status
            writer.close()
            await writer.wait_closed()


async def test_a_body_that_never_ends_is_cut_off() -> None:
    """What is announced is not read, and what is not announced is read up to the limit only."""
    async with served() as wire:

        def endless() -> requests.Response:
            def pieces() -> object:
                for _ in range(100):
                    yield b" " * 65536

            config = CosConfig(
                Region=HOME, SecretId=MINE.access_key_id, SecretKey=MINE.secret_access_key, Scheme="http"
            )
            with requests.Session() as session:
                session.trust_env = False
                return session.post(
                    f"http://127.0.0.1:{wire.port}/jobs",
                    data=pieces(),  # type: ignore[arg-type]
                    headers={"x-cos-appid": account(1).appid},
                    auth=CosS3Auth(config, "/jobs"),
                    timeout=30,
                )

        response = await asyncio.to_thread(endless)
        assert response.status_code == 400
        assert xmltodict.parse(response.content)["Error"]["Code"] == "XMLSizeLimit"
