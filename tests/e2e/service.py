"""The installed ``cosbatch serve``, and a COS client that knows of it what ``first-run.json`` says."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import xmltodict  # type: ignore[import-untyped]
import yaml

from cosbatch.identity.callers import SigningKey
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Account, Caller, UserRole
from tests.e2e.program import Ground, kill_group
from tests.wire.cos_rig import Wanted, md5_of, signed
from tests.wire.go_sdk import Pair, create_job

ROLE = "arn:aws:iam::000000000000:role/copy"
"""SeaweedFS gives its credentials to whoever may ask its STS."""
START_SECONDS = 120
STOP_SECONDS = 120


def declare_service(ground: Ground, *, region: Mapping[str, Any] | None = None, **settings: Any) -> None:
    """The region has no credentials of its own: jobs bring a role, which the store's own STS gives."""
    ground.write_settings(region=dict(region or {}), workers=1, poll_seconds=0.1, **settings)
    path = ground.folder / "cosbatch.yaml"
    document = yaml.safe_load(path.read_text())
    credentials = document["regions"]["here"].pop("credentials")
    document["roles"] = [
        {
            "arn": ROLE,
            "account": "main",
            "provider": "aws-sts",
            "sts_endpoint": ground.store.endpoint,
            "credentials": credentials,
        }
    ]
    path.write_text(yaml.safe_dump(document))


@dataclass(slots=True)
class Service:
    """A service of a ground's data folder, in a process group of its own."""

    ground: Ground
    process: subprocess.Popen[bytes]
    address: str

    @property
    def first_run(self) -> dict[str, str]:
        return dict(json.loads((self.ground.folder / "state" / "first-run.json").read_text()))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.address + path, timeout=30, **options)

    def stop(self, *, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        kill_group(self.process)


def start_service(ground: Ground, *arguments: str) -> Service:
    """Once it has told its address."""
    told = ground.folder / f"told-{uuid.uuid4().hex[:8]}"
    with told.open("wb") as out, (ground.folder / "stderr").open("ab") as err:
        process = subprocess.Popen(
            ground.command("serve", "--port", "0", "--json", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    ground.started.append(process)
    ends = time.monotonic() + START_SECONDS
    while not told.read_bytes().endswith(b"\n"):
        errors = (ground.folder / "stderr").read_text()
        assert process.poll() is None, f"it has ended with {process.returncode}\n{errors}\n{ground.log()}"
        assert time.monotonic() < ends, f"no address after {START_SECONDS} s\n{errors}\n{ground.log()}"
        time.sleep(0.05)
    return Service(ground, process, json.loads(told.read_text())["address"])


@dataclass(slots=True)
class CosClient:
    """Signs with the signer of cos-python-sdk-v5, and writes bodies as cos-go-sdk-v5 does."""

    service: Service
    first_run: dict[str, str] = field(init=False)
    key: SigningKey = field(init=False)

    def __post_init__(self) -> None:
        self.first_run = self.service.first_run
        account = Account(
            id=AccountId("main"),
            name="main",
            uin=self.first_run["uin"],
            appid=self.first_run["appid"],
            aws_account_id=self.first_run["account_id"],
            created_at=0.0,
        )
        self.key = SigningKey(
            access_key_id=self.first_run["secret_id"],
            secret_access_key=self.first_run["secret_key"],
            caller=Caller(account=account, user=self.first_run["user"], role=UserRole.ADMIN, via="cos"),
        )

    def via(self, service: Service) -> CosClient:
        """The same client at another service."""
        other = CosClient(self.service)
        other.service = service
        return other

    def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, *, body: bytes = b""
    ) -> dict[str, Any]:
        """What the answer's root element holds."""
        response = self.ask(method, path, query, body=body)
        assert response.status_code == 200, f"{response.status_code}\n{response.text}\n{self.service.ground.log()}"
        (content,) = xmltodict.parse(response.content).values()
        return dict(content)

    def ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, *, body: bytes = b""
    ) -> httpx.Response:
        host = self.service.address.partition("//")[2]
        headers = {"host": host, "x-cos-appid": self.first_run["appid"]}
        if body:
            headers |= {"content-type": "application/xml", "content-md5": md5_of(body)}
        request = Wanted(method=method, path=path, query=query or {}, headers=headers, body=body)
        with httpx.Client(timeout=60) as client:
            return client.send(signed(request, self.key, base_url=self.service.address))

    # --- jobs

    def body(self, arn: str, *, token: str = "", confirm: bool = False, priority: int = 10, role: str = ROLE) -> bytes:
        """A copy over a CSV of the ground, with a report of all tasks."""
        ground = self.service.ground
        bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
        report: list[Pair] = [
            ("Bucket", f"qcs::cos:here::{ground.control}"),
            ("Enabled", "true"),
            ("Format", "Report_CSV_V1"),
            ("Prefix", "reports"),
            ("ReportScope", "AllTasks"),
        ]
        etag = str(ground.client.head_object(Bucket=bucket, Key=key)["ETag"])
        return create_job(
            token=token or str(uuid.uuid4()),
            etag=etag,
            object_arn=f"qcs::cos:here::{bucket}/{key}",
            spec=[
                ("Format", "COSBatchOperations_CSV_V1"),
                ("Fields", [("member", "Bucket"), ("member", "Key")]),
            ],
            operation=[("COSPutObjectCopy", [("TargetResource", f"qcs::cos:here::{ground.target}")])],
            confirmation_required="true" if confirm else "false",
            priority=str(priority),
            report=report,
            role_arn=role,
        )

    def create(self, arn: str, **options: Any) -> str:
        return str(self.call("POST", "/jobs", body=self.body(arn, **options))["JobId"])

    def job(self, job_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/jobs/{job_id}")["Job"])

    def wait(
        self, job_id: str, until: str | Callable[[dict[str, Any]], bool], *, seconds: float = 180
    ) -> dict[str, Any]:
        """The job once it is in a status, or ``until`` is true of it."""
        ends = time.monotonic() + seconds
        while True:
            job = self.job(job_id)
            if job["Status"] == until if isinstance(until, str) else until(job):
                return job
            assert time.monotonic() < ends, f"{job} after {seconds} s\n{self.service.ground.log()}"
            time.sleep(0.2)

    def set_status(self, job_id: str, status: str) -> dict[str, Any]:
        return self.call("POST", f"/jobs/{job_id}/status", {"requestedJobStatus": status})

    def set_priority(self, job_id: str, priority: int) -> dict[str, Any]:
        return self.call("POST", f"/jobs/{job_id}/priority", {"priority": str(priority)})


def log_lines(folder: Path) -> list[dict[str, Any]]:
    """Of ``cosbatch.log``; each has to be one JSON object."""
    return [json.loads(line) for line in (folder / "cosbatch.log").read_text().splitlines()]
