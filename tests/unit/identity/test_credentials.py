"""Credentials keep their secrets out of sight."""

from __future__ import annotations

from cosbatch.identity.credentials import Credentials, StaticCredentials


def test_repr_shows_the_id_and_no_secret() -> None:
    credentials = Credentials(access_key_id="AKID", secret_access_key="hush", session_token="token-hush")
    shown = f"{credentials!r} {credentials}"
    assert "AKID" in shown
    assert "hush" not in shown


async def test_static_credentials_are_always_the_same_object() -> None:
    credentials = Credentials(access_key_id="AKID", secret_access_key="hush")
    source = StaticCredentials(credentials)
    assert await source.credentials() is credentials
    assert await source.credentials() is credentials
