"""What shows that a write comes from whoever has logged in."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cosbatch.client.people_shapes import Session
from cosbatch.client.transport import ApiRequest

CSRF_HEADER: Final = "x-csrf-token"


class SessionProof:
    """The CSRF token of a client's session. The session itself is a cookie, which the transport keeps."""

    def __init__(self) -> None:
        self._csrf_token = ""

    def of(self, session: Session) -> Session:
        """Keeps the token of ``session``."""
        self._csrf_token = session.csrf_token or ""
        return session

    def added_to(self, request: ApiRequest) -> ApiRequest:
        if not self._csrf_token or request.method == "GET":
            return request
        return replace(request, headers={**request.headers, CSRF_HEADER: self._csrf_token})
