"""Passwords: what one must be like, and argon2id hashes of them.

Hashing takes tens of milliseconds and 64 MiB, so it happens in a thread, and only few at a time in a process.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from cosbatch.model.errors import Fault, InvalidArgument

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST: Final = 12
LONGEST: Final = 1024
"""Characters; what is longer would only cost time."""
_AT_A_TIME: Final = 2
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class HashCost:
    """Parameters of argon2id. The default is the second choice of RFC 9106, section 4."""

    rounds: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordVerdict:
    is_right: bool
    better_hash: str = ""
    """The same password at the present cost, where the stored hash was made at another."""


def check_password(password: str, *, user: str, path: str = "password") -> None:
    """InvalidArgument where the password is too easy. It is in no message."""
    problems = []
    if len(password) < SHORTEST:
        problems.append((f"it has less than {SHORTEST} characters", f"take {SHORTEST} or more; a few words will do"))
    if len(password) > LONGEST:
        problems.append((f"it has more than {LONGEST} characters", "take a shorter one"))
    if password.casefold().strip() == user.casefold():
        problems.append(("it is the user's name", "take another"))
    if len(set(password)) < 4:
        problems.append(("it is almost the same character again and again", "take another"))
    if problems:
        faults = [Fault(path=path, value="", problem=problem, way_out=way_out) for problem, way_out in problems]
        raise InvalidArgument("this password cannot be used", faults=faults)


def random_password() -> str:
    """24 letters, digits, ``-`` and ``_``: 144 bits."""
    return secrets.token_urlsafe(18)


class Passwords:
    """Makes hashes and compares with them."""

    def __init__(self, cost: HashCost | None = None) -> None:
        self._cost = cost or HashCost()
        self._room = asyncio.Semaphore(_AT_A_TIME)

    async def hashed(self, password: str) -> str:
        """Names its parameters and salt: ``$argon2id$v=19$m=...``."""
        async with self._room:
            return await asyncio.to_thread(self._hasher().hash, password)

    async def verdict(self, password: str, stored: str | None) -> PasswordVerdict:
        """Takes its time also where there is no hash to compare with (None, or one that cannot be read), so that
        nobody learns from it which users there are."""
        async with self._room:
            return await asyncio.to_thread(partial(self._compare, password[: LONGEST + 1], stored))

    def _compare(self, password: str, stored: str | None) -> PasswordVerdict:
        from argon2.exceptions import InvalidHashError, VerificationError

        hasher = self._hasher()
        try:
            hasher.verify(stored or self._hash_of_nothing(), password)
        except (VerificationError, InvalidHashError):
            return PasswordVerdict(is_right=False)
        if not stored:
            return PasswordVerdict(is_right=False)
        better = hasher.hash(password) if hasher.check_needs_rehash(stored) else ""
        return PasswordVerdict(is_right=True, better_hash=better)

    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher

        return PasswordHasher(
            time_cost=self._cost.rounds,
            memory_cost=self._cost.memory_kib,
            parallelism=self._cost.lanes,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )

    def _hash_of_nothing(self) -> str:
        """A hash at the present cost that no password has."""
        salt, digest = (
            base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (_SALT_BYTES, _HASH_BYTES)
        )
        cost = self._cost
        return f"$argon2id$v=19$m={cost.memory_kib},t={cost.rounds},p={cost.lanes}${salt}${digest}"
