"""Tokens are random, stand in the ledger as a hash, and let no more than their scope and their user."""

from __future__ import annotations

import pytest

from cosbatch.identity.tokens import (
    Session,
    TokenScope,
    digest,
    new_access_key_id,
    new_secret_key,
    new_session_token,
    new_token,
    role_within,
)
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import UserRole


def test_each_is_another_and_shows_what_it_is() -> None:
    for make, prefix, length in (
        (new_token, "cosb_", 48),
        (new_session_token, "coss_", 48),
        (new_access_key_id, "AKID", 36),
        (new_secret_key, "", 32),
    ):
        assert len({make() for _ in range(100)}) == 100
        assert make().startswith(prefix)
        assert len(make()) == length


def test_the_digest_is_a_sha_256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert len(digest("\udc80")) == 64


@pytest.mark.parametrize(
    ("role", "scopes", "left"),
    [
        (UserRole.ADMIN, {TokenScope.JOBS_READ}, UserRole.VIEWER),
        (UserRole.ADMIN, {TokenScope.JOBS_READ, TokenScope.JOBS_WRITE}, UserRole.OPERATOR),
        (UserRole.ADMIN, {TokenScope.ADMIN}, UserRole.ADMIN),
        (UserRole.VIEWER, {TokenScope.ADMIN}, UserRole.VIEWER),
        (UserRole.OPERATOR, {TokenScope.JOBS_WRITE}, UserRole.OPERATOR),
    ],
)
def test_a_token_lets_no_more_than_its_scopes_and_its_user(
    role: UserRole, scopes: set[TokenScope], left: UserRole
) -> None:
    assert role_within(role, frozenset(scopes)) is left


@pytest.mark.parametrize(("at", "is_over"), [(99.0, False), (100.0, True), (250.0, True)])
def test_a_session_ends_by_idleness_or_age(at: float, is_over: bool) -> None:
    terms = {"id": "s", "user": "anna", "account": AccountId("a"), "created_at": 0.0}
    assert Session(**terms, idle_until=100.0, expires_at=200.0).is_over(at) is is_over  # type: ignore[arg-type]
    assert Session(**terms, idle_until=200.0, expires_at=100.0).is_over(at) is is_over  # type: ignore[arg-type]
