"""``/ui/...``: the console's files, and its page for every address that is none of a file's; and the way there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from cosbatch.web.console.assets import HASHED, PAGE, Asset, read_assets
from cosbatch.web.negotiation import has_already, takes_gzip

NOT_BUILT: Final = (
    "The console is not part of this installation: install cosbatch from its wheel, or run `make console-build` in its"
    " source tree, and load this page again.\n"
)
NO_SUCH_FILE: Final = "The console has no such file. After an upgrade, load the page again.\n"
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
GUARDS: Final[Mapping[str, str]] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""What a browser may do with the console's files: nothing that leaves this service, and nothing inside another page."""
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_EACH_TIME: Final = "no-cache"
_NO_STORE: Final = {"cache-control": "no-store"}
_SIGNED: Final = ("q-", "x-amz-", "x-cos-", "sign")
"""How parameters begin with which clients of object stores sign an address."""


def console_routes(folders: Sequence[Path]) -> list[Route]:
    """The console is served out of the first folder that has it, from the first call on that finds it there."""
    console = _Console(folders)
    return [
        Route("/", _Door(), name="console-door", include_in_schema=False),
        Route("/ui", _to_console, methods=["GET"], name="console", include_in_schema=False),
        Route(f"/ui/{HASHED}{{path:path}}", console.asset, methods=["GET"], name="console-asset"),
        Route("/ui/{path:path}", console.page, methods=["GET"], name="console"),
    ]


class _Door:
    """``/``: people are shown to the console. It is a path of the wires' hosts too, where a client of a store would ask
    for something else, so whoever is no browser is answered as on any path that is none, whatever the method."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if not _is_person(request):
            raise HTTPException(404)
        await (await _to_console(request))(scope, receive, send)


def _is_person(request: Request) -> bool:
    wants_page = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "").lower()
    signs = "authorization" in request.headers or any(name.lower().startswith(_SIGNED) for name in request.query_params)
    return wants_page and not signs


async def _to_console(request: Request) -> Response:
    """Without a host: behind a proxy only the browser knows it."""
    query = request.url.query
    return RedirectResponse(f"/ui/?{query}" if query else "/ui/", status_code=307, headers={**_NO_STORE, **GUARDS})


class _Console:
    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._assets: Mapping[str, Asset] = {}
        self._reading = asyncio.Lock()

    async def page(self, request: Request) -> Response:
        """A file beside the page, or the page: an address of the console has no dot in its last step."""
        assets = await self._read()
        path = request.path_params["path"]
        is_address = "." not in path.rpartition("/")[2] and path != HASHED.rstrip("/")
        return _answer(request, assets, PAGE if is_address else path, keep=_ASK_EACH_TIME)

    async def asset(self, request: Request) -> Response:
        assets = await self._read()
        return _answer(request, assets, HASHED + request.path_params["path"], keep=_FOR_EVER)

    async def _read(self) -> Mapping[str, Asset]:
        """Looks again at each call while there are none: whoever builds them need not start the service again."""
        if not self._assets:
            async with self._reading:
                self._assets = self._assets or await asyncio.to_thread(read_assets, self._folders)
        return self._assets


def _answer(request: Request, assets: Mapping[str, Asset], path: str, *, keep: str) -> Response:
    if not assets:
        return PlainTextResponse(NOT_BUILT, status_code=503, headers={**_NO_STORE, **GUARDS})
    asset = assets.get(path)
    if asset is None:
        return PlainTextResponse(NO_SUCH_FILE, status_code=404, headers={**_NO_STORE, **GUARDS})
    headers = {"cache-control": keep, "etag": asset.etag, "vary": "accept-encoding", **GUARDS}
    if has_already(request, asset.etag):
        return Response(status_code=304, headers=headers)
    content = asset.content
    if asset.gzipped is not None and takes_gzip(request):
        content = asset.gzipped
        headers["content-encoding"] = "gzip"
    headers |= {"content-type": asset.content_type, "content-length": str(len(content))}
    return Response(b"" if request.method == "HEAD" else content, headers=headers)
