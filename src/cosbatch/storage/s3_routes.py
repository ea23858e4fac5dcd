"""Where the requests about a bucket go: to its region, and to a neighbour's where a store redirects there.

Where a request may go is not the store's to say: only hosts of the operator's region table are gone to, and only for
the same bucket and key. What a redirect says besides the host is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

from cosbatch.model.clock import Clock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, RegionName
from cosbatch.model.regions import Addressing, Region
from cosbatch.storage import s3_errors
from cosbatch.storage.dialects import Dialect
from cosbatch.storage.http_client import HttpClient
from cosbatch.storage.places import DEFAULT_PORTS, Place, place_of, place_of_service
from cosbatch.storage.request_heads import Signer
from cosbatch.storage.s3_requests import S3Request


class Answer(Protocol):
    """A whole answer, or a streamed one that is an error."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Neighbour(NamedTuple):
    """Another region of the table."""

    region: Region
    client: Callable[[], HttpClient]
    """Opened when the first request is sent there."""


class Route(NamedTuple):
    """Where the requests about one bucket go, and who signs them for there."""

    client: HttpClient
    signer: Signer
    place: Place


class Routes:
    """The ways to one region's buckets, and to those of its neighbours where a store sends us there: of those that
    speak as it does."""

    def __init__(
        self,
        home: Region,
        *,
        client: HttpClient,
        signer: Signer,
        neighbours: Sequence[Neighbour],
        dialect: Dialect,
        clock: Clock,
    ) -> None:
        self._region_header = dialect.header(b"bucket-region").decode()
        self._dialect = dialect
        self._home = home
        self._client = client
        self._signer = signer
        self._neighbours = [each for each in neighbours if each.region.provider is home.provider]
        self._clock = clock
        self._signers: dict[RegionName, Signer] = {}

    def home(self, bucket: Bucket) -> Route:
        return Route(self._client, self._signer, place_of(self._home, bucket))

    def service(self) -> Route:
        """For requests about no bucket."""
        return Route(self._client, self._signer, place_of_service(self._home))

    def redirected(self, answer: Answer, request: S3Request) -> Route:
        """Where a redirect leads. Raises StorageError WRONG_REGION where that is no host of the table."""
        asked_for = _destination(answer)
        named = answer.headers.get(self._region_header, "")
        found = self._by_name(named, request.bucket) if asked_for is None else self._by_host(asked_for, request.bucket)
        if found is None:
            shown = asked_for.netloc if asked_for is not None else named or answer.headers.get("location", "elsewhere")
            problem = f"the store sends the request to {shown[:200]}, which is no host of the region table"
            raise redirect_refused(problem, answer, request)
        return found

    def _by_host(self, asked_for: SplitResult, bucket: Bucket) -> Route | None:
        for route, region in self._table():
            addressing = _addressing(asked_for, region, bucket)
            if addressing is not None:
                return self._route(route, replace(region, addressing=addressing), bucket)
        return None

    def _by_name(self, signing_region: str, bucket: Bucket) -> Route | None:
        """An answer to HEAD may hold nothing but the region's name. A name that two regions share says nothing."""
        found = [
            each
            for each in self._neighbours
            if each.region.signing_region == signing_region and each.region.profile == self._home.profile
        ]
        return self._route(found[0], found[0].region, bucket) if len(found) == 1 else None

    def _table(self) -> Iterator[tuple[Neighbour | None, Region]]:
        yield None, self._home
        for neighbour in self._neighbours:
            yield neighbour, neighbour.region

    def _route(self, neighbour: Neighbour | None, region: Region, bucket: Bucket) -> Route:
        place = place_of(region, bucket)
        if neighbour is None:
            return Route(self._client, self._signer, place)
        if region.name not in self._signers:
            self._signers[region.name] = self._dialect.signer(region, self._clock)
        return Route(neighbour.client(), self._signers[region.name], place)


def redirect_refused(problem: str, answer: Answer, request: S3Request) -> StorageError:
    return StorageError(
        StorageReason.WRONG_REGION,
        problem,
        code=s3_errors.text_between(answer.body, b"Code"),
        http_status=answer.status,
        target=request.target,
    )


def _destination(answer: Answer) -> SplitResult | None:
    """What Location says, or else the Endpoint of S3's error document, which has no scheme; None where there is
    neither, or only a path."""
    location = answer.headers.get("location", "")
    try:
        if location:
            return _checked(urlsplit(location))
        endpoint = s3_errors.text_between(answer.body, b"Endpoint")
        return _checked(urlsplit(f"//{endpoint}")) if endpoint else None
    except ValueError:
        return None


def _checked(parts: SplitResult) -> SplitResult | None:
    """Raises ValueError for a port that is none."""
    return parts if parts.hostname and (parts.port is None or parts.port) else None


def _addressing(asked_for: SplitResult, region: Region, bucket: Bucket) -> Addressing | None:
    """How the host stands for the bucket; None where it is none of the region's."""
    endpoint = urlsplit(region.endpoint)
    default = DEFAULT_PORTS[endpoint.scheme]
    if asked_for.scheme not in ("", endpoint.scheme) or (asked_for.port or default) != (endpoint.port or default):
        return None
    if asked_for.hostname == endpoint.hostname:
        return Addressing.PATH
    return Addressing.VIRTUAL_HOST if asked_for.hostname == f"{bucket.lower()}.{endpoint.hostname}" else None
