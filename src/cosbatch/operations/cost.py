"""What requests and bytes of a job cost, by a table of prices; nothing is made up where a price is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cosbatch.model.identifiers import RegionName
from cosbatch.model.jobs import JobRequest, region_written
from cosbatch.model.operations import InitiateRestoreObject, PutObjectCopy
from cosbatch.model.prices import BYTES_A_GB, REQUESTS_A_PRICE, PriceTable, RegionPrices, RequestGroup

_READS: Final = ("head", "get", "read-back")
_DELETES: Final = ("delete",)
_OF_SOURCE: Final = ("head-source", "get-source")
_NO_PRICES: Final = RegionPrices()


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    what: str
    """``write requests in ap-guangzhou``, ``GB from a to b``."""
    quantity: float
    """Requests, or GB."""
    unit_quantity: int
    """How many of them the price is for."""
    unit_price: float | None
    """None where the settings have no such price."""

    @property
    def amount(self) -> float | None:
        return None if self.unit_price is None else self.quantity / self.unit_quantity * self.unit_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    currency: str
    lines: tuple[CostLine, ...]

    @property
    def total(self) -> float | None:
        """None where any price is missing."""
        amounts = [line.amount for line in self.lines]
        return None if None in amounts else sum(amount for amount in amounts if amount is not None)

    @property
    def unpriced(self) -> tuple[str, ...]:
        return tuple(line.what for line in self.lines if line.unit_price is None)


def cost_of(request: JobRequest, requests: Mapping[str, int], *, size_bytes: int | None, prices: PriceTable) -> Cost:
    """``requests`` by kind. What reading from a class for rarely used objects costs is not in it: a manifest does not
    say which class an object has. A dry run moves no bytes."""
    moved = () if request.dry_run else _byte_lines(request, size_bytes, prices)
    lines = [*_request_lines(request, requests, prices), *moved]
    return Cost(currency=prices.currency, lines=tuple(lines))


def group_of(kind: str) -> RequestGroup:
    """By the first word of a kind's name."""
    if kind == "restore":
        return RequestGroup.RESTORE
    if kind.startswith(_DELETES):
        return RequestGroup.DELETE
    return RequestGroup.READ if kind.startswith(_READS) else RequestGroup.WRITE


def _request_lines(request: JobRequest, requests: Mapping[str, int], prices: PriceTable) -> Iterator[CostLine]:
    counts: Counter[tuple[RegionName, RequestGroup]] = Counter()
    for kind, count in requests.items():
        is_of_source = kind == "get" or kind.startswith(_OF_SOURCE)
        region = request.region if is_of_source else region_written(request)
        counts[region, group_of(kind)] += count
    for (region, group), count in sorted(counts.items()):
        yield CostLine(
            what=f"{group} requests in {region}",
            quantity=count,
            unit_quantity=REQUESTS_A_PRICE,
            unit_price=_request_price(prices.regions.get(region, _NO_PRICES), group, request),
        )


def _request_price(prices: RegionPrices, group: RequestGroup, request: JobRequest) -> float | None:
    operation = request.operation
    if group is RequestGroup.WRITE and isinstance(operation, PutObjectCopy) and operation.storage_class:
        of_class = prices.writes_per_10000_by_class.get(operation.storage_class)
        if of_class is not None:
            return of_class
    return prices.requests_per_10000.get(group)


def _byte_lines(request: JobRequest, size_bytes: int | None, prices: PriceTable) -> Iterator[CostLine]:
    here, there = request.region, region_written(request)
    of_source = prices.regions.get(here, _NO_PRICES)
    operation = request.operation
    if isinstance(operation, InitiateRestoreObject):
        price = of_source.retrieval_per_gb.get(operation.job_tier)
        yield _byte_line(f"GB restored in {here}, tier {operation.job_tier}", size_bytes, price)
    elif here != there:
        yield _byte_line(f"GB from {here} to {there}", size_bytes, of_source.transfer_per_gb)


def _byte_line(what: str, size_bytes: int | None, price: float | None) -> CostLine:
    """Where nobody knows how many bytes they are, a price does not help."""
    if size_bytes is None:
        return CostLine(what=f"{what} (no sizes are listed)", quantity=0, unit_quantity=1, unit_price=None)
    return CostLine(what=what, quantity=size_bytes / BYTES_A_GB, unit_quantity=1, unit_price=price)
