"""The settings of the service over the JSON API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from cosbatch import __version__
from cosbatch.settings import Settings
from cosbatch.settings.shown import SHOWN, shown_settings
from tests.wire.rest_rig import ADMIN, OPERATOR, STRANGER, refusal, rest_rig, settings

HIDDEN = {
    "server.host",  # of the host
    "server.operator_account",  # somebody's name
    "server.port",  # of the host
    "server.tls_certificate_file",  # a path
    "server.tls_key_file",  # a path
    "server.webhooks_ca_file",  # a path
    "server.allow_plain_http_beyond_loopback",  # how it is protected
    "server.trusted_proxies",  # how it is protected
    "server.encryption_key",  # a secret
    "server.metrics_token",  # a secret
    "server.webhooks_source",  # in every message
    "regions",  # calls of their own
    "accounts",  # calls of their own
    "users",  # calls of their own
    "roles",  # calls of their own
    "webhooks",  # calls of their own
    "prices.regions",  # told by estimates
}


def names(section: type[BaseModel], below: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from names(field.annotation, f"{below}{name}.")
        else:
            yield f"{below}{name}"


def test_every_setting_is_shown_or_named_as_hidden() -> None:
    assert set(names(Settings)) == SHOWN | HIDDEN
    assert not SHOWN & HIDDEN
    assert {each.name for each in shown_settings(settings())} == SHOWN


async def test_an_admin_sees_what_holds(tmp_path: Path) -> None:
    chosen = settings(retention_days=7.5, server={"deletes_allowed": True, "metrics_token": "env:TOKEN"})
    async with rest_rig(tmp_path, with_settings=chosen) as rig:
        for who in (ADMIN, STRANGER):
            answer = await rig.call("GET", "/settings", by=who)
            assert answer.status_code == 200, answer.text
            assert answer.json()["version"] == __version__
            found = {item["name"]: (item["value"], item["is_default"]) for item in answer.json()["items"]}
            assert found["retention_days"] == (7.5, False)
            assert found["server.deletes_allowed"] == (True, False)
            assert found["suspended_expiry_days"] == (30, True)
            assert all(item["description"] for item in answer.json()["items"])
            assert "TOKEN" not in answer.text
        assert refusal(await rig.call("GET", "/settings", by=OPERATOR)) == (403, "AccessDenied")
