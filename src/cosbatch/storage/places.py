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
    """Path addressing, or the bucket as the first label of the host. The Host header names a port unless it is the
    scheme's own."""
    checked_bucket(bucket)
    endpoint = urlsplit(region.endpoint)
    name = endpoint.hostname or ""
    shown = f"[{name}]" if ":" in name else name
    port = endpoint.port
    suffix = f":{port}" if port and port != DEFAULT_PORTS.get(endpoint.scheme) else ""
    match region.addressing:
        case Addressing.PATH:
            return Place(f"{shown}{suffix}".encode(), b"/" + bucket.encode(), None)
        case Addressing.VIRTUAL_HOST:
            return Place(f"{bucket}.{shown}{suffix}".encode(), b"", f"{bucket}.{name}")
        case _:
            assert_never(region.addressing)


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
