"""Ports: who is behind an access key. Whoever verifies a signature asks here for the key that must have made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from cosbatch.model.principals import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key that may sign calls. Its ``repr`` shows the id alone."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    caller: Caller
    session_token: str = field(default="", repr=False)
    """Of a temporary key: the call has to bring the same one."""
    expires_at: float | None = None
    """Unix seconds; None: never."""
    last_used_at: float | None = None
    """Unix seconds, as far as it is written down; None: never."""


class KeyLookup(Protocol):
    """The access keys that the service knows."""

    async def signing_key(self, access_key_id: str) -> SigningKey | None:
        """None where there is none of that id, or it, its user or its account is disabled."""
        ...

    async def used(self, key: SigningKey) -> None:
        """A call was found to be signed with it. Raises nothing: the call goes on where that cannot be written."""
        ...
