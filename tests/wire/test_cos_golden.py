"""Every call and every error, byte for byte as it was when somebody last looked at it."""

from __future__ import annotations

import pytest
import xmltodict  # type: ignore[import-untyped]

from cosbatch.model.states import JobStatus
from cosbatch.wire.cos_errors import HTTP_STATUS, CosCode
from tests.wire.cos_cases import CALLS, ERRORS, GOLDEN, Case, play, written
from tests.wire.cos_rig import REQUEST_ID, told
from tests.wire.go_structs import STRUCTS, unmarshal

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


@pytest.mark.parametrize("case", [case for case in CASES if case.status != 204], ids=lambda case: case.name)
def test_the_go_sdk_finds_its_structs_in_each_answer(case: Case) -> None:
    """Each element of an answer has a field, but for what is ours: the SDK drops nothing that is told."""
    answer = (GOLDEN / f"{case.name}.http").read_text(encoding="utf-8").rstrip("\n").splitlines()[-1]
    [(root, content)] = xmltodict.parse(answer).items()
    struct = unmarshal(answer.encode(), root)
    assert set(content) <= {path.partition(">")[0] for path in STRUCTS[root]}
    match root:
        case "Error":
            assert struct["Code"] == case.code
            assert all(struct.values())
        case "DescribeJobResult":
            job = struct["Job"]
            assert None not in (job["Manifest"]["Location"], job["Manifest"]["Spec"], job["Report"], job["Operation"])
            assert set(content["Job"]) <= {path.partition(">")[0] for path in job}
            assert (job["Priority"] in (1, 10), job["Status"] in set(JobStatus)) == (True, True)
        case "ListJobsResult":
            assert all(member["Operation"] == "COSPutObjectCopy" for member in struct["Jobs"]["member"])
        case _:
            assert struct["JobId"] == "(job 1)"
