"""Who signs: an access key, and where fresh ones come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An access key. Its ``repr`` shows the id alone, so that a log line or a traceback gives no secret away."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    """Of temporary credentials; empty for those of a user."""
    expires_at: float | None = None
    """Unix seconds; None: never."""


class CredentialSource(Protocol):
    """Where credentials come from."""

    async def credentials(self) -> Credentials:
        """Credentials that are valid now: renewing them in time is the source's own business.

        The same object is returned until it is renewed: signers keep what they derive from one by identity.
        """
        ...


class StaticCredentials:
    """A CredentialSource that never renews: the keys of a user."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def credentials(self) -> Credentials:
        return self._credentials
