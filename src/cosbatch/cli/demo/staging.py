"""What ``demo-console`` does to a fresh service before anybody looks at it: the first password, people, keys, roles,
regions, a webhook, and then jobs. All of it through the API, as a person or a script would."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from cosbatch.cli.demo.beside import FOLDER, Beside, with_demo_store
from cosbatch.cli.demo.place import ADMIN_KEY, JOB_KEY, REGION, DemoFailed, endpoint_at
from cosbatch.cli.demo.staged_jobs import AWAY, CAPPED, STAGING_CAP, Hands, stage_jobs
from cosbatch.cli.demo.staged_store import LogWriter, furnish, private_photos_readable
from cosbatch.cli.demo.store import DemoStore
from cosbatch.client import Client
from cosbatch.client.http_transport import PREFIX
from cosbatch.identity.tokens import TokenScope
from cosbatch.settings import Settings

OPERATOR: Final = "lin"
VIEWER: Final = "mei"
_HOST_OF_ROLES: Final = "qcs::cam::uin/100000000001:roleName"
_CALL_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Who may look at it."""

    user: str
    password: str
    token: str
    """Of that user, for scripts."""


def stage(address: str, *, user: str, password: str, state_folder: Path, say: Callable[[str], None]) -> Staged:
    """``user`` and ``password`` as the first start has told them. DemoFailed where something does not come to be."""
    chosen = secrets.token_hex(8)  # to be typed
    token = _first_login(address, user=user, password=password, chosen=chosen)
    with Client(address, token=token) as admin, ThreadPoolExecutor(1) as pool:
        regions = {region["name"]: region for region in admin.call("GET", "/regions")["items"]}
        endpoint = str(regions[REGION]["connection"]["endpoint"])
        say("Writing objects and lists")
        store = DemoStore(endpoint=endpoint)
        furnish(store)
        logs = pool.submit(LogWriter(settings=_settings_of(endpoint, state_folder)).write)
        operator_token = _furnish_service(admin, endpoint=endpoint, password=chosen)
        with Client(address, token=operator_token) as operator:
            count = stage_jobs(
                Hands(admin=admin, operator=operator),
                readable=partial(private_photos_readable, store),
                logs_are_there=logs.result,
                say=say,
            )
    say(f"{count} jobs are there")
    return Staged(user=user, password=chosen, token=token)


def _settings_of(endpoint: str, state_folder: Path) -> Settings:
    port = int(endpoint.rpartition(":")[2])
    assert endpoint_at(port) == endpoint
    return with_demo_store(Settings(), Beside(folder=state_folder / FOLDER, port=port))


def _first_login(address: str, *, user: str, password: str, chosen: str) -> str:
    """An API token of the user, after the forced change of the password."""
    with httpx.Client(base_url=f"{address}{PREFIX}", timeout=_CALL_SECONDS) as http:
        _log_in(http, user, password)
        _asked(http.put("/session/password", json={"password": password, "new_password": chosen}))
        _log_in(http, user, chosen)
        form = {"user": user, "scopes": list(TokenScope), "description": "made by demo-console, for scripts"}
        return str(_asked(http.post("/tokens", json=form)).json()["text"])


def _log_in(http: httpx.Client, user: str, password: str) -> None:
    http.headers["x-csrf-token"] = _asked(http.post("/session", json={"user": user, "password": password})).json()[
        "csrf_token"
    ]


def _asked(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise DemoFailed(
            f"{answer.request.method} {answer.request.url.path} was answered {answer.status_code}: {answer.text}"
        )
    return answer


def _furnish_service(admin: Client, *, endpoint: str, password: str) -> str:
    """People, keys, roles, regions and a webhook; an API token of the operator."""
    for name, role in ((OPERATOR, "operator"), (VIEWER, "viewer")):
        admin.call("POST", "/users", body={"name": name, "role": role, "password": password})
    admin.call("POST", "/access-keys", body={"user": OPERATOR, "description": "nightly backup script (coscmd)"})
    admin.call("POST", "/tokens", body=_token(VIEWER, ["jobs:read"], "dashboard on the wall", lasts_days=90))
    made = admin.call("POST", "/tokens", body=_token(OPERATOR, list(TokenScope), "deployment pipeline", lasts_days=30))
    for registered in _roles(endpoint):
        admin.call("POST", "/roles", body=registered)
    for region in _regions(endpoint):
        admin.call("POST", "/regions", body=region)
    webhook = {"name": "pager", "url": "https://hooks.example.com/cosbatch", "statuses": ["Failed", "Complete"]}
    admin.call("POST", "/webhooks", body=webhook)
    return str(made["text"])


def _token(user: str, scopes: list[str], description: str, *, lasts_days: int) -> dict[str, Any]:
    return {"user": user, "scopes": scopes, "description": description, "lasts_days": lasts_days}


def _roles(endpoint: str) -> list[dict[str, Any]]:
    admin = {"access_key_id": ADMIN_KEY[0], "secret_access_key": ADMIN_KEY[1]}
    job = {"access_key_id": JOB_KEY[0], "secret_access_key": JOB_KEY[1]}
    return [
        {
            "role_arn": "arn:aws:iam::000000000000:role/copy",
            "provider": "aws-sts",
            "sts_endpoint": endpoint,
            "description": "Assumed at the store's own STS for each job",
            **admin,
        },
        {
            "role_arn": f"{_HOST_OF_ROLES}/archive-writer",
            "provider": "stored",
            "description": "Writes the archive bucket alone",
            "writable_buckets": ["archive-1250000000"],
            **job,
        },
        {
            "role_arn": f"{_HOST_OF_ROLES}/retired",
            "provider": "stored",
            "description": "Its key was deleted at the store: Test access tells",
            "access_key_id": "AKRETIRED",
            "secret_access_key": "SKRETIRED",
        },
    ]


def _regions(endpoint: str) -> list[dict[str, Any]]:
    return [
        {"name": CAPPED, "endpoint": endpoint, "profile": "seaweedfs", "requests_per_second": STAGING_CAP},
        {"name": AWAY, "endpoint": "http://127.0.0.1:9", "profile": "minio"},
    ]
