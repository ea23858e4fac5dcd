"""Passwords are hashed with argon2id, and easy ones are refused."""

from __future__ import annotations

import pytest

from cosbatch.identity.passwords import HashCost, Passwords, check_password, random_password
from cosbatch.model.errors import InvalidArgument

QUICK = HashCost(rounds=1, memory_kib=64, lanes=1)
PASSWORD = "four words in a row"


async def test_a_password_is_compared_with_its_hash() -> None:
    passwords = Passwords(QUICK)
    stored = await passwords.hashed(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert PASSWORD not in stored
    assert (await passwords.verdict(PASSWORD, stored)).is_right
    assert (await passwords.verdict(PASSWORD, stored)).better_hash == ""
    assert not (await passwords.verdict(PASSWORD + "!", stored)).is_right


@pytest.mark.parametrize("stored", [None, "", "no hash", "$argon2id$v=19$m=64,t=1,p=1$AAAA$"])
async def test_nothing_is_right_where_there_is_no_hash(stored: str | None) -> None:
    assert not (await Passwords(QUICK).verdict(PASSWORD, stored)).is_right


async def test_the_default_cost_is_that_of_the_rfc() -> None:
    assert (await Passwords().hashed(PASSWORD)).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_hash_of_another_cost_is_made_anew() -> None:
    stored = await Passwords(QUICK).hashed(PASSWORD)
    dearer = Passwords(HashCost(rounds=2, memory_kib=64, lanes=1))
    verdict = await dearer.verdict(PASSWORD, stored)
    assert verdict.is_right
    assert (await dearer.verdict(PASSWORD, verdict.better_hash)).is_right
    assert (await dearer.verdict(PASSWORD, verdict.better_hash)).better_hash == ""
    assert (await dearer.verdict("wrong", stored)).better_hash == ""


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("elevenchars", "less than 12"),
        ("x" * 1025, "more than 1024"),
        ("Administrator", "user's name"),
        ("aaaaaaaaaaaaaaaa", "again and again"),
    ],
)
def test_an_easy_password_is_refused_and_not_shown(password: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said) as refused:
        check_password(password, user="administrator")
    assert password not in str(refused.value)


def test_a_good_one_is_taken() -> None:
    check_password(PASSWORD, user="anna")
    check_password(random_password(), user="anna")
    assert random_password() != random_password()
