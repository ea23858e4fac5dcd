"""The processes that work, and their shares of the rate caps. Who gets how much is told in
:mod:`cosbatch.ledger.rate_shares`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select, update

from cosbatch.ledger import tables
from cosbatch.ledger.codec import decode, encode
from cosbatch.ledger.rate_shares import LONG_SILENT, RateShare, RateWish, grant
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.identifiers import Bucket, RegionName, WorkerId
from cosbatch.model.regions import CappedPlace, Place, RateKind
from cosbatch.model.workers import WorkerMetrics, WorkerProcess, WorkerSeen

_WORKER: Final = tables.worker.c
_SHARE: Final = tables.rate_share.c

_THE_WORKER: Final = _WORKER.id == bindparam("the_worker")
_SHOW: Final = update(tables.worker).where(_THE_WORKER)
_ENTER: Final = insert(tables.worker)
_LEAVE: Final = delete(tables.worker).where(_THE_WORKER)
_FORGET_SILENT: Final = delete(tables.worker).where(_WORKER.seen_at < bindparam("before"))
_SEEN_SINCE: Final = (
    select(tables.worker).where(_WORKER.seen_at >= bindparam("since")).order_by(_WORKER.started_at, _WORKER.id)
)
_THE_SHARE: Final = (
    _SHARE.region == bindparam("the_region"),
    _SHARE.bucket == bindparam("the_bucket"),
    _SHARE.kind == bindparam("the_kind"),
    _SHARE.owner == bindparam("the_owner"),
)
_END_PAST: Final = delete(tables.rate_share).where(_SHARE.until <= bindparam("now"))
_CAPS_OF_OWNER: Final = select(_SHARE.region, _SHARE.bucket, _SHARE.kind).where(_SHARE.owner == bindparam("the_owner"))
_SHARES_OF_CAP: Final = (
    select(tables.rate_share)
    .where(
        _SHARE.region == bindparam("the_region"),
        _SHARE.bucket == bindparam("the_bucket"),
        _SHARE.kind == bindparam("the_kind"),
    )
    .with_for_update()
)
_SPARE: Final = select(_SHARE.region, _SHARE.bucket, _SHARE.kind, _SHARE.until).where(
    _SHARE.until > bindparam("now"), _SHARE.spare == 1
)
_SET: Final = update(tables.rate_share).where(*_THE_SHARE)
_ADD: Final = insert(tables.rate_share)
_GIVE_BACK: Final = delete(tables.rate_share).where(*_THE_SHARE)
_GIVE_ALL_BACK: Final = delete(tables.rate_share).where(_SHARE.owner == bindparam("the_owner"))


def check_in(
    tx: Transaction,
    *,
    process: WorkerProcess,
    metrics: WorkerMetrics,
    wishes: Mapping[CappedPlace, RateWish],
    seconds: float,
) -> Mapping[CappedPlace, float]:
    _show(tx, process, metrics)
    tx.change(_FORGET_SILENT, {"before": tx.now() - LONG_SILENT * seconds})
    tx.change(_END_PAST, {"now": tx.now()})
    mine = {_capped(row) for row in tx.all(_CAPS_OF_OWNER, {"the_owner": process.id})}
    tx.change_each(_GIVE_BACK, [_key(capped, process.id) for capped in sorted(mine - wishes.keys())])
    # Always in the same order, so that two that ask for the same buckets never wait for each other.
    return {
        capped: _renew(tx, process.id, capped, wishes[capped], is_new=capped not in mine, seconds=seconds)
        for capped in sorted(wishes)
    }


def check_out(tx: Transaction, *, process: WorkerId) -> None:
    tx.change(_LEAVE, {"the_worker": process})
    tx.change(_GIVE_ALL_BACK, {"the_owner": process})


def workers(tx: Transaction, *, seen_within_seconds: float) -> list[WorkerSeen]:
    return [_worker_from(row) for row in tx.all(_SEEN_SINCE, {"since": tx.now() - seen_within_seconds})]


def taken_places(tx: Transaction) -> list[tuple[Place, float]]:
    """Buckets whose rate cap cannot use one process more, each with when that is past: some would work for them and
    have found no share."""
    return [(_capped(row).place, row.until) for row in tx.all(_SPARE, {"now": tx.now()})]


def _show(tx: Transaction, process: WorkerProcess, metrics: WorkerMetrics) -> None:
    told = {"seen_at": tx.now(), "metrics": encode(metrics)}
    if not tx.change(_SHOW, {"the_worker": process.id} | told):
        about = {"id": process.id, "role": process.role, "host": process.host, "pid": process.pid}
        tx.change(_ENTER, about | told | {"started_at": tx.now()})


def _renew(
    tx: Transaction, owner: WorkerId, capped: CappedPlace, wish: RateWish, *, is_new: bool, seconds: float
) -> float:
    shares = [_share_from(row) for row in tx.all(_SHARES_OF_CAP, _cap_key(capped))]
    granted = grant(owner, wish, shares=shares, now=tx.now(), seconds=seconds)
    row = granted.row
    kept = {
        "rate": row.rate,
        "pressing": int(row.is_pressing),
        "spare": int(row.is_spare),
        "since": row.since,
        "until": row.until,
    }
    if is_new:
        tx.change(_ADD, capped._asdict() | {"owner": owner} | kept)
    else:
        tx.change(_SET, _key(capped, owner) | kept)
    return granted.rate


def _cap_key(capped: CappedPlace) -> dict[str, Any]:
    return {f"the_{name}": value for name, value in capped._asdict().items()}


def _key(capped: CappedPlace, owner: WorkerId) -> dict[str, Any]:
    return _cap_key(capped) | {"the_owner": owner}


def _capped(row: Row[Any]) -> CappedPlace:
    return CappedPlace(RegionName(row.region), Bucket(row.bucket), RateKind(row.kind))


def _share_from(row: Row[Any]) -> RateShare:
    return RateShare(
        owner=WorkerId(row.owner),
        rate=row.rate,
        is_pressing=bool(row.pressing),
        is_spare=bool(row.spare),
        since=row.since,
        until=row.until,
    )


def _worker_from(row: Row[Any]) -> WorkerSeen:
    return WorkerSeen(
        process=WorkerProcess(id=WorkerId(row.id), role=row.role, host=row.host, pid=row.pid),
        started_at=row.started_at,
        seen_at=row.seen_at,
        metrics=decode(row.metrics, WorkerMetrics),
    )
