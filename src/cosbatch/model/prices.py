"""What requests and bytes cost, as an operator has written it down; no price is known without that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cosbatch.model.identifiers import RegionName
from cosbatch.model.operations import RestoreTier

REQUESTS_A_PRICE = 10_000
BYTES_A_GB = 10**9


class RequestGroup(StrEnum):
    """Requests that have one price."""

    READ = "read"
    """HEAD and GET, also of tags and access lists."""
    WRITE = "write"
    """PUT, COPY, POST, and the parts of uploads."""
    DELETE = "delete"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionPrices:
    """Of one region's store."""

    requests_per_10000: Mapping[RequestGroup, float] = field(default_factory=dict)
    writes_per_10000_by_class: Mapping[str, float] = field(default_factory=dict)
    """Storage class -> price of writes into it, instead of the one for all writes."""
    retrieval_per_gb: Mapping[RestoreTier, float] = field(default_factory=dict)
    """Of archived objects that are restored."""
    transfer_per_gb: float | None = None
    """Of bytes that leave the region for another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    currency: str
    regions: Mapping[RegionName, RegionPrices]
