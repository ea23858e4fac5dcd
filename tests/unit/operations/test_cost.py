"""A cost is the sum of what the settings have prices for, and none where one is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosbatch.model.identifiers import RegionName
from cosbatch.model.operations import InitiateRestoreObject, PutObjectCopy, RestoreTier
from cosbatch.model.prices import PriceTable, RegionPrices, RequestGroup
from cosbatch.operations.copy_costs import COPY_COSTS
from cosbatch.operations.cost import Cost, cost_of, group_of
from tests.unit.operations.copy_rig import REGION, TARGET, job_request

AWAY = RegionName("away")
GB = 10**9
PRICES = RegionPrices(
    requests_per_10000={RequestGroup.READ: 0.1, RequestGroup.WRITE: 0.5, RequestGroup.DELETE: 0.0},
    writes_per_10000_by_class={"ARCHIVE": 2.0},
    retrieval_per_gb={RestoreTier.BULK: 0.02},
    transfer_per_gb=0.8,
)
COPY = PutObjectCopy(target_bucket=TARGET)


def _cost(
    operation: object, requests: dict[str, int], *, size_bytes: int | None = 5 * GB, prices: RegionPrices = PRICES
) -> Cost:
    table = PriceTable(currency="CNY", regions={REGION: prices, AWAY: prices})
    return cost_of(job_request(operation), requests, size_bytes=size_bytes, prices=table)  # type: ignore[arg-type]


def test_requests_of_one_price_are_added_up() -> None:
    cost = _cost(COPY, {"copy": 20_000, "put-target-tags": 10_000, "head-source": 10_000, "read-back": 10_000})

    assert {line.what: line.quantity for line in cost.lines} == {
        f"read requests in {REGION}": 20_000,
        f"write requests in {REGION}": 30_000,
    }
    assert cost.total == pytest.approx(0.2 + 1.5)
    assert (cost.currency, cost.unpriced) == ("CNY", ())


def test_writes_into_a_class_have_its_price() -> None:
    assert _cost(replace(COPY, storage_class="ARCHIVE"), {"copy": 10_000}).total == 2.0
    assert _cost(replace(COPY, storage_class="STANDARD"), {"copy": 10_000}).total == 0.5


def test_bytes_that_leave_a_region_and_requests_of_each() -> None:
    cost = _cost(replace(COPY, target_region=AWAY), {"head-source": 10_000, "get": 10_000, "put": 10_000})

    assert {line.what: line.amount for line in cost.lines} == {
        f"read requests in {REGION}": pytest.approx(0.2),
        f"write requests in {AWAY}": 0.5,
        f"GB from {REGION} to {AWAY}": 4.0,
    }


def test_what_is_restored_is_paid_by_its_bytes_where_they_are_known() -> None:
    restore = InitiateRestoreObject(expiration_in_days=1, job_tier=RestoreTier.BULK)
    free = replace(PRICES, requests_per_10000={RequestGroup.RESTORE: 0.0})

    assert _cost(restore, {"restore": 1}, prices=free).total == pytest.approx(0.1)
    assert _cost(restore, {"restore": 1}, prices=free, size_bytes=None).total is None


def test_without_a_price_there_is_no_total_and_it_is_named() -> None:
    cost = _cost(COPY, {"copy": 1, "head-source": 1}, prices=RegionPrices(requests_per_10000={RequestGroup.READ: 1.0}))

    assert (cost.total, cost.unpriced) == (None, (f"write requests in {REGION}",))
    assert _cost(COPY, {"copy": 1}, prices=RegionPrices()).total is None


@pytest.mark.parametrize(
    ("kind", "group"),
    [("copy", "write"), ("copy-part", "write"), ("get", "read"), ("get-tags", "read"), ("head", "read"),
     ("delete", "delete"), ("delete-tags", "delete"), ("restore", "restore"), ("begin-upload", "write")],
)  # fmt: skip
def test_each_kind_has_its_group(kind: str, group: str) -> None:
    assert group_of(kind) == group


def test_every_kind_of_the_cost_table_that_reads_is_priced_as_one() -> None:
    kinds = {kind for cost in COPY_COSTS for kind in cost.kinds}
    reads = {kind for kind in kinds if group_of(kind) is RequestGroup.READ}
    assert kinds - reads == {"copy", "put", "put-target-tags", "put-target-acl"}
