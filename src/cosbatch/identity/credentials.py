"""Who signs: an access key, and where fresh ones come from."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from cosbatch.model.clock import Clock
from cosbatch.model.errors import CosbatchError

RENEWED_AHEAD_SECONDS: Final = 300.0
"""How long before their end credentials are renewed, or a quarter of their life if that is shorter."""
PAUSE_SECONDS: Final = 10.0
"""After a renewal that brought nothing new, nobody is asked again for this long."""


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

    def at_hand(self) -> Credentials | None:
        """What :meth:`credentials` would return, where nobody has to be waited for to know it; else None. Whoever
        sends for every object asks this first: a coroutine for each of them costs half a microsecond."""
        ...

    async def renewed(self, stale: Credentials) -> Credentials:
        """Other credentials than ``stale``, which the store calls expired; ``stale`` where there are none yet."""
        ...


class StaticCredentials:
    """A CredentialSource that never renews: the keys of a user."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def credentials(self) -> Credentials:
        return self._credentials

    def at_hand(self) -> Credentials:
        return self._credentials

    async def renewed(self, stale: Credentials) -> Credentials:
        return self._credentials


class RenewingCredentials:
    """A CredentialSource that asks for others before those it has expire, and when a store says that they have.

    However many requests find out at the same time, it is asked once. A renewal that fails leaves what there is: the
    store decides what it is worth, and its bucket is held until a later renewal brings something.
    """

    def __init__(self, first: Credentials, *, fetch: Callable[[], Awaitable[Credentials]], clock: Clock) -> None:
        """``fetch`` may raise a CosbatchError."""
        self._fetch = fetch
        self._clock = clock
        self._lock = asyncio.Lock()
        self._current = first
        self._renew_at = math.inf
        self._asked_at = -math.inf
        self._keep(first)

    async def credentials(self) -> Credentials:
        return self.at_hand() or await self._other_than(self._current)

    def at_hand(self) -> Credentials | None:
        if self._renew_at != math.inf and self._clock.now() >= self._renew_at:
            return None
        return self._current

    async def renewed(self, stale: Credentials) -> Credentials:
        return await self._other_than(stale)

    async def _other_than(self, stale: Credentials) -> Credentials:
        async with self._lock:
            if self._current is stale and self._clock.boottime() >= self._asked_at + PAUSE_SECONDS:
                await self._renew()
        return self._current

    async def _renew(self) -> None:
        self._asked_at = self._clock.boottime()
        try:
            found = await self._fetch()
        except CosbatchError:
            return
        if found != self._current:
            self._keep(found)
            self._asked_at = -math.inf

    def _keep(self, credentials: Credentials) -> None:
        self._current = credentials
        if credentials.expires_at is None:
            self._renew_at = math.inf
            return
        life = credentials.expires_at - self._clock.now()
        self._renew_at = credentials.expires_at - min(RENEWED_AHEAD_SECONDS, max(0.0, life) / 4)
