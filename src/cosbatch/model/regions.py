"""The operator's region table and the stores behind it: a job names a region, never an endpoint or a secret."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from cosbatch.model.identifiers import Bucket, RegionName

Place = tuple[RegionName, Bucket]
"""A bucket where it is: regions may have buckets of one name."""


class RateKind(StrEnum):
    """What a cap counts, of all processes together."""

    REQUESTS = "requests"
    BYTES = "bytes"
    """Of bodies, both ways."""


class CappedPlace(NamedTuple):
    """A bucket, and one of the caps that it may have."""

    region: RegionName
    bucket: Bucket
    kind: RateKind

    @property
    def place(self) -> Place:
        return (self.region, self.bucket)


class Provider(StrEnum):
    COS = "cos"
    S3 = "s3"
    """Anything that speaks the S3 protocol with SigV4."""


class Addressing(StrEnum):
    PATH = "path"
    VIRTUAL_HOST = "virtual-host"


class Versioning(StrEnum):
    """Of a bucket."""

    NEVER = "never"
    ENABLED = "Enabled"
    SUSPENDED = "Suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A named place with an endpoint. Credentials are not here: they are asked of a CredentialSource by region name."""

    name: RegionName
    provider: Provider
    endpoint: str
    """``http[s]://host[:port]``."""
    profile: str
    """Name of the capability profile: cos, s3, ceph, seaweedfs, minio, generic."""
    signing_region: str
    """The region's name in signatures; ``us-east-1`` for most self-hosted stores."""
    addressing: Addressing = Addressing.PATH
    ca_file: str | None = None
    """PEM file with the authorities to trust; None: the system's."""
    requests_per_second: float | None = None
    """Cap over all workers, per bucket; None: as fast as the store takes it."""
    bytes_per_second: float | None = None
    """Cap on the bodies that workers read from and write to each bucket, over all of them; None: none."""
    max_connections: int = 256
    """Per worker process, shared by the region's buckets; also the most requests at a time to any one of them."""
    storage_classes: tuple[str, ...] = ()
    """Classes that a job may ask for, in place of the profile's; empty: the profile's."""
    profile_overrides: tuple[tuple[str, str], ...] = ()
    """Option name -> support (``applied``, ``emulated``, ``refused``)."""


CLOUD_DOMAINS: Final = ("amazonaws.com", "amazonaws.com.cn", "myqcloud.com", "tencentcos.cn")
"""Below one of them a region's store reads from another region's by itself. China's partition is a cloud of its own."""


def is_same_store(source: Region, target: Region) -> bool:
    """Whether one store can read from the other by itself: one endpoint, or two regions of one cloud.

    Regions of a cloud have endpoints below the cloud's own domain (``cos.ap-x.myqcloud.com`` and
    ``cos.ap-y.myqcloud.com``); self-hosted stores at different addresses do not know each other.
    """
    if source.endpoint == target.endpoint:
        return True
    hosts = [urlsplit(region.endpoint).hostname or "" for region in (source, target)]
    return any(all(host.endswith(f".{domain}") for host in hosts) for domain in CLOUD_DOMAINS)
