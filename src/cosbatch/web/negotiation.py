"""What a client says of the answer it would take: whether it has it already, and whether it may come smaller."""

from __future__ import annotations

from starlette.requests import Request


def has_already(request: Request, etag: str) -> bool:
    """Whether `if-none-match` names it, by the weak comparison of RFC 9110, section 13.1.2."""
    named = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    return "*" in named or etag.removeprefix("W/") in named


def takes_gzip(request: Request) -> bool:
    """``q=0`` means: not that one."""
    weights = dict(_coding(part) for part in ",".join(request.headers.getlist("accept-encoding")).split(","))
    return weights.get("gzip", weights.get("*", False))


def _coding(text: str) -> tuple[str, bool]:
    """Its name, and whether it is welcome."""
    name, _, weight = text.partition(";")
    digits = weight.replace(" ", "").lower().removeprefix("q=")
    return name.strip().lower(), digits.strip("0.") != "" or not digits
