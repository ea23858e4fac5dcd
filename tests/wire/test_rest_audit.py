"""The audit log over the JSON API: searched, paged, downloaded."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import pytest

from tests.wire.rest_rig import ADMIN, OPERATOR, STRANGER, VIEWER, RestRig, faults, refusal, rest_rig, settings


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    """Admins of the second account are the operators. Three writes were made, one of them was refused."""
    async with rest_rig(tmp_path, with_settings=settings(server={"operator_account": "second"})) as made:
        for name in ("nora", "otto", "nora"):
            made.clock.tick(60)
            await made.call("POST", "/users", by=ADMIN, json={"name": name}, headers={"x-request-id": f"made-{name}"})
        yield made


async def lines(rig: RestRig, *, by: str = ADMIN, **wanted: Any) -> list[dict[str, Any]]:
    answer = await rig.call("GET", f"/audit?{urlencode(wanted)}", by=by)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_line_says_who_what_when_and_by_which_call(rig: RestRig) -> None:
    newest = (await lines(rig, actor=ADMIN))[0]
    assert (newest["action"], newest["target"], newest["outcome"]) == ("create-user", "nora", "refused")
    assert (newest["account"], newest["via"], newest["request_id"]) == ("first", "rest", "made-nora")
    assert newest["at"] == "2023-11-14T22:16:20.000Z"


async def test_it_is_searched_by_everything_at_once(rig: RestRig) -> None:
    assert [line["target"] for line in await lines(rig, actor=ADMIN)] == ["nora", "otto", "nora"]
    assert len(await lines(rig, actor=ADMIN, outcome="refused")) == 1
    assert [line["target"] for line in await lines(rig, action="create-user", target="otto")] == ["otto"]
    span = {"since": "2023-11-14T22:14:20Z", "until": "2023-11-15T06:16:20+08:00"}
    assert [line["target"] for line in await lines(rig, actor=ADMIN, **span)] == ["otto", "nora"]
    assert await lines(rig, actor="root") != []
    assert await lines(rig, actor="nobody") == []


async def test_pages_cover_everything_once(rig: RestRig) -> None:
    whole = await lines(rig, limit=1000)
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = (await rig.call("GET", f"/audit?limit=2&cursor={cursor}", by=ADMIN)).json()
        found += answer["items"]
        cursor = answer["next_cursor"]
    assert found == whole
    assert [line["id"] for line in whole] == sorted((line["id"] for line in whole), reverse=True)


async def test_accounts_are_walls(rig: RestRig) -> None:
    assert {line["account"] for line in await lines(rig)} == {"first"}
    assert {line["account"] for line in await lines(rig, by=STRANGER)} >= {"first", "second"}
    assert {line["account"] for line in await lines(rig, by=STRANGER, account="second")} == {"second"}
    for path in ("/audit", "/audit.csv"):
        assert refusal(await rig.call("GET", f"{path}?account=second", by=ADMIN)) == (404, "NoSuchEntity")
        for who in (VIEWER, OPERATOR):
            assert refusal(await rig.call("GET", path, by=who)) == (403, "AccessDenied")


async def test_it_is_downloaded_as_csv(rig: RestRig) -> None:
    answer = await rig.call("GET", f"/audit.csv?actor={ADMIN}", by=ADMIN)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "audit.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    expected = await lines(rig, actor=ADMIN)
    assert rows == [{name: str(value) for name, value in line.items()} for line in expected]


@pytest.mark.parametrize("job", ["=1+1", "+1", "-1", "@A1", "%09=1"])
async def test_what_a_caller_wrote_is_no_formula_in_the_csv(rig: RestRig, job: str) -> None:
    await rig.call("POST", f"/jobs/{job}/pause", by=VIEWER, json={"reason": ""})
    (line,) = await lines(rig, actor=VIEWER, outcome="refused")
    answer = await rig.call("GET", f"/audit.csv?actor={VIEWER}&outcome=refused", by=ADMIN)
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["target"] == f"'{line['target']}"
    assert line["target"] == unquote(job)


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("since=yesterday", "since"),
        ("since=2023-11-14T22:14:20", "since"),
        ("outcome=maybe", "outcome"),
        ("cursor=WyJhIl0", "cursor"),
        ("cursor=WzFlMzBd", "cursor"),
        ("limit=0", "limit"),
        ("who=anna", "who"),
    ],
)
async def test_what_cannot_be_asked_is_refused(rig: RestRig, query: str, path: str) -> None:
    answer = await rig.call("GET", f"/audit?{query}", by=ADMIN)
    assert refusal(answer) == (400, "InvalidArgument")
    assert set(faults(answer)) == {path}
