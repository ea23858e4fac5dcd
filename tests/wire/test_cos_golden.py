"""Every call and every error, byte for byte as it was when somebody last looked at it."""

from __future__ import annotations

import pytest
import xmltodict  # type: ignore[import-untyped]

from cosbatch.wire.cos_errors import HTTP_STATUS, CosCode
from tests.wire.cos_cases import CALLS, ERRORS, GOLDEN, Case, play, written
from tests.wire.cos_rig import REQUEST_ID, told

CASES = [*CALLS, *ERRORS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_goes_over_the_wire_is_what_the_golden_file_says(case: Case) -> None:
    sent, response = await play(case)
    assert response.status_code == case.status, response.text
    if case.code:
        assert told(response) == (case.status, case.code)
    else:
        assert response.headers["x-cos-request-id"] == REQUEST_ID
        assert response.headers["server"] == "tencent-cos"
        assert "x-cos-trace-id" not in response.headers
    expected = (GOLDEN / f"{case.name}.http").read_bytes().decode()
    assert written(sent, response) == expected, "python -m tests.wire.cos_cases writes the golden files anew"


def test_each_golden_file_has_its_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {case.name for case in CASES}


def test_each_code_has_a_case() -> None:
    """ExpiredToken needs a key that ends, SlowDown many calls: they have tests of their own."""
    shown = {case.code for case in ERRORS}
    assert set(CosCode) - shown == {CosCode.EXPIRED_TOKEN, CosCode.SLOW_DOWN}
    assert all(HTTP_STATUS[CosCode(case.code)] == case.status for case in ERRORS)


@pytest.mark.parametrize("case", [case for case in CALLS if case.status == 200], ids=lambda case: case.name)
def test_the_answers_are_read_by_another_parser(case: Case) -> None:
    answer = (GOLDEN / f"{case.name}.http").read_text(encoding="utf-8").rstrip("\n").splitlines()[-1]
    assert len(xmltodict.parse(answer)) == 1
