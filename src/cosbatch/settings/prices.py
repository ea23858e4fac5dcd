"""The ``prices`` section: what requests and bytes cost, for estimates. It is empty as shipped: prices are agreed upon
with a provider and change, and a wrong one is worse than none."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictStr

from cosbatch.model.identifiers import RegionName
from cosbatch.model.operations import RestoreTier
from cosbatch.model.prices import PriceTable, RegionPrices, RequestGroup
from cosbatch.settings.fields import Section

Price = Annotated[float, Field(ge=0)]


class RegionPriceSettings(Section):
    """Of one region."""

    requests_per_10000: dict[RequestGroup, Price] = Field(
        default={}, description="Price of 10,000 requests: " + ", ".join(f"`{group}`" for group in RequestGroup) + "."
    )
    writes_per_10000_by_class: dict[StrictStr, Price] = Field(
        default={}, description="Storage class -> price of 10,000 writes into it, where it is another one."
    )
    retrieval_per_gb: dict[RestoreTier, Price] = Field(
        default={}, description="Tier -> price of a GB (10^9 bytes) that is restored from an archive."
    )
    transfer_per_gb: Price | None = Field(
        default=None, description="Price of a GB that leaves this region for another one."
    )


class PriceSettings(Section):
    """Without a price that an estimate needs, it names no cost."""

    currency: Annotated[StrictStr, Field(pattern="^[A-Z]{3}$")] = Field(
        default="CNY", description="Currency of all prices, ISO 4217."
    )
    regions: dict[StrictStr, RegionPriceSettings] = Field(default={}, description="Name of a region -> its prices.")


def price_table(settings: PriceSettings) -> PriceTable:
    return PriceTable(
        currency=settings.currency,
        regions={
            RegionName(name): RegionPrices(
                requests_per_10000=prices.requests_per_10000,
                writes_per_10000_by_class=prices.writes_per_10000_by_class,
                retrieval_per_gb=prices.retrieval_per_gb,
                transfer_per_gb=prices.transfer_per_gb,
            )
            for name, prices in settings.regions.items()
        },
    )
