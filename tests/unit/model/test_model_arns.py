"""Resource and role names in every spelling, and near misses that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.arns import ResourceArn, RoleArn, format_bucket_arn, parse_resource_arn, parse_role_arn
from cosbatch.model.identifiers import Bucket, ObjectKey, RegionName

PREFIXES = {
    "qcs::cos:ap-guangzhou::logs-1250000000": "ap-guangzhou",
    "qcs::cos:ap-guangzhou:uid/1250000000:logs-1250000000": "ap-guangzhou",
    "arn:aws:s3:::logs-1250000000": None,
    "arn:aws-cn:s3:::logs-1250000000": None,
    "arn:aws-us-gov:s3:::logs-1250000000": None,
}
ODD_KEYS = [
    "raw/manifest.json",
    "a//b/../c",
    "/leading",
    "trailing/",
    "with:colons:in it",
    "数据/清单.json",
    "line\nfeed\r\n",
    "qcs::cos:x::y/z",
    "100% + more?#&=",
]


@pytest.mark.parametrize(("text", "region"), PREFIXES.items())
def test_a_bucket_is_named_in_each_spelling(text: str, region: str | None) -> None:
    assert parse_resource_arn(text) == ResourceArn(
        bucket=Bucket("logs-1250000000"), region=RegionName(region) if region else None, text=text
    )


@pytest.mark.parametrize("key", ODD_KEYS)
@pytest.mark.parametrize(("prefix", "region"), PREFIXES.items())
def test_a_key_is_everything_after_the_first_slash(prefix: str, region: str | None, key: str) -> None:
    found = parse_resource_arn(f"{prefix}/{key}")

    assert found is not None
    assert (found.bucket, found.key, found.region) == ("logs-1250000000", key, region)


@given(key=st.text(min_size=1))
def test_any_key_comes_back_as_it_was_written(key: str) -> None:
    for prefix in PREFIXES:
        found = parse_resource_arn(f"{prefix}/{key}")
        assert found is not None
        assert found.key == ObjectKey(key)
        assert found.text == f"{prefix}/{key}"


def test_a_slash_and_nothing_after_it_names_the_bucket() -> None:
    found = parse_resource_arn("arn:aws:s3:::logs/")

    assert found is not None
    assert (found.bucket, found.key) == ("logs", None)


def test_a_region_left_out_is_no_region() -> None:
    found = parse_resource_arn("qcs::cos:::logs-1250000000")

    assert found is not None
    assert found.region is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "logs-1250000000",
        "s3://logs-1250000000/key",
        "arn:aws:s3:us-east-1::logs",
        "arn:aws:s3:::",
        "arn:aws:s3:::/key",
        "arn:aws:s3:::lo gs",
        "arn:aws:s3:::logs\n",
        "arn:AWS:s3:::logs",
        "arn:awsé:s3:::logs",
        "arn:aws:iam::123456789012:role/x",
        "qcs:cos:ap-guangzhou::logs",
        "qcs::cos:ap-guangzhou:logs",
        "qcs::cos:ap-guangzhou:uid/:logs",
        "qcs::cos:ap-guangzhou:uid/abc:logs",
        "qcs::cos:ap-guangzhou:uid/١٢٣:logs",
        "qcs::cos:ap-guangzhou:uid/1250000000:",
        "qcs::cos:ap/guangzhou::logs",
        " qcs::cos:ap-guangzhou::logs",
    ],
)
def test_what_is_in_no_spelling_names_nothing(text: str) -> None:
    assert parse_resource_arn(text) is None


BUCKETS = st.from_regex(r"[a-z0-9][a-z0-9.-]{1,40}[a-z0-9]", fullmatch=True)


@given(bucket=BUCKETS, region=st.none() | st.just("eu-frankfurt"), appid=st.sampled_from(["", "1250000000"]))
def test_a_written_bucket_is_read_back(bucket: str, region: str | None, appid: str) -> None:
    named = RegionName(region) if region else None

    text = format_bucket_arn(Bucket(bucket), region=named, appid=appid)

    assert parse_resource_arn(text) == ResourceArn(bucket=Bucket(bucket), region=named, text=text)


@pytest.mark.parametrize(
    ("text", "account", "name"),
    [
        ("qcs::cam::uin/100000000001:roleName/COSBatch_QcsRole", "100000000001", "COSBatch_QcsRole"),
        ("qcs::cam::uin/100000000001:role/4611686018427397919", "100000000001", "4611686018427397919"),
        ("arn:aws:iam::123456789012:role/batch", "123456789012", "batch"),
        ("arn:aws-cn:iam::123456789012:role/path/to/batch", "123456789012", "path/to/batch"),
        ("arn:aws:iam:::role/ceph-role", "", "ceph-role"),
    ],
)
def test_a_role_is_named_in_each_spelling(text: str, account: str, name: str) -> None:
    assert parse_role_arn(text) == RoleArn(account=account, name=name, text=text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "COSBatch_QcsRole",
        "qcs::cam::uin/abc:roleName/x",
        "qcs::cam::uin/1:roleName/",
        "qcs::cam::uin/1:roleName/a b",
        "qcs::cam::uin/1:roleName/" + "x" * 129,
        "qcs::cam::uin/1:uin/2",
        "arn:aws:iam::123456789012:user/x",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/a\nb",
    ],
)
def test_what_names_no_role_is_none(text: str) -> None:
    assert parse_role_arn(text) is None
