"""Where the requests about a bucket go: the host and the path that stand for it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, assert_never
from urllib.parse import urlsplit

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket
from cosbatch.model.regions import Addressing, Region

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_BUCKET_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class Place(NamedTuple):
    """Where the requests about one bucket go."""

    host: bytes
    """As in the Host header."""
    path: bytes
    """What stands before ``/key``."""
    connect_to: str | None
    """The host to connect to, where it is not the endpoint's."""


def place_of(region: Region, bucket: Bucket) -> Place:
    """Path addressing, or the bucket as the first label of the host."""
    name = checked_bucket(bucket).encode()
    host = _own_host(region.endpoint)
    match region.addressing:
        case Addressing.PATH:
            return Place(host, b"/" + name, None)
        case Addressing.VIRTUAL_HOST:
            return Place(name + b"." + host, b"", f"{bucket}.{urlsplit(region.endpoint).hostname or ''}")
        case _:
            assert_never(region.addressing)


def place_of_service(region: Region) -> Place:
    """Where requests about no bucket go."""
    return Place(_own_host(region.endpoint), b"", None)


def _own_host(endpoint: str) -> bytes:
    """As in the Host header, which names a port unless it is the scheme's own."""
    parts = urlsplit(endpoint)
    name = parts.hostname or ""
    shown = f"[{name}]" if ":" in name else name
    is_usual = parts.port in (None, DEFAULT_PORTS.get(parts.scheme))
    return shown.encode() if is_usual else f"{shown}:{parts.port}".encode()


def checked_bucket(bucket: Bucket) -> Bucket:
    """A name that could turn a request into one about something else is refused before it is sent."""
    if not _BUCKET_NAME.fullmatch(bucket):
        raise StorageError(
            StorageReason.NO_SUCH_BUCKET,
            "this is not a bucket name: letters, digits, dots, dashes and underscores only",
            code="InvalidBucketName",
            target=f"bucket {bucket[:100]!r}",
        )
    return bucket
