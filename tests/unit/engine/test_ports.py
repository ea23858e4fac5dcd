"""Which stores can read from one another."""

from __future__ import annotations

import pytest

from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Provider, Region, is_same_store


def region(endpoint: str, *, profile: str = "s3") -> Region:
    return Region(
        name=RegionName(endpoint), provider=Provider.S3, endpoint=endpoint, profile=profile, signing_region="r"
    )


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", True),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9001", False),
        ("https://s3.eu-west-1.amazonaws.com", "https://s3.us-east-1.amazonaws.com", True),
        ("https://s3.eu-west-1.amazonaws.com", "https://minio.home", False),
        ("https://s3.eu-west-1.amazonaws.com", "https://s3.cn-north-1.amazonaws.com.cn", False),
        ("https://cos.ap-guangzhou.myqcloud.com", "https://cos.ap-shanghai.myqcloud.com", True),
        ("https://cos.ap-guangzhou.myqcloud.com", "https://s3.us-east-1.amazonaws.com", False),
        ("https://evilamazonaws.com", "https://s3.us-east-1.amazonaws.com", False),
    ],
)
def test_one_endpoint_or_one_cloud(source: str, target: str, expected: bool) -> None:
    assert is_same_store(region(source), region(target)) is expected
